"""The plots' figures are the plan's own, at other precisions, loads and months."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dazi.ops.plan.accelerators import accelerator_of
from dazi.ops.plan.cost import Load, Prices
from dazi.ops.plan.curves import MONTHS, course, rates, roof, stack
from dazi.ops.plan.models import shape_of
from dazi.ops.plan.planning import Wanted, plan

A100 = accelerator_of("A100-80GB")
WANTED = Wanted(shape_of("Qwen3-14B"), "fp8", 8192, 8, A100, Load(20_000))


def test_a_bar_for_each_precision_and_the_chosen_one_among_them() -> None:
    made = stack(plan(WANTED))
    assert [(b.precision, b.concurrency) for b in made.bars if b.chosen] == [("fp8", 8)]
    for bar in made.bars:
        alone = plan(replace(WANTED, precision=bar.precision, concurrency=bar.concurrency))
        assert bar.memory == alone.memory
        assert (bar.memory.total <= made.card * made.cards) or alone.fits > made.cards


def test_the_roofline_goes_through_the_plan_and_rises_until_something_bounds_it() -> None:
    p = plan(WANTED)
    made = roof(p)
    assert dict(made.wanted)[8] == p.speed.together
    tokens = [t for _, t in made.wanted]
    assert tokens == sorted(tokens)
    assert [x.server for _, x in made.published] == ["vLLM 0.11", "SGLang", "TensorRT-LLM"]
    assert all(found.tokens < dict(made.short)[n] for n, found in made.published)
    assert not roof(plan(replace(WANTED, gpu=accelerator_of("L40S")))).published


def test_there_is_room_for_as_many_as_the_cards_hold() -> None:
    p = plan(WANTED)
    room = roof(p).room
    assert plan(replace(WANTED, concurrency=room)).fits == p.fits
    assert plan(replace(WANTED, concurrency=room + 1)).fits > p.fits


@pytest.mark.parametrize(("api", "even"), [(0.5, False), (40.0, True)])
def test_the_course_ends_where_three_years_cost_ends(api: float, even: bool) -> None:
    p = plan(replace(WANTED, prices=Prices(api_read=api, api_written=4 * api)))
    made = course(p)
    assert len(made.private) == len(made.api) == MONTHS + 1
    assert made.private[0] == p.cost.hardware
    assert (made.private[-1], made.api[-1]) == pytest.approx((p.cost.private, p.cost.api))
    assert (made.even is not None) == even == (p.cost.private < p.cost.api)
    if made.even is not None:
        low = int(made.even)
        assert made.private[low] >= made.api[low] and made.private[low + 1] < made.api[low + 1]


def test_what_is_rented_is_even_at_once_or_never() -> None:
    cheap, dear = (
        course(plan(replace(WANTED, prices=Prices(hour=1, staff=0, api_read=p, api_written=p))))
        for p in (9, 0.1)
    )
    assert (cheap.even, dear.even) == (0, None)
    assert cheap.private[0] == 0


def test_another_load_takes_as_many_cards_as_a_plan_for_it() -> None:
    found = rates(WANTED)
    chosen = next(r for r in found if r.requests == WANTED.load.requests)
    assert chosen.private == plan(WANTED).cost.thousand
    for rate in found[:: len(found) // 4]:
        p = plan(replace(WANTED, load=Load(rate.requests)))
        assert (rate.gpus, rate.private) == (p.gpus, p.cost.thousand)
    assert found[0].gpus < found[-1].gpus
    assert len({r.api for r in found}) == 1


def test_without_requests_there_is_no_chosen_point() -> None:
    assert min(r.requests for r in rates(replace(WANTED, load=Load(0)))) > 0
