"""What reports calculate and write with."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dazi.apps.reports import functions
from dazi.apps.reports.anomalies import Rule, find
from dazi.apps.reports.expressions import ExpressionError, Scope, evaluate, parse, traced
from dazi.apps.reports.formats import written
from dazi.apps.reports.templates import filled, template_of
from dazi.core.language import Language

D = Decimal
SALES = {
    "sales": {"total": D("110.10"), "rows": [{"name": "华东", "amount": D(70)}, {"name": "华南", "amount": D("40.1")}]},
    "before": {"total": D(100), "rows": []},
    "nothing": None,
}  # fmt: skip


def value(text: str) -> object:
    return evaluate(parse(text), Scope(SALES))


def test_expressions_calculate_exactly() -> None:
    assert value("sum(sales.rows.amount)") == D("110.1")
    assert value("growth(sales.total, before.total)") == D("0.101")
    assert value("0.1 + 0.2") == D("0.3")
    assert value("sales.rows['华南'].amount * 3") == D("120.3")
    assert value("rank(first(sales.rows).amount, sales.rows.amount)") == 1
    assert value("nothing.total") is None
    assert value("growth(sales.total, nothing.total)") is None
    assert value("sales.total / (before.total - before.total)") is None
    assert value("'up' if sales.total > before.total else 'down'") == "up"
    assert value("median(sales.rows.amount)") == D("55.05")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "sales.__class__", "open('x')", "[x for x in sales.rows]", "lambda: 1",
        "sales.rows.amount.append", "sum(sales.rows, start=1)", "f'{sales}'", "sales.total ** 9999",
        "sales if", "", "a" * 600, "sales.total|nonsense",
    ],
)  # fmt: skip
def test_nothing_else_can_be_said_in_an_expression(text: str) -> None:
    with pytest.raises(ExpressionError):
        value(text)


def test_what_a_value_was_read_from_is_known() -> None:
    found, sources = traced(parse("growth(sales.total, before.total)"), Scope(SALES))
    assert found == D("0.101")
    assert {"sales.total", "before.total"} <= set(sources)


@pytest.mark.parametrize(
    ("given", "format", "zh", "en"),
    [
        (D("1234567.005"), "yuan", "1,234,567.01元", "CNY 1,234,567.01"),
        (D("1234567"), "wan", "123.46万元", "CNY 1.23 million"),
        (D("0.1235"), "percent", "12.4%", "12.4%"),
        (D("-0.0004"), "percent", "0.0%", "0.0%"),
        (D("0.05"), "change", "+5.0%", "+5.0%"),
        (D("-0.031"), "grew", "下降3.1%", "down 3.1%"),
        (D("0"), "grew", "持平", "unchanged"),
        (D("0.012"), "points", "+1.2个百分点", "+1.2 percentage points"),
        (D(22), "ordinal", "第22", "22nd"),
        ("2025-03", "period", "2025年3月", "March 2025"),
        ("2025-Q1", "period", "2025年第1季度", "Q1 2025"),
        ("2025-04-03", "period", "2025年4月3日", "3 April 2025"),
        (None, "yuan", "—", "—"),
        (["市场部", "研发部"], "text", "市场部、研发部", "市场部, 研发部"),
    ],
)
def test_values_are_written_and_rounded_as_declared(
    given: object, format: str, zh: str, en: str
) -> None:
    assert (written(given, format, "zh"), written(given, format, "en")) == (zh, en)


def test_a_format_refuses_what_it_cannot_write() -> None:
    with pytest.raises(ValueError, match="yuan"):
        written("12", "yuan", "zh")


@pytest.mark.parametrize(
    "text", ["共 3 个地区", "前三名 {sales.total}", "up by half", "{sales.total", "a } b"]
)
def test_a_template_may_hold_no_number_of_its_own(text: str) -> None:
    with pytest.raises(ExpressionError):
        template_of(text)


def test_a_template_tells_what_each_piece_rests_on() -> None:
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        text, bound = filled(template_of("合计 {sales.total|yuan},{{}}"), Scope(SALES), language)
        assert text.endswith(",{}")
        (one,) = bound
        assert (text[one.start : one.end], one.value) == (one.text, D("110.10"))
        assert "sales.total" in one.sources


def test_periods_move_over_years() -> None:
    assert functions.before("2025-01") == "2024-12"
    assert functions.before("2025-Q1") == "2024-Q4"
    assert functions.year_before("2025-03") == "2024-03"
    assert functions.year_before("2025-Q1") == "2024-Q1"
    assert functions.last_periods("2025-02", D(3)) == ["2024-12", "2025-01", "2025-02"]


def test_hours_of_a_calendar() -> None:
    assert functions.hours("09:00-10:30, 14:00-15:00") == D("2.5")
    assert functions.hours(None) == 0


def test_against_the_year_before() -> None:
    rule = Rule("amount", "year", D("0.2"), "was")
    now, then = [D(120), D(119), D(70), D(50), None], [D(100), D(100), D(100), D(0), D(10)]
    assert [(a.row, a.measure) for a in find(rule, now, then)] == [(0, D("0.2")), (2, D("-0.3"))]


def test_robust_deviation_is_not_moved_by_what_it_is_to_find() -> None:
    rule = Rule("amount", "deviation", D("3.5"))
    usual = [D(n) for n in (100, 102, 98, 101, 99, 103)]
    (found,) = find(rule, [*usual, D(10_000)])
    assert (found.row, found.expected) == (6, D(101))
    assert find(rule, usual) == []
    assert find(rule, [D(1), D(2), D(1_000)]) == []  # too few to tell
    assert find(rule, [D(5)] * 6 + [D(6)]) == []  # no spread to measure by
