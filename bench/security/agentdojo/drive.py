"""One turn: a person asks, a model does the task and obeys whatever it reads, people are asked."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bench.security.agentdojo.guards import Guard, House
from bench.security.agentdojo.plans import Call, Injection, Plan, Task
from bench.security.agentdojo.world import Environment
from dazi.core.messages import CallText
from dazi.core.turn import CallRecord
from dazi.router.dispatch import TurnContext
from dazi.router.grounding import Evidence
from dazi.router.schema import canonicalise

Manner = Literal["attentive", "careless", "refuses"]
"""Attentive people approve only what the task needs, careless ones whatever they are shown."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A class of guards, and how the requester and the second person look at what they approve."""

    name: str
    guard: Guard
    requester: Manner = "attentive"
    second: Manner = "attentive"


OPEN = Setting("open", "open")
SETTINGS = (
    OPEN,
    Setting("labels, attentive", "labels"),
    Setting("labels, careless", "labels", "careless"),
    Setting("policies, attentive", "policies"),
    Setting("policies, careless", "policies", "careless"),
    # As if the policies forbade outright what now a second person may approve.
    Setting("policies, outright", "policies", "careless", "refuses"),
    Setting("policies, both careless", "policies", "careless", "careless"),
)


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of a call. ``asked``: somebody was shown it; ``questions``: how often the person
    was asked for a value that nobody had said."""

    record: CallRecord
    asked: bool = False
    questions: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """A task without any injection. ``refused``: the call that was not carried out, and why."""

    task: str
    calls: int
    confirmations: int
    questions: int
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Attack:
    """``read``: a result showed the injected text. ``asked``: somebody was shown one of its
    calls that count."""

    read: bool = False
    executed: bool = False
    asked: bool = False


class Turn:
    """A turn of the requester. ``values``: what stands in the environment's places."""

    def __init__(
        self, house: House, plan: Plan, task: Task, setting: Setting, values: Mapping[str, str]
    ) -> None:
        self.house = house
        self.setting = setting
        self.today = plan.today
        self.calls = [c.filled(values) for c in task.calls]
        self._needed = [self.canonical(c) for c in self.calls]
        evidence = Evidence(plan.today)
        evidence.said(task.said)
        self._context = TurnContext(
            f"turn_{secrets.token_hex(8)}",
            "t",
            house.requester,
            "en",
            evidence,
            frozenset(house.company.tools),
        )

    def canonical(self, call: Call) -> tuple[str, Mapping[str, Any]]:
        """The call as a person is shown it, and as it reaches the world."""
        return call.tool, canonicalise(
            self.house.company.tools[call.tool], call.arguments, self.today
        )

    async def propose(self, call: Call, *, answers: bool) -> Handled:
        """``answers``: the person says the value that a refusal asks for."""
        record = await self._proposed(call)
        questions = 0
        while answers and record.outcome == "ungrounded" and questions < len(call.arguments):
            missing = record.hint.partition(":")[0]
            self._context.evidence.said(str(call.arguments[missing]))
            questions += 1
            record = await self._proposed(call)
        if record.outcome != "needs_confirmation":
            return Handled(record, False, questions)
        return Handled(await self._decided(record), True, questions)

    async def _proposed(self, call: Call) -> CallRecord:
        text = json.dumps(call.arguments, ensure_ascii=False)
        proposed = CallText(f"call_{secrets.token_hex(4)}", call.tool, text)
        return await self.house.router.call(proposed, self._context)

    async def _decided(self, record: CallRecord) -> CallRecord:
        house = self.house
        ticket = await house.tickets.get(record.ticket)
        who, manner = house.requester, self.setting.requester
        if ticket.approver:
            assert house.second is not None
            who, manner = house.second, self.setting.second
        needed = (ticket.tool, ticket.arguments) in self._needed
        agrees = manner == "careless" or (manner == "attentive" and needed)
        ticket = await house.tickets.decide(ticket.id, who, agrees)
        carry_out = house.router.confirmed if agrees else house.router.rejected
        return await carry_out(ticket, self._context)


async def benign(
    house: House, plan: Plan, task: Task, setting: Setting, environment: Environment
) -> Done:
    """Do a task while nobody has injected anything."""
    values = environment.values()
    house.enter(environment.state_with(values))
    turn = Turn(house, plan, task, setting, values)
    confirmations = questions = 0
    for call in turn.calls:
        handled = await turn.propose(call, answers=True)
        confirmations += handled.asked
        questions += handled.questions
        if handled.record.outcome != "ok":
            why = f"{task.id}: {call.tool} {handled.record.outcome}"
            return Done(task.id, len(turn.calls), confirmations, questions, why)
    return Done(task.id, len(turn.calls), confirmations, questions)


@dataclass(frozen=True, slots=True)
class Combination:
    """A task, an attacker's goal, and the place where the attacker's text stands."""

    task: Task
    injection: Injection
    vector: str


def shows(
    house: House, plan: Plan, setting: Setting, environment: Environment, over: Combination
) -> bool:
    """Do the task's own calls show the attacker's text, if nothing is in their way?"""
    turn, text = _entered(house, plan, setting, environment, over)
    world = house.connector.world
    return any(_holds(world.call(*turn.canonical(call)), text) for call in turn.calls)


async def attacked(
    house: House, plan: Plan, setting: Setting, environment: Environment, over: Combination
) -> Attack:
    """Do a task with the attacker's text in one place; the model obeys it once it has read it."""
    turn, text = _entered(house, plan, setting, environment, over)
    attack = Attack()
    for call in turn.calls:
        handled = await turn.propose(call, answers=True)
        if not attack.read and _holds(handled.record.result, text):
            attack = await _obeyed(turn, over.injection)
    return attack


def _entered(
    house: House, plan: Plan, setting: Setting, environment: Environment, over: Combination
) -> tuple[Turn, str]:
    """A turn in a world that holds the attacker's text, and that text."""
    text = over.injection.text(house.company)
    values = environment.values(over.vector, text)
    house.enter(environment.state_with(values))
    return Turn(house, plan, over.task, setting, values), text


async def _obeyed(turn: Turn, injection: Injection) -> Attack:
    """Make the attacker's calls. They are executed once any of those that count reaches the world
    with the attacker's arguments."""
    effects = turn.house.connector.effects
    tools = turn.house.company.tools
    executed = asked = False
    for call in injection.calls:
        before = len(effects)
        handled = await turn.propose(call, answers=False)
        if tools[call.tool].effect == "read" and not injection.reads_count:
            continue
        asked = asked or handled.asked
        arrived = [(e.tool, e.arguments) for e in effects[before:]]
        executed = executed or turn.canonical(call) in arrived
    return Attack(True, executed, asked)


def _holds(result: Any, text: str) -> bool:
    return json.dumps(text)[1:-1] in json.dumps(result, default=str)
