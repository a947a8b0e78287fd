"""What a turn starts from, and how its messages are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dazi.access.limits.rules import Price
from dazi.agent.asked import Asked
from dazi.agent.reminding import HEAD, OF_NOTHING, Reminder, folding
from dazi.core.company import Company
from dazi.core.engine import (
    GenerateRequest,
    ModelProfile,
    OfferedTool,
    Purpose,
    Sampling,
    ToolChoice,
)
from dazi.core.experiments import Variant
from dazi.core.language import Language
from dazi.core.messages import CallText, Image, Message, dumps
from dazi.core.principal import Principal
from dazi.core.tools import Tool
from dazi.core.turn import CallRecord
from dazi.memory.events import PERSON
from dazi.memory.recall import Recalled
from dazi.memory.threads import Kept
from dazi.prompt.assemble import Fold, Layers, Line
from dazi.prompt.budget import ContextRules
from dazi.prompt.system import system_text
from dazi.router.derive import compare
from dazi.router.grounding import MEMORY, Evidence
from dazi.router.view import model_view

CLIENT_TOOL = "client"
"""What results of a caller's own tools are labelled with."""


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """One thing a person says. ``client_tools`` are run by the caller, never here; without
    ``own_tools`` they are all that is offered."""

    principal: Principal
    thread: str
    turn: str
    said: str
    language: Language
    today: date
    history: tuple[Kept, ...] = ()
    instructions: str = ""
    client_tools: tuple[OfferedTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    sampling: Sampling | None = None
    thinking: bool = False
    own_tools: bool = True
    told: bool = False
    """The history is the caller's account of it."""
    only: frozenset[str] = frozenset()
    """The company's tools that the caller's key is for; all of the person's where there are none."""
    origin: Mapping[str, str] = field(default_factory=dict)
    """Where it came from, for the ledger."""
    recalled: Recalled = field(default_factory=Recalled)
    """Of a kept thread: where the last turns begin in ``history``, and what came before them."""
    show_context: bool = False
    """Count exactly what the model is given."""
    reply: str = ""
    """The host's own answer: there is nothing to ask the model."""
    approved: str = ""
    """The question whose approved answer ``reply`` is."""
    images: tuple[Image, ...] = ()
    """Pictures that came with it, for a model that sees."""
    read: tuple[Kept, ...] = ()
    """What was read in pictures, for one that does not."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one turn may use: model rounds, calls, seconds, and tokens of one generation. ``prices``:
    what tokens cost, by the model's name, for the record. ``context``: what a prompt may hold."""

    rounds: int = 6
    calls: int = 12
    seconds: float = 90.0
    tokens: int = 1024
    prices: Mapping[str, Price] = field(default_factory=dict)
    context: ContextRules = field(default_factory=ContextRules)


@dataclass(slots=True)
class Conversation:
    """The messages of a turn as it grows; ``added`` are those to be remembered."""

    company: Company
    request: TurnRequest
    profile: ModelProfile
    asked: Asked | None = None
    reminder: Reminder = OF_NOTHING
    variant: Variant | None = None
    """What the turn is made with, where that is not what ships."""
    messages: list[Message] = field(default_factory=list)
    added: list[Kept] = field(default_factory=list)
    _shown: str = ""
    _images: tuple[Image, ...] = ()
    _read: tuple[Kept, ...] = ()
    _past: int = 0
    _lines: list[Line] | None = None
    _facts: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        r = self.request
        system = system_text(
            r.language,
            self.company.name,
            r.today,
            r.principal.roles,
            concise=self.profile.concise,
            template=self.variant.texts.get(r.language, "") if self.variant else "",
        )
        if r.instructions:
            system += "\n\n" + r.instructions
        short = r.history[r.recalled.short :]
        self._images, self._read = r.images, r.read
        self.messages = [Message("system", system), *(m.message for m in short)]
        if self.asked and r.said:
            earlier, self._shown = self.asked.joined(short, r.said, r.today)
            self.messages[1:] = earlier
        self._past = len(self.messages)

    def add(self, message: Message, tool: str = "", result: Any = None) -> None:
        self.messages.append(message)
        self.added.append(Kept(message, tool, result))

    def hear(self, text: str) -> None:
        """The person's message, with what came along with it the first time."""
        images, self._images = self._images, ()
        if text:
            self.add(Message("user", text, images=images))
        if self._shown:
            self.messages[-1] = Message("user", self._shown, images=images)
            self._shown = ""
        read, self._read = self._read, ()
        for kept in read:
            self.add(kept.message, kept.tool, kept.result)

    def proposed(self, content: str, calls: Sequence[CallText]) -> None:
        self.add(Message("assistant", content, tuple(calls)))

    def answered(self, records: Sequence[CallRecord]) -> None:
        """Put results back, the last with what sets results of one tool apart."""
        for i, record in enumerate(records):
            content = self._content(record)
            same = [r for r in records if r.name == record.name and r.outcome == "ok"]
            if i == len(records) - 1 and len(same) > 1:
                difference = compare(self.company.tools[record.name], [r.result for r in same])
                if difference and isinstance(content, dict):
                    content["comparison"] = difference
            self.add(Message("tool", dumps(content), call_id=record.id), record.name, record.result)

    def _content(self, record: CallRecord) -> Any:
        tool = self.company.tools.get(record.name)
        if record.outcome == "ok" and tool is not None:
            return model_view(tool, record.result, concise=self.profile.concise)
        if self.profile.concise:
            return {"error": record.outcome}
        return {"error": record.outcome, "message": record.hint or record.message}

    def generate_request(
        self, tools: Sequence[OfferedTool], sampling: Sampling, prefix: str = ""
    ) -> GenerateRequest:
        return GenerateRequest(
            tuple(self.messages),
            tuple(tools),
            self.request.tool_choice,
            sampling,
            self.request.thinking and self.profile.thinks,
            prefix,
            call_confidence=self._confidence(tools),
            trace=self.request.origin.get("trace", ""),
            purpose=Purpose(
                user=self.request.principal.user,
                roles=self.request.principal.roles,
                turn=self.request.turn,
                results=frozenset(k.tool for k in self.request.history if k.tool),
                condensed=bool(self.reminder.summary or self.reminder.events),
            ),
            model=self.variant.model if self.variant else "",
            made_for=self.profile,
        )

    def layers(self) -> Layers:
        """The turn so far begins with the last thing that the person said, in this turn or, where
        nobody has said anything in it, before."""
        said = (i for i in range(len(self.messages) - 1, 0, -1) if self.messages[i].role == "user")
        now = next(said, 0)
        begun = now or self._past
        newest = self.messages[now] if now else None
        if self._lines is None:
            about = newest.content if newest else ""
            self._lines = self.reminder.lines(about)
            self._facts = self.reminder.remembered(about)
        return Layers(
            self.messages[0],
            newest,
            self.messages[begun + 1 if now else begun :],
            _turns(self.messages[1:begun]),
            self._lines,
            self._facts,
            head="" if self.profile.concise else HEAD(self.request.language),
            needless=self.reminder.needless,
        )

    def fold(self) -> Fold:
        said = self.request.said or last_said(self.request.history)
        return folding(self.company.tools, self.profile, said)

    def _confidence(self, tools: Sequence[OfferedTool]) -> float:
        """Asked for at the turn's first decision, where a person was the last to speak; and of tools
        that the model was taught to speak of: of others it cannot be as sure."""
        taught = {reply.tool for reply in self.profile.replies}
        known = not taught or any(t.name in taught for t in tools)
        if not known or self.messages[-1].role != "user":
            return 0.0
        used = any(k.tool for k in self.request.history)
        wanted = self.profile.call_confidence
        return min(wanted, LATER_CONFIDENCE) if used else wanted


LATER_CONFIDENCE = 0.5
"""Where tools have answered in the thread already, the likelier of calling and talking will do."""


def last_said(history: Sequence[Kept]) -> str:
    """The person's last message, empty if there is none."""
    return next((k.message.content for k in reversed(history) if k.message.role == "user"), "")


def said_since_call(history: Sequence[Kept]) -> tuple[str, ...]:
    """The person's last two messages that no tool has answered yet, latest first."""
    out: list[str] = []
    for kept in reversed(history):
        if kept.tool or kept.message.role == "tool" or len(out) == 2:
            break
        if kept.message.role == "user":
            out.append(kept.message.content)
    return tuple(out)


def _turns(messages: Sequence[Message]) -> list[list[Message]]:
    """Each begins with what the person says."""
    out: list[list[Message]] = []
    for message in messages:
        if message.role == "user" or not out:
            out.append([])
        out[-1].append(message)
    return out


def gather_evidence(
    company: Company, request: TurnRequest, reminder: Reminder = OF_NOTHING
) -> Evidence:
    """What the thread holds: the person's words, whole results of systems, and what the turn is
    reminded of, under the label of what it came from."""
    evidence = Evidence(request.today)
    if reminder.summary:
        evidence.recalled(reminder.summary)
    for fact in reminder.facts:
        evidence.remembered(fact)
    for event in reminder.events:
        evidence.remembered(event.text, MEMORY if event.label == PERSON else event.label)
    for earlier in request.history:
        if earlier.message.role == "user":
            evidence.said(earlier.message.content)
        elif earlier.message.role == "assistant" and request.told and earlier.message.content:
            evidence.recalled(earlier.message.content)
        elif earlier.message.role == "tool" and earlier.result is not None:
            tool = company.tools.get(earlier.tool)
            label = tool.label if tool else f"tool:{earlier.tool or CLIENT_TOOL}"
            evidence.found(label, earlier.result)
        elif earlier.message.role == "tool" and earlier.tool in ("", CLIENT_TOOL):
            # Of our own tools a call without a result was refused, in words that repeat what the model
            # proposed: they are no source for it.
            evidence.found(f"tool:{CLIENT_TOOL}", earlier.message.content)
    if request.said:
        evidence.said(request.said)
    for kept in request.read:
        if kept.result is not None:
            evidence.found(f"tool:{kept.tool}", kept.result)
    return evidence


def results_of(
    company: Company, records: Sequence[CallRecord]
) -> list[tuple[Tool, Mapping[str, Any], Mapping[str, Any]]]:
    return [
        (company.tools[r.name], r.arguments, r.result)
        for r in records
        if r.outcome == "ok" and r.name in company.tools
    ]
