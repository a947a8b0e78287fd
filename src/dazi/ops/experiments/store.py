"""Experiments in the database, and what became of their subjects."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Integer, Table, and_, cast, func, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.core.errors import CallerError, NotFound
from dazi.ops.experiments.metrics import metric
from dazi.ops.experiments.model import Event, Experiment, State
from dazi.ops.experiments.plan import Plan
from dazi.ops.experiments.tables import experiment_events, experiment_subjects, experiments
from dazi.ops.prompts.tables import prompt_activations
from dazi.store.database import Database

_INSERTS: Mapping[str, Callable[[Table], postgresql.Insert | sqlite.Insert]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that was measured of a subject. ``turn``: it is a turn, else an event, which counts of
    subjects only who have had a turn. ``at`` in seconds since the epoch."""

    experiment: str
    subject: str
    tenant: str
    user: str
    arm: str
    stage: int
    values: Mapping[str, float]
    at: float
    window_s: float
    turn: bool = True


@dataclass(frozen=True, slots=True)
class Subject:
    """``first``: metrics of the first turn; ``means``: of their window."""

    arm: str
    stage: int
    at: float
    turns: int
    first: Mapping[str, float]
    means: Mapping[str, float]


class ExperimentStore:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def version(self) -> tuple[int, ...]:
        """Changes whenever anything that turns are made with does."""
        c = experiments.c
        of_experiments = select(func.count(), func.coalesce(cast(func.sum(c.revision), Integer), 0))
        async with self.database.read() as connection:
            made, changed = (await connection.execute(of_experiments)).one()
            activated = await connection.scalar(select(func.max(prompt_activations.c.seq)))
        return int(made), int(changed), int(activated or 0)

    async def all(self, *states: State) -> list[Experiment]:
        """The latest first; of these states where any are named."""
        query = select(experiments.c.body).order_by(experiments.c.created.desc())
        if states:
            query = query.where(experiments.c.state.in_(states))
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [_experiment(row.body) for row in rows]

    async def get(self, name: str) -> Experiment:
        """Raises ``NotFound``."""
        async with self.database.read() as connection:
            body = await connection.scalar(select(experiments.c.body).where(_named(name)))
        if body is None:
            raise NotFound("experiment", "没有这个实验", "there is no such experiment")
        return _experiment(body)

    async def put(self, made: Experiment) -> None:
        """Raises ``CallerError`` for a name that is taken."""
        async with self.database.write() as connection:
            if await connection.scalar(select(experiments.c.name).where(_named(made.name))):
                raise CallerError(
                    "experiment",
                    f"已经有一个实验叫 {made.name}",
                    f"there is an experiment {made.name} already",
                )
            row = {"name": made.name, "created": made.created, **_columns(made)}
            await connection.execute(insert(experiments).values(row))
            await _note(connection, made.name, Event(made.created, made.author, "create"))

    async def change(self, old: Experiment, new: Experiment, event: Event) -> Experiment:
        """``new`` in the place of ``old``. Raises ``CallerError`` where somebody else was faster, also
        in beginning another one that varies the same."""
        new = msgspec.structs.replace(new, revision=old.revision + 1)
        there = and_(_named(old.name), experiments.c.revision == old.revision)
        async with self.database.write() as connection:
            if new.state == "running" != old.state:
                if connection.dialect.name == "postgresql":  # two that begin at once see each other
                    await connection.execute(
                        text("LOCK TABLE experiments IN SHARE ROW EXCLUSIVE MODE")
                    )
                running = select(experiments.c.body).where(experiments.c.state == "running")
                require_alone(new.plan, map(_experiment, await connection.scalars(running)))
            done = await connection.execute(update(experiments).where(there).values(_columns(new)))
            if not done.rowcount:
                raise CallerError(
                    "changed_meanwhile",
                    "这个实验刚被别人改过,请看过再改",
                    "somebody else has just changed this experiment; look at it and try again",
                )
            await _note(connection, old.name, event)
        return new

    async def events(self, name: str) -> list[Event]:
        """Oldest first."""
        c = experiment_events.c
        query = select(experiment_events).where(c.experiment == name).order_by(c.seq)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Event(row.at, row.author, row.act, row.detail) for row in rows]

    # --- subjects -------------------------------------------------------------------------------

    async def see(self, seen: Sequence[Seen]) -> None:
        """Take down what was measured, each once. A subject's first turn is their exposure; what comes
        in another arm, or after their window, is not counted."""
        async with self.database.write() as connection:
            # In one order, so that two processes never wait for each other.
            for one in sorted(seen, key=lambda s: (s.experiment, s.subject)):
                await _see(connection, one)

    async def exposed(self, name: str, subject: str) -> str | None:
        """The arm that a subject was first in."""
        c = experiment_subjects.c
        query = select(c.arm).where(c.experiment == name, c.subject == subject)
        async with self.database.read() as connection:
            found: str | None = await connection.scalar(query)
        return found

    async def subjects(self, name: str) -> list[Subject]:
        """In the order in which they came."""
        c = experiment_subjects.c
        query = (
            select(c.arm, c.stage, c.at, c.turns, c.first, c.sums)
            .where(c.experiment == name)
            .order_by(c.at, c.subject)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Subject(
                row.arm, row.stage, row.at, row.turns, _decode(row.first), _means(_decode(row.sums))
            )
            for row in rows
        ]

    async def forget(self, user: str) -> int:
        """Make somebody's rows nobody's: the numbers stay, and whose they were can't be found out by
        trying names either. How many."""
        c = experiment_subjects.c
        async with self.database.write() as connection:
            rows = (
                await connection.execute(select(c.experiment, c.subject).where(c.user == user))
            ).all()
            for row in rows:
                there = and_(c.experiment == row.experiment, c.subject == row.subject)
                unknown = {"user": "", "subject": secrets.token_hex(32)}
                await connection.execute(update(experiment_subjects).where(there).values(unknown))
        return len(rows)


async def _see(connection: AsyncConnection, one: Seen) -> None:
    c = experiment_subjects.c
    there = and_(c.experiment == one.experiment, c.subject == one.subject)
    kept = select(experiment_subjects).where(there).with_for_update()
    row = (await connection.execute(kept)).first()
    values = {name: min(value, metric(name).cap) for name, value in one.values.items()}
    if row is None and one.turn:
        if await _first(connection, one, values):
            return
        row = (await connection.execute(kept)).first()  # another process was faster
    if row is None or row.arm != one.arm or (one.window_s and one.at > row.at + one.window_s):
        return
    sums = _decode(row.sums)
    for name, value in values.items():
        n, total = sums.get(name, [0, 0.0])
        # Something either happened to a subject or did not, however often.
        counts = one.turn or name == "rating"
        sums[name] = [n + 1, total + value] if counts else [1, max(total, value)]
    changed = {"sums": _encode(sums), "turns": row.turns + one.turn}
    await connection.execute(update(experiment_subjects).where(there).values(changed))


async def _first(connection: AsyncConnection, one: Seen, values: Mapping[str, float]) -> bool:
    """Take down a subject's first turn; False where somebody is there already."""
    made = {
        "experiment": one.experiment,
        "subject": one.subject,
        "tenant": one.tenant,
        "user": one.user,
        "arm": one.arm,
        "stage": one.stage,
        "at": one.at,
        "turns": 1,
        "first": _encode(values),
        "sums": _encode({name: [1, value] for name, value in values.items()}),
    }
    insert_into = _INSERTS[connection.dialect.name]
    new = insert_into(experiment_subjects).values(made).on_conflict_do_nothing()
    done = await connection.execute(new.returning(experiment_subjects.c.subject))
    return done.first() is not None


async def _note(connection: AsyncConnection, name: str, event: Event) -> None:
    c = experiment_events.c
    last = await connection.scalar(select(func.max(c.seq)).where(c.experiment == name))
    row = {
        "experiment": name,
        "seq": (last or 0) + 1,
        "at": event.at,
        "author": event.by,
        "act": event.act,
        "detail": event.detail,
    }
    await connection.execute(insert(experiment_events).values(row))


def new_event(by: str, act: str, detail: str = "") -> Event:
    return Event(time.time(), by, act, detail)


def _named(name: str) -> Any:
    return experiments.c.name == name


def _columns(e: Experiment) -> dict[str, Any]:
    return {"state": e.state, "revision": e.revision, "body": msgspec.json.encode(e).decode()}


_experiments = msgspec.json.Decoder(Experiment)


def require_alone(plan: Plan, running: Iterable[Experiment]) -> None:
    """Raises ``CallerError`` where another that runs varies the same."""
    for other in running:
        both = sorted(plan.varies & other.plan.varies)
        if other.name != plan.name and both:
            raise CallerError(
                "overlap",
                f"实验 {other.name} 也在变 {', '.join(both)};先停它",
                f"experiment {other.name} varies {', '.join(both)} too; stop it first",
            )


def _experiment(body: str) -> Experiment:
    return _experiments.decode(body)


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _decode(text: str) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def _means(sums: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: total / n for name, (n, total) in sums.items() if n}
