"""Samples -> the very prompts that the product makes, and what the model should have written after each.

The prompt comes from the agent's own parts: the system text, the tools that it would offer with this
message, answers put to their requests, the template of the engine. So what is trained is what is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from dazi.agent.asked import Asked
from dazi.agent.context import Conversation, TurnRequest, gather_evidence
from dazi.agent.offering import Offering
from dazi.core.company import Company
from dazi.core.engine import GenerateRequest, ModelProfile, OfferedTool, Sampling
from dazi.core.messages import CallText, Message, dumps
from dazi.core.principal import Principal
from dazi.core.turn import CallRecord, Outcome
from dazi.inference.plain import folded_request, plain, plain_request
from dazi.inference.template import CALL_HEAD, CALL_MIDDLE, CALL_TAIL, END, render
from dazi.lab.tuning.datasets import Sample, SampleMessage
from dazi.memory.threads import Kept
from dazi.router.grounding import Evidence, offer

Segment = tuple[str, float]
TODAY = date(2025, 4, 3)
"""Of samples that name no day."""


class Rendered(msgspec.Struct, frozen=True):
    """``prefix``: the system turn, which many samples share. ``segments``: what follows it, with the
    weight of each piece in the loss, 0 for what is not learnt. ``choices``: of a sample that is
    sorted into classes, every answer that there is, the right one first."""

    id: str
    prefix: str
    segments: tuple[Segment, ...]
    kind: str = "chat"
    choices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.prefix + "".join(text for text, _ in self.segments)


class Refused(Exception):
    """A sample that cannot be rendered; ``reason`` is a short name for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Weights:
    """In the loss, where a plain token weighs 1: the beginning of a decision (is there a call, and
    another?), and names and values."""

    decision: float = 3.0
    value: float = 2.0


@dataclass(frozen=True, slots=True)
class Renderer:
    """For one company and one model. ``person``: somebody of a role. ``tools``: declarations of those
    that are not the company's."""

    company: Company
    profile: ModelProfile
    offering: Offering
    person: Callable[[str], Principal]
    tools: Mapping[str, Mapping[str, Any]]
    weights: Weights = Weights()
    asked: Asked | None = field(init=False)
    """Answers are put to their requests for small models only."""

    def __post_init__(self) -> None:
        small = self.profile.concise
        asked = Asked(self.offering.chooser, self.profile.replies) if small else None
        object.__setattr__(self, "asked", asked)

    def rendered(self, sample: Sample, labels: Sequence[str] = ()) -> list[Rendered]:
        """One, where each decision's prompt goes on from the last; else one for each. ``labels``: of
        all samples that are sorted into classes. Raises ``Refused``."""
        if sample.kind == "text":
            return [self._plain_text(sample)]
        parts = list(self._decisions(sample))
        if not parts:
            raise Refused("nothing_to_learn")
        whole: list[Rendered] = []
        told = ""
        segments: list[Segment] = []
        for prompt, target in parts:
            if not told or not prompt.startswith(told):
                if segments:
                    whole.append(self._made(sample, len(whole), segments, labels))
                segments, told = [(prompt, 0.0)], prompt
            elif prompt != told:
                segments.append((prompt[len(told) :], 0.0))
            segments += target
            told = "".join(text for text, _ in segments)
        whole.append(self._made(sample, len(whole), segments, labels))
        return whole

    def _made(
        self, sample: Sample, number: int, segments: list[Segment], labels: Sequence[str]
    ) -> Rendered:
        head, first = segments[0][0], segments[0][1]
        at = head.find(END) + len(END) if head.startswith("<|im_start|>system") else 0
        choices: tuple[str, ...] = ()
        if sample.kind == "class":
            choices = (sample.label, *(x for x in labels if x != sample.label))
        rest = ((head[at:], first), *segments[1:])
        name = f"{sample.id}#{number}" if number else sample.id
        return Rendered(name, head[:at], tuple(s for s in rest if s[0]), sample.kind, choices)

    def _plain_text(self, sample: Sample) -> Rendered:
        text = plain("\n".join(m.content for m in sample.messages))
        if not text.strip():
            raise Refused("empty")
        return Rendered(sample.id, "", ((text + END, 1.0),), sample.kind)

    def _decisions(self, sample: Sample) -> Iterator[tuple[str, list[Segment]]]:
        """Each prompt after which the assistant is to write, and what it is to write."""
        messages = [m for m in sample.messages if m.role != "system"]
        instructions = "\n\n".join(m.content for m in sample.messages if m.role == "system")
        if sample.kind == "class" and messages and messages[-1].role == "user":
            messages.append(SampleMessage("assistant", sample.label))
        today = sample.today or TODAY
        begun = -1
        for i, message in enumerate(messages):
            if message.role == "user":
                begun = i
            if message.role != "assistant" or not message.learn:
                continue
            if begun < 0:
                raise Refused("nobody_asks")
            history = tuple(_kept(messages[:begun]))
            request = TurnRequest(
                self.person(sample.role),
                "tuning",
                "tuning_00000000",
                messages[begun].content,
                sample.language,
                today,
                history,
                instructions,
            )
            prompt = self._prompt(sample, request, messages[begun + 1 : i], message)
            yield prompt, self._target(message, decided=messages[i - 1].role == "user")

    def _prompt(
        self,
        sample: Sample,
        request: TurnRequest,
        since: Sequence[SampleMessage],
        answer: SampleMessage,
    ) -> str:
        talk = Conversation(self.company, request, self.profile, self.asked)
        talk.hear(request.said)
        records: list[CallRecord] = []
        for kept in _kept(since):
            talk.add(kept.message, kept.tool, kept.result)
            if kept.message.role == "tool":
                outcome: Outcome = "failed" if _is_error(kept.result) else "ok"
                call = kept.message.call_id
                records.append(CallRecord(call, kept.tool, {}, outcome, kept.result))
        evidence = gather_evidence(self.company, request)
        offered = self._offered(sample, request, evidence, records)
        here = {t.name for t in offered}
        if any(c.name not in here for c in answer.tool_calls):
            raise Refused("not_offered")
        made = talk.generate_request(offered, Sampling())
        return self.prompt(made)

    def prompt(self, request: GenerateRequest) -> str:
        """As the engine writes it."""
        if self.profile.copies_text:
            request = folded_request(request)
        return render(plain_request(request), thinks=self.profile.thinks)

    def _offered(
        self,
        sample: Sample,
        request: TurnRequest,
        evidence: Evidence,
        records: Sequence[CallRecord],
    ) -> list[OfferedTool]:
        if sample.kind in ("class", "text"):
            return []
        if not sample.offered:
            chosen = self.offering.choose(request).offered
            return self.offering.offered(chosen, request, evidence, records)
        return [self._declared(name, evidence, sample) for name in sample.offered]

    def _declared(self, name: str, evidence: Evidence, sample: Sample) -> OfferedTool:
        tool = self.company.tools.get(name)
        if tool is not None:
            copies, concise = self.profile.copies_text, self.profile.concise
            return offer(tool, evidence, sample.language, copies=copies, concise=concise)
        if name not in self.tools:
            raise Refused("tool_unknown")
        told = self.tools[name]
        return OfferedTool(name, str(told.get("description", "")), told.get("parameters", {}))

    def _target(self, message: SampleMessage, *, decided: bool) -> list[Segment]:
        """``decided``: a person spoke last, so the first words decide between talking and calling."""
        w = self.weights
        out: list[Segment] = []
        if message.content:
            text = plain(message.content)
            out += [(text[:1], w.decision if decided else 1.0), (text[1:], 1.0)]
        for call in message.tool_calls:
            out += [
                (("\n" if out else "") + CALL_HEAD, w.decision),
                (call.name, w.value),
                (CALL_MIDDLE, 1.0),
                (plain(dumps(call.arguments)), w.value),
                (CALL_TAIL, 1.0),
            ]
        if not out:
            raise Refused("empty")
        out.append((END, w.decision if message.tool_calls else 1.0))
        return [s for s in out if s[0]]


def _kept(messages: Sequence[SampleMessage]) -> Iterator[Kept]:
    """As a thread holds them. Results stand in the order of their calls."""
    waiting: list[CallText] = []
    count = 0
    for m in messages:
        if m.role == "tool":
            call = waiting.pop(0) if waiting else CallText("", m.name, "{}")
            yield Kept(Message("tool", m.content, call_id=call.id), m.name or call.name, _read(m))
            continue
        waiting = [
            CallText(f"call_{count + i}", c.name, dumps(c.arguments))
            for i, c in enumerate(m.tool_calls)
        ]
        count += len(waiting)
        yield Kept(Message(m.role, m.content, tuple(waiting)))


def _read(message: SampleMessage) -> Any:
    try:
        return msgspec.json.decode(message.content.encode())
    except msgspec.DecodeError:
        return message.content


def _is_error(result: Any) -> bool:
    return isinstance(result, dict) and "error" in result
