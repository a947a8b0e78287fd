"""Sums, percentages, periods and dates, in figures and in words, in both languages."""

from __future__ import annotations

import pytest

from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.numerals import hanzi_number, word_number
from dazi.apps.contracts.values import days, percents, periods


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("人民币壹佰贰拾万元整（¥1,200,000.00）", [("1200000", "CNY", True), ("1200000.00", "CNY", False)]),
        ("每件 12.5 元，共 30 万元", [("12.5", "CNY", False), ("300000", "CNY", False)]),
        ("玖仟零伍拾元叁角贰分", [("9050.32", "CNY", True)]),
        ("RMB 1,200,000 (Renminbi One Million Two Hundred Thousand Yuan only)", [("1200000", "CNY", False), ("1200000", "CNY", True)]),
        ("EUR 649,280.00 (say: six hundred and forty-nine thousand two hundred and eighty euros only)", [("649280.00", "EUR", False), ("649280", "EUR", True)]),
        ("in words: five hundred and ninety-nine thousand three hundred and sixty Chinese yuan", [("599360", "CNY", True)]),
        ("USD 12,000.50 per quarter", [("12000.50", "USD", False)]),
        ("第三条第二款，共 30 日", []),
    ],
)  # fmt: skip
def test_sums(text: str, found: list[tuple[str, str, bool]]) -> None:
    assert [(str(m.amount), m.currency, m.written) for m in moneys(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [("万分之五", ["0.05"]), ("20%", ["20"]), ("百分之二十", ["20"]), ("千分之三", ["0.3"]),
     ("0.05 per cent", ["0.05"]), ("百分之零点五", ["0.5"]), ("3‰", ["0.3"])],
)  # fmt: skip
def test_percentages(text: str, found: list[str]) -> None:
    assert [f"{p.value.normalize():f}" for p in percents(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30日内", [("30", "day")]), ("三十个工作日", [("30", "workday")]), ("半年", [("0.5", "year")]),
        ("within thirty (30) days", [("30", "day")]), ("45 business days", [("45", "workday")]),
        ("two years", [("2", "year")]), ("自2025年3月1日起3年", [("3", "year")]),
        ("twelve-month period", [("12", "month")]), ("on the 100th day after receipt", [("100", "day")]),
        ("二〇二五年九月二十八日", []),
    ],
)  # fmt: skip
def test_periods(text: str, found: list[tuple[str, str]]) -> None:
    assert [(str(p.number), p.unit) for p in periods(text)] == found


@pytest.mark.parametrize(
    ("text", "day"),
    [("2025年3月1日", "2025-03-01"), ("二〇二五年三月十二日", "2025-03-12"), ("March 1, 2025", "2025-03-01"),
     ("1st day of March, 2026", "2026-03-01"), ("2025-03-01", "2025-03-01"), ("2025年2月30日", None)],
)  # fmt: skip
def test_dates(text: str, day: str | None) -> None:
    assert [d.day.isoformat() for d in days(text)] == ([day] if day else [])


def test_numbers_in_words() -> None:
    assert (
        hanzi_number("壹佰贰拾叁万肆仟伍佰") == 1_234_500
        and hanzi_number("一亿零三") == 100_000_003
    )
    assert hanzi_number("合同") is None and hanzi_number("") is None
    assert word_number("One Million Two Hundred and Fifty Thousand") == 1_250_000
    assert word_number("several") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("一个半月", [("1.5", "month")]), ("三十（30）个工作日", [("30", "workday")]), ("半个月", [("0.5", "month")]),
        ("2 (two) years", [("2", "year")]), ("one hundred and eighty days", [("180", "day")]),
        ("thirty-five (35) calendar days", [("35", "day")]), ("within a month", [("1", "month")]),
        ("六个自然月", [("6", "month")]), ("第一年", []), ("net 45 days", [("45", "day")]),
    ],
)  # fmt: skip
def test_more_ways_to_write_a_period(text: str, found: list[tuple[str, str]]) -> None:
    assert [(str(p.number), p.unit) for p in periods(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("人民币肆拾捌万零伍佰圆伍角整", [("480500.5", "CNY")]), ("四十八万元整", [("480000", "CNY")]),
        ("月租金45,000元/月", [("45000", "CNY")]), ("每件3元/件", []),
        ("in words: thirty thousand Renminbi", [("30000", "CNY")]), ("US Dollars Twelve Thousand only", [("12000", "USD")]),
    ],
)  # fmt: skip
def test_more_ways_to_write_a_sum(text: str, found: list[tuple[str, str]]) -> None:
    assert [(f"{m.amount.normalize():f}", m.currency) for m in moneys(text)] == found


@pytest.mark.parametrize(
    ("text", "value"),
    [("twenty per cent", "20"), ("zero point five per cent", "0.5"), ("合同总价的八成", "80"), ("百分之一百二十", "120")],
)  # fmt: skip
def test_more_ways_to_write_a_rate(text: str, value: str) -> None:
    assert [f"{p.value.normalize():f}" for p in percents(text)] == [value]
