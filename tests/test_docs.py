"""The documents are checked like code: their commands run, and what exists is in them.

``sh`` and ``python`` blocks run in order, a page in a folder of its own, unless they are marked
``no-run``. ``<!-- shows: a | b -->`` behind a block lists what its output must hold. Blocks that
speak of port 8000 are run against a server of this test.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
import typer
import yaml

from dazi.core.engine import ModelProfile
from dazi.core.turn import Outcome
from dazi.gateway.routes import ROUTES
from dazi.main import access_settings
from dazi.main.cli import complete
from dazi.main.company import KNOWN_SECTIONS, load_company
from dazi.main.settings import Settings
from dazi.router import declare
from dazi.router.derive import RULES
from tests.forked import forking

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "examples" / "yunshan"
TODAY = "2025-04-03"
BLOCK_SECONDS = 180
SERVED = "127.0.0.1:8000"
LANGUAGES = ("zh", "en")
FENCE = re.compile(
    r"^```(\w*)([^\n]*)\n(.*?)^```[ ]*\n?(?:<!-- shows: (.*?) -->)?", re.DOTALL | re.MULTILINE
)
PAGES = sorted(
    p for p in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if not p.name.startswith(".")
)


@dataclass(frozen=True)
class Block:
    language: str
    marks: str
    text: str
    shows: tuple[str, ...]

    @property
    def runs(self) -> bool:
        return self.language in ("sh", "python") and "no-run" not in self.marks.split()


def blocks(page: Path) -> list[Block]:
    return [
        Block(m[1], m[2], m[3], tuple((m[4] or "").split(" | ")) if m[4] else ())
        for m in FENCE.finditer(page.read_text("utf-8"))
    ]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def both(name: str) -> list[Path]:
    return [ROOT / "docs" / language / f"{name}.md" for language in LANGUAGES]


# --- what the documents tell people to run -------------------------------------------------------


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``dazi`` and ``python`` as they are after an installation."""
    code = "from dazi.main.cli import run; run()"
    return put(tmp_path_factory.mktemp("bin"), f'exec "{sys.executable}" -c "{code}" "$@"')


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same, where ``dazi`` has made its imports already."""
    with forking() as line:
        yield put(tmp_path_factory.mktemp("quick"), line)


def put(folder: Path, dazi: str) -> Path:
    for name, line in {"dazi": dazi, "python": f'exec "{sys.executable}" "$@"'}.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n", "utf-8")
        (folder / name).chmod(0o755)
    return folder


def environment(commands: Path, home: Path, language: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DAZI_") or k == "DAZI_MODEL"}
    sources = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sources),
        "HOME": str(home),
        "DAZI_DATA": str(home / "data"),
        "DAZI_TODAY": TODAY,
        "DAZI_LANG": language,
        "NO_PROXY": "*",
    }


@pytest.fixture(scope="module")
def server(commands: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The demo company, served; gives ``host:port``."""
    home = tmp_path_factory.mktemp("served")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(commands / "dazi"), "serve", "--port", str(port), "--no-check"],
            cwd=home,
            env=environment(commands, home, "zh"),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}/readyz", log)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + BLOCK_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text("utf-8")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"not ready: {log.read_text('utf-8')}")


@pytest.mark.parametrize("page", [p for p in PAGES if any(b.runs for b in blocks(p))], ids=named)
def test_code_blocks_run(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    language = "en" if page.name.endswith(".en.md") or page.parent.name == "en" else "zh"
    installed = "commands" if page == ROOT / "README.md" else "quick"
    env = environment(request.getfixturevalue(installed), tmp_path, language)
    work = tmp_path / "work"
    work.mkdir()
    for block in blocks(page):
        if not block.runs or ("curl " in block.text and shutil.which("curl") is None):
            continue
        text = block.text
        if SERVED in text:
            text = text.replace(SERVED, request.getfixturevalue("server"))
        line = ["sh", "-eu", "-c", text] if block.language == "sh" else [sys.executable, "-c", text]
        done = subprocess.run(
            line,
            cwd=work,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=BLOCK_SECONDS,
        )
        out = done.stdout.decode("utf-8", "replace")
        assert done.returncode == 0, f"{named(page)}:\n{block.text}\n{out}"
        missing = [s for s in block.shows if s not in out]
        assert not missing, f"{named(page)}:\n{block.text}\nlacks {missing} in:\n{out}"


# --- what exists is documented --------------------------------------------------------------------


def command_lines() -> dict[str, list[str]]:
    """Every command with its options."""

    def walk(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, (*path, name))
            if not hasattr(command, "commands") or command.invoke_without_command:
                options = [p for p in command.params if p.param_type_name == "option"]
                yield (
                    " ".join((*path, name)),
                    [o for p in options for o in (*p.opts, *p.secondary_opts)],
                )

    return dict(walk(typer.main.get_command(complete()), ()))


def sections(page: Path) -> dict[str, str]:
    """Text by ``##`` heading."""
    parts = re.split(r"^## (.*)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("page", both("cli"), ids=named)
def test_every_command_and_flag_is_documented(page: Path) -> None:
    known = command_lines()
    told = {h.strip("`").removeprefix("dazi "): text for h, text in sections(page).items()}
    assert set(told) == set(known)
    for name, options in known.items():
        said = set(re.findall(r"`(--[a-z-]+)`", told[name]))
        assert said == set(options), f"dazi {name}"


@pytest.mark.parametrize("page", both("settings"), ids=named)
def test_every_setting_is_documented(page: Path) -> None:
    rows = dict(re.findall(r"^\| `(DAZI_\w+)` \|([^|]*)\|", page.read_text("utf-8"), re.MULTILINE))
    fields = {f"DAZI_{n.upper()}": f.default for n, f in Settings.model_fields.items()}
    assert set(rows) == {*fields, "DAZI_LANG"}
    for name, default in fields.items():
        shown = "" if default in (None, "") else f"`{default}`"
        assert rows[name].strip() == shown, name


def test_every_mentioned_setting_exists() -> None:
    known = {f"DAZI_{name.upper()}" for name in Settings.model_fields} | {"DAZI_LANG"}
    for page in PAGES:
        mentioned = set(re.findall(r"\bDAZI_[A-Z_]+\b", page.read_text("utf-8")))
        assert mentioned <= known, named(page)


def declared_keys() -> set[str]:
    models = (
        declare.SystemFile,
        declare.ConnectorFile,
        declare.ToolFile,
        declare.ParameterFile,
        declare.ResultFile,
        declare.BindingFile,
    )
    keys = {name for model in models for name in model.model_fields}
    return keys.union(*declare.OPERATION_KEYS.values(), KNOWN_SECTIONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_declaration_key_is_documented(language: str) -> None:
    pages = ("tools", "roles-and-confirmation")
    text = "".join((ROOT / "docs" / language / f"{p}.md").read_text("utf-8") for p in pages)
    first_columns = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    told = {key for cell in first_columns for key in re.findall(r"`(\w+)`", cell)}
    assert declared_keys() - told == set()
    rules = {m for cell in first_columns for m in re.findall(r"`\{(\w+): ", cell)}
    assert rules == set(RULES)


@pytest.mark.parametrize("page", both("access"), ids=named)
def test_every_key_of_access_is_documented(page: Path) -> None:
    told = set(re.findall(r"`([a-z_.]+)`", page.read_text("utf-8")))
    tables = {"passwords": access_settings.PasswordSection, "lockout": access_settings.LockoutSection,
              "sessions": access_settings.SessionSection}  # fmt: skip
    for name, table in tables.items():
        for field in table.model_fields:
            assert not told.isdisjoint({field, f"access.{name}.{field}"}), field
    for table in (access_settings.OidcSection, access_settings.LdapSection):
        assert set(table.model_fields) - {"name"} <= told, table
    plain = set(access_settings.AccessSection.model_fields) - {*tables, "oidc", "ldap"}
    assert {f"access.{name}" for name in plain} <= told


@pytest.mark.parametrize("page", both("tools"), ids=named)
def test_example_declarations_are_valid(page: Path, tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    kinds = set()
    for block in blocks(page):
        if block.language == "yaml":
            data = yaml.safe_load(block.text)
            kinds.add(data["connector"]["kind"])
            (tmp_path / "tools" / f"{data['connector']['kind']}.yaml").write_text(
                block.text, "utf-8"
            )
    assert kinds == set(declare.OPERATION_KEYS)
    tools, _ = declare.load_tools(tmp_path)
    assert len(tools) == len(kinds)


@pytest.mark.parametrize("page", both("quickstart"), ids=named)
def test_every_tool_and_user_of_the_demo_is_documented(page: Path) -> None:
    company = load_company(DEMO)
    rows = set(re.findall(r"^\| `(\w+)` \|", page.read_text("utf-8"), re.MULTILINE))
    assert rows == set(company.tools) | {u.user for u in company.users}


@pytest.mark.parametrize("page", both("api"), ids=named)
def test_every_route_and_outcome_is_documented(page: Path) -> None:
    text = page.read_text("utf-8")
    told = {
        (m, p)
        for m, p in re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) (\S+)` \|", text, re.MULTILINE)
    }
    served = {(r.method, r.path.replace(":path}", "}")) for r in ROUTES}
    assert told == served | {("GET", "/openapi.json")}
    outcomes = re.findall(r"^\| (`[a-z_]+`(?:(?:、|, )`[a-z_]+`)*) \|", text, re.MULTILINE)
    assert set(get_args(Outcome)) <= {o for cell in outcomes for o in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("page", both("models"), ids=named)
def test_every_field_of_a_model_profile_is_documented(page: Path) -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", page.read_text("utf-8"), re.MULTILINE))
    assert rows == {f.name for f in fields(ModelProfile)}


def test_every_room_is_in_the_architecture() -> None:
    page = ROOT / "docs" / "architecture.md"
    rooms = next(text for heading, text in sections(page).items() if "Rooms" in heading)
    told = re.findall(r"^\| `(\w+)` \|", rooms, re.MULTILINE)
    folders = {p.parent.name for p in (ROOT / "src" / "dazi").glob("*/__init__.py")}
    assert sorted(told) == sorted(folders)


def test_every_page_exists_in_both_languages() -> None:
    zh, en = ({p.name for p in (ROOT / "docs" / language).glob("*.md")} for language in LANGUAGES)
    assert zh == en
    for name in zh:
        for here, there in (LANGUAGES, LANGUAGES[::-1]):
            page = ROOT / "docs" / here / name
            assert f"(../{there}/{name})" in page.read_text("utf-8"), named(page)
            readme = ROOT / ("README.md" if here == "zh" else "README.en.md")
            assert f"(docs/{here}/{name})" in readme.read_text("utf-8"), name


def test_mentioned_make_targets_exist() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert phony
    for page in PAGES:
        text = page.read_text("utf-8")
        mentioned = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
        assert mentioned <= set(phony[1].split()), named(page)


# --- links, pictures, and what no file may hold ---------------------------------------------------


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def anchors(page: Path) -> set[str]:
    """What headings are called in links, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


MARKDOWN = sorted(
    p
    for p in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in p.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("page", MARKDOWN, ids=named)
def test_internal_links_resolve(page: Path) -> None:
    text = without_code(page.read_text("utf-8"))
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(
        r'(?:src|href)="([^"]+)"', text
    ):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("picture", sorted((ROOT / "docs").rglob("*.svg")), ids=named)
def test_pictures_are_whole_and_described(picture: Path) -> None:
    svg = ElementTree.fromstring(picture.read_text("utf-8"))
    names = {element.tag.rpartition("}")[2] for element in svg.iter()}
    assert {"title", "desc"} <= names
    assert not names & {"script", "image", "foreignObject"}


# In pieces, so that this file does not hold what it looks for.
_PLACES = "|".join(("work", "home", "root", "Users", "mnt", "tmp"))
MACHINE_PATH = re.compile(rf"(?<![\w.~$}}*-])/(?:{_PLACES})/[\w.-]+")
REGISTRY = re.compile(
    "|".join(
        re.escape(host)
        for host in (
            "pypi" ".org", "python" "hosted.org", "npm" "js.org", "npm" "js.com",
            "hugging" "face.co", "hf-" "mirror.com", "model" "scope.cn", "ana" "conda.org",
            "pypi.tuna." "tsinghua", "mirrors." "aliyun", "mirrors.cloud." "tencent",
        )
    )
)  # fmt: skip


HUBS = ROOT / "src" / "dazi" / "inference" / "hub" / "places.py"
"""The one file that may name the hosts of the model hubs: `dazi model add` reaches them."""
HUB_HOSTS = {"hugging" "face.co", "model" "scope.cn"}  # fmt: skip


def test_no_file_holds_a_machine_path_or_a_registry_host() -> None:
    found = []
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        if any(part.startswith(".") or part == "node_modules" for part in inside.parts):
            continue
        if path.suffix in (".md", ".py", ".yaml", ".yml", ".toml", ".lock") and path.is_file():
            text = path.read_text("utf-8")
            found += [f"{inside}: {m[0]}" for m in MACHINE_PATH.finditer(text)]
            hosts = {m[0] for m in REGISTRY.finditer(text)} - (HUB_HOSTS if path == HUBS else set())
            found += [f"{inside}: {host}" for host in sorted(hosts)]
    assert not found
