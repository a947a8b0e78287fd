"""What goes back: a turn as OpenAI's chat completion with a ``dazi`` object beside it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from dazi.core.company import Company
from dazi.core.engine import Served, Usage
from dazi.core.messages import CallText
from dazi.core.turn import (
    Attachment,
    CallFinished,
    CallProposed,
    CallRecord,
    ConfirmationNeeded,
    ContextReport,
    TurnEvent,
    TurnFinished,
    TurnStarted,
)
from dazi.router.view import model_view

GENERATED_BY = "AI"
_ENCODER = msgspec.json.Encoder(enc_hook=str)
encode = _ENCODER.encode
"""JSON bytes; what JSON has no form for goes out as its text."""


class CallView(Struct, frozen=True, omit_defaults=True):
    """A call and what became of it. ``result`` holds the fields that are shown to people,
    ``message`` says in words what kept the call from succeeding."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    outcome: str
    ms: float
    result: Any = None
    message: str = ""


class ConfirmationView(Struct, frozen=True):
    """A call that waits for a person: exactly these arguments will be used. ``approver``: the role
    of whoever decides, empty for the same person. ``sources``: of arguments that the person did
    not say, where they came from."""

    ticket: str
    tool: str
    arguments: Mapping[str, Any]
    expires: str
    approver: str = ""
    sources: Mapping[str, tuple[str, ...]] = {}


class AttachmentView(Struct, frozen=True):
    kind: str
    title: str
    data: Mapping[str, Any]


class LayerView(Struct, frozen=True, omit_defaults=True):
    """``tokens`` of at most ``limit``, of ``taken`` messages, turns or lines; ``left_out`` others
    were not given, for ``why``: ``limit``, ``cut``, ``folded``, ``needless``."""

    layer: str
    tokens: int
    limit: int
    taken: int
    left_out: int = 0
    why: tuple[str, ...] = ()


class ContextView(Struct, frozen=True):
    """What the model was given in the turn's last round."""

    tokens: int
    limit: int
    layers: list[LayerView]


class ServedView(Struct, frozen=True, omit_defaults=True):
    """Of several models the one that answered. ``fallback``: in place of a better one that could not;
    ``pseudonymised``: it was asked without personal data."""

    model: str
    place: str
    fallback: bool = False
    pseudonymised: bool = False


class DaziView(Struct, frozen=True, omit_defaults=True):
    """The ``dazi`` object of an answer. ``confirmation`` is the first of ``confirmations``."""

    thread: str
    turn: str
    calls: list[CallView]
    generated_by: str
    reason: str
    ms: float
    attachments: list[AttachmentView]
    confirmation: ConfirmationView | None = None
    confirmations: list[ConfirmationView] = []
    replaced: int = 0
    context: ContextView | None = None
    by: ServedView | None = None


class CalledFunction(Struct, frozen=True):
    name: str
    arguments: str


class CalledTool(Struct, frozen=True):
    id: str
    function: CalledFunction
    type: str = "function"


class Answer(Struct, frozen=True, omit_defaults=True):
    role: str
    content: str | None
    reasoning_content: str | None = None
    tool_calls: list[CalledTool] | None = None


class Choice(Struct, frozen=True):
    message: Answer
    finish_reason: str
    index: int = 0
    logprobs: None = None


class TokenDetails(Struct, frozen=True):
    cached_tokens: int


class UsageView(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: TokenDetails


class Label(Struct, frozen=True):
    """The ``dazi`` object of the raw model: that the text is generated, and by which of several."""

    generated_by: str = GENERATED_BY
    by: ServedView | UnsetType = UNSET


D = TypeVar("D")


class ChatCompletion(Struct, Generic[D], frozen=True):
    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: UsageView
    dazi: D
    object: str = "chat.completion"


class Completion(ChatCompletion[DaziView], frozen=True):
    """``chat.completion`` with Dazi's own part."""


def served_view(by: Served | None) -> ServedView | None:
    return ServedView(by.model, by.place, by.fallback, by.hidden) if by is not None else None


def label_of(by: Served | None) -> Label:
    return Label(by=served_view(by) or UNSET)


def completion_id() -> str:
    return "chatcmpl-" + secrets.token_hex(12)


def usage_view(u: Usage) -> UsageView:
    return UsageView(u.prompt, u.completion, u.prompt + u.completion, TokenDetails(u.cached))


def call_view(record: CallRecord, company: Company) -> CallView:
    tool = company.tools.get(record.name)
    shown = None
    if record.result is not None and record.outcome == "ok" and tool is not None:
        shown = model_view(tool, record.result, concise=False)
    return CallView(
        record.id,
        record.name,
        record.arguments,
        record.outcome,
        round(record.ms, 1),
        shown,
        record.message,
    )


def confirmation_view(event: ConfirmationNeeded) -> ConfirmationView:
    return ConfirmationView(
        event.ticket,
        event.name,
        event.arguments,
        event.expires,
        event.approver,
        event.sources,
    )


def attachment_view(a: Attachment) -> AttachmentView:
    return AttachmentView(a.kind, a.title, a.data)


def context_view(report: ContextReport) -> ContextView:
    layers = [
        LayerView(u.layer, u.tokens, u.limit, u.taken, u.left_out, u.why) for u in report.layers
    ]
    return ContextView(report.tokens, report.limit, layers)


def called_tools(calls: Sequence[CallText]) -> list[CalledTool]:
    return [CalledTool(c.id, CalledFunction(c.name, c.arguments)) for c in calls]


@dataclass(slots=True)
class TurnLog:
    """Follows a turn's events and knows what to answer when it is over.

    ``one_call``: the caller takes one tool call at a time (``parallel_tool_calls: false``).
    ``show_context``: tell what the model was given.
    ``acted``: a call was proposed, so that asking the same again could do something twice.
    """

    company: Company
    model: str
    one_call: bool = False
    show_context: bool = False
    id: str = field(default_factory=completion_id)
    created: int = field(default_factory=lambda: int(time.time()))
    turn: str = ""
    thread: str = ""
    acted: bool = False
    confirmations: list[ConfirmationView] = field(default_factory=list)
    finished: TurnFinished | None = None

    def note(self, event: TurnEvent) -> None:
        if isinstance(event, TurnStarted):
            self.turn, self.thread = event.turn, event.thread
        elif isinstance(event, CallProposed | CallFinished):
            self.acted = True
        elif isinstance(event, ConfirmationNeeded):
            self.confirmations.append(confirmation_view(event))
        elif isinstance(event, TurnFinished):
            self.finished = event

    @property
    def end(self) -> TurnFinished:
        assert self.finished is not None, "a turn ends with TurnFinished"
        return self.finished

    @property
    def client_calls(self) -> list[CalledTool]:
        calls = called_tools(self.end.client_calls)
        return calls[:1] if self.one_call else calls

    @property
    def finish_reason(self) -> str:
        if self.end.client_calls:
            return "tool_calls"
        return "length" if self.end.cut_short else "stop"

    @property
    def usage(self) -> UsageView:
        return usage_view(self.end.usage)

    def view(self) -> DaziView:
        end = self.end
        return DaziView(
            self.thread,
            self.turn,
            [call_view(r, self.company) for r in end.calls],
            GENERATED_BY,
            end.reason,
            round(end.ms, 1),
            [attachment_view(a) for a in end.attachments],
            self.confirmations[0] if self.confirmations else None,
            self.confirmations if len(self.confirmations) > 1 else [],
            end.replaced,
            context_view(end.context) if self.show_context and end.context else None,
            served_view(end.by),
        )

    def completion(self) -> bytes:
        calls = self.client_calls or None
        content = self.end.answer or (None if calls else "")
        answer = Answer("assistant", content, tool_calls=calls)
        choice = Choice(answer, self.finish_reason)
        return encode(
            Completion(
                self.id,
                self.created,
                self.model,
                [choice],
                self.usage,
                self.view(),
            )
        )
