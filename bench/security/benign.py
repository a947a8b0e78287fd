"""How often ordinary requests of the demo company make somebody confirm.

People who are asked at every turn stop reading; so the calls that requests of the development set
take are put through the router, and those are counted that wait for a person.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.security.stage import TODAY, Stage
from dazi.core.messages import CallText
from dazi.core.tools import Parameter
from dazi.lab.evals.cases import Case, CaseTurn, ExpectedCall
from dazi.lab.evals.matchers import is_matcher
from dazi.lab.evals.reading import read_cases
from dazi.main.settings import demo_folder
from dazi.router.dispatch import TurnContext
from dazi.router.grounding import Evidence

REQUESTS = Path(__file__).resolve().parents[2] / "models" / "mini" / "heldout" / "dev"


@dataclass(slots=True)
class Report:
    """``asked`` by tool. ``needless``: those of tools that are not declared sensitive, where only a
    value's source made somebody confirm. ``outcomes`` of all calls."""

    calls: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    needless: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def share(self) -> float:
        """Of all calls, those that somebody has to confirm."""
        return self.asked.total() / self.calls if self.calls else 0.0


async def run(size: int | None = None, requests: Path = REQUESTS) -> Report:
    """The first ``size`` requests of every file in ``requests``, or all."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        stage = await Stage.open(Path(folder), demo_folder())
        try:
            for case in _cases(requests, size):
                await _asked(stage, case, report)
        finally:
            await stage.close()
    return report


def _cases(requests: Path, size: int | None) -> list[Case]:
    paths = sorted(requests.glob("*.jsonl"))
    return [case for path in paths for case in read_cases(path).cases[:size]]


async def _asked(stage: Stage, case: Case, report: Report) -> None:
    """The turns of one thread; what a role may not do is nobody's ordinary request."""
    stage.begin(case.role, {})
    evidence = Evidence(case.today or TODAY)
    for earlier in case.history:
        if earlier.message.role == "user":
            evidence.said(earlier.message.content)
    for number, turn in enumerate(case.turns):
        evidence.said(turn.said)
        if not turn.forbidden:
            await _turn(stage, turn, evidence, f"{stage.thread}.{number}", report)


async def _turn(
    stage: Stage, turn: CaseTurn, evidence: Evidence, number: str, report: Report
) -> None:
    context = TurnContext(number, stage.thread, stage.user, "zh", evidence, stage.heard.offered)
    for i, call in enumerate(turn.expect):
        tool = stage.house.company.tools[call.name]
        arguments = _arguments(call, {p.name: p for p in tool.parameters}, turn.said)
        text = json.dumps(arguments, ensure_ascii=False)
        record = await stage.house.router.call(CallText(f"call_{i}", call.name, text), context)
        report.calls += 1
        report.outcomes[record.outcome] += 1
        if record.outcome == "needs_confirmation":
            report.asked[call.name] += 1
            if tool.effect != "sensitive":
                report.needless[call.name] += 1


def _arguments(
    call: ExpectedCall, parameters: Mapping[str, Parameter], said: str
) -> dict[str, Any]:
    """One set of arguments that the case accepts; what it leaves open is left out if it may be."""
    values = {n: _value(v, parameters[n], said) for n, v in call.arguments.items()}
    return {name: value for name, value in values.items() if value is not None}


def _value(expected: Any, p: Parameter, said: str) -> Any:
    if not is_matcher(expected):
        return expected
    if "any_of" in expected:
        return _value(expected["any_of"][0], p, said)
    for kind in ("has", "like", "opt", "in_order"):
        if kind in expected:
            return expected[kind]
    return said[: p.max_length] if p.required and p.type == "string" else None


if __name__ == "__main__":
    import logging

    logging.disable(logging.ERROR)
    measured = asyncio.run(run())
    print(f"{measured.share:.1%}", measured)
