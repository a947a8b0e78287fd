"""A model's views count with the contract's own words only, and take nothing away."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dazi.apps.contracts.review import review
from dazi.apps.contracts.reviewed import Origin, Reviewed, reviewed
from dazi.apps.contracts.rules import load_policy
from dazi.apps.contracts.views import MOST_VIEWS, RULE, STRETCH, Viewer, able
from dazi.core.engine import ModelProfile
from dazi.core.errors import OperatorError
from tests.apps.contracts.texts import SERVICE, changed, contract
from tests.fakes.engine import ScriptedEngine

QUOTE = "未经甲方书面同意，乙方不得将服务分包给第三方。"
MODEL = ModelProfile("big", 32_000)


@pytest.fixture(scope="module")
def done() -> Reviewed:
    found = review(contract(changed(SERVICE, "发票后30日内", "发票后90日内")), contract(SERVICE))
    return reviewed(found, load_policy(), Origin("a.md", "d"))


def view(
    quote: str = QUOTE, severity: str = "medium", message: str = "分包的后果没有写", **more: str
) -> str:
    said = {"quote": quote, "severity": severity, "message": message, "suggestion": "写明后果"}
    return json.dumps(said | more, ensure_ascii=False)


async def added(done: Reviewed, *said: str) -> list[object]:
    engine = ScriptedEngine(["\n".join(said)], MODEL)
    made = await Viewer(engine).add(done, "zh")
    # Nothing of what code has found is gone or changed.
    assert [r for r in made.remarks if r.by == "code"] == list(done.remarks)
    assert made.passages == done.passages and made.fields == done.fields
    return [r for r in made.remarks if r.by == "model"]


async def test_a_view_with_the_contracts_own_words(done: Reviewed) -> None:
    (r,) = await added(done, "我看到一个问题:", view(), "无其他问题。")
    assert (r.rule, r.severity, r.quote) == (RULE, "medium", QUOTE)
    assert r.spot is not None and r.spot.first == 4 and r.message.zh == "分包的后果没有写"


@pytest.mark.parametrize(
    "said",
    [
        view("乙方可以将服务分包给任何第三方。"),
        view("甲方"),
        view(QUOTE + "且不退款"),
        view(message=""),
        view(message="应在 45 日内通知"),  # no such number anywhere
        '{"quote": 3, "message": "x"}',
        "{broken",
        "[]",
        "无",
        " ",
    ],
)
async def test_what_does_not_count(done: Reviewed, said: str) -> None:
    assert await added(done, said) == []


async def test_never_above_medium_and_not_too_many(done: Reviewed) -> None:
    (r,) = await added(done, view(severity="high", message="30 日内没有说怎么通知"))
    assert r.severity == "medium"
    (r,) = await added(done, view(severity="urgent"))
    assert r.severity == "low"
    quotes = [p.text for p in done.passages if len(p.text) > 12]
    assert len(quotes) > MOST_VIEWS
    assert len(await added(done, *(view(q) for q in quotes))) <= MOST_VIEWS


async def test_a_model_that_fails_takes_nothing_away(done: Reviewed) -> None:
    def fails(_: object) -> str:
        raise OperatorError("model", "模型不在", "no model")

    made = await Viewer(ScriptedEngine(fails, MODEL)).add(done, "zh")
    assert made == done


async def test_a_contract_is_shown_whole_in_stretches(done: Reviewed) -> None:
    engine = ScriptedEngine(lambda _: "无", MODEL)
    long = replace(done, passages=tuple(replace(p, text=p.text * 40) for p in done.passages))
    await Viewer(engine).add(long, "zh")
    shown = [r.messages[-1].content for r in engine.requests]
    assert len(shown) > 1
    assert all(p.text in "\n".join(shown) for p in long.passages)
    assert max(map(len, shown)) < 3 * STRETCH


def test_which_models_are_able() -> None:
    assert able(MODEL)
    assert not able(ModelProfile("small", 2_048))
    assert not able(ModelProfile("mini", 32_000, bundled=True))
    assert not able(ModelProfile("copies", 32_000, copies_text=True))
