"""Callers who leave are noticed at once, accounted for, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable

from bench.resilience import gone
from bench.resilience.gone import CASES

SOME = [c for c in CASES if "closing" not in c.name]
ONE = [c for c in CASES if c.name == "raw, stream, in the middle"]


async def test_everything_is_let_go() -> None:
    report = await gone.run(2, SOME)
    assert +report.violations == {}
    assert report.tried == 2 * len(SOME) + 2


async def test_work_for_nobody_is_noticed(broken: Callable[[str], None]) -> None:
    broken(
        "from contextlib import nullcontext\n"
        "from dazi.gateway.exchange import Exchange\n"
        "Exchange.until_gone = lambda self: nullcontext()"
    )
    whole = [c for c in CASES if c.name == "raw, whole"]
    report = await gone.run(1, whole, queue=False)
    assert report.violations["raw, whole: let go too late"]


async def test_use_that_is_not_on_record_is_noticed(broken: Callable[[str], None]) -> None:
    broken(
        "from dazi.core.engine import Usage\n"
        "import dazi.gateway.generation as generation\n"
        "generation.spent = lambda *_: Usage()"
    )
    report = await gone.run(1, ONE, queue=False)
    assert list(+report.violations) == [f"{ONE[0].name}: the ledger does not tell what it used"]


async def test_a_place_that_is_never_given_back_is_noticed(broken: Callable[[str], None]) -> None:
    broken("from dazi.gateway.gate import Gate\nGate.leave = lambda self: None")
    report = await gone.run(1, ONE, queue=False)
    assert report.violations[f"{ONE[0].name}: a place is not free again"]
