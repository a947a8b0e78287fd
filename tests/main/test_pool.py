"""``models.yaml`` in a running company: the assistant over several servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.resilience.model import Model
from bench.resilience.moods import MOODS
from bench.upstream import MODEL
from dazi.agent.asking import Ask
from dazi.core.errors import ConfigError
from dazi.core.turn import AnswerDelta, TurnEvent, TurnFinished, TurnStarted
from dazi.inference.pool.engine import PoolEngine
from dazi.main.checking import check_folder
from dazi.main.commands.models import group
from dazi.main.pool import pool_file
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings

QUESTION = "我三天前下的订单 ORD12345 还没发货,怎么回事?"


def declare(path: Path, *ports: int) -> Path:
    lines = ["pool: {failures: 2, first_token_seconds: 2}", "backends:"]
    lines += [
        f'  big-{n}: {{url: "http://127.0.0.1:{port}/v1", model: {MODEL}}}'
        for n, port in enumerate(ports)
    ]
    lines.append("  mini: {embedded: bundled, tier: 1}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@asynccontextmanager
async def running(pool: Path) -> AsyncIterator[Runtime]:
    runtime = await open_runtime(
        Settings(data=pool.parent / "data", today=date(2025, 4, 3), pool=pool)
    )
    try:
        yield runtime
    finally:
        await runtime.close()


async def ask(runtime: Runtime, text: str, thread: str) -> list[TurnEvent]:
    principal = runtime.directory.principal("customer", "test")
    return [e async for e in runtime.service.ask(Ask(principal, thread, text))]


async def rows(runtime: Runtime, kind: str) -> list[dict[str, Any]]:
    await runtime.ledger.flush()
    return [json.loads(r.body) for r in await runtime.audit.rows() if r.kind == kind]


async def test_the_embedded_model_takes_over_a_whole_turn_and_the_answer_says_so(
    tmp_path: Path,
) -> None:
    """Its prompts are made otherwise than a large model's: the turn is begun once more for it."""
    sick = Model(mood=MOODS["500"])
    async with sick.running(), running(declare(tmp_path / "models.yaml", sick.port)) as runtime:
        assert isinstance(runtime.engine, PoolEngine)
        for n in range(3):
            events = await ask(runtime, QUESTION, f"t{n}")
            assert sum(isinstance(e, TurnStarted) for e in events) == 1
            end = events[-1]
            assert isinstance(end, TurnFinished)
            assert [(c.name, c.outcome) for c in end.calls] == [("get_order_status", "ok")]
            assert end.by is not None and end.by.fallback and end.by.backend == "mini"
            assert "打包" in end.answer and "dazi-mini" in end.answer
            told = "".join(e.text for e in events if isinstance(e, AnswerDelta))
            assert "主用模型暂时连不上" in told
        assert sick.asked == 2, "after two failures it is left alone, and prompts fit at once"
        assert len(await rows(runtime, "turn")) == len(await rows(runtime, "answer")) == 3
        routes = await rows(runtime, "route")
        assert routes and all(r["backend"] == "mini" and r["tier"] == 1 for r in routes)
        assert [r["by"] for r in await rows(runtime, "answer")] == ["mini"] * 3


async def test_what_was_found_is_told_where_the_model_goes_in_the_middle_of_a_turn(
    tmp_path: Path,
) -> None:
    """After the tool has answered no other model can go on: the host tells the result itself."""
    leaving = Model()

    def once(connection: Any, seen: Any) -> None:
        if any(m["role"] == "tool" for m in seen.body["messages"]):
            MOODS["500"](connection, seen)
        else:
            connection.well(seen)

    leaving.mood = once
    async with (
        leaving.running(),
        running(declare(tmp_path / "models.yaml", leaving.port)) as runtime,
    ):
        said = f'{QUESTION} [call get_order_status {{"order_id": "ORD12345"}}]'
        end = (await ask(runtime, said, "t"))[-1]
        assert isinstance(end, TurnFinished)
        assert [c.outcome for c in end.calls] == ["ok"]
        assert "ORD12345" in end.answer


def test_which_file_counts(tmp_path: Path) -> None:
    company = tmp_path / "acme"
    company.mkdir()
    assert pool_file(Settings(company=company)) is None
    beside = declare(company / "models.yaml")
    assert pool_file(Settings(company=company)) == beside
    other = declare(tmp_path / "other.yaml")
    assert pool_file(Settings(company=company, pool=other)) == other
    assert pool_file(Settings(company=company, model="http://127.0.0.1:1/v1")) is None
    with pytest.raises(ConfigError, match="no file"):
        pool_file(Settings(pool=tmp_path / "nothing.yaml"))


def test_dazi_check_reads_it(tmp_path: Path) -> None:
    from dazi.main.initialise import initialise

    initialise(tmp_path / "acme", "zh")
    (tmp_path / "acme" / "models.yaml").write_text("backends:\n  a: {speed: 1}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        check_folder(tmp_path / "acme", "zh")
    assert raised.value.line == 2


def test_choosing_a_model_tells_that_a_pool_is_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "data"))
    runner = CliRunner()
    assert "dazi model pool" not in runner.invoke(group, ["list"]).output
    monkeypatch.setenv("DAZI_POOL", str(declare(tmp_path / "models.yaml")))
    for command in (["list"], ["use", "http://127.0.0.1:9/v1"]):
        done = runner.invoke(group, command)
        assert done.exit_code == 0 and "dazi model pool" in done.output
