"""Memory against Qwen3-14B's official measurements, speed against what is known, cost by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from dazi.core.errors import CallerError
from dazi.main.cli import complete
from dazi.ops.plan.accelerators import ACCELERATORS, accelerator_of
from dazi.ops.plan.cost import Fleet, Load, Prices, cost_of
from dazi.ops.plan.memory import Precision, cache_bytes, memory_of
from dazi.ops.plan.models import SHAPES, shape_of
from dazi.ops.plan.planning import AT_ONCE, REACHED, Wanted, as_plain, plan
from dazi.ops.plan.speed import PUBLISHED, speed_of
from dazi.ops.plan.telling import told

QWEN = shape_of("Qwen/Qwen3-14B")
A100 = accelerator_of("A100-80GB")


@pytest.mark.parametrize(
    ("name", "billions"),
    [("0.6B", 0.6), ("1.7B", 1.72), ("4B", 4.0), ("8B", 8.2), ("14B", 14.8), ("32B", 32.8), ("30B-A3B", 30.5), ("235B-A22B", 235)],
)  # fmt: skip
def test_shapes_have_the_parameters_of_their_cards(name: str, billions: float) -> None:
    assert shape_of(f"Qwen3-{name}").parameters / 1e9 == pytest.approx(billions, rel=0.012)


def test_a_mixture_multiplies_with_its_active_experts() -> None:
    active = SHAPES["Qwen/Qwen3-30B-A3B"].active_linear + SHAPES["Qwen/Qwen3-30B-A3B"].embeddings
    assert active / 1e9 == pytest.approx(3.3, rel=0.03)


@pytest.mark.parametrize(
    ("precision", "official"), [("bf16", 33_336), ("fp8", 20_813), ("awq", 15_323)]
)
def test_memory_is_what_was_officially_measured(precision: Precision, official: int) -> None:
    assert memory_of(QWEN, precision, 30_720, 1).total == pytest.approx(official, rel=0.002)


def test_weights_and_cache_are_those_of_the_report() -> None:
    assert cache_bytes(QWEN) == 163_840
    weights = {p: memory_of(QWEN, p, 1, 1).weights / 1024 for p in ("bf16", "fp8", "awq")}
    assert weights == pytest.approx({"bf16": 27.5, "fp8": 15.2, "awq": 9.3}, rel=0.01)
    half = memory_of(QWEN, "bf16", 32_768, 4, fp8_cache=True).cache
    assert half * 2 == memory_of(QWEN, "bf16", 32_768, 4).cache == 4 * 5 * 1024


def test_one_request_is_bounded_by_bandwidth() -> None:
    assert speed_of(QWEN, "bf16", A100, 1, 1, 1).alone == pytest.approx(69, rel=0.06)
    assert speed_of(QWEN, "awq", A100, 1, 1, 1).alone == pytest.approx(204, rel=0.2)
    many = speed_of(QWEN, "bf16", A100, 1, 1, 4096)
    assert many.bound == "arithmetic"
    assert many.together <= A100.bf16 * 1e12 / (2 * QWEN.active_linear)


def test_nothing_published_is_faster_than_the_bound() -> None:
    for gpu in ("A100-80GB", "H100"):
        made = plan(Wanted(QWEN, "bf16", 500, 256, accelerator_of(gpu)))
        assert made.published
        assert all(p.tokens < made.speed.together for p in made.published)


def test_what_servers_reach_is_what_was_published() -> None:
    bound = speed_of(QWEN, "bf16", A100, 1, 500, AT_ONCE).together
    reached = [p.tokens / bound for p in PUBLISHED if p.gpu == A100.name]
    assert min(reached) == pytest.approx(REACHED, abs=0.01)
    assert max(reached) < 0.3


def test_what_does_not_fit_takes_two_and_then_four() -> None:
    large = shape_of("Qwen3-32B")
    small = accelerator_of("L40S")
    assert [plan(Wanted(large, p, 32_768, 1, small)).fits for p in ("bf16", "awq")] == [2, 1]
    assert plan(Wanted(large, "bf16", 131_072, 2, small)).fits == 4


def test_load_asks_for_replicas() -> None:
    one = Wanted(QWEN, "bf16", 4096, 8, A100, Load(10_000))
    more = replace(one, load=Load(2_000_000))
    assert plan(one).replicas == 1
    assert plan(more).replicas > 10
    assert 0 < plan(more).busy <= 1


def test_cost_is_what_one_counts_by_hand() -> None:
    load, prices = Load(1000, 1000, 500), Prices(100_000, 0, 1.0, 1.5, 50_000, 2.0, 8.0)
    fleet = Fleet(2, 1, 400, 1e9)
    cost = cost_of(load, prices, fleet)
    assert cost.hardware == 200_000
    assert cost.power == pytest.approx(0.8 * 1.5 * 8760 * 3)
    assert cost.staff == 150_000
    assert cost.api_thousand == pytest.approx(6.0)
    assert cost.thousand == pytest.approx(cost.private / (1000 * 365 * 3) * 1000)
    at_even = cost_of(replace(load, requests=cost.even), prices, fleet)
    assert at_even.api == pytest.approx(at_even.private, rel=1e-3)
    rented = cost_of(load, replace(prices, hour=10), fleet)
    assert (rented.hardware, rented.power) == (10 * 8760 * 3 * 2, 0)


@pytest.mark.parametrize("api_read", [4.0, 8.0, 60.0])
def test_from_the_even_load_on_machines_of_ones_own_are_cheaper(api_read: float) -> None:
    """However many more of them a larger load takes; and a little below it they are not."""
    one = Wanted(QWEN, "bf16", 4096, 8, A100, Load(1), Prices(api_read=api_read, api_written=16))
    even = plan(one).cost.even
    assert even

    def cheaper(requests: int) -> bool:
        cost = plan(replace(one, load=Load(requests))).cost
        assert cost.even == even
        return cost.private <= cost.api

    assert not cheaper(round(even * 0.99))
    assert all(cheaper(even + step * even // 100) for step in range(400))


def test_where_a_replica_never_earns_its_price_no_load_is_even() -> None:
    never = Wanted(QWEN, "bf16", 4096, 8, A100, Load(1), Prices(api_read=0.5, api_written=1))
    assert plan(never).cost.even == 0
    assert not any(
        (c := plan(replace(never, load=Load(10**n))).cost).private < c.api for n in range(9)
    )
    assert "API 便宜" in "\n".join(told(plan(never), "zh"))


def test_a_cache_of_eight_bits_is_read_in_half_the_time() -> None:
    long = Wanted(QWEN, "awq", 32_768, 64, accelerator_of("H20"))
    made = [plan(replace(long, fp8_cache=half)) for half in (False, True)]
    whole, half = (p.speed.together / p.fits for p in made)
    assert 1.8 < half / whole < 2


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (["--model", "llama"], "llama"),
        (["--gpu", "abacus"], "abacus"),
        (["--precision", "bf15"], "bf16, fp8, awq"),
        (["--context", "200000"], "131072"),
        (["--concurrency", "0"], "1"),
        (["--requests", "-5"], "requests"),
        (["--kwh", "nan"], "kwh"),
        (["--staff", "inf"], "staff"),
        (["--concurrency", "1000000"], "100,000"),
    ],
)
def test_what_cannot_be_planned_is_said_why(given: list[str], code: str) -> None:
    done = CliRunner().invoke(complete(), ["plan", *given])
    assert isinstance(done.exception, CallerError)
    assert code in done.exception.message("zh")


def test_the_command_answers_in_json_and_in_words() -> None:
    line = ["plan", "--model", "Qwen/Qwen3-14B", "--precision", "bf16", "--context", "30720", "--concurrency", "1"]  # fmt: skip
    done = CliRunner().invoke(complete(), [*line, "--json"])
    assert json.loads(done.output)["memory_mb"] == pytest.approx(33_336, rel=0.002)
    said = CliRunner().invoke(complete(), line, env={"DAZI_LANG": "en"}).output
    assert "33,3" in said
    assert "vLLM 0.11 1,887" in said


def test_every_accelerator_can_be_planned_for() -> None:
    for gpu in ACCELERATORS.values():
        plain = as_plain(plan(Wanted(QWEN, "fp8", 8192, 4, gpu)))
        assert plain["gpus"] >= plain["gpus_to_hold_it"] >= 1
