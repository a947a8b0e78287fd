"""Runs cases through the assistant itself: its prompt, its router, its policy, its threads.

The service is expected to have its tools' effects off (``FunctionRouter(execute=False)``).
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType

from dazi.access.users import Directory, expand
from dazi.agent.asking import Ask
from dazi.agent.service import AssistantService
from dazi.core.company import Company
from dazi.core.errors import CallerError, DaziError
from dazi.core.principal import Principal
from dazi.core.turn import TurnEvent
from dazi.lab.evals.cases import Case, CaseTurn
from dazi.lab.evals.matchers import arguments_match
from dazi.lab.evals.report import Report, summarise
from dazi.lab.evals.scoring import CaseResult, judge
from dazi.lab.evals.turns import Decision, SeenTurn, TurnWatch
from dazi.memory.threads import Kept
from dazi.router.approval import Ticket

Progress = Callable[[int, int, CaseResult], None]
"""Called after each case with how many are done, of how many, and its result."""


NOBODY = Principal("eval", frozenset(), channel="eval")
"""Who asks in cases that bring their own tools."""


@dataclass(frozen=True, slots=True)
class Runner:
    """``principal_of`` gives the person of a role."""

    service: AssistantService
    principal_of: Callable[[str], Principal]
    concurrency: int = 4


async def run_cases(
    runner: Runner, cases: Sequence[Case], progress: Progress | None = None
) -> Report:
    """Every case in a thread of its own, ``runner.concurrency`` of them at once.

    What goes wrong in one case is its result and does not end the others.
    """
    results: dict[int, CaseResult] = {}
    waiting = iter(enumerate(cases))
    began = time.perf_counter()

    async def work() -> None:
        for number, case in waiting:
            results[number] = await run_case(runner, case)
            if progress is not None:
                progress(len(results), len(cases), results[number])

    async with asyncio.TaskGroup() as group:
        for _ in range(min(max(runner.concurrency, 1), len(cases))):
            group.create_task(work())
    agent = runner.service.agent
    return summarise(
        [results[i] for i in sorted(results)],
        model=agent.engine.profile.name,
        sensitive={t.name for t in agent.company.tools.values() if t.effect == "sensitive"},
        concurrency=runner.concurrency,
        seconds=time.perf_counter() - began,
    )


async def run_case(runner: Runner, case: Case) -> CaseResult:
    thread = f"eval_{secrets.token_hex(10)}"
    turns: list[SeenTurn] = []
    for turn in case.turns:
        watch = TurnWatch(runner.service.agent.company, {t.name: t for t in case.tools})
        try:
            person = runner.principal_of(case.role) if case.role else NOBODY
            await _OneTurn(runner, case, turn, person, thread).run(watch)
        except DaziError as e:
            watch.error = e.message(case.language)
        except Exception as e:  # an edge: one case's failure must not end the others
            watch.error = f"{type(e).__name__}: {e}"
        turns.append(watch.seen())
    verdicts = tuple(judge(t, s) for t, s in zip(case.turns, turns, strict=True))
    return CaseResult(case, tuple(turns), verdicts)


@dataclass(frozen=True, slots=True)
class _OneTurn:
    runner: Runner
    case: Case
    turn: CaseTurn
    principal: Principal
    thread: str

    async def run(self, watch: TurnWatch) -> None:
        """Say the words, or decide what waits in their place.

        A turn with ``approval`` stands for pressing a button: where a confirmation waits that the
        turn can mean, it is decided instead of saying the words. Otherwise the words are said, and
        what they bring up for confirmation is decided.
        """
        if self.turn.approval is None:
            await self._say(watch)
            return
        before = await self._pending()
        meant = self._meant(before)
        if not meant:
            await self._say(watch)
            known = {t.id for t in before}
            meant = [t for t in await self._pending() if t.id not in known]
        for ticket in meant:
            await self._decide(ticket, watch)

    async def _say(self, watch: TurnWatch) -> None:
        history = tuple(Kept(e.message, e.tool, e.result) for e in self.case.history)
        ask = Ask(
            self.principal,
            self.thread,
            self.turn.said,
            history=history or None,
            instructions=self.case.instructions,
            client_tools=self.case.tools,
            own_tools=not self.case.tools,
            today=self.case.today,
        )
        await _watch(self.runner.service.ask(ask), watch)

    async def _decide(self, ticket: Ticket, watch: TurnWatch) -> None:
        approve = self.turn.approval == "approve"
        before = len(watch.calls)
        service = self.runner.service
        events = service.decide(self.principal, ticket.id, approve, today=self.case.today)
        await _watch(events, watch)
        done = [c for c in watch.calls[before:] if c.name == ticket.tool and c.executed]
        as_confirmed = [dict(c.arguments) for c in done] == [dict(ticket.arguments)]
        watch.decisions.append(
            Decision(ticket.tool, approve, as_confirmed if approve else not done)
        )

    async def _pending(self) -> list[Ticket]:
        return await self.runner.service.pending(self.principal, self.thread)

    def _meant(self, pending: Sequence[Ticket]) -> list[Ticket]:
        """Those of the latest turn that asked, if this turn expects no new call; else those that
        are the very calls it expects."""
        if not pending:
            return []
        if not self.turn.expect:
            return [t for t in pending if t.turn == pending[-1].turn]
        return [
            t
            for t in pending
            if any(
                e.name == t.tool and arguments_match(e.arguments, t.arguments)
                for e in self.turn.expect
            )
        ]


async def _watch(events: AsyncGenerator[TurnEvent, None], watch: TurnWatch) -> None:
    async with aclosing(events) as stream:
        async for event in stream:
            watch.see(event)


def principals(company: Company, directory: Directory) -> Callable[[str], Principal]:
    """The person of a role: the user who has that role alone, else one who has it among others or
    is named so, else somebody made up with every attribute that tools bind.

    What it returns raises ``CallerError`` for a role that the company does not have.
    """
    users = list(directory.users)[::-1]  # of several, the first one stays
    by_role = {u.user: u.user for u in users}
    by_role |= {role: u.user for u in users for role in u.roles}
    by_role |= {u.roles[0]: u.user for u in users if len(u.roles) == 1}
    bound = {b.attribute for t in company.tools.values() for b in t.bind.values()}

    def of(role: str) -> Principal:
        if role in by_role:
            return directory.principal(by_role[role], "eval")
        if role not in company.roles:
            known = ", ".join(sorted(company.roles))
            raise CallerError(
                "unknown_role",
                f"没有角色 {role};可用:{known}",
                f"no role {role}; there are: {known}",
            )
        attributes = MappingProxyType({name: f"eval-{name}" for name in bound})
        return Principal(f"eval-{role}", expand((role,), company.roles), attributes, channel="eval")

    return of
