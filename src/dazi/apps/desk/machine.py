"""The life of a ticket as a table: from which states an act may be done, where to, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dazi.apps.desk.model import ACTS, STATES, Act, Actor, Event, Rating, State, Ticket
from dazi.core.errors import CallerError

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Transition:
    """``to``: the state afterwards, ``None`` for the same one."""

    of: frozenset[State]
    to: State | None
    actors: frozenset[Actor]


def _t(of: str, to: State | None, actors: str) -> Transition:
    return Transition(frozenset(of.split()), to, frozenset(actors.split()))  # type: ignore[arg-type]


_ALIVE = "new open waiting_customer waiting_inside"
_BEGUN = "open waiting_customer waiting_inside"
_DESK = "agent supervisor"
TRANSITIONS: dict[Act, Transition] = {
    "open": _t("new", "open", f"{_DESK} system"),
    "assign": _t(_ALIVE, None, f"{_DESK} system"),
    "unassign": _t(_ALIVE, None, _DESK),
    "customer_wrote": _t(_ALIVE, None, "customer"),
    "reply": _t(_ALIVE, None, _DESK),
    "ask_customer": _t("new open waiting_inside", "waiting_customer", _DESK),
    "wait_inside": _t("new open waiting_customer", "waiting_inside", _DESK),
    "resolve": _t(_ALIVE, "resolved", f"{_DESK} assistant"),
    "close": _t("resolved", "closed", "supervisor customer system"),
    "reopen": _t("resolved closed", "open", f"{_DESK} customer"),
    "hand_over": _t(_ALIVE, None, f"{_DESK} customer assistant"),
    "hand_back": _t(_BEGUN, None, _DESK),
    "prioritise": _t(_ALIVE, None, f"{_DESK} system"),
    "categorise": _t(f"{_ALIVE} resolved", None, f"{_DESK} system"),
    "attach": _t(f"{_ALIVE} resolved", None, f"{_DESK} assistant system"),
    "note": _t(f"{_ALIVE} resolved closed", None, _DESK),
    "rate": _t("resolved closed", None, "customer"),
    "spam": _t(_ALIVE, "closed", _DESK),
    "merge": _t(_ALIVE, "closed", _DESK),
    "warned": _t(_ALIVE, None, "system"),
    "breached": _t(f"{_ALIVE} resolved closed", None, "system"),
}
"""Every act but ``create``, which makes a ticket that is ``new``. Some change the state by who or
where they come from: see ``_state_after``."""
_TAKES_UP: frozenset[Act] = frozenset(("assign", "reply"))
"""What makes of a new ticket an open one."""
_PEOPLE: frozenset[Actor] = frozenset(("agent", "supervisor"))


class Refused(CallerError):
    """The act is not possible now; the text says what is."""

    def __init__(self, why_zh: str, why_en: str, possible: Sequence[Act]) -> None:
        zh = "、".join(f"{ACTS[a].zh} ({a})" for a in possible) or "没有"
        en = ", ".join(f"{a}" for a in possible) or "nothing"
        super().__init__("not_possible", f"{why_zh};现在可以:{zh}", f"{why_en}; possible now: {en}")
        self.possible = tuple(possible)


def created(event: Event) -> Ticket:
    data = event.data
    return Ticket("new", data["priority"], data["category"], event.at, event.at)


def replay(events: Sequence[Event], reopen_days: int) -> Ticket:
    """The ticket after ``events``, the first of which creates it. Raises ``Refused``."""
    ticket = created(events[0])
    for event in events[1:]:
        ticket = apply(ticket, event, reopen_days)
    return ticket


def possible(ticket: Ticket, actor: Actor, at: float, reopen_days: int) -> list[Act]:
    """What ``actor`` may do with it at that time."""
    return [a for a in TRANSITIONS if _why_not(ticket, actor, a, at, reopen_days) is None]


def apply(ticket: Ticket, event: Event, reopen_days: int) -> Ticket:
    """The ticket after ``event``. Raises ``Refused``, which says what may be done instead."""
    why = _why_not(ticket, event.actor, event.act, event.at, reopen_days)
    if why is None and event.at < ticket.updated:
        why = ("时间早于上一步", "the time is before the last step's")
    if why is not None:
        raise Refused(*why, possible(ticket, event.actor, event.at, reopen_days))
    after = replace(ticket, state=_state_after(ticket, event), updated=event.at)
    return _with(after, event)


def _why_not(
    ticket: Ticket, actor: Actor, act: Act, at: float, reopen_days: int
) -> tuple[str, str] | None:
    transition = TRANSITIONS.get(act)
    if transition is None or ticket.state not in transition.of:
        state = STATES[ticket.state]
        zh = f"工单{state.zh}时不能{ACTS[act].zh}"
        return zh, f"a ticket that is {state.en} cannot take '{act}'"
    if actor not in transition.actors:
        return f"您的身份不能{ACTS[act].zh}", f"'{act}' is not for {actor}s"
    return _by_circumstance(ticket, actor, act, at, reopen_days)


def _by_circumstance(
    ticket: Ticket, actor: Actor, act: Act, at: float, reopen_days: int
) -> tuple[str, str] | None:
    match act:
        case "reopen" if ticket.ended != "resolved":
            return "合并或垃圾工单不能重新打开", "what was merged or spam is not reopened"
        case "reopen" if at > (ticket.resolved_at or 0) + reopen_days * DAY_S:
            zh = f"解决已超过 {reopen_days} 天,请新建工单"
            return zh, f"it was resolved more than {reopen_days} days ago; open a new ticket"
        case "rate" if ticket.ended != "resolved" or ticket.rated >= ticket.resolutions:
            return "这次解决已评价过", "this resolution was rated already"
        case "unassign" if not ticket.assignee:
            return "工单还没有分派", "nobody has it"
        case "hand_over" if ticket.holder == "person":
            return "已由人工处理", "a person has it already"
        case "hand_back" if ticket.holder == "assistant":
            return "现在不是人工处理", "no person has it"
        case "resolve" if actor == "assistant" and ticket.holder == "person":
            return "人工处理中,搭子不能解决", "a person has it; the assistant cannot resolve it"
    return None


def _state_after(ticket: Ticket, event: Event) -> State:
    act, state = event.act, ticket.state
    if act in _TAKES_UP and state == "new":
        return "open"
    if act == "customer_wrote" and state == "waiting_customer":
        return "open"
    if act == "hand_over" and state == "waiting_customer":
        return "open"
    return TRANSITIONS[act].to or state


def _with(ticket: Ticket, event: Event) -> Ticket:
    """What the act changes besides the state."""
    data = event.data
    match event.act:
        case "assign":
            return replace(ticket, assignee=data["to"])
        case "unassign":
            return replace(ticket, assignee="")
        case "reply" | "ask_customer":
            return replace(ticket, answered=True, holder="person", handed_over=True)
        case "resolve":
            return replace(
                ticket,
                resolved_at=event.at,
                resolved_by=event.by,
                resolved_as=event.actor,
                ended="resolved",
                resolutions=ticket.resolutions + 1,
                answered=ticket.answered or event.actor in _PEOPLE,
                handed_over=ticket.handed_over or event.actor in _PEOPLE,
                holder="assistant",
            )
        case "reopen":
            return replace(ticket, reopened=ticket.reopened + 1, ended=None)
        case "hand_over":
            return replace(ticket, holder="person", handed_over=True)
        case "hand_back":
            return replace(ticket, holder="assistant")
        case "prioritise":
            return replace(ticket, priority=data["priority"])
        case "categorise":
            return replace(ticket, category=data["category"])
        case "attach":
            both = dict.fromkeys((*ticket.orders, *data["orders"]))
            return replace(ticket, orders=tuple(both))
        case "rate":
            rating = Rating(event.at, data["stars"], event.text)
            ratings = (*ticket.ratings, rating)
            return replace(ticket, ratings=ratings, rated=ticket.resolutions)
        case "spam":
            return replace(ticket, ended="spam", holder="assistant")
        case "merge":
            return replace(ticket, ended="merged", merged_into=data["into"], holder="assistant")
        case "warned" | "breached":
            return replace(ticket, marks=ticket.marks | {f"{data['clock']}:{event.act}"})
    return ticket
