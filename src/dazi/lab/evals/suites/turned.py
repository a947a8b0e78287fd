"""What turns of the assistant say to a run: their use of the model, their time, their trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dazi.core.engine import Usage
from dazi.lab.evals.scoring import CaseResult
from dazi.lab.evals.turns import MadeCall, SeenTurn


def usage_of(turns: Sequence[SeenTurn]) -> Usage:
    return sum((t.usage for t in turns), Usage())


def ms_of(turns: Sequence[SeenTurn]) -> float:
    return sum(t.ms for t in turns)


def error_of(turns: Sequence[SeenTurn]) -> str:
    return "; ".join(t.error for t in turns if t.error)


def call_of(call: MadeCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": dict(call.arguments), "outcome": call.outcome}


def turn_of(said: str, seen: SeenTurn) -> dict[str, Any]:
    out: dict[str, Any] = {
        "said": said,
        "calls": [call_of(c) for c in seen.calls],
        "reply": seen.reply,
    }
    if seen.decisions:
        out["decided"] = [
            {"tool": d.tool, "approve": d.approve, "honoured": d.honoured} for d in seen.decisions
        ]
    return out


def trace_of(result: CaseResult) -> dict[str, Any]:
    turns = [
        turn_of(t.said, s) | {"expected": [[_plain(c) for c in calls] for calls in t.accepted]}
        for t, s in zip(result.case.turns, result.turns, strict=True)
    ]
    return {"role": result.case.role, "turns": turns}


def _plain(call: Any) -> dict[str, Any]:
    return {"name": call.name, "arguments": dict(call.arguments)}
