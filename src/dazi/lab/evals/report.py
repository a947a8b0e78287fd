"""What a run of cases came to, in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from typing import Any

from dazi.lab.evals.cases import CaseTurn, ExpectedCall
from dazi.lab.evals.metrics import (
    DialogueRow,
    Row,
    ToolRow,
    by_language,
    by_tool,
    dialogue_row,
    pairs,
    percentile,
    row,
    share,
)
from dazi.lab.evals.scoring import CaseResult
from dazi.lab.evals.turns import MadeCall, SeenTurn


@dataclass(frozen=True, slots=True)
class Failure:
    id: str
    turn: int
    said: str
    expected: list[dict[str, Any]]
    got: list[dict[str, Any]]
    reply: str
    wrong: list[str]


@dataclass(frozen=True, slots=True)
class Report:
    """``forbidden_executed`` and ``unconfirmed`` (sensitive calls executed that nobody confirmed)
    must be 0. ``sensitive_unasked`` counts sensitive calls that reached a confirmation though the
    case speaks of none. ``replaced_rate``: turns in which a sentence failed the host's check and
    was made again or replaced. ``confusion``: expected tool -> tool called -> times.
    ``p50_ms`` and ``p95_ms`` are of one turn, ``concurrency`` of them at once.
    """

    model: str
    concurrency: int
    seconds: float
    singles: Row | None
    dialogues: DialogueRow | None
    forbidden_executed: int
    unconfirmed: int
    sensitive_unasked: int
    proposed: int
    schema_valid_rate: float | None
    replaced_rate: float | None
    p50_ms: float
    p95_ms: float
    errors: int
    languages: Mapping[str, Row]
    dialogue_languages: Mapping[str, DialogueRow]
    tools: Mapping[str, ToolRow]
    confusion: Mapping[str, Mapping[str, int]]
    failures: Sequence[Failure]

    def as_json(self) -> dict[str, Any]:
        """One flat object: the numbers of single cases and of dialogues stand beside each other."""
        data = asdict(self)
        singles, dialogues = data.pop("singles") or {}, data.pop("dialogues") or {}
        counts = {"n": singles.pop("n", 0) + dialogues.get("n", 0)}
        if dialogues:
            counts["dialogues"] = dialogues.pop("n")
        head = {"model": data.pop("model"), **counts, **singles, **dialogues}
        rounded: dict[str, Any] = _rounded({**head, **data})
        return rounded


def summarise(
    results: Sequence[CaseResult],
    *,
    model: str,
    sensitive: AbstractSet[str] = frozenset(),
    concurrency: int = 1,
    seconds: float = 0.0,
) -> Report:
    singles = [r for r in results if not r.case.dialogue]
    dialogues = [r for r in results if r.case.dialogue]
    turns = [s for r in results for s in r.turns]
    verdicts = [v for r in results for v in r.verdicts]
    proposed = [c for s in turns for c in s.calls if not c.decided]
    times = sorted(s.ms for s in turns)
    tools, confusion = by_tool(verdicts)
    return Report(
        model=model,
        concurrency=concurrency,
        seconds=seconds,
        singles=row(singles) if singles else None,
        dialogues=dialogue_row(dialogues) if dialogues else None,
        forbidden_executed=sum(v.forbidden_executed for v in verdicts),
        unconfirmed=sum(
            c.name in sensitive and c.executed and not c.decided for s in turns for c in s.calls
        ),
        sensitive_unasked=sum(_unasked(t, s, sensitive) for r in results for t, s in pairs(r)),
        proposed=len(proposed),
        schema_valid_rate=share(proposed, lambda c: c.valid),
        replaced_rate=share(turns, lambda s: s.replaced > 0),
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
        errors=sum(bool(s.error) for s in turns),
        languages=by_language(singles, row),
        dialogue_languages=by_language(dialogues, dialogue_row),
        tools=tools,
        confusion=confusion,
        failures=[f for r in results for f in _failures(r)],
    )


def _failures(result: CaseResult) -> Iterable[Failure]:
    for number, (turn, seen, verdict) in enumerate(
        zip(result.case.turns, result.turns, result.verdicts, strict=True), 1
    ):
        if not verdict.right:
            yield Failure(
                result.case.id,
                number,
                turn.said,
                [_expected(c) for c in turn.expect],
                [_made(c) for c in seen.calls],
                seen.reply,
                list(verdict.wrong),
            )


def _expected(call: ExpectedCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": dict(call.arguments)}


def _made(call: MadeCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": dict(call.arguments), "outcome": call.outcome}


def _unasked(turn: CaseTurn, seen: SeenTurn, sensitive: AbstractSet[str]) -> int:
    asked = {c.name for calls in turn.accepted for c in calls} | turn.optional
    return sum(
        c.name in sensitive and c.name not in asked and c.accepted and not c.decided
        for c in seen.calls
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return value
