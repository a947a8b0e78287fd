"""Callers who leave: before the first byte, in the middle, while a tool runs, in the queue.

For each: how long until the model server (or the system that a tool asks) is let go, whether the
place and the limits are free again, and whether the ledger tells what was used.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.resilience.client import Caller, Question, ask, raw
from bench.resilience.house import Systems, build
from bench.resilience.model import Model, Seen
from bench.resilience.moods import hung, well
from bench.resilience.places import free
from bench.resilience.report import Report, percentile
from bench.resilience.served import Served, serving
from bench.resilience.waiting import until
from bench.tables import Table

PLACES = 8
CLOSED_WITHIN_S = 1.0
STARTED_WITHIN_S = 20.0
TOKENS = 20_000
LIMITS = f"""
[[limits]]
per = "user"
concurrent = {PLACES}
tokens_per_minute = {TOKENS * 500}
[[limits]]
per = "user"
only = "clerk3"
requests_per_minute = 10000
"""
ENV = {"DAZI_MAX_CONCURRENT": str(PLACES), "DAZI_MAX_QUEUED": "0"}


@dataclass
class Scene:
    """``desk`` is the system that tools ask."""

    served: Served
    model: Model
    desk: Model

    async def begun(self, mark: str) -> Seen:
        """The model is asked about it."""
        await until(lambda: self.model.about(mark), STARTED_WITHIN_S)
        return self.model.about(mark)[0]

    async def asked(self, mark: str) -> Seen:
        """The tool's system is asked about it."""

        def there() -> list[Seen]:
            return [s for s in self.desk.seen if mark in s.body.get("target", "")]

        await until(there, STARTED_WITHIN_S)
        return there()[0]


@dataclass(frozen=True, slots=True)
class Case:
    """``pieces``: so many pieces of the answer are read first; ``hangs``: none comes before the caller
    leaves; ``tool``: it is the tool's system that is being waited for; ``kept``: it is the second
    question on its connection; ``closes``: with a word of farewell."""

    name: str
    question: Callable[[str], Question]
    pieces: int = 0
    hangs: bool = False
    tool: bool = False
    kept: bool = False
    closes: bool = False


def _slow(mark: str) -> str:
    return f"{mark} [slow]"


def _clerk(said: Callable[[str], str], *, stream: bool) -> Callable[[str], Question]:
    return lambda mark: Question(said(mark), user="clerk0", stream=stream, request=mark)


def _raw(said: Callable[[str], str], *, stream: bool) -> Callable[[str], Question]:
    return lambda mark: raw(said(mark), stream=stream, request=mark)


def _tool(mark: str) -> str:
    return f'{mark} [call find_room {{"words": "{mark}"}}]'


CASES = (
    Case("raw, stream, before the first byte", _raw(str, stream=True), hangs=True),
    Case("raw, stream, in the middle", _raw(_slow, stream=True), pieces=3),
    Case("raw, stream, in the middle, closing", _raw(_slow, stream=True), pieces=3, closes=True),
    Case("raw, whole", _raw(_slow, stream=False)),
    Case("raw, whole, second on a kept connection", _raw(_slow, stream=False), kept=True),
    Case("raw, stream, second on a kept connection", _raw(_slow, stream=True), pieces=3, kept=True),
    Case("governed, stream, before the first byte", _clerk(str, stream=True), hangs=True),
    Case("governed, stream, in the middle", _clerk(_slow, stream=True), pieces=2),
    Case("governed, whole", _clerk(_slow, stream=False)),
    Case("governed, whole, closing", _clerk(_slow, stream=False), closes=True),
    Case("governed, whole, second on a kept connection", _clerk(_slow, stream=False), kept=True),
    Case("governed, stream, a tool at work", _clerk(_tool, stream=True), tool=True),
    Case("governed, whole, a tool at work", _clerk(_tool, stream=False), tool=True),
)


async def run(times: int = 8, cases: Sequence[Case] = CASES, queue: bool = True) -> Report:
    """Each case ``times`` times, half of them at once; ``queue``: and those who leave it."""
    report = Report(of="callers who leave")
    table = Table(
        "gone", "Callers who leave: seconds until the model server or the tool's system is let go",
        ("case", "left", "p50", "worst", "in the ledger", "places free"),
    )  # fmt: skip
    report.tables.append(table)
    with tempfile.TemporaryDirectory(prefix="dazi-gone-") as folder:
        root = Path(folder)
        async with Model().running() as model, Model(mood=hung).running() as desk:
            house = build(
                root, model.port, limits=LIMITS,
                systems=Systems(desk_port=desk.port, timeout_s=30.0),
            )  # fmt: skip
            async with serving(house, root, ENV) as served:
                scene = Scene(served, model, desk)
                marks: dict[str, list[str]] = {}
                rows: dict[str, tuple[list[float], int]] = {}
                for case in cases:
                    rows[case.name], marks[case.name] = await _case(scene, case, times, report)
                in_queue = await _in_the_queue(root, model, times, report) if queue else None
                for complaint in served.complaints():
                    report.violations[f"in the log: {complaint[:60]}"] += 1
            told = _told(await house.records())
        for case in cases:
            waits, places = rows[case.name]
            known = sum(_accounted(told.get(m)) for m in marks[case.name])
            report.tried += len(waits)
            report.expect(max(waits) <= CLOSED_WITHIN_S, f"{case.name}: let go too late")
            report.expect(places == PLACES, f"{case.name}: a place is not free again")
            report.expect(
                known == len(waits), f"{case.name}: the ledger does not tell what it used"
            )
            table.rows.append((
                case.name, len(waits), percentile(waits, 0.5), max(waits),
                f"{known}/{len(waits)}", f"{places}/{PLACES}",
            ))  # fmt: skip
        if in_queue is not None:
            table.rows.append(in_queue)
    return report


async def _case(
    scene: Scene, case: Case, times: int, report: Report
) -> tuple[tuple[list[float], int], list[str]]:
    half = max(1, min(times // 2, PLACES))
    marks, waits = [], []
    number = 0
    while number < times:
        many = half if number else 1
        batch = [f"m{CASES.index(case)}-{number + i}." for i in range(many)]
        waits += await asyncio.gather(*(_leave(scene, case, mark) for mark in batch))
        marks += batch
        number += many
    user = "admin" if "raw" in case.name else "clerk0"
    name = case.question("x").model
    places = await free(scene.served.port, scene.model, PLACES, user, name)
    if case.tool:
        asked = [len(scene.model.about(mark)) for mark in marks]
        report.expect(max(asked) == 1, f"{case.name}: the model was asked again for nobody")
    return (waits, places), marks


async def _leave(scene: Scene, case: Case, mark: str) -> float:
    """Seconds from leaving until whoever worked on it is let go; ``inf``: never."""
    caller = Caller(scene.served.port)
    scene.model.mood = well
    if case.kept:
        first = await caller.ask(Question("before", user=case.question("x").user))
        assert first.ok, first
    if case.hangs:
        scene.model.mood = hung
    await caller.send(case.question(mark))
    working = await (scene.asked(mark) if case.tool else scene.begun(mark))
    for _ in range(case.pieces):
        await caller.piece()
    if not case.pieces:
        await asyncio.sleep(0.1)
    left = time.monotonic()
    if case.closes:
        caller.close()
    else:
        caller.leave()
    await until(lambda: working.closed, 10 * CLOSED_WITHIN_S)
    return working.closed - left if working.closed is not None else float("inf")


async def _in_the_queue(root: Path, model: Model, times: int, report: Report) -> tuple[Any, ...]:
    """All places are taken; others wait and leave. Nobody asks the model for them."""
    name = "raw, in the queue"
    env = {"DAZI_MAX_CONCURRENT": "1", "DAZI_MAX_QUEUED": "2", "DAZI_QUEUE_SECONDS": "30"}
    other = build(root / "queue", model.port)
    async with serving(other, root, env) as served:
        model.mood = well
        holder = Caller(served.port)
        await holder.send(raw("holder [slow]", stream=True))
        await holder.piece()
        for n in range(times):
            leaving = Caller(served.port)
            await leaving.send(raw(f"queued-{n}"))
            await asyncio.sleep(0.05)
            leaving.leave()
        await asyncio.sleep(0.2)
        waiting = asyncio.ensure_future(ask(served.port, raw("waits on"), 40))
        await asyncio.sleep(0.2)
        refused = waiting.done()
        holder.leave()
        heard = await waiting
        report.expect(not refused and heard.ok, f"{name}: those who left fill the queue")
        report.expect(not model.about("queued-"), f"{name}: the model was asked for nobody")
    report.tried += times
    return (name, times, None, None, "nothing was used", "queue free" if heard.ok else "queue full")


def _told(records: list[Any]) -> dict[str, Mapping[str, Any]]:
    """By the caller's request id: the record of the answer to it."""
    turns: dict[str, str] = {}
    answers: dict[str, Mapping[str, Any]] = {}
    for record in records:
        body = json.loads(record.body)
        if record.kind == "turn":
            turns[record.turn] = body.get("from", {}).get("request", "")
        elif record.kind == "answer" and record.turn in turns:
            answers[turns[record.turn]] = body
    return answers


def _accounted(answer: Mapping[str, Any] | None) -> bool:
    """Whether it is on record, and with what the model had read for it."""
    return answer is not None and answer["tokens"][0] > 0
