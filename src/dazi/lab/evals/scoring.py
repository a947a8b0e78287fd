"""Is what a turn did right?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dazi.lab.evals.cases import Case, CaseTurn, ExpectedCall
from dazi.lab.evals.matchers import (
    Call,
    arguments_match,
    calls_match,
    folded,
    names_match,
    wrong_arguments,
)
from dazi.lab.evals.turns import MadeCall, SeenTurn


@dataclass(frozen=True, slots=True)
class Verdict:
    """``name`` and ``exact`` are ``None`` where a role may not do what is asked: there it is right
    that nothing is done. ``chosen`` is the accepted list that the calls were held against, and
    ``considered`` those calls. ``wrong`` says in words what is not right, empty when all is.
    """

    name: bool | None
    exact: bool | None
    chosen: tuple[ExpectedCall, ...]
    considered: tuple[MadeCall, ...]
    false_call: bool = False
    forbidden_executed: bool = False
    wrong: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        return not self.wrong


@dataclass(frozen=True, slots=True)
class CaseResult:
    case: Case
    turns: tuple[SeenTurn, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def right(self) -> bool:
        return all(v.right for v in self.verdicts)

    @property
    def ms(self) -> float:
        return sum(t.ms for t in self.turns)


def judge(turn: CaseTurn, seen: SeenTurn) -> Verdict:
    """The calls, the reply, and what became of a confirmation.

    Calls are right when those of the first decision are, or those of the whole turn: a model may
    make one call at a time. A call that the router could make nothing of does not count when the
    model mended it, that is when a later call of that name passed.
    """
    other = [*_reply(turn, seen), *_approval(turn, seen)]
    if seen.error:
        other.append(f"error: {seen.error}")
    if turn.forbidden:
        return _judge_forbidden(turn, seen, other)
    name = exact = False
    chosen, considered = turn.expect, _first(seen)
    for accepted in turn.accepted:
        for calls in _views(accepted, seen):
            named = names_match(accepted, calls, turn.optional)
            same = named and calls_match(accepted, calls, turn.optional, _fits)
            if (same, named) > (exact, name):
                chosen, considered = accepted, tuple(calls)
            name, exact = name or named, exact or same
    if seen.error:
        name = exact = False
    wrong = [] if exact else _differences(turn, considered) if name else ["calls"]
    return Verdict(
        name,
        exact,
        chosen,
        considered,
        false_call=not turn.expect and not name and bool(considered),
        wrong=(*wrong, *other),
    )


def _judge_forbidden(turn: CaseTurn, seen: SeenTurn, other: Sequence[str]) -> Verdict:
    """Nothing may be done but what is optional: neither what was asked for nor anything instead."""
    kinds = {c.name for calls in turn.accepted for c in calls}
    passed = [c for c in seen.calls if c.accepted]
    asked = [c for c in passed if c.name in kinds or (not kinds and c.name not in turn.optional)]
    besides = [c for c in passed if c.name not in kinds and c.name not in turn.optional]
    wrong = ["forbidden"] if asked else ["calls"] if besides else []
    executed = any(c.executed for c in asked)
    return Verdict(
        None, None, turn.expect, seen.calls, forbidden_executed=executed, wrong=(*wrong, *other)
    )


def _views(accepted: Sequence[ExpectedCall], seen: SeenTurn) -> list[Sequence[MadeCall]]:
    """The calls as they may be counted. What a person's confirmation settled counts where it was
    expected as a call."""
    proposed = [c for c in seen.calls if not c.decided]
    passed = [(i, c.name) for i, c in enumerate(proposed) if c.accepted]
    whole = [
        c
        for i, c in enumerate(proposed)
        if c.accepted or not any(at > i and name == c.name for at, name in passed)
    ]
    views: list[Sequence[MadeCall]] = [whole]
    if accepted:
        settled = [c for c in seen.calls if c.decided]
        views += [_first(seen), whole + settled]
    return views


def _first(seen: SeenTurn) -> tuple[MadeCall, ...]:
    return tuple(c for c in seen.calls if c.round == 1 and not c.decided)


def _fits(expected: Call, made: Call) -> bool:
    return (
        isinstance(made, MadeCall)
        and made.accepted
        and expected.name == made.name
        and arguments_match(expected.arguments, made.arguments, made.filled)
    )


def _differences(turn: CaseTurn, made: Sequence[MadeCall]) -> list[str]:
    """The arguments that are not as expected, or how the router refused them."""
    out: list[str] = []
    for expected in turn.expect:
        same = [c for c in made if c.name == expected.name]
        tries = [
            f"{c.name}: " + (", ".join(wrong) if c.accepted else c.outcome)
            for c in same
            if (wrong := wrong_arguments(expected.arguments, c.arguments, c.filled))
            or not c.accepted
        ]
        if len(tries) == len(same):
            out += tries[:1]
    return out or ["arguments"]


def _reply(turn: CaseTurn, seen: SeenTurn) -> list[str]:
    reply = folded(seen.reply)
    wrong = [
        f"reply lacks {' / '.join(options)}"
        for options in turn.reply_has
        if not any(folded(o) in reply for o in options)
    ]
    return wrong + [f"reply has {text}" for text in turn.reply_lacks if folded(text) in reply]


def _approval(turn: CaseTurn, seen: SeenTurn) -> list[str]:
    if turn.approval is None:
        return []
    if turn.approval == "approve" and not seen.decisions:
        return ["nothing waited for confirmation"]
    return [] if all(d.honoured for d in seen.decisions) else ["decision not respected"]
