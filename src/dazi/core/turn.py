"""What happens in a turn, as everyone outside the agent sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dazi.core.engine import Served, Usage
from dazi.core.messages import CallText

Outcome = Literal[
    "ok",
    "not_found",
    "unknown_tool",
    "invalid",
    "ungrounded",
    "forbidden",
    "needs_confirmation",
    "rejected",
    "timeout",
    "unavailable",
    "failed",
    "unknown",
    "client",
]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One proposed call and what became of it.

    ``arguments`` are canonical when the call got that far, else what the model wrote.
    ``result`` is what the host derived from the system's answer; ``message`` explains an outcome
    other than ``ok`` to the person, in their language, and ``hint`` to the model. ``ms`` is the time the router took.
    ``signals`` are labels of what in the result speaks to the model, ``score`` how much so, 0 to 1.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    outcome: Outcome
    result: Any = None
    message: str = ""
    ms: float = 0.0
    ticket: str = ""
    hint: str = ""
    signals: tuple[str, ...] = ()
    score: float = 0.0


Layer = Literal["rules", "message", "live", "short", "middle", "long"]
"""Rules and tools; the person's newest message; what this turn has found; the last turns word for
word; what older ones came to; what the person wants remembered."""
Why = Literal["limit", "cut", "folded", "needless"]
"""It did not fit; it fits in part; it is told in short in the middle layer; the message needs none
of it."""


@dataclass(frozen=True, slots=True)
class LayerUse:
    """``tokens`` of at most ``limit``: of ``taken`` parts (messages, turns, lines), where
    ``left_out`` others were not taken, for ``why``."""

    layer: Layer
    tokens: int
    limit: int
    taken: int
    left_out: int = 0
    why: tuple[Why, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextReport:
    """What the model was given in a turn's last round: ``tokens`` in all, of ``limit``, by the engine's
    tokenizer."""

    layers: tuple[LayerUse, ...]
    tokens: int
    limit: int


@dataclass(frozen=True, slots=True)
class TurnStarted:
    turn: str
    thread: str


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """A checked piece of the answer; it will not be taken back."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningStep:
    text: str


@dataclass(frozen=True, slots=True)
class CallProposed:
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallFinished:
    record: CallRecord


@dataclass(frozen=True, slots=True)
class ConfirmationNeeded:
    """A person must confirm these canonical arguments. ``expires`` is an ISO 8601 instant.

    ``approver``: the role of somebody else who decides; empty: the requester does. ``sources``:
    of arguments that the person did not say, where they came from.
    """

    ticket: str
    call: str
    name: str
    arguments: Mapping[str, Any]
    expires: str
    approver: str = ""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A table or chart the host drew from results, or the passages of documents that an answer rests
    on: never from the model's text."""

    kind: Literal["table", "chart", "sources"]
    title: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The end of a turn.

    ``replaced`` counts sentences that were made again or replaced because no evidence held what
    they said. ``client_calls`` are for the caller to run (``reason`` is then ``client_tools``).
    ``cut_short``: the limit on tokens ended the answer. ``context``: what the model was given, where
    that was asked for, or not all of it fitted. ``by``: which of several servers answered. ``cost``:
    yuan by the company's prices, each model's tokens at its own; ``None`` where one has none.
    """

    answer: str
    calls: tuple[CallRecord, ...]
    usage: Usage
    ms: float
    reason: Literal["answer", "confirmation", "client_tools", "budget", "error"] = "answer"
    attachments: tuple[Attachment, ...] = field(default=())
    replaced: int = 0
    client_calls: tuple[CallText, ...] = ()
    cut_short: bool = False
    context: ContextReport | None = None
    by: Served | None = None
    cost: float | None = None


TurnEvent = (
    TurnStarted
    | AnswerDelta
    | ReasoningStep
    | CallProposed
    | CallFinished
    | ConfirmationNeeded
    | Attachment
    | TurnFinished
)
