"""Layers of a conversation become the messages of one prompt, within a budget of tokens.

What comes first is given first: rules and the person's newest message whole, then what this turn has
found, what is remembered, and of the last turns as many as there is room for; those that there is
none for are folded. A call and its results stay together or go together. Pure: the same layers give
the same messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dazi.core.messages import Message
from dazi.core.turn import ContextReport, Layer, LayerUse, Why
from dazi.prompt.budget import ContextBudget, Measure

CUT = "…[截断 cut: {n}]"
"""What is put where a text was cut; ``n`` is how many characters it had."""
FULL = 0.9
"""The last turns are folded before this much of the budget is used, so that the rounds to come have
room."""
OF_ONE = 0.25
"""How much of its layer one message of an earlier turn may take."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something remembered. Of those that there is no room for, the lowest ``rank`` goes first.
    ``brief``: what of it is worth most, such as its ids; that much is kept before others are whole."""

    text: str
    rank: float = 0.0
    brief: str = ""


Fold = Callable[[Sequence[Message]], Sequence[Line]]
"""What is left of a turn that does not fit."""


@dataclass(frozen=True, slots=True)
class Layers:
    """``turns`` and ``middle`` are oldest first. ``newest`` is what the person says now, ``live``
    what has come of it so far: calls and their results. ``head`` stands before what is remembered;
    ``needless``: lines that the message does not need."""

    rules: Message
    newest: Message | None = None
    live: Sequence[Message] = ()
    turns: Sequence[Sequence[Message]] = ()
    middle: Sequence[Line] = ()
    facts: Sequence[Line] = ()
    head: str = ""
    needless: int = 0


@dataclass(frozen=True, slots=True)
class Assembled:
    """``whole``: nothing was left out or cut. ``facts``: those that are in it."""

    messages: tuple[Message, ...]
    report: ContextReport
    facts: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not any(set(use.why) - {"needless"} for use in self.report.layers)


@dataclass(frozen=True, slots=True)
class _Part:
    messages: tuple[Message, ...]
    use: LayerUse


def assemble(layers: Layers, budget: ContextBudget, measure: Measure, fold: Fold) -> Assembled:
    """Within ``budget``, unless the rules and the newest message alone are larger: then they are all
    there is, and whether the model can take them is for its engine to say."""
    rules = measure.message(layers.rules)
    newest = measure.message(layers.newest) if layers.newest else 0
    room = max(budget.total - rules - newest, 0)
    live = _live(layers.live, min(budget.live, room), measure)
    room -= live.use.tokens

    head = measure.message(Message("user", layers.head))
    remembers = bool(layers.middle or layers.facts)
    beside = head if remembers else 0
    facts = _chosen(layers.facts, min(budget.long, max(room - beside, 0)), measure)
    known = sum(measure.text(line.text) + 1 for line in layers.middle)
    left = max(room - facts.tokens - beside, 0)
    reserved = min(budget.middle, left, known)
    limit = min(budget.short, max(int((left - reserved) * FULL), 0))
    short, gone = _short(layers.turns, limit, measure)
    folded = [line for turn in gone for line in fold(turn)]
    left -= short.use.tokens
    if folded and not remembers:
        left = max(left - head, 0)
        beside = head
    middle = _chosen([*layers.middle, *folded], min(budget.middle, left), measure)

    lines = [*facts.lines, *middle.lines]
    text = "\n".join([layers.head, *lines] if layers.head else lines)
    memory = (Message("user", text),) if lines else ()
    uses = (
        LayerUse("rules", rules + (beside if lines else 0), budget.total, 1),
        LayerUse("message", newest, budget.total, int(layers.newest is not None)),
        live.use,
        short.use if not folded else replace(short.use, why=(*short.use.why, "folded")),
        LayerUse(
            "middle",
            middle.tokens,
            budget.middle,
            len(middle.lines),
            middle.left_out + layers.needless,
            middle.why(layers.needless),
        ),
        LayerUse(
            "long",
            facts.tokens,
            budget.long,
            len(facts.lines),
            facts.left_out,
            facts.why(),
        ),
    )
    spoken = (layers.newest,) if layers.newest else ()
    messages = (layers.rules, *memory, *short.messages, *spoken, *live.messages)
    total = sum(use.tokens for use in uses)
    return Assembled(messages, ContextReport(uses, total, budget.total), facts.lines)


# --- this turn ---------------------------------------------------------------------------------------


def _live(messages: Sequence[Message], limit: int, measure: Measure) -> _Part:
    """Calls with their results: long results are cut first, then the oldest calls go with theirs."""
    groups = _together(messages)
    cost = _cost(messages, measure)
    why: list[Why] = []
    if cost > limit:
        why.append("cut")
        groups = _cut_to(groups, limit, measure)
    kept = [*groups]
    while kept and sum(_cost(g, measure) for g in kept) > limit:
        del kept[0]
    if len(kept) < len(groups):
        why.append("limit")
    out = tuple(m for g in kept for m in g)
    use = _use("live", _cost(out, measure), limit, len(out), len(messages) - len(out), why)
    return _Part(out, use)


def _together(messages: Sequence[Message]) -> list[tuple[Message, ...]]:
    """Each call with the results behind it."""
    groups: list[list[Message]] = []
    for message in messages:
        if message.role == "tool" and groups:
            groups[-1].append(message)
        else:
            groups.append([message])
    return [tuple(g) for g in groups]


def _cut_to(
    groups: Sequence[tuple[Message, ...]], limit: int, measure: Measure
) -> list[tuple[Message, ...]]:
    """With results cut so that all have the same room, as far as they need it."""
    texts = [measure.text(m.content) for g in groups for m in g if m.role == "tool"]
    others = sum(_cost(g, measure) for g in groups) - sum(texts)
    each = _level(texts, max(limit - others, 0))
    return [
        tuple(_shortened(m, each, measure) if m.role == "tool" else m for m in g) for g in groups
    ]


def _level(costs: Sequence[int], room: int) -> int:
    """How much each may have at the most, so that all together have no more than ``room``."""
    waiting = sorted(costs)
    while waiting:
        share = room // len(waiting)
        if waiting[0] > share:
            return share
        room -= waiting.pop(0)
    return room


# --- earlier turns ----------------------------------------------------------------------------------


def _short(
    turns: Sequence[Sequence[Message]], limit: int, measure: Measure
) -> tuple[_Part, list[Sequence[Message]]]:
    """The latest that fit, and those that do not: a gap between turns would mislead."""
    taken: list[tuple[Message, ...]] = []
    room = limit
    cut = False
    for turn in reversed(turns):
        fitting, cost = tuple(turn), _cost(turn, measure)
        if cost > room:
            most = int(limit * OF_ONE)
            fitting = tuple(_shortened(m, most, measure) for m in turn)
            cost = _cost(fitting, measure)
            if cost > room:
                break
            cut = True
        taken.append(fitting)
        room -= cost
    gone = list(turns[: len(turns) - len(taken)])
    why: list[Why] = ["cut"] if cut else []
    if gone:
        why.append("limit")
    out = tuple(m for turn in reversed(taken) for m in turn)
    return _Part(out, _use("short", limit - room, limit, len(taken), len(gone), why)), gone


# --- what is remembered -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Chosen:
    lines: tuple[str, ...] = ()
    tokens: int = 0
    left_out: int = 0
    cut: int = 0

    def why(self, needless: int = 0) -> tuple[Why, ...]:
        told: tuple[tuple[Why, int], ...] = (
            ("limit", self.left_out),
            ("cut", self.cut),
            ("needless", needless),
        )
        return tuple(why for why, times in told if times)


def _chosen(lines: Sequence[Line], limit: int, measure: Measure) -> _Chosen:
    """All in brief and those of the highest rank whole, of equals the latest, in their order."""
    costs = [measure.text(line.text) + 1 for line in lines]
    if sum(costs) <= limit:
        return _Chosen(tuple(line.text for line in lines), sum(costs))
    ranked = sorted(range(len(lines)), key=lambda i: (-lines[i].rank, -i))
    taken: dict[int, tuple[str, int]] = {}
    room = limit
    for brief in (True, False):
        for i in ranked:
            text = lines[i].brief if brief else lines[i].text
            cost = (measure.text(text) + 1 if brief else costs[i]) if text else 0
            more = cost - (taken[i][1] if i in taken else 0)
            if text and more <= room:
                taken[i] = text, cost
                room -= more
    kept = sorted(taken)
    cut = sum(taken[i][0] != lines[i].text for i in kept)
    shown = tuple(taken[i][0] for i in kept)
    return _Chosen(shown, limit - room, len(lines) - len(kept), cut)


# --- texts ------------------------------------------------------------------------------------------


def _shortened(message: Message, tokens: int, measure: Measure) -> Message:
    text = cut(message.content, tokens, measure)
    return message if text is message.content else replace(message, content=text)


def cut(text: str, tokens: int, measure: Measure) -> str:
    """The beginning of ``text`` and a mark, in no more than ``tokens``; the mark alone in any case."""
    cost = measure.text(text)
    if cost <= tokens:
        return text
    mark = CUT.format(n=len(text))
    if len(mark) >= len(text):
        return text
    chars = int(len(text) * tokens / cost)
    while chars > 0:
        shortened = text[:chars] + mark
        if measure.text(shortened) <= tokens:
            return shortened
        chars = min(int(chars * 0.85), chars - 1)
    return mark


def _cost(messages: Sequence[Message], measure: Measure) -> int:
    return sum(measure.message(m) for m in messages)


def _use(
    layer: Layer, tokens: int, limit: int, taken: int, left_out: int, why: Sequence[Why]
) -> LayerUse:
    return LayerUse(layer, tokens, limit, taken, left_out, tuple(why))
