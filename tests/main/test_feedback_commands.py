"""``dazi feedback`` and ``dazi knowledge gaps`` in the terminal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dazi.audit.search import Query
from dazi.core.errors import AccessError, CallerError
from dazi.core.principal import Principal
from dazi.main.accounts import desk
from dazi.main.auditing import find
from dazi.main.cli import complete
from dazi.main.settings import Settings
from dazi.ops.feedback.model import Content, Entry
from dazi.ops.feedback.store import FeedbackStore
from dazi.ops.gaps.noticing import Seen
from dazi.ops.gaps.store import GapStore
from dazi.ops.learning.dataset import read

CANTEEN = "# 食堂\n\n食堂几点开门、几点关门:11:30 开门,13:30 关门。\n"


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DAZI_LANG", "zh")
    return Settings(data=tmp_path / "data")


async def fill(settings: Settings) -> list[str]:
    async with desk(settings, "customer") as d:
        store, gaps = FeedbackStore(d.database, d.private), GapStore(d.database, d.private)
        ids = []
        for n, (thumb, consent) in enumerate((("up", True), ("down", True), ("up", False))):
            said = Content(
                f"问 {n},手机 13812345678", f"答 {n}", roles=("customer",), thread=f"t{n}"
            )
            entry = Entry(
                "", "default", "customer", "customer", "answer", f"turn{n}", f"turn{n}", said, 0.0,
                thumb, "", consent,  # type: ignore[arg-type]
            )  # fmt: skip
            ids.append((await store.put(entry)).id)
        for n, text in enumerate(("食堂几点开门?", "公司食堂几点开门", "积分会过期吗")):
            who = Principal("staff", frozenset(), channel="web")
            await gaps.put(who, Seen("not_found", "th", f"turn{n}", text, "zh"), "", [])
        return ids


async def exports(settings: Settings) -> list[dict[str, Any]]:
    found = await find(settings, Query(kind="admin"), 100)
    bodies = [f.content.fields for f in found]
    return [
        {k: b[k] for k in ("of", "samples")} for b in bodies if b.get("act") == "feedback.export"
    ]


def dazi(*words: str) -> str:
    done = CliRunner().invoke(complete(), list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_queue_from_the_terminal(tmp_path: Path, settings: Settings) -> None:
    first, second, third = asyncio.run(fill(settings))
    listed = dazi("feedback", "list")
    assert all(id in listed for id in (first, second, third))
    assert "13812345678" not in listed and "没有同意用于训练" in listed
    assert "[手机1]" in dazi("feedback", "show", first)
    plain: dict[str, Any] = json.loads(dazi("feedback", "show", first, "--json"))
    assert "user" not in plain and "giver" not in plain and plain["sample"]["kind"] == "chat"
    with pytest.raises(AccessError):
        dazi("feedback", "list", "--as", "finance")
    assert "已采纳" in dazi("feedback", "accept", first)
    with pytest.raises(CallerError, match="write it first"):
        dazi("feedback", "accept", second)
    written = tmp_path / "sample.json"
    messages = [{"role": "user", "content": "问"}, {"role": "assistant", "content": "对的答"}]
    written.write_text(json.dumps({"messages": messages}), "utf-8")
    assert "已采纳" in dazi("feedback", "accept", second, "--sample", str(written))
    with pytest.raises(CallerError, match="why"):
        dazi("feedback", "refuse", third)
    assert "不用于训练" in dazi("feedback", "refuse", third, "--private")
    file = tmp_path / "samples.jsonl"
    written_out = json.loads(dazi("feedback", "export", "--file", str(file), "--json"))
    assert written_out == {"file": str(file), "samples": 2}
    assert asyncio.run(exports(settings)) == [{"of": "samples.jsonl", "samples": 2}]
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert {s["source"]["ref"] for s in lines} == {first, second}
    assert all(s["source"]["kind"] == "feedback" for s in lines)
    made: dict[str, Any] = json.loads(dazi("feedback", "export", "--dataset", "mine", "--json"))
    assert (made["name"], made["version"]) == ("mine", 1)
    assert len(list(read(tmp_path / "data" / "datasets" / "mine" / "1"))) == 2
    with pytest.raises(CallerError, match="nothing new"):
        dazi("feedback", "export", "--dataset", "mine", "--fresh")
    assert "mine 第 2 版" in dazi("feedback", "export", "--dataset", "mine")


def test_gaps_from_the_terminal(tmp_path: Path, settings: Settings) -> None:
    asyncio.run(fill(settings))
    found: list[dict[str, Any]] = json.loads(dazi("knowledge", "gaps", "--json"))
    assert [g["count"] for g in found] == [2, 1]
    told = dazi("knowledge", "gaps")
    assert "2 次,1 人" in told and "可以问" in told
    path = tmp_path / "canteen.md"
    path.write_text(CANTEEN, "utf-8")
    added = dazi("knowledge", "add", str(path), "--reader", "all").split()[0]
    closed = dazi("knowledge", "gaps", "--close", found[0]["id"], "--document", added)
    assert "2 个问题里 2 个答得上" in closed
    assert "2 个问题里 2 个答得上" in dazi("knowledge", "gaps", "--measure", found[0]["id"])
    assert "已重新打开" in dazi("knowledge", "gaps", "--reopen", found[0]["id"])
