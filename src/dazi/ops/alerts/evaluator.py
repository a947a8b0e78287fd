"""Looks at every rule, again and again, and has told what is to be told.

Of several processes over one database the one with the lease tells, also what the others read. Where
the database cannot be used each goes on by itself, from what it knows.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from dazi.core.errors import OperatorError
from dazi.observe.instruments import Registry
from dazi.ops.alerts.book import Book
from dazi.ops.alerts.declare import Alerting
from dazi.ops.alerts.heartbeat import Beats
from dazi.ops.alerts.machine import Alert, fingerprint
from dazi.ops.alerts.measure import Labels, Measure, Reading
from dazi.ops.alerts.message import Message
from dazi.ops.alerts.notify import Delivery, Plan
from dazi.ops.alerts.rules import SEVERITIES, Rule
from dazi.ops.alerts.store import AlertStore

EVERY_S = 15.0
STORE_S = 10.0
"""How long the database may take for what an evaluation wants of it: others may be waiting for it too."""
REST_S = 10.0
"""So long after it could not be used it is left alone."""
PRUNE_S = 86_400.0
log = logging.getLogger("dazi.alerts")

_UNUSABLE = (OperatorError, SQLAlchemyError, OSError)
Read = dict[str, list[Reading]]
"""By rule."""


@dataclass(slots=True)
class Clocks:
    """``every_s``: how often; ``now``: of the machine, for how late this is itself."""

    every_s: float = EVERY_S
    now: Callable[[], float] = time.time


class Evaluator:
    def __init__(
        self,
        alerting: Alerting,
        store: AlertStore,
        delivery: Delivery,
        url: str = "",
        clocks: Clocks | None = None,
    ) -> None:
        self.alerting, self.store, self.delivery = alerting, store, delivery
        self.measure: Measure | None = None
        self.book = Book(alerting.rules, alerting.pace, url)
        self.book.way = self._way
        self.book.escalate_s = self._escalate_s
        self.clocks = clocks or Clocks()
        self.process = secrets.token_hex(8)
        self.read: Read = {}
        """What was read last."""
        self.leads = False
        self.store_well = True
        self.evaluated = self.clocks.now()
        self.beats = Beats(alerting.heartbeat, delivery)
        self._last = self._rests = self._pruned = 0.0
        self._mends = False
        self._found: Read = {}
        self._running: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._saving = asyncio.Lock()

    # --- when ------------------------------------------------------------------------------------

    async def sampled(self, now: float) -> None:
        """Told after each taking of the instruments: what waits for a database must not keep the next
        from being taken."""
        due = now - self._last >= self.clocks.every_s - 1.0 or now < self._last
        if due and (self._running is None or self._running.done()):
            self._last = now
            self._running = asyncio.create_task(self._guarded(now))

    async def _guarded(self, now: float) -> None:
        try:
            await self.evaluate(now)
        except Exception:
            log.exception("alerts could not be evaluated")

    async def settle(self) -> None:
        """Wait for what is under way."""
        while self._tasks or (self._running is not None and not self._running.done()):
            running = [self._running] if self._running is not None else []
            await asyncio.gather(*self._tasks, *running, return_exceptions=True)
            self._running = None

    async def close(self) -> None:
        """Another process need not wait for the lease to end."""
        for task in (*self._tasks, *([self._running] if self._running is not None else [])):
            task.cancel()
        await self.settle()
        await self._with_store(self.store.give_up(self.process))
        await self.delivery.close()

    # --- what ------------------------------------------------------------------------------------

    async def evaluate(self, now: float) -> None:
        self.read = await asyncio.to_thread(self._readings, now)
        others = await self._synchronised(now)
        if self.leads:
            self._judge(others, now)
            messages = self.book.due(now)
            await self._saved(now)
            for message in messages:
                self._spawn(self._tell(message))
            if self.beats.due(now):
                self._spawn(self.beats.send(now, len(self.book.firing())))
        self.evaluated = self.clocks.now()

    def _readings(self, now: float) -> Read:
        out: Read = {}
        if self.measure is None:
            return out
        for rule in self.alerting.rules:
            try:
                out[rule.name] = self.measure.readings(rule, now)
            except Exception:  # one that cannot be read must not hide the others
                log.exception("rule %s could not be looked at", rule.name)
        return out

    def _judge(self, others: Read, now: float) -> None:
        for rule in self.alerting.rules:
            if rule.name in self.read:
                read = joined(self.read[rule.name], others.get(rule.name, []), rule)
                self.book.observe(rule, read, now)
        self.book.forget_unknown(now)

    # --- the database ----------------------------------------------------------------------------

    async def _synchronised(self, now: float) -> Read:
        """What others read. Without a database this process leads, whoever else does."""
        if now < self._rests:
            return {}
        led = self.leads
        if not await self._with_store(self._exchange(now)):
            self.leads, self._rests, self._mends = True, now + REST_S, True
            return {}
        if self.leads and (not led or self._mends):
            self.book.changed.update(self.book.alerts)
        self._mends = False
        return self._found

    async def _exchange(self, now: float) -> None:
        self._found = {}
        leads = await self.store.lease(self.process, now)
        if leads and (not self.leads or self._mends):
            # What is known here is newer than what was stored before the database went away.
            self.book.alerts = {**await self.store.load(), **self.book.alerts}
        if not leads:
            await self.store.tell(self.process, self._unwell(), now)
            self.book.alerts = await self.store.load()
        self.book.acks = await self.store.acks()
        self.book.silences = await self.store.silences(now)
        if leads:
            self._found = await self.store.told(self.process, now)
            if now - self._pruned >= PRUNE_S:
                await self.store.prune(now)
                self._pruned = now
        self.leads = leads

    def _unwell(self) -> Iterator[tuple[str, str, Reading]]:
        for rule, read in self.read.items():
            for r in read:
                if not r.well:
                    yield rule, fingerprint(rule, r.labels), r

    async def _saved(self, now: float) -> None:
        if not self.leads or now < self._rests:
            return
        async with self._saving:
            book = self.book
            changed, ended = set(book.changed), list(book.ended)
            if not changed and not ended:
                return
            after = {k: book.alerts.get(k) for k in changed}
            by = [(a, ack.who if (ack := book.acked(a)) else "") for a in ended]

            async def written() -> None:
                await self.store.save(after, now)
                if by:
                    await self.store.keep(by)

            if await self._with_store(written()):
                # What has changed meanwhile is saved the next time.
                book.changed -= {k for k, a in after.items() if book.alerts.get(k) == a}
                del book.ended[: len(ended)]
            else:
                self._rests, self._mends = now + REST_S, True

    async def _with_store(self, work: Awaitable[None]) -> bool:
        try:
            async with asyncio.timeout(STORE_S):
                await work
        except (*_UNUSABLE, TimeoutError) as e:
            if self.store_well:
                late = f"the database took longer than {STORE_S:g} s"
                said = late if isinstance(e, TimeoutError) else str(e) or type(e).__name__
                log.error("alerts are kept in memory: %s", said)
            self.store_well = False
            return False
        self.store_well = True
        return True

    # --- telling ---------------------------------------------------------------------------------

    def _way(self, alert: Alert) -> int:
        send = self.alerting.send_rule(alert)
        return self.alerting.sends.index(send) if send is not None else -1

    def _escalate_s(self, alert: Alert) -> float | None:
        send = self.alerting.send_rule(alert)
        return send.escalate_s if send is not None else None

    def _plan(self, message: Message) -> Plan:
        send = self.alerting.send_rule(message.alerts[0])
        if send is None:
            return Plan()
        return send.higher if message.what == "escalated" else send.plan

    async def _tell(self, message: Message) -> None:
        well = False
        try:
            well = await self.delivery.deliver(message, self._plan(message))
        finally:
            self.book.sent(message, well, message.at)
        await self._saved(message.at)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what is counted of it -------------------------------------------------------------------

    def watch(self, registry: Registry) -> None:
        gauge = registry.gauge
        gauge(
            "dazi_alerts_evaluated_seconds",
            "How long ago the rules were looked at",
            lambda: [((), max(0.0, self.clocks.now() - self.evaluated))],
        )
        gauge("dazi_alerts_firing", "Alerts that fire", self._firing, "severity")
        gauge(
            "dazi_alerts_route_failing",
            "Whether a route of alerts does not get through",
            self.delivery.failing,
            "route",
        )

    def _firing(self) -> Sequence[tuple[tuple[str, ...], float]]:
        firing = self.book.firing()
        return [((s,), float(sum(a.severity == s for a in firing))) for s in SEVERITIES]


def joined(own: Sequence[Reading], others: Sequence[Reading], rule: Rule) -> list[Reading]:
    """One reading for each set of labels: the worst."""
    out: dict[Labels, Reading] = {}
    for r in (*own, *others):
        before = out.get(r.labels)
        out[r.labels] = r if before is None or _rank(r) > _rank(before) else before
    return list(out.values())


def _rank(r: Reading) -> int:
    return 2 if r.bad else 0 if r.well else 1
