"""Alerts in the database. Everything here raises ``OperatorError`` where that cannot be used."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from dazi.audit.private import READABLE, Private
from dazi.ops.alerts.book import Ack, Silence
from dazi.ops.alerts.machine import Alert
from dazi.ops.alerts.measure import Labels, Reading
from dazi.ops.alerts.tables import (
    alert_acks,
    alert_lease,
    alert_past,
    alert_seen,
    alert_silences,
    alerts,
)
from dazi.store.database import Database

LEASE = "send"
LEASE_S = 60.0
SEEN_S = 90.0
"""What another process read counts for so long."""
PAST_DAYS = 90
MOST = 500


@dataclass(frozen=True, slots=True)
class Past:
    fingerprint: str
    fired: float
    ended: float
    rule: str
    severity: str
    labels: Labels
    worst: float | None
    acked_by: str


class AlertStore:
    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private

    # --- which process sends ---------------------------------------------------------------------

    async def lease(self, process: str, now: float) -> bool:
        """Take or keep it; whether ``process`` has it now."""
        c = alert_lease.c
        mine = (c.process == process) | (c.until < now)
        change = update(alert_lease).where(c.name == LEASE, mine)
        async with self._database.write() as connection:
            found = await connection.execute(change.values(process=process, until=now + LEASE_S))
            if found.rowcount:
                return True
            known = select(c.name).where(c.name == LEASE)
            if (await connection.execute(known)).first() is not None:
                return False
        try:
            async with self._database.write() as connection:
                row = {"name": LEASE, "process": process, "until": now + LEASE_S}
                await connection.execute(insert(alert_lease), [row])
        except IntegrityError:
            return False  # another was first
        return True

    async def give_up(self, process: str) -> None:
        c = alert_lease.c
        async with self._database.write() as connection:
            await connection.execute(delete(alert_lease).where(c.process == process))
            await connection.execute(delete(alert_seen).where(alert_seen.c.process == process))

    # --- what others read ------------------------------------------------------------------------

    async def tell(
        self, process: str, read: Iterable[tuple[str, str, Reading]], now: float
    ) -> None:
        """``read``: rule, fingerprint and what is not well; all that there is of this process."""
        rows = [
            {"process": process, "fingerprint": print_, "rule": rule, "value": r.value,
             "labels": _text(r.labels), "bad": float(r.bad), "at": now}
            for rule, print_, r in read
        ]  # fmt: skip
        async with self._database.write() as connection:
            await connection.execute(delete(alert_seen).where(alert_seen.c.process == process))
            if rows:
                await connection.execute(insert(alert_seen), rows)

    async def told(self, but: str, now: float) -> dict[str, list[Reading]]:
        """By rule, what other processes have read of late."""
        c = alert_seen.c
        query = select(alert_seen).where(c.process != but, c.at > now - SEEN_S)
        out: dict[str, list[Reading]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(query):
                reading = Reading(_labels(row.labels), row.value, bool(row.bad), well=False)
                out.setdefault(row.rule, []).append(reading)
        return out

    # --- how they are ----------------------------------------------------------------------------

    async def load(self) -> dict[str, Alert]:
        async with self._database.read() as connection:
            rows = (await connection.execute(select(alerts))).all()
        return {r.fingerprint: msgspec.json.decode(r.body, type=Alert) for r in rows}

    async def save(self, changed: Mapping[str, Alert | None], now: float) -> None:
        """``None``: it is gone."""
        rows = [
            {"fingerprint": k, "rule": a.rule, "state": a.state, "at": now,
             "body": msgspec.json.encode(a).decode()}
            for k, a in changed.items() if a is not None
        ]  # fmt: skip
        async with self._database.write() as connection:
            await connection.execute(delete(alerts).where(alerts.c.fingerprint.in_(list(changed))))
            if rows:
                await connection.execute(insert(alerts), rows)

    # --- what was --------------------------------------------------------------------------------

    async def keep(self, ended: Iterable[tuple[Alert, str]]) -> None:
        """Alerts that are over, and who acknowledged them."""
        async with self._database.write() as connection:
            for a, by in ended:
                same = (alert_past.c.fingerprint == a.fingerprint) & (alert_past.c.fired == a.fired)
                await connection.execute(delete(alert_past).where(same))
                row = {
                    "fingerprint": a.fingerprint, "fired": a.fired, "ended": a.ended,
                    "rule": a.rule, "severity": a.severity, "labels": _text(a.labels),
                    "worst": a.worst, "acked_by": by,
                }  # fmt: skip
                await connection.execute(insert(alert_past), [row])

    async def past(self, limit: int = MOST) -> list[Past]:
        """The latest first."""
        query = select(alert_past).order_by(alert_past.c.ended.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Past(r.fingerprint, r.fired, r.ended, r.rule, r.severity, _labels(r.labels), r.worst,
                 r.acked_by)
            for r in rows
        ]  # fmt: skip

    async def prune(self, now: float) -> None:
        before = now - PAST_DAYS * 86_400
        async with self._database.write() as connection:
            await connection.execute(delete(alert_past).where(alert_past.c.ended < before))
            await connection.execute(delete(alert_acks).where(alert_acks.c.at < before))
            await connection.execute(delete(alert_silences).where(alert_silences.c.until < before))

    # --- what people said ------------------------------------------------------------------------

    async def acks(self) -> dict[str, Ack]:
        async with self._database.read() as connection:
            rows = (await connection.execute(select(alert_acks))).all()
        return {r.fingerprint: Ack(r.fingerprint, r.fired, r.user, r.at) for r in rows}

    async def acknowledge(self, ack: Ack) -> None:
        c = alert_acks.c
        row = {"fingerprint": ack.fingerprint, "fired": ack.fired, "user": ack.who, "at": ack.at}
        async with self._database.write() as connection:
            await connection.execute(delete(alert_acks).where(c.fingerprint == ack.fingerprint))
            await connection.execute(insert(alert_acks), [row])

    async def silences(self, now: float) -> dict[str, Silence]:
        query = select(alert_silences).where(alert_silences.c.until > now)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {
            r.id: Silence(
                r.id, r.rule, msgspec.json.decode(r.labels), r.until, r.user, self._why(r.id, r.why),
                r.at,
            )
            for r in rows
        }  # fmt: skip

    async def silence(self, made: Silence) -> None:
        row = {
            "id": made.id, "rule": made.rule, "labels": msgspec.json.encode(made.labels).decode(),
            "until": made.until, "user": made.who, "at": made.at,
            "why": self._private.seal(made.who, _place(made.id), made.why),
        }  # fmt: skip
        async with self._database.write() as connection:
            await connection.execute(insert(alert_silences), [row])

    async def lift(self, id: str) -> bool:
        """Whether there was one."""
        async with self._database.write() as connection:
            done = await connection.execute(delete(alert_silences).where(alert_silences.c.id == id))
        return done.rowcount > 0

    async def forget(self, user: str) -> None:
        """Who has acknowledged and silenced stays nowhere."""
        async with self._database.write() as connection:
            for table, column in (
                (alert_past, alert_past.c.acked_by),
                (alert_acks, alert_acks.c.user),
                (alert_silences, alert_silences.c.user),
            ):
                change = update(table).where(column == user).values({column.name: ""})
                await connection.execute(change)

    def _why(self, id: str, text: str) -> str:
        found = self._private.open(_place(id), text)
        return str(found.content) if found.state in READABLE else ""


def new_id() -> str:
    return secrets.token_hex(8)


def _place(id: str) -> str:
    return f"alert_silences.why:{id}"


def _text(labels: Labels) -> str:
    return msgspec.json.encode(labels).decode()


def _labels(text: str) -> Labels:
    return msgspec.json.decode(text, type=Labels)
