"""Key figures of an annual report: with page and quote, and nothing guessed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from dazi.apps.reports.figures import figures_in, figures_of
from dazi.apps.reports.result import Run
from dazi.core.errors import CallerError
from dazi.knowledge.blocks import Block


async def test_tables_sentences_and_targets(annual: Path) -> None:
    found = {f["metric"]: f for f in await figures_in(annual)}
    assert list(found) == ["营业收入", "毛利率", "净利润", "研发费用", "总资产"]
    revenue = found["营业收入"]
    assert (revenue["value"], revenue["unit"], revenue["prior"]) == (
        Decimal("123450.00"), "万元", Decimal("114094.27"),
    )  # fmt: skip
    assert revenue["stated"] == Decimal("0.082")
    assert revenue["target"] == 120_000  # 12 亿元, in the figure's own unit
    assert found["净利润"]["target"] == 11_000
    assert found["研发费用"]["prior"] == Decimal("5308.33")
    assert found["毛利率"]["unit"] == "%"
    assert all(f["quote"] for f in found.values())


def test_the_report_says_what_was_met(runs: dict[tuple[str, str], Run]) -> None:
    run = runs["annual-report", "zh"]
    goals = {str(r["name"]): r["met"] for r in run.table("goals").rows}
    assert goals == {"营业收入": "true", "净利润": "false"}
    assert run.failed == ()
    assert any(
        "123,450.00" in p.text and p.origin == "document" for p in run.sections[-1].paragraphs
    )


@pytest.mark.parametrize(
    ("text", "value", "unit", "stated"),
    [
        ("Revenue was RMB 1,234.5 million, up 8.2% year on year.", "1234.5", "million", "0.082"),
        ("公司实现营业收入12.35亿元,同比下降3.1%。", "12.35", "亿元", "-0.031"),
        ("营业收入为 980 万元。", "980", "万元", None),
    ],
)
def test_sentences(text: str, value: str, unit: str, stated: str | None) -> None:
    (figure,) = figures_of([Block("text", text, page=7)])
    assert (figure.value, figure.unit, figure.stated, figure.page) == (value, unit, stated, 7)
    assert figure.quote == text


@pytest.mark.parametrize(
    "text",
    [
        "营业收入稳步增长。",
        "我们关注净利润与现金流。",
        "研发费用见第 12 页。",
        "营业收入增长 8.2%。",
    ],
)
def test_what_is_no_figure_is_none(text: str) -> None:
    found = figures_of([Block("text", text, page=1)])
    assert all(f.value is None for f in found) or found == []


async def test_a_document_without_figures_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("没有数字。", "utf-8")
    with pytest.raises(CallerError, match="no key figures"):
        await figures_in(path)
