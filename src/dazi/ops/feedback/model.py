"""What somebody said of an answer, a call or a draft, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dazi.core.language import Language, Text

Kind = Literal["answer", "call", "draft"]
Thumb = Literal["up", "down"]
State = Literal["open", "new", "accepted", "refused", "private"]
"""``open``: a draft that was not sent yet. ``private``: not to be learned from, whatever its worth."""
STATES: Mapping[State, Text] = {
    "open": Text("草稿还没发", "draft not sent yet"),
    "new": Text("待审", "to be reviewed"),
    "accepted": Text("已采纳", "accepted"),
    "refused": Text("未采纳", "refused"),
    "private": Text("不用于训练", "not for training"),
}
KINDS: Mapping[Kind, Text] = {
    "answer": Text("回答", "answer"),
    "call": Text("被驳回的调用", "rejected call"),
    "draft": Text("改过的草稿", "edited draft"),
}
THUMBS: Mapping[Thumb, Text] = {
    "up": Text("有帮助", "helpful"),
    "down": Text("没帮助", "not helpful"),
}
MISSING = "missing"
"""The reason that tells of a gap in the documents."""
REASONS: Mapping[str, Text] = {
    "wrong": Text("说错了", "Wrong"),
    "ungrounded": Text("没有依据", "Not grounded"),
    "incomplete": Text("不完整", "Incomplete"),
    "tool": Text("用错了工具", "Wrong tool"),
    MISSING: Text("文档里没有", "Not in the documents"),
    "manner": Text("语气不好", "Not polite"),
    "other": Text("其他", "Other"),
}
LONGEST_COMMENT, LONGEST_ANSWER = 1_000, 8_000


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the turn: ``arguments`` canonical, ``result`` where the conversation still has it."""

    name: str
    arguments: Mapping[str, Any]
    outcome: str = ""
    result: Any = None


@dataclass(frozen=True, slots=True)
class Content:
    """What it is about, as it was when it was said. ``correction``: the answer that would have been
    right; ``right``: the arguments that would have been, of ``calls[0]``, which was rejected.
    ``draft`` and ``sent``: of a reply. ``offered``: the tools that the model could propose."""

    said: str = ""
    answer: str = ""
    calls: tuple[Call, ...] = ()
    language: Language = "zh"
    roles: tuple[str, ...] = ()
    thread: str = ""
    model: str = ""
    version: str = ""
    today: str = ""
    offered: tuple[str, ...] = ()
    comment: str = ""
    correction: str = ""
    right: Mapping[str, Any] | None = None
    draft: str = ""
    sent: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """``at`` and ``decided`` in seconds since the epoch. ``sample``: as the reviewer left it. ``why`` it
    was refused."""

    id: str
    tenant: str
    user: str
    giver: str
    kind: Kind
    item: str
    turn: str
    content: Content
    at: float
    thumb: Thumb = "down"
    reason: str = ""
    consent: bool = False
    state: State = "new"
    revision: int = 0
    decided: float | None = None
    decided_by: str = ""
    dataset: str = ""
    sample: Mapping[str, Any] | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of an answer."""

    thumb: Thumb
    reason: str = ""
    comment: str = ""
    correction: str = ""
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of a list, the latest first; empty means any."""

    state: State | Literal[""] = ""
    kind: Kind | Literal[""] = ""
    limit: int = 50
    since: float = 0.0
    states: tuple[State, ...] = field(default=())
