"""A model may word a section; a number that it makes up does not reach the reader."""

from __future__ import annotations

from datetime import date

import pytest

from dazi.apps.reports.model_words import ModelWriter
from dazi.apps.reports.result import Run
from dazi.apps.reports.running import Worded
from dazi.apps.reports.service import ReportService, Wanted
from dazi.apps.reports.verifying import unbound, verify
from dazi.core.engine import ModelProfile
from dazi.core.errors import OperatorError
from dazi.core.principal import Principal
from dazi.main.governed import Governed
from tests.fakes.engine import ScriptedEngine

WHO = Principal("finance", frozenset({"finance"}))
TODAY = date(2025, 4, 3)
GOOD = (
    "市场部花费 92.00万元,预算 80.00万元,使用率 115.0%。",
    "研发部花费 114.00万元,比上季增长8.6%。",
    "两个部门里研发部花得多。"[2:],
    "2025年第1季度合计花费 206.00万元。",
)
BAD = (
    "市场部花费 93.00万元。",
    "市场部花费 114.00万元。",  # the other department's
    "市场部预算 92.00万元。",  # spent, not budgeted
    "研发部比上季下降8.6%。",  # it rose
    "研发部花费占比约三成。",
    "市场部花费 92.00亿元。",
    "研发部花费 114.00万元,约为市场部的 1.24 倍。",
    "市场部2025年第2季度花费 92.00万元。",
    "市场部花费翻倍。",
)


def writer(engine: ScriptedEngine | None = None) -> ModelWriter:
    return ModelWriter(engine or ScriptedEngine(), WHO, TODAY)


def words(said: str, costs: Run) -> Worded:
    section = costs.sections[0]
    return writer().checked(said, section, (costs.table("overview"),), "zh")


@pytest.mark.parametrize("sentence", GOOD)
def test_what_is_bound_stays_and_says_what_it_rests_on(costs: Run, sentence: str) -> None:
    worded = words(sentence, costs)
    (kept,) = worded.paragraphs
    assert (kept.text, worded.dropped) == (sentence, ())
    assert unbound(kept.text, kept.bound, "zh") is None


@pytest.mark.parametrize("sentence", BAD)
def test_what_is_not_bound_is_dropped(costs: Run, sentence: str) -> None:
    worded = words(f"{sentence}{GOOD[0]}", costs)
    assert worded.dropped == (sentence,)
    assert [p.text for p in worded.paragraphs] == [GOOD[0]]


def test_every_figure_of_an_accepted_sentence_names_its_cell(costs: Run) -> None:
    (kept,) = words(GOOD[0], costs).paragraphs
    sources = [b.sources[0] for b in kept.bound if b.format != "text"]
    assert sources == ["overview[市场部].spent", "overview[市场部].budget", "overview[市场部].used"]


async def ran(opened: Governed, engine: ScriptedEngine) -> Run:
    service = ReportService(
        opened.company, opened.router, opened.ledger, opened.today, opened.limiter, engine
    )
    return await service.run(opened.principal("finance"), Wanted("department-costs", "zh"))


async def test_in_a_report(opened: Governed) -> None:
    done = await ran(opened, ScriptedEngine([f"{GOOD[0]}{BAD[0]}"]))
    verify(done)
    assert [p.text for p in done.sections[0].paragraphs] == [GOOD[0]]
    assert done.modelled
    assert any("93.00万元" in note for note in done.notes)


@pytest.mark.parametrize(
    "said", [BAD[0], "占三成。", OperatorError("model", "模型不在", "no model")]
)
async def test_where_nothing_stays_the_template_does(
    opened: Governed, said: str | OperatorError
) -> None:
    done = await ran(opened, ScriptedEngine([said]))
    assert not done.modelled
    assert "206.00万元" in done.sections[0].paragraphs[0].text
    assert any("模板文字" in note for note in done.notes)


async def test_a_model_that_only_copies_is_not_asked(costs: Run) -> None:
    engine = ScriptedEngine([], ModelProfile("mini", 2048, copies_text=True))
    worded = await writer(engine)(costs.sections[0], (costs.table("overview"),), "zh")
    assert worded.paragraphs == () and worded.why.zh
    assert engine.requests == []
