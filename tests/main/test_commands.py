"""The commands as a person meets them: what works, and what they are told when it does not."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dazi.core.errors import CallerError, ConfigError, OperatorError
from dazi.main.checking import check_folder
from dazi.main.cli import BUG, run
from dazi.main.company import load_company
from dazi.main.engines import choose_model
from dazi.main.initialise import initialise
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.serve import serve
from dazi.main.settings import Settings, demo_folder
from tests.fakes.engine import ScriptedEngine


@pytest.fixture
def company(tmp_path: Path) -> Path:
    folder = tmp_path / "company"
    shutil.copytree(demo_folder(), folder)
    return folder


def dazi(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    code = "from dazi.main.cli import run; run()"
    import os

    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **env},
    )


def test_what_needs_no_database_does_not_wait_for_its_library() -> None:
    code = "import sys, dazi.main.cli; print([m for m in sys.modules if m == 'sqlalchemy'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


CYCLES = """
import gc
from dazi.main import collecting
class Socket:
    closed = 0
    def __del__(self): Socket.closed += 1
def given_up():
    held = [Socket()]
    held.append(held)
def most_open():
    most, made = 0, 0
    for made in range(1, 3001):
        given_up()
        most = max(most, made - Socket.closed)
    return most
collecting.starting()
print(most_open() > 2_000)
collecting.lasting()
Socket.closed = 0
print(most_open() < 1_000)
"""


def test_what_lasts_collects_what_was_given_up() -> None:
    """A socket in a cycle is closed when that is collected."""
    done = subprocess.run([sys.executable, "-c", CYCLES], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "True"], done.stderr


def test_a_mistake_of_its_own_is_no_check_that_did_not_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dazi.main.cli._wanted", lambda _: lambda: 1 / 0)
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == BUG and "ZeroDivisionError" in capsys.readouterr().err


def test_init_makes_a_folder_that_check_accepts(tmp_path: Path) -> None:
    made = dazi("init", str(tmp_path / "new"), DAZI_LANG="en")
    assert made.returncode == 0 and "dazi check" in made.stdout
    checked = dazi("check", str(tmp_path / "new"), DAZI_LANG="en", DAZI_DATA=str(tmp_path / "d"))
    assert checked.returncode == 0, checked.stderr
    assert "1 tools" in checked.stdout


def test_init_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CallerError, match="not empty"):
        initialise(tmp_path, "en")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_check_accepts_the_demo_company() -> None:
    line, *whence = check_folder(demo_folder(), "en")
    assert "17 tools" in line
    assert any("tools retail: query_sales_data, search_product" in told for told in whence)


@pytest.mark.parametrize(
    ("old", "new", "line_holds", "says"),
    [
        ("effect: read", "effect: reed", "effect: reed", "'sensitive'"),
        ("effect: read", "efect: read", "get_order_status", "effect"),
        ("roles: [customer, staff", "roles: [custmer, staff", "get_order_status", "custmer"),
        ("pattern: ^ORD[0-9]{5}$", "pattern: ^ORD[0-9{5}$", "pattern:", "regular expression"),
        ("    sql: >", "    sqll: >", "sqll", "sqll"),
        ("tools:\n", "tools: [\n", "", "YAML"),
    ],
)
def test_a_broken_tool_file_is_shown_where_it_is_broken(
    company: Path, old: str, new: str, line_holds: str, says: str
) -> None:
    path = company / "tools" / "crm.yaml"
    text = path.read_text(encoding="utf-8").replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_company(company)
    error = caught.value
    assert error.where == str(path)
    assert error.line is not None
    assert line_holds in text.splitlines()[error.line - 1]
    assert says.lower() in error.message("en").lower()
    assert f"crm.yaml:{error.line}" in error.message("zh")


def test_a_control_character_in_a_tool_file(company: Path) -> None:
    path = company / "tools" / "crm.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# \x07\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="control character") as caught:
        load_company(company)
    assert caught.value.where == str(path)


def test_a_typo_in_a_role_or_setting_is_found(company: Path) -> None:
    (company / "dazi.toml").write_text("[compny]\nname = 'x'\n")
    with pytest.raises(ConfigError, match="compny") as caught:
        load_company(company)
    assert caught.value.line == 1


async def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError) as caught:
            await serve(Settings(data=tmp_path, port=port), "en", False)
    assert str(port + 1) in caught.value.message("zh")


async def test_demo_users_refuse_any_address_but_loopback(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="loopback"):
        await open_runtime(Settings(data=tmp_path, host="0.0.0.0"))


def test_unknown_user_and_unknown_model(tmp_path: Path) -> None:
    env = {"DAZI_DATA": str(tmp_path), "DAZI_LANG": "en"}
    model = dazi("ask", "hello", "--model", "no-such-model", **env)
    assert model.returncode == 2
    assert "no-such-model" in model.stderr and "dazi model add" in model.stderr
    assert "Traceback" not in model.stderr


@pytest.mark.parametrize("broken", ["empty", "garbage"])
def test_a_missing_or_corrupt_model_says_what_to_do(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    if broken == "garbage":
        for name in ("openvino_model.xml", "openvino_model.bin", "openvino_tokenizer.xml"):
            (folder / name).write_bytes(b"not a model")
    done = dazi("ask", "hello", "--model", str(folder), DAZI_DATA=str(tmp_path / "d"))
    assert done.returncode == 2
    assert str(folder) in done.stderr and "Traceback" not in done.stderr


def test_model_add_list_use(tmp_path: Path) -> None:
    from dazi.inference.catalog import Catalog

    env = {"DAZI_DATA": str(tmp_path), "DAZI_LANG": "en"}
    used = dazi("model", "use", "http://127.0.0.1:9/v1", "--model", "qwen3", **env)
    assert used.returncode == 0, used.stderr
    listed = dazi("model", "list", **env)
    assert "* " in listed.stdout and "127.0.0.1:9" in listed.stdout
    assert choose_model(Settings(data=tmp_path), Catalog(tmp_path)).kind == "server"
    missing = dazi("model", "add", str(tmp_path / "nowhere"), **env)
    assert missing.returncode == 2 and "nowhere" in missing.stderr


@pytest.mark.parametrize("json_out", [False, True])
async def test_what_the_model_was_given_is_listed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    json_out: bool,
) -> None:
    from dazi.main import terminal

    opened = open_runtime

    async def scripted(settings: Settings) -> Runtime:
        return await opened(settings, engine=ScriptedEngine(["你好。"]))

    monkeypatch.setattr(terminal, "open_runtime", scripted)
    how = terminal.Telling(json_out=json_out, show_context=True)
    await terminal.ask_once(Settings(data=tmp_path / "d"), "你好", "customer", how)
    said = capsys.readouterr().out
    if json_out:
        context = json.loads(said)["context"]
        assert 0 < context["tokens"] <= context["limit"]
    else:
        lines = [line.split() for line in said.splitlines()[-5:]]
        assert [line[0] for line in lines[1:]] == ["层", "规则", "这句话", "合计"]
        assert lines[3][1] == "2", "two characters, by the scripted engine's count"


def test_facts_from_the_command_line(tmp_path: Path) -> None:
    where = {"DAZI_DATA": str(tmp_path / "d"), "DAZI_LANG": "en"}
    assert "Nothing" in dazi("memory", "list", **where).stdout
    added = dazi("memory", "add", "my desk is 4B", "--as", "staff", **where)
    assert added.returncode == 0, added.stderr
    (fact,) = json.loads(dazi("memory", "list", "--as", "staff", "--json", **where).stdout)
    assert (fact["text"], fact["state"]) == ("my desk is 4B", "confirmed")
    assert "Nothing" in dazi("memory", "list", "--as", "finance", **where).stdout
    foreign = dazi("memory", "forget", fact["id"], "--as", "finance", **where)
    assert foreign.returncode == 2 and "no such fact" in foreign.stderr
    assert dazi("memory", "confirm", fact["id"], "--as", "staff", **where).returncode == 0
    assert dazi("memory", "forget", fact["id"], "--as", "staff", **where).returncode == 0
    assert "Nothing" in dazi("memory", "list", "--as", "staff", **where).stdout


def test_threads_from_the_command_line(tmp_path: Path) -> None:
    where = {"DAZI_DATA": str(tmp_path / "d"), "DAZI_LANG": "en"}
    staff, other = ("--as", "staff"), ("--as", "finance")
    assert "No threads" in dazi("threads", "list", *staff, **where).stdout
    said = "What is the budget of marketing in Q1?"
    assert dazi("ask", said, *staff, **where).returncode == 0
    (thread,) = json.loads(dazi("threads", "list", "--json", *staff, **where).stdout)
    id = thread["id"]
    assert thread["title"] == said[:60] and thread["archived"] is None
    assert said in dazi("threads", "search", "MARKETING q1", *staff, **where).stdout
    assert "Nothing was found" in dazi("threads", "search", "marketing", *other, **where).stdout
    for command in ("show", "archive", "rm", "export"):
        foreign = dazi("threads", command, id, *other, **where)
        assert foreign.returncode == 2 and "no such thread" in foreign.stderr, command
    assert dazi("threads", "rename", id, "Q1", *staff, **where).returncode == 0
    assert dazi("threads", "archive", id, *staff, **where).returncode == 0
    assert "No threads" in dazi("threads", "list", *staff, **where).stdout
    assert "Q1  archived" in dazi("threads", "list", "--archived", *staff, **where).stdout
    assert dazi("threads", "archive", id, "--undo", *staff, **where).returncode == 0
    shown = dazi("threads", "show", id, *staff, **where).stdout
    assert shown.startswith("# Q1\n") and said in shown
    out = tmp_path / "all.jsonl"
    done = dazi("threads", "export", "--out", str(out), *staff, **where)
    assert done.returncode == 0 and out.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line)["id"] for line in out.read_text("utf-8").splitlines()] == [id]
    nowhere = dazi("threads", "export", "--out", str(tmp_path / "no" / "f"), *staff, **where)
    assert nowhere.returncode != 0 and "cannot be written" in nowhere.stderr
    assert dazi("threads", "rm", id, *staff, **where).returncode == 0
    assert "No threads" in dazi("threads", "list", *staff, **where).stdout


async def test_a_chat_lists_it_after_each_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dazi.main import terminal

    opened, said = open_runtime, iter(["你好", "在吗", ""])

    async def scripted(settings: Settings) -> Runtime:
        return await opened(settings, engine=ScriptedEngine(["你好。", "在的。"]))

    monkeypatch.setattr(terminal, "open_runtime", scripted)
    monkeypatch.setattr(terminal, "_read", lambda: next(said))
    await terminal.chat(Settings(data=tmp_path / "d"), "customer", "en", show_context=True)
    shown = capsys.readouterr().out
    assert shown.count("total") == 2 and "1 turns word for word" in shown
