"""Too much is refused with a time to come back; how fast is for ``make bench-resilience``."""

from __future__ import annotations

from collections.abc import Callable

from bench.resilience import overload
from bench.resilience.overload import LOADS

TIMED = ("goodput", "refused in", "does not recover")
"""What depends on who else has the cores."""


async def missed() -> list[str]:
    report = await overload.run(2.0, LOADS[:1])
    assert report.tried > 100
    return [v for v in +report.violations if not any(t in v for t in TIMED)]


async def test_what_is_too_much_is_refused_and_nothing_else_happens() -> None:
    assert await missed() == []


async def test_a_gate_that_lets_everybody_in_is_noticed(broken: Callable[[str], None]) -> None:
    broken(
        "from dazi.gateway.gate import Gate\n"
        "async def enter(self, *_): self.taken += 1\n"
        "Gate.enter = enter"
    )
    assert [v for v in await missed() if "nothing was refused" in v]
