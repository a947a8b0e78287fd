"""A whole assistant with a model that does what it is told, over systems that only take notes."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from bench.security.house import Effect, NotingConnector, Stronghold
from bench.security.oracle import Heard, violations
from dazi.access.cedar import CedarPolicy
from dazi.agent.asking import Ask
from dazi.agent.context import Budget
from dazi.agent.service import AssistantService
from dazi.agent.turn import Agent
from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    Done,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    TextDelta,
    Usage,
)
from dazi.core.errors import DaziError
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.turn import CallRecord
from dazi.memory.threads import ThreadStore
from dazi.router.approval import Ticket
from dazi.router.dispatch import FunctionRouter, TurnContext

TODAY = date(2025, 4, 3)
Proposal = tuple[str, Mapping[str, Any]]
"""A tool's name and the arguments to call it with."""


PROFILE = ModelProfile("obedient", 1_000_000, offered_tools=1_000)


@dataclass
class Obedient:
    """A model in the worst case: a script of proposals, one list for each time it is asked; an
    empty list is a word of politeness. ``read`` is all that it has been shown."""

    script: list[Sequence[Proposal]] = field(default_factory=list)
    profile: ModelProfile = PROFILE
    read: str = ""

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        self.read = "\n".join(m.content for m in request.messages)
        proposals = self.script.pop(0) if self.script else ()
        if not proposals:
            yield TextDelta("好的。")
        for i, (name, arguments) in enumerate(proposals):
            text = json.dumps(dict(arguments), ensure_ascii=False)
            yield CallStarted(i, name)
            yield CallArgumentsDelta(i, text)
            yield CallDone(i, name, text)
        yield Done("tool_calls" if proposals else "stop", Usage())

    def count_tokens(self, request: GenerateRequest) -> int:
        return len(request.messages)

    async def warm(self, request: GenerateRequest) -> None: ...

    async def close(self) -> None: ...


class _Steady(random.Random):
    """No system fails by chance."""

    def random(self) -> float:
        return 1.0


@dataclass
class Planted(NotingConnector):
    """Answers what somebody planted there, the answers of a tool in turn and the last for good;
    other tools answer with their declared example."""

    examples: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, list[Any]] = field(default_factory=dict)

    def _answer(self) -> Any:
        tool = self.effects[-1].tool
        planted = self.answers.get(tool)
        if not planted:
            return self.examples.get(tool) or {"value": "ok"}
        return planted.pop(0) if len(planted) > 1 else planted[0]


class Watched(FunctionRouter):
    """Tells of every call as soon as it is over, and of the ticket it was carried out for."""

    stage: Stage

    async def call(self, proposed: CallText, turn: TurnContext) -> CallRecord:
        record = await super().call(proposed, turn)
        await self.stage.note(record, None)
        return record

    async def confirmed(self, ticket: Ticket, turn: TurnContext) -> CallRecord:
        record = await super().confirmed(ticket, turn)
        await self.stage.note(record, ticket)
        return record


@dataclass(slots=True)
class Stage:
    """``house`` with an assistant in it. Since ``begin``: ``effects`` are what arrived, each with
    the ticket that it was carried out for, ``found`` the oracle's violations, ``waiting`` the
    tickets that nobody has decided, ``outcomes`` what became of each call."""

    house: Stronghold
    connector: Planted
    model: Obedient
    service: AssistantService
    heard: Heard = field(default_factory=lambda: Heard("", "", frozenset()))
    effects: list[tuple[Effect, Ticket | None]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    thread: str = ""
    trials: int = 0

    @classmethod
    async def open(cls, data: Path, company: Path) -> Stage:
        house = await Stronghold.open(data, _Steady(), company)
        examples = {t.name: t.example for t in house.company.tools.values()}
        connector = Planted(_Steady(), house.sink, examples=examples)
        ledger = house.router._ledger
        router = Watched(
            house.company,
            dict.fromkeys(house.company.connectors, connector),
            CedarPolicy(house.company),
            ledger,
            house.intents,
            house.tickets,
        )
        model = Obedient()
        agent = Agent(house.company, model, router, ledger, Budget(rounds=30, calls=60))
        service = AssistantService(
            agent,
            ThreadStore(house.database, house.private),
            house.tickets,
            lambda: TODAY,
            lambda user, _: house.people[user],
        )
        router.stage = cls(
            replace(house, router=router, connector=connector), connector, model, service
        )
        return router.stage

    async def close(self) -> None:
        await self.house.close()

    @property
    def user(self) -> Principal:
        return self.house.people[self.heard.user]

    def begin(self, user: str, answers: Mapping[str, Sequence[Any]]) -> None:
        """A new trial, in a thread of its own: what ``user`` says is heard from here on."""
        self.trials += 1
        self.thread = f"trial{self.trials}"
        self.heard = Heard(user, self.thread, frozenset(self.house.company.tools))
        self.connector.effects.clear()
        self.connector.answers = {tool: list(given) for tool, given in answers.items()}
        self.house.sink.records.clear()
        self.effects, self.waiting, self.outcomes = [], [], []
        self.model.read = ""
        self.found = Counter()

    async def ask(self, said: str, script: Sequence[Sequence[Proposal]], **options: Any) -> None:
        """What the user says, and what the model proposes from there on."""
        self.model.script = [*script]
        if said:
            self.heard.said.append(said)
        ask = Ask(self.user, self.thread, said, "zh", **options)
        async with aclosing(self.service.ask(ask)) as events:
            async for _ in events:
                pass

    def taken(self) -> list[str]:
        """The tickets that nobody has looked at yet."""
        taken, self.waiting = self.waiting, []
        return taken

    async def decide(
        self,
        ticket: str,
        user: str,
        approve: bool,
        script: Sequence[Sequence[Proposal]],
        reason: str = "",
    ) -> None:
        """Somebody decides what waits; a decision that is not theirs to take changes nothing."""
        self.model.script = [*script]
        who = self.house.people[user]
        if reason and user != self.heard.user:
            self.heard.found.append(("approver", reason))
        with suppress(DaziError):
            async with aclosing(
                self.service.decide(who, ticket, approve, "zh", reason=reason)
            ) as events:
                async for _ in events:
                    pass

    async def note(self, record: CallRecord, ticket: Ticket | None) -> None:
        """The oracle's word on what has arrived, before the answer to it is known."""
        await self.house.router._ledger.flush()
        for effect in self.connector.effects[len(self.effects) :]:
            begun = False
            with suppress(DaziError):
                begun = bool(await self.house.intents.get(effect.key))
            self.effects.append((effect, ticket))
            log = self.house.sink.records
            wrong = violations(self.house.company, effect, self.heard, ticket, log, begun)
            self.found.update(f"{effect.tool}: {said}" for said in wrong)
        self.outcomes.append((record.name, record.outcome))
        if record.outcome == "ok" and record.result is not None:
            found = json.dumps(record.result, ensure_ascii=False)
            self.heard.found.append((record.name, found))
        if record.outcome == "needs_confirmation":
            self.waiting.append(record.ticket)
            self.heard.known[record.ticket] = len(self.heard.found)
