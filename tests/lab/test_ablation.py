"""Leaving out an aid takes it from the model and nothing from the router."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dazi.lab.evals.ablation import Aid, WithoutAids
from dazi.lab.evals.cases import Case, CaseTurn, ExpectedCall
from dazi.lab.evals.runner import run_cases
from tests.lab.scripted import LARGE, Scripted, assistant

SAID = "ORD12345 到哪了"
INVENTED = ("get_order_status", {"order_id": "ORD99999"})


def case() -> Case:
    right = ExpectedCall("get_order_status", {"order_id": "ORD12345"})
    return Case("one", "customer", date(2025, 4, 3), (CaseTurn(SAID, ((right,),)),))


@pytest.mark.parametrize(
    ("without", "held", "constrained"),
    [("grounding", False, True), ("grammar", True, False)],
)
async def test_the_request_lacks_the_aid(without: Aid, held: bool, constrained: bool) -> None:
    inner = Scripted({SAID: [[INVENTED]]})
    async with assistant(WithoutAids(inner, frozenset({without}))) as runner:
        report = await run_cases(runner, [case()])
    request = inner.requests[0]
    assert request.constrained is constrained
    assert any(t.candidates for t in request.tools) is held
    assert report.model == f"scripted without {without}"


async def test_a_model_may_call_however_unsure_it_is() -> None:
    for without, needed in ((frozenset[Aid](), 0.7), (frozenset[Aid]({"confidence"}), 0.0)):
        inner = Scripted({SAID: [[INVENTED], "没有查到。"]}, replace(LARGE, call_confidence=0.7))
        async with assistant(WithoutAids(inner, without)) as runner:
            await run_cases(runner, [case()])
        first, second = inner.requests[:2]
        assert (first.call_confidence, second.call_confidence) == (needed, 0.0)


async def test_an_invented_number_is_refused_all_the_same() -> None:
    inner = Scripted({SAID: [[INVENTED]]})
    without: frozenset[Aid] = frozenset({"grammar", "grounding"})
    async with assistant(WithoutAids(inner, without)) as runner:
        report = await run_cases(runner, [case()])
    outcomes = [call["outcome"] for f in report.as_json()["failures"] for call in f["got"]]
    assert outcomes and set(outcomes) == {"ungrounded"}
