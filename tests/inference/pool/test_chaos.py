"""A pool in front of servers that are unwell in every way that is known, over real connections.

One server is sick and one is well. Whatever the sick one does before its first token, the answer comes
from the other; what it does after is told as an error; all of it in bounded time, with no place taken
and no connection open afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.resilience.model import ANSWER, Model
from bench.resilience.moods import MOODS
from bench.upstream import MODEL
from dazi.core.engine import Done, GenerateRequest, Sampling, TextDelta
from dazi.core.errors import ConfigError, DaziError, OperatorError
from dazi.core.messages import Message
from dazi.guard.engine import Guard
from dazi.inference.pool.engine import PoolEngine, PoolParts
from dazi.inference.pool.health import Watch, look
from dazi.main.pool import opener, read_models
from dazi.main.settings import Settings
from tests.waiting import until

WAIT_S = 0.4
LONGEST_S = 30.0
"""What a request may take in all, with a server that is sick: its wait, and the other's answer."""
AFTER_FIRST = frozenset(
    {
        "hung in the middle",
        "dripping, never done",
        "endless",
        "reset in the middle",
        "cut short",
        "garbage in the middle",
    }
)
"""Something was said before it went wrong."""


def declared(path: Path, *models: Model, silent_s: float = 1, **pool: object) -> Path:
    rules = {
        "balance": "round-robin",
        "first_token_seconds": WAIT_S,
        "deadline_seconds": 1.5,
        **pool,
    }
    lines = [f"pool: {{{', '.join(f'{k}: {v}' for k, v in rules.items())}}}", "backends:"]
    lines += [
        f'  s{i}: {{url: "http://127.0.0.1:{m.port}/v1", model: {MODEL}, silent_seconds: {silent_s}}}'
        for i, m in enumerate(models)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@asynccontextmanager
async def pooled(path: Path) -> AsyncIterator[PoolEngine]:
    settings = Settings(data=path.parent)
    pool = PoolEngine(
        read_models(path), PoolParts(opener(settings, path.parent, path.parent), Guard())
    )
    try:
        yield pool
    finally:
        await pool.close()


async def said(pool: PoolEngine) -> tuple[str, Done | DaziError]:
    request = GenerateRequest((Message("user", "你好"),), sampling=Sampling(max_tokens=40))
    text = ""
    try:
        async for event in pool.generate(request):
            if isinstance(event, TextDelta):
                text += event.text
            elif isinstance(event, Done):
                return text, event
    except DaziError as e:
        return text, e
    raise AssertionError("an answer without an end")


@pytest.mark.parametrize("name", MOODS)
async def test_one_sick_server_of_two(name: str, tmp_path: Path) -> None:
    sick, well = Model(mood=MOODS[name]), Model()
    async with sick.running(), well.running():
        async with pooled(declared(tmp_path / "models.yaml", sick, well)) as pool:
            for _ in range(2):
                began = time.monotonic()
                text, end = await said(pool)
                assert time.monotonic() - began < LONGEST_S
                if isinstance(end, Done):
                    assert end.by is not None
                    assert end.by.backend == "s1"
                    assert text
                    if end.by.backend == "s1":
                        assert text == ANSWER
                else:
                    assert name in AFTER_FIRST and text, (
                        f"{name}: lost before its first token: {end}"
                    )
                    assert isinstance(end, OperatorError)
            assert sick.asked >= 1 and not any(b.under_way for b in pool.backends)
            assert pool.backends[0].counts.failed == sick.asked
            assert pool.backends[1].counts.failed == 0
        await until(lambda: not sick.connections and not well.connections)  # none is left open


@pytest.mark.parametrize("name", ["no first byte", "500", "reset", "garbage"])
async def test_all_servers_sick_is_the_right_error_in_time(name: str, tmp_path: Path) -> None:
    one, two = Model(mood=MOODS[name]), Model(mood=MOODS[name])
    async with (
        one.running(),
        two.running(),
        pooled(declared(tmp_path / "models.yaml", one, two)) as pool,
    ):
        began = time.monotonic()
        _, end = await said(pool)
        assert time.monotonic() - began < LONGEST_S
        assert isinstance(end, OperatorError)
        assert end.code in ("model_server", "model_unreachable", "model_slow")
        assert one.asked == two.asked == 1, "each was tried once"


async def test_a_server_killed_under_load_loses_nothing_before_its_first_token(
    tmp_path: Path,
) -> None:
    """Both are slow to begin; one is killed while all wait for their first token."""
    one, two = Model(delay_s=1.5), Model(delay_s=1.5)
    async with one.running(), two.running():
        file = declared(
            tmp_path / "models.yaml",
            one,
            two,
            silent_s=10,
            first_token_seconds=10,
            deadline_seconds=20,
        )
        async with pooled(file) as pool:
            tasks = [asyncio.create_task(said(pool)) for _ in range(40)]
            await until(lambda: one.asked == two.asked == 20)
            one.go()
            ended = await asyncio.gather(*tasks)
            assert all(isinstance(end, Done) and text == ANSWER for text, end in ended)
            assert pool.backends[0].counts.moved == 20


async def test_health_sees_a_dead_server_and_its_return(tmp_path: Path) -> None:
    one, two = Model(), Model()
    async with one.running(), two.running():
        file = declared(tmp_path / "models.yaml", one, two, health_seconds=0.05)
        async with pooled(file) as pool:
            watch = Watch(pool, file, read_models)
            looking = asyncio.create_task(watch.keep_looking())
            try:
                await until(lambda: [b.state for b in pool.backends] == ["up", "up"])
                one.go()
                await until(lambda: pool.backends[0].state == "down")
                asked = one.asked
                for _ in range(4):
                    _, end = await said(pool)
                    assert isinstance(end, Done) and end.by is not None and end.by.backend == "s1"
                assert one.asked == asked and pool.backends[0].counts.failed == 0
                await one.come()
                await until(lambda: pool.backends[0].state == "up")
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)


async def test_a_server_with_another_model_is_told_apart_and_not_asked(tmp_path: Path) -> None:
    one = Model()
    async with one.running():
        path = tmp_path / "models.yaml"
        path.write_text(
            f'backends: {{a: {{url: "http://127.0.0.1:{one.port}/v1", model: Qwen3-14B}}}}',
            encoding="utf-8",
        )
        async with pooled(path) as pool:
            error = await look(pool.backends[0], 2.0)
            assert error is not None and error.code == "model_wrong"
            assert "Qwen3-14B" in str(error) and MODEL in str(error)
            pool.found(pool.backends[0], False, error)
            _, end = await said(pool)
            assert isinstance(end, OperatorError) and end.code == "model_wrong"
            assert one.asked == 0


async def test_the_file_is_read_again_when_it_changes_and_a_wrong_one_is_not_used(
    tmp_path: Path,
) -> None:
    one, two = Model(), Model()
    async with one.running(), two.running():
        file = declared(tmp_path / "models.yaml", one)
        async with pooled(file) as pool:
            watch = Watch(pool, file, read_models)
            assert not await watch.reload()
            file.write_text("backends: {a: {speed: 1}}", encoding="utf-8")
            assert not await watch.reload()
            assert isinstance(pool.mistake, ConfigError) and pool.mistake.line == 1
            assert [b.name for b in pool.backends] == ["s0"]
            declared(file, one, two)
            assert await watch.reload()
            assert pool.mistake is None and [b.name for b in pool.backends] == ["s0", "s1"]
            file.unlink()
            file.mkdir()
            assert not await watch.reload(), "whatever is the matter with it"
            file.rmdir()
            assert not await watch.reload()
            assert [b.name for b in pool.backends] == ["s0", "s1"]


async def test_the_wall_clock_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that is set forward or back a day changes no wait, rest or deadline."""
    sick, well = Model(mood=MOODS["500"]), Model()
    async with sick.running(), well.running():
        file = declared(tmp_path / "models.yaml", sick, well, failures=1)
        async with pooled(file) as pool:
            await said(pool)
            await said(pool)
            assert pool.backends[0].state == "resting"
            real = time.time
            for jump in (86_400.0, -86_400.0):
                monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
                text, end = await said(pool)
                assert isinstance(end, Done) and text == ANSWER
                assert pool.backends[0].state == "resting"
