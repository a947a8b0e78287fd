"""Times of day and durations, said in Chinese and in English."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.router.normalise import (
    find_durations,
    find_times,
    parse_duration,
    parse_range,
    parse_time,
)
from dazi.router.normalise.clock import Clock

TIMES = """
14:00 = 14:00
14:00 = 14:00
9:30 = 09:30
09:30 = 09:30
02:30 = 02:30
2:30 = 14:30
12:00 = 12:00
12:45 = 12:45
0:15 = 00:15
00:00 = 00:00
23:59 = 23:59
24:00 = 00:00
14:00:00 = 14:00
14 : 30 = 14:30
14点 = 14:00
14點 = 14:00
14点30 = 14:30
14点30分 = 14:30
14时 = 14:00
14时30分 = 14:30
8点 = 08:00
8点整 = 08:00
8点钟 = 08:00
十点钟 = 10:00
九点 = 09:00
十点 = 10:00
十一点 = 11:00
十二点 = 12:00
十二点半 = 12:30
十三点 = 13:00
十五点半 = 15:30
二十点 = 20:00
二十三点 = 23:00
一点 = 13:00
一点半 = 13:30
两点 = 14:00
二点 = 14:00
两点半 = 14:30
两点一刻 = 14:15
两点三刻 = 14:45
两点钟 = 14:00
三点四十五 = 15:45
三点四十五分 = 15:45
三点零五 = 15:05
三点零五分 = 15:05
三点十分 = 15:10
三点二十 = 15:20
三点15 = 15:15
3点15分 = 15:15
3点05 = 15:05
七点 = 19:00
7点半 = 19:30
差一刻三点 = 14:45
差五分十点 = 09:55
差10分3点 = 14:50
下午两点 = 14:00
下午2点 = 14:00
下午 2点 = 14:00
下午2点半 = 14:30
下午2点30 = 14:30
下午2:30 = 14:30
下午两点一刻 = 14:15
下午14点 = 14:00
下午一点 = 13:00
下午的三点 = 15:00
下午大概三点 = 15:00
下午12点半 = 12:30
早上九点 = 09:00
早上8点半 = 08:30
早晨七点 = 07:00
上午十点 = 10:00
上午10:15 = 10:15
上午9点45 = 09:45
清晨五点 = 05:00
凌晨两点 = 02:00
凌晨12点 = 00:00
半夜三点 = 03:00
中午12点 = 12:00
中午十二点半 = 12:30
中午11点半 = 11:30
中午一点 = 13:00
中午 = 12:00
正午 = 12:00
傍晚六点 = 18:00
晚上八点 = 20:00
晚上8点半 = 20:30
晚上7:30 = 19:30
晚上十一点 = 23:00
晚上十二点 = 00:00
夜里十一点 = 23:00
夜里两点 = 02:00
深夜一点 = 01:00
午夜 = 00:00
早8点 = 08:00
晚8点 = 20:00
晚八点半 = 20:30
2点pm = 14:00
下午两点左右 = 14:00
下午两点吧 = 14:00
从下午两点 = 14:00
到三点 = 15:00
２：３０ｐｍ = 14:30
１４：００ = 14:00
下午２点 = 14:00
2:30pm = 14:30
2:30 PM = 14:30
2:30 p.m. = 14:30
2.30pm = 14:30
3 pm = 15:00
3pm = 15:00
3PM = 15:00
3 p.m. = 15:00
3 P.M. = 15:00
9am = 09:00
9 am = 09:00
9a.m. = 09:00
12pm = 12:00
12am = 00:00
12:30am = 00:30
12:30pm = 12:30
11:59 pm = 23:59
noon = 12:00
Noon = 12:00
12 noon = 12:00
midday = 12:00
midnight = 00:00
at noon = 12:00
half past nine = 09:30
half past 9 = 09:30
Half past 2 = 14:30
half past twelve = 12:30
quarter to ten = 09:45
a quarter to ten = 09:45
quarter past three = 15:15
a quarter past 3 pm = 15:15
quarter to 1 = 12:45
quarter to one pm = 12:45
ten past nine = 09:10
10 past 9 = 09:10
twenty past 4 = 16:20
10 minutes to 3 = 14:50
five minutes past ten = 10:05
3 o'clock = 15:00
3 o’clock = 15:00
3 oclock = 15:00
nine o'clock = 09:00
ten o'clock in the morning = 10:00
nine am = 09:00
two pm = 14:00
nine = 09:00
two = 14:00
two thirty = 14:30
two-thirty = 14:30
nine fifteen = 09:15
nine forty-five am = 09:45
10 = 10:00
12 = 12:00
8 = 08:00
7 = 19:00
1 = 13:00
16 = 16:00
1500 = 15:00
0900 = 09:00
930 = 09:30
1130 = 11:30
1500 hrs = 15:00
14h = 14:00
14h30 = 14:30
3 in the afternoon = 15:00
9 in the morning = 09:00
9:30 in the morning = 09:30
8 in the evening = 20:00
10 at night = 22:00
8 tonight = 20:00
tonight at 8 = 20:00
this afternoon at 3 = 15:00
morning at 9 = 09:00
evening 7 = 19:00
at 3pm = 15:00
around 3pm = 15:00
from 2pm = 14:00
until 5:30 = 17:30
by 11 = 11:00
3pm sharp = 15:00
@3pm = 15:00
"""

NOTHING = """
25:00 14:60 25点 三十点 60 下午 上午 早上 今天 Q1 3月 3号 299元 ORD12345 B204 hello 点 : -- 几点 第三点 2点5 零点五天 99
13pm5 一 一点点 3:4 0x10 12345 2561 1999999
"""
PARTS = "下午 两 点 半 到 3 10 : 30 pm - to at noon 一刻 o'clock past half 早 分"


def cases(table: str) -> list[tuple[str, str]]:
    return [tuple(line.rsplit(" = ", 1)) for line in table.strip().splitlines()]  # type: ignore[misc]


@pytest.mark.parametrize(("said", "time"), cases(TIMES))
def test_a_time_is_read(said: str, time: str) -> None:
    assert parse_time(said) == time


@pytest.mark.parametrize("said", [*NOTHING.split(), "", " ", "tomorrow", "half past"])
def test_no_time_is_none(said: str) -> None:
    assert parse_time(said) is None


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("下午两点", "三点", "14:00", "15:00"),
        ("10", "12", "10:00", "12:00"),
        ("11:00", "1", "11:00", "13:00"),
        ("晚上七点", "八点", "19:00", "20:00"),
        ("晚上七点", "八点半", "19:00", "20:30"),
        ("8点", "9点半", "08:00", "09:30"),
        ("中午十二点", "一点", "12:00", "13:00"),
        ("11点", "12点半", "11:00", "12:30"),
        ("上午9点半", "11点", "09:30", "11:00"),
        ("13:30", "17:00", "13:30", "17:00"),
        ("2", "3pm", "14:00", "15:00"),
        ("8", "9pm", "20:00", "21:00"),
        ("9", "5pm", "09:00", "17:00"),
        ("10", "12pm", "10:00", "12:00"),
        ("7", "9pm", "19:00", "21:00"),
        ("9:30", "11 in the morning", "09:30", "11:00"),
        ("8:30am", "12pm", "08:30", "12:00"),
        ("noon", "1 pm", "12:00", "13:00"),
        ("10am", "12", "10:00", "12:00"),
        ("2pm", "half past three", "14:00", "15:30"),
        ("tonight at 7", "9", "19:00", "21:00"),
        ("下午三点", "一个小时", "15:00", "16:00"),
        ("10am", "an hour", "10:00", "11:00"),
        ("两点", "一个半小时", "14:00", "15:30"),
        ("14:00", "90分钟", "14:00", "15:30"),
        ("晚上11点", "两个小时", "23:00", None),
        ("nothing", "3", None, "15:00"),
    ],
)
def test_a_range(start: str, end: str, first: str | None, last: str | None) -> None:
    assert parse_range(start, end) == (first, last)
    if first:
        assert parse_time(end, not_before=first) == last


def test_what_is_said_outright_is_not_moved() -> None:
    assert parse_time("9am", not_before="14:00") == "09:00"
    assert parse_time("09:00", not_before="14:00") == "09:00"
    assert parse_time("上午十点", not_before="14:00") == "10:00"


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("一个小时", 60), ("1小时", 60), ("一小时", 60), ("半小时", 30), ("半个小时", 30), ("半个钟头", 30),
        ("一个半小时", 90), ("1.5小时", 90), ("1个半小时", 90), ("两个小时", 120), ("两小时", 120),
        ("2小时30分钟", 150), ("一小时二十分", 80), ("90分钟", 90), ("四十五分钟", 45), ("一刻钟", 15), ("三刻钟", 45),
        ("an hour", 60), ("1 hour", 60), ("one hour", 60), ("2h", 120), ("1h30m", 90), ("half an hour", 30),
        ("half hour", 30), ("an hour and a half", 90), ("one and a half hours", 90), ("1.5 hours", 90),
        ("90 minutes", 90), ("45 mins", 45), ("forty-five minutes", 45), ("2 hrs", 120),
        ("三天", None), ("一点", None), ("0分钟", None), ("48小时", None), ("hour", None), ("", None),
    ],
)  # fmt: skip
def test_durations(said: str, minutes: int | None) -> None:
    assert parse_duration(said) == minutes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("下周三下午两点到三点在上海", ["下午两点", "三点"]),
        ("订 B204 明天14:00-15:30", ["14:00", "15:30"]),
        ("订A301,明天下午两点到三点", ["下午两点", "三点"]),
        ("帮我把B205占了,后天上午9点半到11点", ["上午9点半", "11点"]),
        ("c205明天8点到9点半早会", ["8点", "9点半"]),
        ("今儿中午十二点到一点,A108给我留着", ["中午十二点", "一点"]),
        ("预定D408会议室,今天晚上七点到八点", ["晚上七点", "八点"]),
        ("明早8点到明晚九点", ["早8点", "晚九点"]),
        ("周六八点半-上午11点", ["八点半", "上午11点"]),
        ("下周三十二点半到13:30", ["十二点半", "13:30"]),
        ("这周一18点半到晚上8点半", ["18点半", "晚上8点半"]),
        ("2027-12-15 8:15到10:15", ["8:15", "10:15"]),
        ("2027-12-158:15到10:15", ["8:15", "10:15"]),
        ("2025-04-03T14:00:00Z", ["14:00:00Z"]),
        ("知道了。12点半到13:30", ["12点半", "13:30"]),
        ("10点10个人开会", ["10点"]),
        ("3点10分", ["3点10分"]),
        ("14-16点", ["14", "16点"]),
        ("book A204 tomorrow 2 to 3pm", ["2", "3pm"]),
        ("from 10 to 12", ["10", "12"]),
        ("10-12 in B204", ["10", "12"]),
        ("between 2 and 4", ["2", "4"]),
        ("9:30 until 11 in the morning", ["9:30", "11 in the morning"]),
        ("today 4pm-5:30pm", ["4pm", "5:30pm"]),
        ("noon to 1 pm", ["noon", "1 pm"]),
        ("noon-1pm", ["noon", "1pm"]),
        ("8:30am - 12pm", ["8:30am", "12pm"]),
        ("starting at 10:45 and ending at 11:45am.", ["10:45", "11:45am"]),
        ("1 o'clock-half past 3", ["1 o'clock", "half past 3"]),
        ("6 June 2 to 4 pm", ["2", "4 pm"]),
        ("at 1500", ["1500"]),
        ("1130-1230", ["1130", "1230"]),
        ("meet me at three", ["three"]),
        ("tomorrow morning at 9 until 11", ["morning at 9", "11"]),
        ("ping me @3pm", ["3pm"]),
        ("10:30 am to 11:30 Aug 20, 2026", ["10:30 am", "11:30"]),
    ],
)
def test_times_are_found(text: str, found: list[str]) -> None:
    assert [s.text for s in find_times(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "ORD12345", "ord 12345", "SKU-3301", "TX204913", "TX 204913", "B204", "299元", "¥1,200", "退299块",
        "13812345678", "138-1234-5678", "138 1234 5678", "010-12345678", "400-820-8820", "+86 138 1234 5678",
        "前10", "前十的大区", "top 10", "top10", "Q1", "3月", "3月15号", "2025-04-03", "4/3", "4.3", "2025",
        "in 3 days", "3 to 5 days", "3到5天", "3-5件", "5-10 items", "快一点", "有一点问题", "一点消息都没有",
        "五天 一点消息都没有", "我有两点建议", "三点意见", "第三点", "几点", "年假还有零点五天吗", "同时", "小时候", "3小时", "一个小时",
        "48小时发货", "192.168.1.10", "v2.4.3", "00:1A:2B:3C:4D:5E", "iPhone 15", "Galaxy S24", "10-12-2025",
        "March 3 to 5", "3月3到5号", "B204-B206", "12:34:56:78", "比例16:9", "a1:30", "2024-2025", "24/7", "$3.30",
        "at 35", "at 2026", "from 3 regions", "房间3", "12点5倍", "wang12@x.com", "5 percent", "100%",
    ],
)  # fmt: skip
def test_no_times_are_found(text: str) -> None:
    assert find_times(text) == []


def test_durations_are_found() -> None:
    assert [s.text for s in find_durations("周五下午三点用A212开一个小时会")] == ["一个小时"]
    assert [s.text for s in find_durations("D210 friday 10am for an hour and a half")] == [
        "an hour and a half"
    ]
    assert find_durations("ORD12345 B204 三点 3h4x") == []
    assert [s.text for s in find_durations("借A204一个小时")] == ["一个小时"]
    assert [s.text for s in find_durations("要个半小时,或者一个半小时")] == ["半小时", "一个半小时"]


@settings(deadline=None)
@given(st.times())
def test_clock_round_trip(time: object) -> None:
    hhmm = f"{time:%H:%M}"
    assert parse_time(hhmm) == (hhmm if hhmm[0] != "1" or hhmm >= "13" else parse_time(hhmm))
    assert parse_time(f"{time:%I:%M %p}") == hhmm
    assert parse_time(f"{time:%H点%M分}") in (hhmm, f"{(int(hhmm[:2]) + 12) % 24:02}{hhmm[2:]}")


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_safe(text: str) -> None:
    parse_time(text)
    parse_time(text, not_before="10:00")
    parse_range(text, text)
    for span in find_times(text):
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
        for span in find_times(message):
            assert parse_time(span.text) is not None


def test_no_time_is_an_hour_or_more_before_the_hour() -> None:
    for minutes in (0, 60):
        with pytest.raises(ValueError):
            Clock(10).less(minutes)
