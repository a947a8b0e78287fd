"""What is measured: Dazi before a paced model server, and Dazi with the bundled model inside."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.load import post
from bench.resilience.house import House, build, key
from bench.resilience.model import Model
from bench.resilience.served import serving
from bench.simulate.paced import PROMPT_TOKENS, Paced
from bench.simulate.replay import Done, Load, Used, posted
from dazi.inference.catalog import BUNDLED
from dazi.main.settings import demo_folder
from dazi.ops.plan.simulate.fleet import Fleet
from dazi.ops.plan.simulate.service import Engine, Front
from dazi.ops.plan.simulate.trace import Trace

PLACES, QUEUED, WAIT_S = 16, 16, 2.0
LIMITS = {
    "DAZI_MAX_CONCURRENT": str(PLACES), "DAZI_MAX_QUEUED": str(QUEUED),
    "DAZI_QUEUE_SECONDS": str(WAIT_S),
}  # fmt: skip
TODAY = "2025-04-03"
KINDS = 4


@dataclass(frozen=True, slots=True)
class Turns:
    """Turns to be asked: of which kind each is. ``prompt``, ``answer`` and ``calls`` of each kind: what the
    calibration's answers came to in the mean."""

    kind: np.ndarray
    prompt: tuple[float, ...]
    answer: tuple[float, ...]
    calls: tuple[int, ...]

    def trace(self, at: np.ndarray, seconds: float, known: Mapping[int, Used]) -> Trace:
        """``known``: what turns used where that was counted, by where they stand in the trace, as a recorded
        trace has it; of the others, what their kind uses in the mean."""

        def column(of: tuple[float, ...], which: int) -> np.ndarray:
            mean = [round(of[k]) for k in self.kind]
            return np.array(
                [known[n][which] if n in known else m for n, m in enumerate(mean)], dtype=np.int64
            )

        prompt = column(self.prompt, 0)
        calls = np.array([self.calls[k] for k in self.kind], dtype=np.int64)
        rounds = column(tuple(c + 1.0 for c in self.calls), 2)
        return Trace(
            at, prompt, column(self.answer, 1), calls, rounds, prompt,
            np.full(len(at), -1), np.arange(len(at)), seconds,
        )  # fmt: skip

    def after(self, found: Iterable[Done]) -> Turns:
        """With what turns of each kind really read and wrote."""
        counted: dict[int, list[Used]] = {}
        for d in found:
            if d.ok:
                kind = int(self.kind[d.turn % len(self.kind)])
                counted.setdefault(kind, []).append(d.used)
        means = [np.mean(counted[k], axis=0) for k in range(KINDS)]
        return replace(
            self,
            prompt=tuple(float(m[0]) for m in means),
            answer=tuple(float(m[1]) for m in means),
        )


@dataclass(frozen=True, slots=True)
class Side:
    """``guess``: where the fit begins; ``free``: the parameters that it may change."""

    name: str
    load: Load
    turns: Turns
    guess: Engine
    front: Front
    free: tuple[str, ...]
    shares: bool

    def fleet(self, engine: Engine, front: Front, slowed: float = 1.0) -> Fleet:
        """``slowed``: what runs on the server's core takes so many times as long as it would alone."""
        front = replace(front, turn=front.turn * slowed)
        if self.shares:
            engine = replace(
                engine,
                base=engine.base * slowed,
                each=engine.each * slowed,
                prefill=engine.prefill * slowed,
            )
        kind = "embedded" if self.shares else "server"
        return Fleet(kind, engine, front, 1, engine.at_once, shares=self.shares)  # type: ignore[arg-type]


WRITES = (12.0, 30.0, 60.0, 120.0)
"""Tokens of each kind of question to the paced server."""


@asynccontextmanager
async def paced(kinds: np.ndarray) -> AsyncIterator[Side]:
    engine = Paced()
    model = Model(mood=engine.mood, keeps=False)

    def question(turn: int) -> bytes:
        many = round(WRITES[kinds[turn % len(kinds)]])
        body = {
            "model": "dazi",
            "messages": [{"role": "user", "content": f"第{turn}个问题 [write {many}]"}],
        }
        headers = {"authorization": f"Bearer {key(f'clerk{turn % 4}')}"}
        return post("/v1/chat/completions", posted(body), headers)

    with tempfile.TemporaryDirectory(prefix="dazi-simulate-") as name:
        async with model.running():
            house = build(Path(name), model.port)
            async with serving(house, Path(name), LIMITS) as served:
                load = Load(served.port, served.process.pid, os.getpid(), question, house.database)
                turns = Turns(kinds.copy(), (float(PROMPT_TOKENS),) * KINDS, WRITES, (0,) * KINDS)
                known = Engine(
                    engine.base, engine.each, engine.prefill, 0.0, engine.chunk, engine.slots
                )
                front = Front(0.01, 0.0, 0.0, PLACES, QUEUED, WAIT_S)
                free = ("turn", "each")
                yield Side("Dazi before a paced server", load, turns, known, front, free, False)
                load.end()


@asynccontextmanager
async def bundled(kinds: np.ndarray) -> AsyncIterator[Side]:
    """The demo company. Kinds: an order, the weather, a product, a meeting room."""
    with tempfile.TemporaryDirectory(prefix="dazi-simulate-") as name:
        data = Path(name) / "data"
        data.mkdir()
        house = House(demo_folder(), data, ("agent",))
        env = {
            **LIMITS, "DAZI_TODAY": TODAY, "DAZI_MODEL": str(BUNDLED), "DAZI_THREADS": "1",
            "DAZI_JOBS_AT_ONCE": "0",
        }  # fmt: skip
        async with serving(house, Path(name), env) as served:
            asked = Questions(orders(data))

            def question(turn: int) -> bytes:
                said = asked.of(int(kinds[turn % len(kinds)]), turn)
                body = {"model": "dazi", "messages": [{"role": "user", "content": said}]}
                headers = {"authorization": f"Bearer {key('agent')}"}
                return post("/v1/chat/completions", posted(body), headers)

            load = Load(served.port, served.process.pid, os.getpid(), question, house.database)
            turns = Turns(kinds.copy(), (0.0,) * KINDS, (0.0,) * KINDS, (1,) * KINDS)
            guess = Engine(2e-3, 1e-3, 1e-4, 0.0, 256, 256)
            front = Front(0.02, 0.0, 0.0, PLACES, QUEUED, WAIT_S)
            free = ("turn", "base", "each", "prefill")
            yield Side("Dazi with the bundled model", load, turns, guess, front, free, True)
            load.end()


@dataclass(frozen=True, slots=True)
class Questions:
    orders: tuple[str, ...]

    def of(self, kind: int, turn: int) -> str:
        """No two turns ask the same, so that no answer comes whole out of a cache."""
        order = self.orders[turn % len(self.orders)]
        day = 4 + turn % 25
        city = ("上海", "北京", "深圳", "杭州", "成都", "广州")[turn // 25 % 6]
        return (
            f"订单 {order} 现在到哪一步了?",
            f"{city}4月{day}日天气怎么样?",
            f"SKU-{1001 + turn % 40} 还有多少库存?",
            f"{city}4月{day}日有带投影仪的会议室吗?",
        )[kind]


def orders(data: Path) -> tuple[str, ...]:
    (path,) = [p for p in data.rglob("*.sqlite") if _has_orders(p)]
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT order_id FROM orders ORDER BY order_id").fetchall()
    return tuple(str(row[0]) for row in found)


def _has_orders(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'orders'"
        return bool(connection.execute(query).fetchone()[0])
