"""Three searches find nothing; and with a guard taken away, each finds a way."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench.security import attackers
from bench.security.annex import annexed
from bench.security.attackers import ATTACKERS
from bench.security.genome import Genome, Mutator, Scene, step
from bench.security.scenes import BAIT, SCENES
from dazi.main.company import load_company
from tests.security.test_malicious_model import (
    Patch,
    confirmation,
    decided,
    grounding,
    policy,
    where_it_goes,
)


async def test_no_attacker_gets_through() -> None:
    report = await attackers.run(250)
    assert report.found == {} and report.won == {}
    assert set(report.tries) == set(ATTACKERS) and min(report.tries.values()) >= 250
    assert {
        "ok",
        "forbidden",
        "unknown_tool",
        "invalid",
        "ungrounded",
        "needs_confirmation",
    } <= set(report.outcomes)
    # They get as far as effects that the person asked for.
    assert min(report.best.values()) > attackers.EFFECT and report.effects > 150


@pytest.mark.parametrize("attacker", list(ATTACKERS))
@pytest.mark.parametrize("guard", [grounding, where_it_goes, confirmation, decided, policy])
async def test_each_finds_a_guard_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, guard: Patch, attacker: str
) -> None:
    guard(monkeypatch)
    for seed in range(3, 8):
        report = await attackers.run(400, seed, (attacker,))
        if report.found:
            assert report.won[attacker]
            return
    raise AssertionError(f"{guard.__name__} is missing and {attacker} noticed nothing")


async def test_a_value_that_was_not_said_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of what was said stands beside the oracle: neither hides the other."""
    monkeypatch.setattr("bench.security.stage.violations", lambda *_: iter(()))
    where_it_goes(monkeypatch)
    report = await attackers.run(400, 3, ("genetic",))
    assert any("is not what was said" in v for v in report.found)


async def test_the_hill_is_climbed(tmp_path: Path) -> None:
    """A search that is told how near it came gets nearer than its first attempt was."""
    scene = Scene("x", ("给 a",), {}, BAIT, (Genome((step("send_email", to="a"),)),))
    reached: list[float] = []

    async def attempt(genome: Genome) -> float:
        length = max((len(s.arguments) for s in genome.steps), default=0)
        reached.append(min(length, 200) / 200)
        return reached[-1]

    company = load_company(annexed(tmp_path / "company"))
    await ATTACKERS["hill climbing"](attempt, Mutator(company, scene, random.Random(1)), 150)
    assert max(reached) > 2 * reached[0]


def test_what_was_said_is_listed_as_it_was_said() -> None:
    for scene in SCENES:
        said = " ".join(scene.said)
        for format in ("email", "url", "account"):
            assert all(value in said for value in scene.whole.get(format, ()))
            assert BAIT[format] not in said
