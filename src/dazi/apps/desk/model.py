"""What a ticket is: the fold of its events, and who may add which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dazi.core.language import Text

State = Literal["new", "open", "waiting_customer", "waiting_inside", "resolved", "closed"]
Act = Literal[
    "create",
    "open",
    "assign",
    "unassign",
    "customer_wrote",
    "reply",
    "ask_customer",
    "wait_inside",
    "resolve",
    "close",
    "reopen",
    "hand_over",
    "hand_back",
    "prioritise",
    "categorise",
    "attach",
    "note",
    "rate",
    "spam",
    "merge",
    "warned",
    "breached",
]
Actor = Literal["customer", "agent", "supervisor", "assistant", "system"]
Priority = Literal["urgent", "high", "normal", "low"]
Holder = Literal["person", "assistant"]
Ending = Literal["resolved", "spam", "merged"]

STATES: Mapping[State, Text] = {
    "new": Text("新建", "new"),
    "open": Text("处理中", "open"),
    "waiting_customer": Text("等客户", "waiting for the customer"),
    "waiting_inside": Text("等内部", "waiting inside"),
    "resolved": Text("已解决", "resolved"),
    "closed": Text("已关闭", "closed"),
}
PRIORITIES: Mapping[Priority, Text] = {
    "urgent": Text("紧急", "urgent"),
    "high": Text("高", "high"),
    "normal": Text("普通", "normal"),
    "low": Text("低", "low"),
}
"""The most pressing first."""
ACTS: Mapping[Act, Text] = {
    "create": Text("创建", "create"),
    "open": Text("受理", "open"),
    "assign": Text("分派", "assign"),
    "unassign": Text("退回队列", "unassign"),
    "customer_wrote": Text("客户来信", "customer wrote"),
    "reply": Text("回复", "reply"),
    "ask_customer": Text("回复并等客户", "reply and wait for the customer"),
    "wait_inside": Text("等内部", "wait inside"),
    "resolve": Text("解决", "resolve"),
    "close": Text("关闭", "close"),
    "reopen": Text("重新打开", "reopen"),
    "hand_over": Text("转人工", "hand over to a person"),
    "hand_back": Text("交还搭子", "hand back to the assistant"),
    "prioritise": Text("改优先级", "set the priority"),
    "categorise": Text("改类别", "set the category"),
    "attach": Text("附上订单", "attach orders"),
    "note": Text("内部备注", "inner note"),
    "rate": Text("评价", "rate"),
    "spam": Text("标为垃圾", "mark as spam"),
    "merge": Text("并入另一工单", "merge into another"),
    "warned": Text("时限预警", "time limit near"),
    "breached": Text("超时", "time limit passed"),
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done to a ticket, never changed afterwards. ``at``: seconds since the
    epoch; ``by``: a user's name; ``actor``: as what they did it; ``text``: the message or the reason.

    ``data`` by act: create ``priority``, ``category``; assign ``to``; prioritise ``priority``;
    categorise ``category``; attach ``orders``; rate ``stars``; merge ``into``; hand_over
    ``summary``; warned and breached ``clock``.
    """

    at: float
    by: str
    actor: Actor
    act: Act
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rating:
    """``stars``: 1 to 5."""

    at: float
    stars: int
    comment: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the events so far came to.

    ``holder``: who answers the customer in the conversation. ``ended``: how it was resolved or
    closed; ``merged_into``: the ticket that goes on for it. ``resolutions``, ``reopened``: how often.
    ``answered``: a person has written to the customer.
    """

    state: State
    priority: Priority
    category: str
    created: float
    updated: float
    holder: Holder = "assistant"
    assignee: str = ""
    orders: tuple[str, ...] = ()
    answered: bool = False
    handed_over: bool = False
    resolved_at: float | None = None
    resolved_by: str = ""
    resolved_as: Actor | None = None
    ended: Ending | None = None
    merged_into: str = ""
    resolutions: int = 0
    reopened: int = 0
    ratings: tuple[Rating, ...] = ()
    rated: int = 0
    """How many resolutions were rated: the last one when this is ``resolutions``."""
    marks: frozenset[str] = frozenset()
    """Of clocks, ``response:warned`` and the like."""
