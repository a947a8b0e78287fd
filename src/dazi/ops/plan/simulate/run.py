"""The events of a run, one after another: turns come in, are let in, are answered, and scale the fleet."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np

from dazi.ops.plan.simulate.fleet import SCANNED, Fleet, Replicas
from dazi.ops.plan.simulate.front import FrontDesk
from dazi.ops.plan.simulate.outcome import (
    ANSWERED,
    NO_PLACE,
    NO_SERVER,
    UNDER_WAY,
    Moment,
    Outcome,
)
from dazi.ops.plan.simulate.policy import EVERY_S, Policy, Seen
from dazi.ops.plan.simulate.replica import Asked, Replica
from dazi.ops.plan.simulate.trace import Trace

SERVER, REQUEST, LEAVE, GIVE_UP, TURN_AWAY, LOOK, COME = range(7)
TOLD_EVERY = 65_536
"""Events between two words about how far it is."""
CALL_TOKENS = 40
"""That a model writes to call a tool; the rest of what a turn writes is its answer."""
NAN = float("nan")
Told = Callable[[float, float], None]
"""Simulated seconds, and seconds of the clock on the wall."""


@dataclass(frozen=True, slots=True)
class Rules:
    """``target``: share of places, for what ``/scaling`` tells. ``callers``: instead of when the trace
    says, so many ask, each again as soon as it has its answer. ``after``: seconds beyond the trace in
    which what is under way may end. ``seed``: of the choice among many servers."""

    target: float = 0.7
    callers: int = 0
    after: float = 600.0
    every: float = EVERY_S
    seed: int = 1


class Run:
    """A run of ``trace`` on ``fleet``; ``go`` once."""

    def __init__(
        self,
        trace: Trace,
        fleet: Fleet,
        policy: Policy,
        rules: Rules | None = None,
        told: Told | None = None,
    ) -> None:
        self.trace, self.fleet, self.policy = trace, fleet, policy
        self.rules = rules or Rules()
        self.told = told
        self.now = 0.0
        self._events: list[tuple[float, int, int, Any]] = []
        self._count = 0
        self._turn = 0
        """The next that has not come."""
        self._moments: list[Moment] = []
        self._pool: deque[tuple[float, int]] = deque()
        """When each model request without a server began to wait, and its turn."""
        self._busy_before = 0.0
        self._next_front = 0

    def go(self) -> Outcome:
        """To the end, or to where ``KeyboardInterrupt`` breaks it off: then what came of it by then."""
        began = time.perf_counter()
        self._prepare()
        stopped = False
        try:
            self._loop(began)
        except KeyboardInterrupt:
            stopped = True
        return self._outcome(time.perf_counter() - began, stopped)

    def _prepare(self) -> None:
        trace, n = self.trace, len(self.trace)
        rounds = trace.rounds
        self._at: list[float] = trace.at.tolist()
        self._rounds: list[int] = rounds.tolist()
        self._fresh: list[float] = self._uncached().tolist()
        call = np.minimum(CALL_TOKENS, trace.answer / rounds)
        self._call: list[float] = call.tolist()
        self._answer: list[float] = (trace.answer - call * (rounds - 1)).tolist()
        self._calls: list[int] = trace.calls.tolist()
        self._held: list[float] = ((trace.prompt + trace.answer) / rounds).tolist()
        self._inside = [0.0] * n
        self._first = [NAN] * n
        self._end = [NAN] * n
        self._status = bytearray(n)
        self._desk: list[Any] = [None] * n
        self._server: list[Any] = [None] * n
        self._come: list[float] = self._at if not self.rules.callers else [NAN] * n
        self._replicas = Replicas(self.fleet, self.policy.first())
        self._rng = np.random.default_rng(self.rules.seed)
        self._luck: list[float] = []
        self._push(self.rules.every, LOOK, None)
        for _ in range(min(self.rules.callers, n)):
            self._push(0.0, COME, None)

    def _uncached(self) -> Any:
        """Tokens that each model request of a turn has to read. What was asked before is in a server's
        cache as long as what came since finds room there."""
        t, engine = self.trace, self.fleet.engine
        likely = np.maximum(t.fresh, t.prompt - (t.prompt - t.fresh) * engine.kept)
        if len(t):
            since = t.again * float(t.fresh.mean()) / max(1, self.policy.first())
            hit = (t.again >= 0) & (since < engine.room)
            likely = np.where(hit, np.maximum(1, likely * (1 - engine.kept)), likely)
        return likely / t.rounds

    # --- the loop -------------------------------------------------------------------------------

    def _loop(self, began: float) -> None:
        trace, events, at = self.trace, self._events, self._at
        n = 0 if self.rules.callers else len(trace)
        least = 0.0 if self.rules.callers else trace.seconds
        end = trace.seconds + self.rules.after
        steps = 0
        handlers: tuple[Callable[[Any], None], ...] = (
            self._server_event, self._request, self._leave, self._give_up, self._turn_away,
            self._look, self._come_in,
        )  # fmt: skip
        i = 0
        while True:
            if i < n and (not events or at[i] <= events[0][0]):
                self.now = at[i]
                self._arrive(i)
                i += 1
                self._turn = i
            elif events:
                now, _, kind, what = heappop(events)
                if now > end:
                    break
                if kind == SERVER and what[1] != what[0].version:
                    continue
                self.now = now
                handlers[kind](what)
                if kind == LOOK and i >= n and now >= least and self._idle():
                    break
            else:
                break
            steps += 1
            if self.told is not None and steps % TOLD_EVERY == 0:
                self.told(self.now, time.perf_counter() - began)

    def _idle(self) -> bool:
        """Nothing comes any more, and nothing is under way."""
        if self.rules.callers and self._turn < len(self.trace):
            return False
        return not self._pool and all(not f.taken and not f.queue for f in self._replicas.fronts)

    def _push(self, at: float, kind: int, what: Any) -> None:
        self._count += 1
        heappush(self._events, (at, self._count, kind, what))

    def _schedule(self, replica: Replica) -> None:
        at = replica.next_at()
        if at < 1e300:
            self._push(at, SERVER, (replica, replica.version))

    # --- what happens ---------------------------------------------------------------------------

    def _come_in(self, _: Any) -> None:
        if self._turn < len(self.trace):
            turn = self._turn
            self._turn += 1
            self._come[turn] = self.now
            self._arrive(turn)

    def _arrive(self, turn: int) -> None:
        now = self.now
        self._status[turn] = UNDER_WAY
        desk = self._front(now)
        if desk is None:
            self._refused(turn, NO_PLACE)
            return
        self._desk[turn] = desk
        inside = desk.enter(now, turn)
        if inside:
            self._begin(turn)
        elif inside is None:
            self._push(now + desk.front.wait, GIVE_UP, desk)
        else:
            self._refused(turn, NO_PLACE)

    def _front(self, now: float) -> FrontDesk | None:
        """The next in turn that takes something, as a balancer goes round."""
        fronts = self._replicas.fronts
        for _ in range(len(fronts)):
            self._next_front += 1
            desk = fronts[self._next_front % len(fronts)]
            if not desk.draining and desk.starts <= now:
                return desk
        return None

    def _begin(self, turn: int) -> None:
        self._inside[turn] = self.now
        desk: FrontDesk = self._desk[turn]
        self._push(self._worked(desk, desk.front.turn / 2), REQUEST, turn)

    def _worked(self, desk: FrontDesk, seconds: float) -> float:
        """When the process has done that; what shares its core waits meanwhile."""
        if self.fleet.shares:
            replica = desk.engine
            if replica is not None:
                replica.stall(self.now, seconds)
                self._schedule(replica)
        return desk.worked(self.now, seconds)

    def _request(self, turn: int) -> None:
        replica = self._chosen(turn)
        if replica is not None:
            self._give(turn, replica)
        elif len(self._pool) >= self.fleet.queue:
            self._failed(turn)
        else:
            self._pool.append((self.now, turn))
            self._push(self.now + self.fleet.patience, TURN_AWAY, None)

    def _chosen(self, turn: int) -> Replica | None:
        if self.fleet.kind == "embedded":
            desk: FrontDesk = self._desk[turn]
            return desk.engine
        if self._pool:
            return None  # who came first is first
        now, at_once = self.now, self.fleet.at_once
        those = self._replicas.all
        if len(those) > SCANNED:
            those = [those[int(self._chance() * len(those))] for _ in range(SCANNED)]
        best: Replica | None = None
        for r in those:
            if r.outstanding >= at_once or r.draining or r.starts > now:
                continue
            if best is None or r.outstanding < best.outstanding:
                best = r
        if best is None and those is not self._replicas.all:
            free = (r for r in self._replicas.serving(now) if r.outstanding < at_once)
            best = next(free, None)
        return best

    def _chance(self) -> float:
        if not self._luck:
            self._luck = self._rng.random(4096).tolist()
        return self._luck.pop()

    def _give(self, turn: int, replica: Replica) -> None:
        self._server[turn] = replica
        many = self._answer[turn] if self._rounds[turn] == 1 else self._call[turn]
        written = max(0.0, many - 1.0)  # the first comes with the last of the prompt
        replica.take(self.now, Asked(turn, self._fresh[turn], written, self._held[turn]))
        self._schedule(replica)

    def _server_event(self, what: tuple[Replica, int]) -> None:
        replica = what[0]
        read, done = replica.go_on(self.now)
        for asked in read:
            if self._rounds[asked.turn] == 1:
                self._first[asked.turn] = self.now
        if self._pool:
            self._from_pool(replica)
        self._schedule(replica)
        for asked in done:
            self._answered(asked.turn)
        if done and replica.draining:
            self._replicas.retire(replica, self.now)

    def _from_pool(self, replica: Replica) -> None:
        """Those that wait go to a server that has just come, or has places free."""
        while self._pool and not replica.draining and replica.outstanding < self.fleet.at_once:
            self._give(self._pool.popleft()[1], replica)

    def _answered(self, turn: int) -> None:
        """One model request of a turn is."""
        desk: FrontDesk = self._desk[turn]
        front = desk.front
        self._rounds[turn] -= 1
        if self._rounds[turn]:
            self._calls[turn] -= 1
            tool = front.tool if self._calls[turn] >= 0 else 0.0
            self._push(self._worked(desk, front.round) + tool, REQUEST, turn)
        else:
            self._push(self._worked(desk, front.round + front.turn / 2), LEAVE, turn)

    def _leave(self, turn: int) -> None:
        self._end[turn] = self.now
        self._status[turn] = ANSWERED
        self._gone(turn)

    def _gone(self, turn: int) -> None:
        """Its place is free."""
        desk: FrontDesk = self._desk[turn]
        after = desk.leave(self.now, self.now - self._inside[turn])
        if after is not None:
            self._begin(after)
        elif desk.draining and not desk.taken and desk.engine is not None:
            self._replicas.retire(desk.engine, self.now)
        if self.rules.callers:
            self._push(self.now, COME, None)

    def _give_up(self, desk: FrontDesk) -> None:
        turn = desk.given_up(self.now)
        if turn is not None:
            self._refused(turn, NO_PLACE)

    def _turn_away(self, _: None) -> None:
        while self._pool and self._pool[0][0] + self.fleet.patience <= self.now + 1e-9:
            self._failed(self._pool.popleft()[1])

    def _failed(self, turn: int) -> None:
        """No server for it: it gives its place back."""
        self._refused(turn, NO_SERVER, closes=False)
        self._gone(turn)

    def _refused(self, turn: int, why: int, *, closes: bool = True) -> None:
        self._status[turn] = why
        self._end[turn] = self.now
        if closes and self.rules.callers:
            self._push(self.now + 1.0, COME, None)

    def _look(self, _: None) -> None:
        """What an autoscaler does, and a look for the record."""
        now, every, replicas = self.now, self.rules.every, self._replicas
        serving = sum(1 for _ in replicas.serving(now))
        busy_s = replicas.busy_s()
        busy = min(1.0, (busy_s - self._busy_before) / every / serving) if serving else 0.0
        self._busy_before = busy_s
        outstanding = sum(r.outstanding for r in replicas.all)
        waiting = len(self._pool) + sum(len(f.queue) for f in replicas.fronts)
        needed = self._needed(outstanding)
        kept = replicas.kept
        self._moments.append(Moment(now, serving, kept, busy, outstanding, waiting))
        wanted = self.policy.wanted(Seen(now, kept, serving, busy, needed))
        if wanted != kept:
            for replica in replicas.order(wanted, now):
                self._push(replica.starts, SERVER, (replica, replica.version))
        for replica in list(replicas.all):
            if replica.draining:
                replicas.retire(replica, now)
        self._push(now + every, LOOK, None)

    def _needed(self, outstanding: int) -> float:
        fleet, target = self.fleet, self.rules.target
        if fleet.kind == "server":
            return (outstanding + len(self._pool)) / (fleet.at_once * target)
        total = 0.0
        for desk in self._replicas.fronts:
            away = desk.turned_away(desk.refused / self.rules.every)
            desk.refused = 0
            total += (desk.load(self.now) + away) / (fleet.front.places * target)
        return total

    def _outcome(self, wall: float, stopped: bool) -> Outcome:
        come = np.array(self._come, dtype=np.float64)
        end = np.array(self._end, dtype=np.float64)
        # Callers end with their last answer, and not when somebody looks next.
        last = float(np.nanmax(end, initial=0.0)) if self.rules.callers else self.trace.seconds
        return Outcome(
            come,
            np.array(self._first, dtype=np.float64) - come,
            end - come,
            np.frombuffer(bytes(self._status), dtype=np.uint8),
            self._moments,
            min(self.now, last),
            self._replicas.end(self.now),
            self._replicas.paid.most,
            wall,
            stopped,
        )
