"""``kill -9`` at every step of a write, on SQLite and on PostgreSQL: at most one effect an intent.

Each run is a process of its own that does one plain write and one that a person agrees to, and
kills itself at the N-th step: before or after any statement or commit of any database, before or
after the system is asked. The next run carries on with what it finds. The system's table has no
key that would hide a second effect.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine, create_engine, event, text

from bench.postgres import create, driver
from dazi.access.cedar import CedarPolicy
from dazi.audit.ledger import Ledger, Record, SqlSink, first_broken
from dazi.audit.private import Private
from dazi.connectors.context import ConnectorContext
from dazi.connectors.registry import make_connector
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.tools import Connector, Invocation
from dazi.main.company import load_company
from dazi.router.dispatch import FunctionRouter, TurnContext
from dazi.router.grounding import Evidence
from dazi.router.intents import IntentStore
from dazi.router.tickets import TicketStore
from dazi.store import writer
from dazi.store.database import Database

TODAY = date(2025, 4, 3)
WHO = Principal("li", frozenset({"clerk"}), MappingProxyType({}))
TOOLS = """
system: books
connector: {kind: sql, database: books}
tools:
  write_line:
    description: write a line
    effect: write
    roles: [clerk]
    parameters: {words: {type: string, required: true}}
    sql: INSERT INTO effects (key, words) VALUES (:idempotency_key, :words)
    write: true
  pay:
    description: pay
    effect: sensitive
    roles: [clerk]
    parameters: {words: {type: string, required: true}}
    sql: INSERT INTO effects (key, words) VALUES (:idempotency_key, :words)
    write: true
"""
FAR = 10_000
"""No run has so many steps."""


@dataclass(slots=True)
class Report:
    """``violations`` by kind. ``lost``: effects that happened and of which no answer was heard;
    ``never``: intents that were written and came to nothing; both are for a person to look into."""

    kills: int = 0
    whole: int = 0
    effects: int = 0
    intents: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    never: int = 0
    seconds: float = 0.0
    violations: Counter[str] = field(default_factory=Counter)


class _Steps:
    """Counts, and ends the process at the step that was chosen."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.taken = 0

    def __call__(self, *_: Any, **__: Any) -> None:
        self.taken += 1
        if self.taken >= self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, engine: Engine) -> None:
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(engine, name, self)

    def watch_writer(self, database: Database) -> None:
        """Before and after every statement of the thread that writes on the hot path."""
        if database._writer is None:
            return
        step = self

        class Watched(sqlite3.Connection):
            def execute(self, *rest: Any) -> sqlite3.Cursor:
                step()
                done = super().execute(*rest)
                step()
                return done

            def executemany(self, *rest: Any) -> sqlite3.Cursor:
                step()
                done = super().executemany(*rest)
                step()
                return done

        def connect(path: str, *rest: Any, **options: Any) -> sqlite3.Connection:
            return sqlite3.connect(path, *rest, factory=Watched, **options)

        writer.connect = connect


class _Asked:
    """The real connector, with a step before and one after: the answer is lost there."""

    def __init__(self, inner: Connector, step: Callable[[], None]) -> None:
        self._inner = inner
        self._step = step

    async def execute(self, invocation: Invocation) -> Any:
        self._step()
        done = await self._inner.execute(invocation)
        self._step()
        return done

    async def close(self) -> None:
        await self._inner.close()


def make_folder(folder: Path, url: str) -> None:
    (folder / "tools").mkdir(parents=True)
    (folder / "tools" / "books.yaml").write_text(TOOLS, encoding="utf-8")
    (folder / "roles.yaml").write_text("roles: {clerk: {name: clerk}}\n", encoding="utf-8")
    (folder / "dazi.toml").write_text(f'[databases]\nbooks = "{url}"\n', encoding="utf-8")


def prepare(own: str, books: str, folder: Path) -> None:
    """Both databases with their tables; in a process of its own, for its threads."""
    engine = create_engine(driver(books))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE effects (key VARCHAR(64), words VARCHAR(200))"))
    engine.dispose()

    async def tables() -> None:
        database = Database(own)
        await database.create()
        await database.close()

    asyncio.run(tables())


async def work(folder: Path, own: str, number: int, last: int) -> int:
    """One run; the number of steps if it got to its end."""
    company = load_company(folder)
    steps = _Steps(last)
    database = Database(own)
    steps.watch(database._engine.sync_engine)
    steps.watch_writer(database)
    context = ConnectorContext(folder, folder, company.settings["databases"])
    spec = company.connectors["books"]
    real = make_connector(spec.kind, spec.config, context, list(company.tools.values()))
    for engine in (real._database.reader, real._database.writer):  # type: ignore[attr-defined]
        steps.watch(engine.sync_engine)
    ledger = Ledger(SqlSink(database))
    await ledger.open()
    private = Private.at(folder / "audit")
    tickets = TicketStore(database, private, 900.0, lease_s=0.0)
    router = FunctionRouter(
        company,
        {"books": _Asked(real, steps)},
        CedarPolicy(company),
        ledger,
        IntentStore(database, private),
        tickets,
    )
    for ticket in await tickets.take_up():
        await router.confirmed(ticket, _turn(ticket.turn))
        await tickets.finish(ticket.id)
    turn = _turn(f"run{number}")
    words = json.dumps({"words": f"line {number}"})
    await router.call(CallText("a", "write_line", words), turn)
    # The model says it again: that must not be done again.
    await router.call(CallText("b", "write_line", words), turn)
    asked = await router.call(CallText("c", "pay", words), turn)
    decided = await tickets.decide(asked.ticket, WHO, True)
    await router.confirmed(decided, turn)
    await tickets.finish(decided.id)
    await router.settle()
    await ledger.flush()
    await real.close()
    await database.close()
    return steps.taken


def _turn(number: str) -> TurnContext:
    evidence = Evidence(TODAY)
    evidence.said("write a line")
    return TurnContext(number, "t", WHO, "en", evidence, frozenset({"write_line", "pay"}))


def in_process(work: Callable[[], int]) -> int:
    """The result of ``work`` in a forked process, or minus the signal that ended it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            os.write(writing, str(work()).encode())
            code = 0
        except BaseException as e:
            os.write(writing, f"!{type(e).__name__}: {e}"[:2000].encode())
        finally:
            os._exit(code)
    os.close(writing)
    said = os.read(reading, 4000).decode()
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return -os.WTERMSIG(status)
    if said.startswith("!"):
        raise RuntimeError(f"a run failed: {said[1:]}")
    return int(said or 0)


def attack(folder: Path, own: str, books: str, kills: int, seed: int = 1) -> Report:
    """``own``: Dazi's database, ``books``: the system's, as URLs."""
    make_folder(folder, books)
    report = Report()
    began = time.perf_counter()

    def first() -> int:
        prepare(own, books, folder)
        return 0

    in_process(first)
    steps = in_process(lambda: asyncio.run(work(folder, own, 0, FAR)))
    report.whole += 1
    rng = random.Random(seed)
    number = 0
    while report.kills < kills:
        number += 1
        # Every step in turn, then steps at random: what was left undone lengthens a run.
        last = number if number <= steps else rng.randint(1, steps + 20)
        ended = in_process(lambda n=number, k=last: asyncio.run(work(folder, own, n, k)))
        if ended == -signal.SIGKILL:
            report.kills += 1
        else:
            report.whole += 1
    in_process(lambda: asyncio.run(work(folder, own, number + 1, FAR)))
    _judge(report, own, books)
    report.seconds = time.perf_counter() - began
    return report


def _judge(report: Report, own: str, books: str) -> None:
    theirs, ours = create_engine(driver(books)), create_engine(driver(own))
    with theirs.connect() as connection:
        rows = connection.execute(text("SELECT key, count(*) FROM effects GROUP BY key"))
        effects = {key: int(count) for key, count in rows}
    with ours.connect() as connection:
        begun = dict(connection.execute(text("SELECT key, state FROM intents")).tuples().all())
        kept = connection.execute(
            text(
                'SELECT seq, at, kind, "user", turn, body, previous, hash FROM audit_records ORDER BY seq'
            )
        ).all()
        left = connection.execute(
            text("SELECT count(*) FROM tickets WHERE state = 'approved' AND finished_at IS NULL")
        ).scalar()
    theirs.dispose()
    ours.dispose()
    report.effects = sum(effects.values())
    report.intents.update(begun.values())
    log = [Record(*row) for row in kept]
    called = {json.loads(r.body).get("key") for r in log if r.kind == "call"}
    found = report.violations
    found["an effect twice"] = sum(n > 1 for n in effects.values())
    found["an effect without an intent"] = sum(k not in begun for k in effects)
    found["an effect without an audit record"] = sum(k not in called for k in effects)
    found["done, but not"] = sum(s == "done" and k not in effects for k, s in begun.items())
    found["failed, but done"] = sum(s == "failed" and k in effects for k, s in begun.items())
    found["the ledger's chain is broken"] = int(first_broken(log) is not None)
    found["decided and never carried out"] = int(left or 0)
    unknown = {k for k, s in begun.items() if s in ("begun", "unknown")}
    report.lost = sum(k in effects for k in unknown)
    report.never = len(unknown) - report.lost
    report.violations = +found


def run_sqlite(kills: int, seed: int = 1) -> Report:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        own = f"sqlite+aiosqlite:///{folder}/dazi.sqlite"
        return attack(folder / "company", own, f"sqlite:///{folder}/books.sqlite", kills, seed)


def run_postgres(kills: int, url: str, seed: int = 1) -> Report:
    """``url``: of a server, without a database's name; two databases are made on it."""
    names = [f"kills_{seed}_{kind}" for kind in ("own", "books")]

    def made() -> int:
        create(url, *names)
        return 0

    in_process(made)
    own, books = (f"{url}/{name}" for name in names)
    with tempfile.TemporaryDirectory() as temporary:
        return attack(Path(temporary) / "company", driver(own), books, kills, seed)
