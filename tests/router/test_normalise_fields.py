"""The formats of parameters, and what is found in messages."""

from __future__ import annotations

import time
from datetime import date
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.core.language import Language
from dazi.core.tools import Format
from dazi.router.normalise import (
    expected,
    find_dates,
    find_emails,
    find_months,
    find_numbers,
    find_quarters,
    find_times,
    find_values,
    normalise,
    parse_email,
)
from dazi.router.normalise.sinks import find_accounts, find_urls
from dazi.router.normalise.text import variants

TODAY = date(2025, 4, 3)
FORMATS: tuple[Format, ...] = get_args(Format)


@pytest.mark.parametrize(
    ("format", "text", "value"),
    [
        ("date", "下周三", "2025-04-09"),
        ("date", "next Wednesday", "2025-04-09"),
        ("date", "2025-04-09T14:00:00", "2025-04-09"),
        ("date", "2025-04-09 14:00", "2025-04-09"),
        ("date", "明天下午三点", "2025-04-04"),
        ("date", "tomorrow at 3pm", "2025-04-04"),
        ("date", "on Friday at noon", "2025-04-04"),
        ("date", "明天和后天", None),
        ("date", "明天在上海", None),
        ("date", "soon", None),
        ("time", "下午两点", "14:00"),
        ("time", "2025-04-09T14:00:00", "14:00"),
        ("time", "明天下午三点", "15:00"),
        ("time", "tomorrow at 3pm", "15:00"),
        ("time", "下午两点到三点", None),
        ("time", "later", None),
        ("month", "上个月", "2025-03"),
        ("month", "this year", None),
        ("quarter", "去年Q4", "2024-Q4"),
        ("quarter", "Q7", None),
        ("email", " Wang.Lei@Example.COM ", "Wang.Lei@example.com"),
        ("email", "wang.lei", None),
        ("money", "￥1,200.50", "1200.5"),
        ("money", "两百块", "200"),
        ("money", "0.005", None),
        ("url", "HTTPS://Shop.Example/a?b=1", "https://shop.example/a?b=1"),
        ("url", "https://a.example@evil.example/", None),
        ("url", "https://a.example\\@evil.example/", None),
        ("url", "https://аpple.example/", None),
        ("url", "javascript:alert(1)", None),
        ("account", "6222 0212-3456 7890", "6222021234567890"),
        ("account", "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("account", "622", None),
    ],
)
def test_normalise(format: Format, text: str, value: str | None) -> None:
    assert normalise(format, text, TODAY) == value


def test_keywords_reach_their_readers() -> None:
    assert normalise("time", "三点", TODAY, not_before="14:00") == "15:00"
    assert normalise("time", "8", TODAY, not_after="21:00") == "20:00"
    assert normalise("time", "一个小时", TODAY, not_before="14:00") == "15:00"
    assert normalise("date", "周五", TODAY, past=True) == "2025-03-28"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_expected_says_examples_that_can_be_read(
    format: Format, language: Language
) -> None:
    said = expected(format)(language)
    examples = said.split("例如" if language == "zh" else "such as")[1]
    parts = [e.strip(' "') for e in examples.replace("、", ",").split(",")]
    if language == "en":
        parts = [p for p in parts if p not in ("2025-04-09", "April 9")] or parts
    assert len(parts) >= 1
    assert all(normalise(format, part, TODAY) for part in parts)


@pytest.mark.parametrize(
    "address",
    [
        "a@b.cn",
        "wang.lei@yunshan.example",
        "amy+x_y-z@mail.example.org",
        "88zhou@qq.com",
        "o'neil@x.co.uk",
    ],
)
def test_addresses(address: str) -> None:
    assert parse_email(address) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "a@", "@b.cn", "a@b", "a b@c.cn", "a@b..cn", ".a@b.cn", "a.@b.cn", "a..b@c.cn", "a@-b.cn",
        "a@b-.cn", "a@b.c", "a@b.cn.", "a@@b.cn", "a@b.cn,c@d.cn", "<a@b.cn>", "王@b.cn", "a@例子.cn", "a@127.0.0.1",
        "a@b.cn\nBcc: c@d.cn", "a\u202e@b.cn", "x" * 65 + "@b.cn", "a@" + "b" * 64 + ".cn", "a@" + "b.c" * 100 + ".cn",
    ],
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    assert parse_email(text) is None


def test_full_width_addresses_are_folded() -> None:
    assert parse_email("ａ＠Ｂ．ｃｎ") == "a@b.cn"


def test_addresses_are_found() -> None:
    text = (
        "发给wang.lei@Yunshan.example,抄送<li@corp.cn>。行吗?tom@qq.com x@y z@127.0.0.1 a..b@x.com"
    )
    found = ["wang.lei@Yunshan.example", "li@corp.cn", "tom@qq.com"]
    assert [s.text for s in find_emails(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("下周三下午两点到三点在上海", ["下周三"]),
        ("订 B204 明天14:00-15:30", ["明天"]),
        ("ORD12345 SKU-3301 TX204913 B204 299元 ¥1,200 13812345678 138-1234-5678", []),
        ("从去年12月20号开始有哪些已签收的", ["去年12月20号"]),
        ("11月1号到现在退过款的", ["11月1号"]),
        ("3月5号-3月8号", ["3月5号", "3月8号"]),
        ("3/15-3/18", ["3/15", "3/18"]),
        ("4.3到4.9", ["4.3", "4.9"]),
        ("我三天前下的订单 ORD12345 还没发货", ["三天前"]),
        ("今晚八点和明早", ["今晚", "明早"]),
        ("查一下周三的会议室", ["周三"]),
        ("查下周三的会议室", ["下周三", "周三"]),
        ("看一下下周三的", ["下周三"]),
        ("看下月初的", ["下月初", "月初"]),
        ("周一到周五", ["周一", "周五"]),
        ("每周三开会,一周三次", []),
        ("墨尔本周六的天气", ["周六"]),
        ("多伦多星期天", ["星期天"]),
        ("K103周五中午", ["周五"]),
        ("4.10,16:30", ["4.10"]),
        ("2025-04-0310:00", ["2025-04-03"]),
        ("A301,3号下午", ["3号"]),
        ("12月31日和1月1日", ["12月31日", "1月1日"]),
        ("今天气温多少", ["今天"]),
        ("今后天气会好吗", []),
        ("3号楼 12号展位 5号线 大一号", []),
        ("2月30日 13月1号 32号", []),
        ("3月前10的产品", []),
        ("3月10个区", []),
        ("3月一共卖了多少", []),
        ("Q1预算", []),
        ("3个月", []),
        ("2.5天 4.5折 4.3分 1.2万 3.5元 12.5% v2.4.3 192.168.4.3 ¥4.30 RMB 4.30", []),
        ("5天年假 三点 10点 3小时 48小时", []),
        ("今年3月 去年Q4 去年一季度", []),
        ("next Wednesday at 3", ["next Wednesday"]),
        ("Friday, April 4th", ["Friday", "April 4th"]),
        ("the day after tomorrow?", ["the day after tomorrow"]),
        ("from Monday to Friday", ["Monday", "Friday"]),
        ("since July 1st?", ["July 1st"]),
        ("on the 3rd of April, 2025", ["the 3rd of April, 2025"]),
        ("Sep 22, 2026: Geneva", ["Sep 22, 2026"]),
        ("Mar 26 half past 8", ["Mar 26"]),
        ("last month's sales", ["last month"]),
        ("last March, Q3 last year's", ["last year"]),
        ("will the sun shine", []),
        ("3rd quarter, 2nd floor, the first order", []),
        ("in March 2025", []),
        ("May I ask", []),
        ("may 2pm", []),
        ("in 30 minutes, 3 pm, top 3", []),
        ("Monica met Thurston and Sunny", []),
    ],
)
def test_dates_are_found(text: str, found: list[str]) -> None:
    assert [s.text for s in find_dates(text, TODAY)] == found


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_found_has_its_place_and_can_be_read(format: Format) -> None:
    text = "発给 ａ@b.cn 明天１４：００-15:30,下周三 Q１ 上个月 ﬁ İ 3月 next Friday at noon 李 付299.5元到６222 0212-3456 7890,见 https://A.example/x?y=1。"
    for span in find_values(format, text, TODAY):
        assert text[span.start : span.end] == span.text
        assert normalise(format, span.text, TODAY)
    assert find_values(format, text, TODAY)


@settings(deadline=None)
@given(st.sampled_from(FORMATS), st.text(max_size=80), st.dates())
def test_any_text_is_safe(format: Format, text: str, today: date) -> None:
    normalise(format, text, today)
    find_values(format, text, today)


def test_a_long_message_is_read_at_both_ends() -> None:
    text = "明天14:00," + "货" * 50_000 + "2025-05-0610:00 退299元 li@corp.cn 3月 Q1"
    assert [s.text for s in find_dates(text, TODAY)] == ["明天", "2025-05-06"]
    assert [s.text for s in find_times(text)] == ["14:00", "10:00"]
    assert [s.text for s in find_numbers(text)] == ["299元"]
    for format in FORMATS:
        assert all(text[s.start : s.end] == s.text for s in find_values(format, text, TODAY))


def test_the_end_of_a_long_message_begins_with_whole_words() -> None:
    for length in range(4_050, 4_130):
        text = "ORD1234512345123451234512345123451234512345" + " " * length
        text = text[::-1] if length % 2 else text + "4.3 "
        for find in (find_times, find_numbers):
            assert [s.text for s in find(text)] in ([], ["4.3"])


@pytest.mark.parametrize(
    "unit",
    ["一", "1", " ", "上", "上上个", "下", "2-", "3 to ", "at 3 to ", "明天14:00-15:30 ", "next ", "4/", "a@", "a.", "¥1,",
     "1 ", "two hundred ", "千", "周", "半", "-", "the ", "三点", "2025-04-"],
)  # fmt: skip
def test_long_texts_take_little_time(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    began = time.process_time()
    find_dates(text, TODAY)
    find_times(text)
    find_months(text, TODAY)
    find_quarters(text, TODAY)
    find_numbers(text)
    find_emails(text)
    for format in FORMATS:
        normalise(format, text, TODAY)
    assert time.process_time() - began < 30, "more than linear"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("o'neil@x.co.uk", ["o'neil@x.co.uk"]),
        ("'li@x.cn' 和 `wang@x.cn`、**zhao@x.cn**", ["li@x.cn", "wang@x.cn", "zhao@x.cn"]),
        ("wang/li@evil.example", ["wang/li@evil.example"]),
        ("li@yunshan.exämple", []),
        ("öli@yunshan.example", []),
        ("请发li@x.cn吧", ["li@x.cn"]),
    ],
)
def test_a_part_of_an_address_is_none(text: str, found: list[str]) -> None:
    assert [s.text for s in find_emails(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("转到 6222021234567890 100 元", ["6222021234567890"]),
        ("62220212345678 90 元", ["62220212345678"]),
        ("6222 0212 3456 7890 100", ["6222 0212 3456 7890 100", "6222 0212 3456 7890"]),
        ("US133000000121212121212 and rent is 2200", ["US133000000121212121212"]),
        ("DE89 3704 0044 0532 0130 00 from acme", ["DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130"]),
        ("6222-0212-3456-7890", ["6222-0212-3456-7890"]),
        ("订单 1234567", []),
    ],
)  # fmt: skip
def test_accounts_are_found_as_wholes(text: str, found: list[str]) -> None:
    assert [s.text for s in find_accounts(text)] == found


def test_web_addresses_end_where_hanzi_begin() -> None:
    assert [s.text for s in find_urls("打开https://x.example/help看看")] == [
        "https://x.example/help"
    ]
    assert find_urls("https://x.example/wiki/北京") == []


def test_addresses_in_the_middle_of_a_long_text_are_found() -> None:
    text = f"{'字' * 9000} li@x.cn 6222021234567890 {'字' * 9000}"
    assert [s.text for s in find_emails(text)] == ["li@x.cn"]
    assert [s.text for s in find_accounts(text)] == ["6222021234567890"]


@pytest.mark.parametrize("port", ["99999", "x"])
def test_an_address_with_a_port_that_is_none(port: str) -> None:
    assert normalise("url", f"https://a.example:{port}/", TODAY) is None


def test_a_date_in_a_long_text_is_not_a_date() -> None:
    assert normalise("date", f"2025-04-09T14:00{' ' * 10}", TODAY) == "2025-04-09"
    assert normalise("date", f"2025-04-09T14:00{' ' * 100}", TODAY) is None


def test_words_that_lead_in_and_trail_off_are_tried_without() -> None:
    assert [*variants("在明天吧")] == ["在明天吧", "明天吧", "明天", "在明天"]
    assert [*variants("明天吧")] == ["明天吧", "明天"]
    assert [*variants("  ")] == []


def test_an_address_longer_than_any_is_none() -> None:
    assert parse_email(f"{'a' * 600}@a.example") is None
