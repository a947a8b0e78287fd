"""Months and quarters, said in Chinese and in English, in April 2025."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.router.normalise import find_months, find_quarters, parse_month, parse_quarter

TODAY = date(2025, 4, 3)

MONTHS = """
上个月 = 2025-03
上月 = 2025-03
上一个月 = 2025-03
上月份 = 2025-03
这个月 = 2025-04
本月 = 2025-04
当月 = 2025-04
上上个月 = 2025-02
上上月 = 2025-02
下个月 = 2025-05
下月 = 2025-05
两个月前 = 2025-02
三个月前 = 2025-01
去年3月 = 2024-03
去年的3月 = 2024-03
去年三月份 = 2024-03
去年12月 = 2024-12
前年6月 = 2023-06
今年三月 = 2025-03
今年10月 = 2025-10
明年1月 = 2026-01
3月 = 2025-03
3 月 = 2025-03
3月份 = 2025-03
03月 = 2025-03
三月 = 2025-03
三月份 = 2025-03
4月 = 2025-04
5月 = 2024-05
五月 = 2024-05
10月 = 2024-10
十月 = 2024-10
十一月 = 2024-11
12月 = 2024-12
十二月份 = 2024-12
一月 = 2025-01
1月 = 2025-01
2025年3月 = 2025-03
2025年3月份 = 2025-03
2025 年 3 月 = 2025-03
2024年11月 = 2024-11
25年3月 = 2025-03
二〇二五年三月 = 2025-03
二零二四年十二月 = 2024-12
2025-03 = 2025-03
2025-3 = 2025-03
2025/03 = 2025-03
2025.03 = 2025-03
2025.3 = 2025-03
202503 = 2025-03
3/2025 = 2025-03
03/2025 = 2025-03
２０２５年３月 = 2025-03
上個月 = 2025-03
上个月的 = 2025-03
在3月 = 2025-03
March = 2025-03
march = 2025-03
MARCH = 2025-03
Mar = 2025-03
Mar. = 2025-03
April = 2025-04
May = 2024-05
may = 2024-05
june = 2024-06
Sept = 2024-09
Dec = 2024-12
December = 2024-12
Jan = 2025-01
Mar 2025 = 2025-03
March 2025 = 2025-03
March, 2025 = 2025-03
March of 2025 = 2025-03
mar 2024 = 2024-03
Nov-2024 = 2024-11
Mar '24 = 2024-03
2025 March = 2025-03
last month = 2025-03
Last Month = 2025-03
last month's = 2025-03
previous month = 2025-03
this month = 2025-04
the current month = 2025-04
next month = 2025-05
the month before last = 2025-02
month before last = 2025-02
two months ago = 2025-02
a month ago = 2025-03
last March = 2025-03
last April = 2024-04
last May = 2024-05
last December = 2024-12
this March = 2025-03
this June = 2025-06
next June = 2025-06
next January = 2026-01
March last year = 2024-03
last year's March = 2024-03
last year march = 2024-03
March this year = 2025-03
March of last year = 2024-03
in March = 2025-03
for february = 2025-02
february please = 2025-02
febuary = 2025-02
"""

QUARTERS = """
Q1 = 2025-Q1
q1 = 2025-Q1
Q 1 = 2025-Q1
Q4 = 2025-Q4
一季度 = 2025-Q1
1季度 = 2025-Q1
第一季度 = 2025-Q1
第1季度 = 2025-Q1
第 一 季度 = 2025-Q1
第一个季度 = 2025-Q1
四季度 = 2025-Q4
第四季度 = 2025-Q4
一季 = 2025-Q1
首季度 = 2025-Q1
上个季度 = 2025-Q1
上季度 = 2025-Q1
上一季度 = 2025-Q1
上一个季度 = 2025-Q1
上季 = 2025-Q1
上上个季度 = 2024-Q4
本季度 = 2025-Q2
本季 = 2025-Q2
这个季度 = 2025-Q2
这季度 = 2025-Q2
当季度 = 2025-Q2
下个季度 = 2025-Q3
下季度 = 2025-Q3
去年一季度 = 2024-Q1
去年第一季度 = 2024-Q1
去年的四季度 = 2024-Q4
去年Q4 = 2024-Q4
去年 Q4 = 2024-Q4
今年Q1 = 2025-Q1
今年三季度 = 2025-Q3
明年Q1 = 2026-Q1
前年二季度 = 2023-Q2
2025Q1 = 2025-Q1
2025 Q1 = 2025-Q1
2025年Q1 = 2025-Q1
2025 年 Q1 = 2025-Q1
2025年一季度 = 2025-Q1
2025年第一季度 = 2025-Q1
2024年的三季度 = 2024-Q3
25年Q1 = 2025-Q1
2025-Q1 = 2025-Q1
2025-q1 = 2025-Q1
2025/Q1 = 2025-Q1
Q1季度 = 2025-Q1
Ｑ１ = 2025-Q1
Q1的 = 2025-Q1
Q1 2025 = 2025-Q1
Q1, 2025 = 2025-Q1
Q1-2025 = 2025-Q1
Q1 of 2025 = 2025-Q1
q4 2024 = 2024-Q4
4Q2024 = 2024-Q4
first quarter = 2025-Q1
the first quarter = 2025-Q1
First Quarter = 2025-Q1
1st quarter = 2025-Q1
second quarter = 2025-Q2
third quarter = 2025-Q3
fourth quarter = 2025-Q4
final quarter = 2025-Q4
the first quarter of 2025 = 2025-Q1
first quarter 2024 = 2024-Q1
quarter 1 = 2025-Q1
quarter one = 2025-Q1
quarter 3 2024 = 2024-Q3
last quarter = 2025-Q1
last quarter's = 2025-Q1
previous quarter = 2025-Q1
the last quarter = 2025-Q1
this quarter = 2025-Q2
current quarter = 2025-Q2
next quarter = 2025-Q3
the quarter before last = 2024-Q4
last year's Q3 = 2024-Q3
last year Q3 = 2024-Q3
last year's third quarter = 2024-Q3
Q3 last year = 2024-Q3
Q3 of last year = 2024-Q3
first quarter of last year = 2024-Q1
the fourth quarter last year = 2024-Q4
Q2 this year = 2025-Q2
for Q1 = 2025-Q1
in the first quarter = 2025-Q1
"""

NO_MONTH = """
13月 0月 2025-13 202513 Q1 3号 3月15号 明天 3个月 一季度 2025 hello 月 5月5日 2025-03-01 monday marchx ORD202503
"""
NO_QUARTER = (
    "Q5 Q0 五季度 2025-Q5 quarter 季度 3月 March Q Q12 FAQ1 第五季度 季节 一季节 hello 2025 3q"
)
PARTS = "上 个 月 3 去年 2025 - 年 Q1 季度 第 一 March last month of quarter first 's year"


def cases(table: str) -> list[tuple[str, str]]:
    return [tuple(line.rsplit(" = ", 1)) for line in table.strip().splitlines()]  # type: ignore[misc]


@pytest.mark.parametrize(("said", "month"), cases(MONTHS))
def test_a_month_is_read(said: str, month: str) -> None:
    assert parse_month(said, TODAY) == month
    assert parse_month(f" {said.upper()} ", TODAY) == month


@pytest.mark.parametrize(("said", "quarter"), cases(QUARTERS))
def test_a_quarter_is_read(said: str, quarter: str) -> None:
    assert parse_quarter(said, TODAY) == quarter
    assert parse_quarter(f" {said.upper()} ", TODAY) == quarter


@pytest.mark.parametrize("said", [*NO_MONTH.split(), "", "May I", "13/2025"])
def test_no_month_is_none(said: str) -> None:
    assert parse_month(said, TODAY) is None


@pytest.mark.parametrize("said", [*NO_QUARTER.split(), "", "fifth quarter", "a quarter to ten"])
def test_no_quarter_is_none(said: str) -> None:
    assert parse_quarter(said, TODAY) is None


@pytest.mark.parametrize(
    ("today", "said", "month"),
    [
        ("2026-01-06", "上月", "2025-12"),
        ("2026-02-11", "11月", "2025-11"),
        ("2025-12-15", "去年12月", "2024-12"),
        ("2025-12-15", "12月", "2025-12"),
        ("2025-11-15", "12月", "2024-12"),
        ("2025-03-01", "last March", "2024-03"),
        ("2025-01-01", "month before last", "2024-11"),
        ("2025-12-31", "下个月", "2026-01"),
    ],
)
def test_months_of_other_days(today: str, said: str, month: str) -> None:
    assert parse_month(said, date.fromisoformat(today)) == month


@pytest.mark.parametrize(
    ("today", "said", "quarter"),
    [
        ("2026-01-14", "上季度", "2025-Q4"),
        ("2026-02-06", "last quarter", "2025-Q4"),
        ("2025-12-03", "本季度", "2025-Q4"),
        ("2025-12-03", "下季度", "2026-Q1"),
        ("2025-03-31", "this quarter", "2025-Q1"),
    ],
)
def test_quarters_of_other_days(today: str, said: str, quarter: str) -> None:
    assert parse_quarter(said, date.fromisoformat(today)) == quarter


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3月和4月的销售额对比一下", ["3月", "4月"]),
        ("上个月和这个月的销售额都给我看看", ["上个月", "这个月"]),
        ("5月前10的产品", ["5月"]),
        ("5月10个区", ["5月"]),
        ("那个4月哪些产品卖得好", ["4月"]),
        ("2025年3月销售top10", ["2025年3月"]),
        ("去年12月的销售数据", ["去年12月"]),
        ("三月份业绩", ["三月份"]),
        ("2025-03的数据", ["2025-03"]),
        ("compare march and april sales", ["march", "april"]),
        ("sales for feb 2025, best five", ["feb 2025"]),
        ("Last month's numbers", ["Last month"]),
        ("Sales report, Jan.", ["Jan"]),
        ("May I see the May sales", ["May"]),
        ("sales in may", ["may"]),
        ("3月15号下的单", []),
        ("2025-03-15", []),
        ("3个月", []),
        ("三个月", []),
        ("13月", []),
        ("3月份15号", []),
        ("since July 1st", []),
        ("ORD202503", []),
        ("TX 202503", []),
        ("202503元", []),
        ("1月1日", []),
        ("3月底", []),
        ("吃月饼", []),
        ("you may go, it may rain", []),
        ("SKU-2025-03", []),
    ],
)
def test_months_are_found(text: str, found: list[str]) -> None:
    assert [s.text for s in find_months(text, TODAY)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("市场部和研发部Q1预算放一块儿", ["Q1"]),
        ("销售部一季度跟二季度的预算", ["一季度", "二季度"]),
        ("HR上季度预算", ["上季度"]),
        ("HRQ3怎么个情况", ["Q3"]),
        ("R&DQ1的预算", ["Q1"]),
        ("2024年Q4R&D跟人事谁花得多", ["2024年Q4"]),
        ("查财务部去年四季度的预算", ["去年四季度"]),
        ("Q1和Q2、Q3/Q4", ["Q1", "Q2", "Q3", "Q4"]),
        ("the Q1 marketing budget", ["Q1"]),
        ("finance department's Q4 2024 budget", ["Q4 2024"]),
        ("pull HR's budget for last quarter", ["last quarter"]),
        ("third quarter budget", ["third quarter"]),
        ("last year's Q3 vs Q3", ["last year's Q3", "Q3"]),
        ("quarter past three", []),
        ("FAQ1 SKU-Q1 Q12", []),
        ("星期四季度总结会", []),
        ("3q", []),
        ("四季如春", []),
        ("这个季节", []),
    ],
)
def test_quarters_are_found(text: str, found: list[str]) -> None:
    assert [s.text for s in find_quarters(text, TODAY)] == found


@settings(deadline=None)
@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
def test_round_trip(day: date) -> None:
    month, quarter = f"{day:%Y-%m}", f"{day.year}-Q{(day.month + 2) // 3}"
    assert parse_month(month, TODAY) == month
    assert parse_month(f"{day:%B %Y}", TODAY) == month
    assert parse_quarter(quarter, TODAY) == quarter


@settings(deadline=None)
@given(st.text(max_size=60), st.dates())
def test_any_text_is_safe(text: str, today: date) -> None:
    parse_month(text, today)
    parse_quarter(text, today)
    for span in [*find_months(text, today), *find_quarters(text, today)]:
        assert text[span.start : span.end] == span.text


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(PARTS.split()),
        max_size=12,
    )
)
def test_what_is_found_can_be_read(parts: list[str]) -> None:
    for message in ("".join(parts), " ".join(parts)):
        assert all(parse_month(s.text, TODAY) for s in find_months(message, TODAY))
        assert all(parse_quarter(s.text, TODAY) for s in find_quarters(message, TODAY))
