"""``dazi tune data``, as somebody uses it; and an erasure that reaches what it made."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.private import Private
from dazi.audit.sealing import Sealing
from dazi.core.errors import CallerError, ConfigError, NotFound
from dazi.core.messages import CallText, Message
from dazi.core.principal import Principal
from dazi.lab.tuning.data import making
from dazi.main.cli import complete
from dazi.main.database import declare_tables
from dazi.memory.threads import Kept, ThreadStore
from dazi.ops.feedback.model import Content, Entry
from dazi.ops.feedback.store import FeedbackStore
from dazi.store.database import Database

RECIPE = """
name: talks
sources:
  - {kind: threads, consent: {basis: 服务条款第三条, everybody: true}}
  - {kind: file, path: more.csv, licence: CC0-1.0}
"""


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Threads of two people in the demo company, and a recipe beside a file."""
    folder = tmp_path / "data"
    monkeypatch.setenv("DAZI_DATA", str(folder))
    monkeypatch.setenv("DAZI_LANG", "en")
    asyncio.run(_fill(folder))
    (tmp_path / "recipe.yaml").write_text(RECIPE, "utf-8")
    rows = "question,answer\n怎么开发票呢,下单时填写抬头和税号即可。\n嗯,哦\n"
    (tmp_path / "more.csv").write_text(rows, "utf-8")
    return folder


async def _fill(folder: Path) -> None:
    declare_tables()
    database = Database.at(folder / "dazi.sqlite")
    await database.create()
    sealing = Sealing(folder / "audit")
    ledger = Ledger(SqlSink(database), sealing)
    threads = ThreadStore(database, Private(sealing.keys))
    call = CallText("c1", "get_order_status", '{"order_id": "ORD12345"}')
    lin = [
        Message("user", "订单 ORD12345 到哪了?我的电话是 13812345678"),
        Message("assistant", "", (call,)),
        Message("tool", '{"status": "packed"}', call_id="c1"),
        Message("assistant", "已打包,会打 13812345678 联系您。"),
    ]
    kept = [Kept(m, call.name, {"status": "packed"}) if m.role == "tool" else Kept(m) for m in lin]
    await threads.append("t1", Principal("lin", frozenset()), kept)
    he = [Message("user", "会议室怎么预订呢"), Message("assistant", "在 OA 里选时间就可以。")]
    await threads.append("t2", Principal("he", frozenset()), [Kept(m) for m in he])
    for n, (thumb, state) in enumerate((("down", "new"), ("up", "private"), ("up", "new"))):
        who = Principal("he", frozenset())
        asked = [
            Message("user", f"第 {n} 个问题怎么办呢"),
            Message("assistant", f"第 {n} 个回答在这里。"),
        ]
        await threads.append(f"r{n}", who, [Kept(m) for m in asked])
        about = Content(said="问", answer="答", thread=f"r{n}")
        entry = Entry("", "default", "he", "he", "answer", f"turn{n}", f"turn{n}", about, 1.0)
        feedback = FeedbackStore(database, Private(sealing.keys))
        await feedback.put(replace(entry, thumb=thumb, state=state))  # type: ignore[arg-type]
    for user in ("lin", "he"):
        await ledger.append("sign_in", user, "", {"ok": True})
    await database.close()
    sealing.close()


def dazi(*line: str, code: int = 0) -> str:
    done: Result = CliRunner().invoke(complete(), list(line))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def made(tmp_path: Path) -> dict[str, Any]:
    out: dict[str, Any] = json.loads(
        dazi("tune", "data", "make", str(tmp_path / "recipe.yaml"), "--json")
    )
    return out


def test_make_list_show_and_why(tmp_path: Path) -> None:
    assert dazi("tune", "data", "list").strip() == "There are no datasets."
    done = made(tmp_path)
    assert (done["name"], done["version"], sum(done["splits"].values())) == ("talks", 1, 4)
    folder = Path(done["folder"])
    text = "".join((folder / f"{s}.jsonl").read_text("utf-8") for s in done["splits"])
    assert "13812345678" not in text and "[手机1]" in text and '"lin"' not in text
    tools = json.loads((folder / "tools.json").read_text("utf-8"))
    assert tools["get_order_status"]["parameters"]["required"] == ["order_id"]
    listed = dazi("tune", "data", "list")
    assert "talks  1  4 samples" in listed
    assert json.loads(dazi("tune", "data", "list", "--json"))[0]["withdrawn"] is None
    shown = dazi("tune", "data", "show", "talks")
    assert "服务条款第三条" in shown and "too short 1" in shown and "fewer than 1000" in shown
    assert "not known" in shown
    told = json.loads(dazi("tune", "data", "show", "talks", "--version", "1", "--json"))
    assert told["gain"] == [] and told["stages"][0]["in"] == 7
    assert told["stages"][0]["refused"] == {"consent": 1, "rated_down": 1}
    assert "did not help" in dazi("tune", "data", "why", "talks", "thread:r0")
    assert "not agreed" in dazi("tune", "data", "why", "talks", "thread:r1")
    assert "thread:t1#1-4" in dazi("tune", "data", "why", "talks", "thread:t1")
    assert "too short" in dazi("tune", "data", "why", "talks", "more.csv:3")
    refused = json.loads(dazi("tune", "data", "why", "talks", "more.csv:3", "--json"))
    assert refused[0]["refused"]["reason"] == "too_short"
    assert "no thread:t9" in dazi("tune", "data", "why", "talks", "thread:t9", code=1)
    with pytest.raises(NotFound):
        dazi("tune", "data", "show", "talks", "--version", "7")


async def _mark_a_call_private(folder: Path) -> None:
    database = Database.at(folder / "dazi.sqlite")
    sealing = Sealing(folder / "audit")
    private = Private(sealing.keys)
    asked = [Message("user", "别的租户问的问题"), Message("assistant", "别的租户的回答。")]
    who = Principal("wang", frozenset(), tenant="acme")
    await ThreadStore(database, private).append("p1", who, [Kept(m) for m in asked])
    about = Content(said="问", thread="p1")
    entry = Entry("", "acme", "wang", "wang", "call", "p", "p", about, 1.0, state="private")
    await FeedbackStore(database, private).put(entry)
    await database.close()
    sealing.close()


def test_what_is_private_is_so_in_every_tenant_and_whatever_it_is_about(
    tmp_path: Path, data: Path
) -> None:
    asyncio.run(_mark_a_call_private(data))
    assert made(tmp_path)["stages"][0]["refused"] == {"consent": 2, "rated_down": 1}


def test_an_erasure_reaches_it(tmp_path: Path, data: Path) -> None:
    made(tmp_path)
    told = dazi("audit", "erase", "--user", "lin", "--reason", "asked for")
    assert "talks 1" in told and "1 samples" in told
    assert "withdrawn" in dazi("tune", "data", "list")
    new = data / "datasets" / "talks" / "2"
    text = "".join(p.read_text("utf-8") for p in new.glob("*.jsonl"))
    assert "会议室怎么预订呢" in text and "ORD12345" not in text
    assert not list((data / "datasets" / "talks" / "1").glob("*.jsonl"))
    again = made(tmp_path)
    assert again["version"] == 3 and again["stages"][0]["refused"] == {
        "consent": 1,
        "rated_down": 1,
    }
    assert sum(again["splits"].values()) == 3


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(making, "read_file", stop)
    done = CliRunner().invoke(complete(), ["tune", "data", "make", str(tmp_path / "recipe.yaml")])
    assert done.exit_code == 130 and "goes on" in done.stderr


def test_what_is_wrong_is_told_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("name: a\nsources:\n  - {kind: threads}\n", "utf-8")
    with pytest.raises(ConfigError, match=r"recipe\.yaml:3.*consent"):
        dazi("tune", "data", "make", str(path))
    path.write_text(RECIPE + "knowledge: {model: dazi-mini}\n", "utf-8")
    with pytest.raises(CallerError, match="only copy"):
        dazi("tune", "data", "make", str(path))
