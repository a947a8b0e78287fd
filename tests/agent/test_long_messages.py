"""A message as long as the limit allows must not hold up everybody else."""

from __future__ import annotations

import time
from datetime import date

import pytest

from dazi.agent.check import AnswerChecker
from dazi.router.grounding import Evidence

LENGTH = 100_000


@pytest.mark.parametrize(
    "piece", ["a-", "2025-", "ORD", "A1", "1", "1,", "一", "十", "明", " ", "很"]
)
def test_learning_from_a_long_message_takes_linear_time(piece: str) -> None:
    evidence = Evidence(date(2025, 4, 3))
    evidence.said((piece * LENGTH)[:LENGTH])
    began = time.process_time()
    AnswerChecker.over(evidence, []).check("订单 ORD12345 已发货。")
    assert time.process_time() - began < 30, "more than linear"


def test_codes_are_runs_of_letters_and_digits() -> None:
    evidence = Evidence(date(2025, 4, 3))
    evidence.said("SKU-1001 和 ord12345,2025-04-03,abc-def")
    checker = AnswerChecker.over(evidence, [])
    assert checker.check("ORD12345 是 SKU-1001。").ok
    assert checker.codes == {"SKU-1001", "ORD12345"}
    assert checker.check("ORD99999。").unsupported == ("ORD99999",)
