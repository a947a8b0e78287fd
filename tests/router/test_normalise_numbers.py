"""Numbers and sums of money, said in Chinese and in English."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.router.normalise import find_numbers, parse_number
from dazi.router.normalise.numerals import hanzi

NUMBERS = """
0 = 0
5 = 5
299 = 299
1200 = 1200
1,200 = 1200
1,200.50 = 1200.50
12,345,678 = 12345678
99.9 = 99.9
0.5 = 0.5
-50 = -50
299元 = 299
299 元 = 299
299块 = 299
299块钱 = 299
299块5 = 299.5
299.00元 = 299
¥299 = 299
￥299 = 299
¥ 1,200.50 = 1200.50
$35 = 35
US$35 = 35
RMB 300 = 300
RMB300 = 300
300 RMB = 300
299 yuan = 299
35 dollars = 35
20 bucks = 20
12k = 12000
1.5k = 1500
12K = 12000
3w = 30000
1.2万 = 12000
1.2万元 = 12000
3万 = 30000
12万5 = 125000
3千 = 3000
2百 = 200
1亿 = 100000000
５００元 = 500
零 = 0
一 = 1
两 = 2
十 = 10
十二 = 12
二十 = 20
二十三 = 23
两百 = 200
二百五 = 250
两百五 = 250
一百零五 = 105
一百二 = 120
一百二十三 = 123
三千 = 3000
三千五 = 3500
三千五百 = 3500
三千零五十 = 3050
一千零五 = 1005
一万 = 10000
一万二 = 12000
一万零二十 = 10020
三万五千 = 35000
十万 = 100000
一百二十万 = 1200000
一亿两千万 = 120000000
五百块 = 500
五百元 = 500
三千五百块钱 = 3500
三块五 = 3.5
三块五毛 = 3.5
一百二十块五 = 120.5
五毛 = 0.5
二〇二五 = 2025
叁佰元 = 300
前10 = 10
前三名 = 3
前十 = 10
三个 = 3
10个 = 10
top 5 = 5
top10 = 10
top three = 3
三块钱吧 = 3
约300元 = 300
one = 1
ten = 10
twenty-three = 23
twenty three = 23
one hundred = 100
a hundred = 100
a hundred and five = 105
three hundred yuan = 300
two thousand five hundred = 2500
one million = 1000000
about 300 = 300
299 please = 299
"""
NOTHING = """
hello 1,20 1.2.3 ORD12345 B204 12:30 4/3 2025-04-03 万 百 万一 十百 百千 一一万 100% 1e5 半 几百 -- 元 3rd one-one
"""


@pytest.mark.parametrize(
    ("said", "value"), [ln.split(" = ") for ln in NUMBERS.strip().splitlines()]
)
def test_a_number_is_read(said: str, value: str) -> None:
    assert parse_number(said) == Decimal(value)


@pytest.mark.parametrize(
    "said",
    [*NOTHING.split(), "", " ", "hundred and", "three four", "twenty thirteen", "¥", "1 2", "一二"],
)
def test_no_number_is_none(said: str) -> None:
    assert parse_number(said) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("给 ORD12345 退299元", {"299元": 299}),
        ("ORD12345退299", {"299": 299}),
        ("退 ¥1,200.50,订单 ORD12345", {"¥1,200.50": Decimal("1200.50")}),
        ("退两百块", {"两百块": 200}),
        ("退三千五", {"三千五": 3500}),
        ("退1.2万", {"1.2万": 12000}),
        ("退十二块五", {"十二块五": Decimal("12.5")}),
        ("前10的大区", {"10": 10}),
        ("前十的大区", {"十": 10}),
        ("销量前五,弄个图", {"五": 5}),
        ("top10大区", {"10": 10}),
        ("上月top 5", {"5": 5}),
        ("卖得最好的五款", {"五": 5}),
        ("卖得最好的5个产品", {"5": 5}),
        ("6月前20名", {"20": 20}),
        ("which three products sell best", {"three": 3}),
        ("top five products for November", {"five": 5}),
        ("refund $35 on ORD12345", {"$35": 35}),
        ("refund two hundred yuan", {"two hundred yuan": 200}),
        ("refund 1,200 RMB please", {"1,200 RMB": 1200}),
        ("退12.5 给客户", {"12.5": Decimal("12.5")}),
        ("100-200元", {"100": 100, "200元": 200}),
        ("order 299.", {"299": 299}),
        ("明天3个人从14:00到15:30", {"3": 3}),
        ("the amount is 45, not 54", {"45": 45, "54": 54}),
        ("pay 12345 yuan", {"12345 yuan": 12345}),
        ("ORD82977/10块钱/拒收", {"10块钱": 10}),
        ("ORD84411/3,104.71元", {"3,104.71元": Decimal("3104.71")}),
        ("ORD12345,299元", {"299元": 299}),
        ("top15,7月的", {"15": 15}),
        ("topthree regions", {"three": 3}),
        ("金额:88.8。", {"88.8": Decimal("88.8")}),
    ],
)
def test_numbers_are_found(text: str, found: dict[str, int]) -> None:
    assert {s.text: s.value for s in find_numbers(text)} == found


@pytest.mark.parametrize(
    "text",
    [
        "ORD12345", "ORD 12345", "ord 12345", "SKU-3301", "SKU 3301", "TX204913", "TX 204913", "B204", "S24",
        "2025-04-03", "4月3号", "4/3", "14:00", "下午两点", "3pm", "half past nine", "3月", "2025年3月", "Q1", "一季度",
        "13812345678", "138-1234-5678", "010-12345678", "下周三", "星期二", "三天后", "in 3 days", "the 3rd", "2nd",
        "一下", "统一", "万一", "千万别", "十分感谢", "几百块", "第三", "第3个", "100%", "wang12@x.com", "v1.2.3",
        "one problem", "someone", "often", "256GB", "5G", "1e5", "#12", "192.168.1.1", "三月份",
    ],
)  # fmt: skip
def test_no_numbers_are_found(text: str) -> None:
    assert find_numbers(text) == []


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=999_999_999, places=2))
def test_decimals_round_trip(value: Decimal) -> None:
    for said in (f"{value}", f"{value:,}", f"¥{value}", f"{value}元"):
        assert parse_number(said) == value


@settings(deadline=None)
@given(st.integers(1, 99_999_999))
def test_hanzi_round_trip(value: int) -> None:
    assert parse_number(in_hanzi(value)) == value


def in_hanzi(value: int) -> str:
    if value >= 10_000:
        high, low = divmod(value, 10_000)
        zero = "零" if 0 < low < 1000 else ""
        return f"{in_hanzi(high)}万{zero}{in_hanzi(low) if low else ''}"
    out, skipped = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            out += ("零" if skipped and out else "") + "零一二三四五六七八九"[digit] + name
        skipped = not digit
    return out


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_safe(text: str) -> None:
    parse_number(text)
    for span in find_numbers(text):
        assert text[span.start : span.end] == span.text
        assert span.value >= 0


def test_numbers_far_from_each_other_are_each_looked_at() -> None:
    found = find_numbers(f"3 个{'好' * 100}在 2025 年 4 月 5 日要 6 个")
    assert [int(span.value) for span in found] == [3, 6]


def test_no_characters_are_no_number() -> None:
    with pytest.raises(ValueError):
        hanzi("")
