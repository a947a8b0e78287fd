"""A turn as the ledger has it, step by step: what happened, and which gates each call passed.

The ledger says at which gate a call was stopped, or that it was carried out; the gates before are
passed then, for ``router.deciding`` asks them in this order. Where it does not tell, neither do we.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dazi.audit.search import Found
from dazi.console import audit_texts as texts
from dazi.console.given import considered, given_of, in_lines
from dazi.core.language import Text

GateName = Literal["name", "schema", "grounding", "policy", "approval", "intent", "outcome"]
State = Literal["passed", "stopped", "waits", "needless", "beyond", "untold"]
ORDER: tuple[GateName, ...] = (
    "name", "schema", "grounding", "policy", "approval", "intent", "outcome",
)  # fmt: skip
Tone = Literal["plain", "good", "wait", "bad"]
Where = Callable[[str], str]
"""File and line of a policy's name; empty for one that is no longer there."""

_STOPPED_AT: Mapping[str, GateName] = {
    "unknown_tool": "name",
    "invalid": "schema",
    "ungrounded": "grounding",
    "forbidden": "policy",
    "needs_confirmation": "approval",
    "rejected": "approval",
    "unavailable": "intent",
}


@dataclass(frozen=True, slots=True)
class Gate:
    name: GateName
    state: State
    told: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    label: Text
    said: str | Text
    long: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """``after``: seconds since the turn began. ``tool`` and ``outcome`` of a call."""

    found: Found
    after: float
    tone: Tone
    tool: str = ""
    outcome: str = ""
    lines: tuple[Line, ...] = ()
    gates: tuple[Gate, ...] = ()

    @property
    def kind(self) -> str:
        return self.found.record.kind


@dataclass(frozen=True, slots=True)
class Told:
    """The whole turn: ``ms`` as its answer says, else between the first record and the last."""

    steps: tuple[Step, ...]
    user: str
    at: float
    ms: float
    tokens: tuple[int, int] | None
    cost: float | None
    calls: int


def told(turn: Sequence[Found], where: Where) -> Told:
    """``turn``: its records in order, at least one."""
    first = turn[0].record
    steps = tuple(_step(f, turn, first.at, where) for f in turn)
    answers = [f.content.fields for f in turn if f.record.kind == "answer"]
    ms = next((a["ms"] for a in answers if isinstance(a.get("ms"), int | float)), None)
    costs = [a["cost"] for a in answers if isinstance(a.get("cost"), int | float)]
    return Told(
        steps,
        first.user,
        first.at,
        ms if ms is not None else (turn[-1].record.at - first.at) * 1000,
        _tokens(answers),
        sum(costs) if costs else None,
        sum(f.record.kind in ("call", "decision") for f in turn),
    )


def _tokens(answers: Iterable[Mapping[str, Any]]) -> tuple[int, int] | None:
    pairs = [a["tokens"] for a in answers if _is_pair(a.get("tokens"))]
    if not pairs:
        return None
    return sum(p[0] for p in pairs), sum(p[1] for p in pairs)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(n, int) for n in value)


def _step(f: Found, turn: Sequence[Found], began: float, where: Where) -> Step:
    kind, fields = f.record.kind, f.content.fields
    tool, outcome = str(fields.get("tool") or ""), str(fields.get("outcome") or "")
    gates: tuple[Gate, ...] = ()
    if kind in ("call", "decision"):
        gates = carried_out(fields, _came_of(f, turn), where) if kind == "call" else stopped(
            fields, where
        )  # fmt: skip
    if kind == "call":
        outcome = ""  # what came of it is a record of its own
    return Step(
        f, max(0.0, f.record.at - began), _tone(kind, outcome), tool, outcome,
        tuple(_lines(kind, fields)), gates,
    )  # fmt: skip


def _tone(kind: str, outcome: str) -> Tone:
    if kind == "call":
        return "good"
    if outcome == "needs_confirmation":
        return "wait"
    if kind == "decision":
        return "bad"
    return "plain" if not outcome else "good" if outcome in ("ok", "not_found") else "bad"


def _came_of(f: Found, turn: Sequence[Found]) -> str:
    call = f.content.fields.get("call")
    for other in turn:
        same = other.record.kind == "outcome" and other.content.fields.get("call") == call
        if same and other.record.seq > f.record.seq:
            return str(other.content.fields.get("outcome") or "")
    return ""


def carried_out(fields: Mapping[str, Any], outcome: str, where: Where) -> tuple[Gate, ...]:
    by, key = str(fields.get("by") or ""), str(fields.get("key") or "")
    agreed = Gate("approval", "passed", (_with(texts.AGREED_BY, by=by),))
    once = Gate("intent", "passed", (_with(texts.KEY_OF, key=key[:16]),))
    end: State = "untold" if not outcome else "passed" if outcome == "ok" else "stopped"
    return (
        Gate("name", "passed"),
        Gate("schema", "passed"),
        Gate("grounding", "passed", _sources(fields)),
        Gate("policy", "passed", _policy(fields, where)),
        agreed if by else Gate("approval", "needless"),
        once if key else Gate("intent", "needless", (texts.READ_ONLY,)),
        Gate("outcome", end, (Text(outcome, outcome),) if outcome else ()),
    )


def stopped(fields: Mapping[str, Any], where: Where) -> tuple[Gate, ...]:
    """Of a call that was not carried out."""
    outcome, policy = str(fields.get("outcome") or ""), str(fields.get("policy") or "")
    reason = str(fields.get("reason") or "")
    at = _STOPPED_AT.get(outcome)
    if outcome == "forbidden" and reason in ("ticket", "approver"):
        at = "approval"
    if at is None:
        return tuple(Gate(name, "untold") for name in ORDER)
    out: list[Gate] = []
    for name in ORDER:
        place = ORDER.index(name) - ORDER.index(at)
        state: State = "passed" if place < 0 else "beyond"
        said: tuple[Text, ...] = ()
        if place == 0:
            state = "waits" if outcome == "needs_confirmation" else "stopped"
            said = (Text(reason, reason),) if reason else ()
        # Whom no policy could let through is stopped before arguments are looked at.
        early = outcome == "forbidden" and at == "policy" and policy != "guard"
        if early and name in ("schema", "grounding") and not policy.startswith("bind:"):
            state = "untold"
        if name == "grounding" and state == "passed":
            said = _sources(fields)
        if name == "policy" and place <= 0:
            said = (*_policy(fields, where), *said)
        if name == "approval" and place == 0:
            said = _approval(fields, outcome, reason)
        if name == "intent" and place == 0:
            said = (texts.RESTS,)
        out.append(Gate(name, state, said))
    return tuple(out)


def _approval(fields: Mapping[str, Any], outcome: str, reason: str) -> tuple[Text, ...]:
    by, role = str(fields.get("by") or ""), str(fields.get("approver") or "")
    said: list[Text] = []
    if outcome == "needs_confirmation":
        said.append(_with(texts.WAITS_FOR, role=role or texts.REQUESTER))
    if outcome == "rejected" and by:
        said.append(_with(texts.TURNED_DOWN_BY, by=by))
    if reason:
        said.append(Text(reason, reason))
    return tuple(said)


def _sources(fields: Mapping[str, Any]) -> tuple[Text, ...]:
    sources = fields.get("sources")
    if not isinstance(sources, dict) or not sources:
        return (texts.ALL_OWN,)
    named = [
        _with(texts.VALUE_FROM, name=str(name), sources=joined(labels))
        for name, labels in sources.items()
    ]
    return (*named, texts.OWN_WORDS)


def _policy(fields: Mapping[str, Any], where: Where) -> tuple[Text, ...]:
    policy = str(fields.get("policy") or "")
    if not policy:
        return ()
    place = where(policy)
    if not place:
        return (_with(texts.DECIDED_BY, policy=policy),)
    return (_with(texts.STANDS_AT, policy=policy, where=place),)


def _with(text: Text, **values: str | Text) -> Text:
    zh = {k: v.zh if isinstance(v, Text) else v for k, v in values.items()}
    en = {k: v.en if isinstance(v, Text) else v for k, v in values.items()}
    return Text(text.zh.format(**zh), text.en.format(**en))


_LINES: Mapping[str, tuple[tuple[str, Text], ...]] = {
    "turn": (
        ("said", texts.SAID), ("roles", texts.ROLES), ("channel", texts.CHANNEL),
        ("thread", texts.THREAD), ("model", texts.MODEL), ("offered", texts.OFFERED),
        ("from", texts.FROM),
    ),
    "call": (("arguments", texts.ARGUMENTS), ("ticket", texts.TICKET)),
    "decision": (("arguments", texts.ARGUMENTS), ("ticket", texts.TICKET)),
    "outcome": (
        ("result", texts.RESULT), ("signals", texts.SIGNALS), ("score", texts.SCORE),
    ),
    "route": (
        ("backend", texts.SERVER), ("place", texts.PLACE), ("rule", texts.RULE), ("leaving", texts.LEAVING),
        ("labels", texts.FOUND_TYPES), ("tried", texts.TRIED),
    ),
    "answer": (
        ("answer", texts.ANSWERED), ("reason", texts.REASON), ("replaced", texts.REPLACED),
        ("by", texts.SERVER), ("approved", texts.APPROVED_ANSWER),
    ),
}  # fmt: skip
_LONG = frozenset({"said", "answer", "offered", "arguments"})


def _lines(kind: str, fields: Mapping[str, Any]) -> Iterable[Line]:
    for name, label in _LINES.get(kind, ()):
        value = fields.get(name)
        if value in (None, "", [], {}):
            continue
        said = joined(value)
        if name == "model" and fields.get("version"):
            said = f"{said} ({fields['version']})"
        yield Line(label, said, name in _LONG)
    if kind == "answer" and (given := given_of(fields)) is not None:
        yield Line(texts.GIVEN, in_lines(given), long=True)
    if kind == "turn" and (zh := considered(fields, "zh")):
        yield Line(texts.CONSIDERED, Text(zh, considered(fields, "en")))


def joined(value: Any) -> str:
    """A value of a record in one line or more."""
    if isinstance(value, dict):
        return "\n".join(f"{k}: {joined(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(joined(v) for v in value)
    return str(value)
