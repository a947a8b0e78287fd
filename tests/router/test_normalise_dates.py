"""Days, said in Chinese and in English, on a Thursday."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.router.normalise import find_dates, parse_date

TODAY = date(2025, 4, 3)

CHINESE = """
2025-04-09 = 2025-04-09
2025/4/3 = 2025-04-03
2025.4.3 = 2025-04-03
2025.04.30 = 2025-04-30
2025 - 4 - 3 = 2025-04-03
20250403 = 2025-04-03
2025年4月3日 = 2025-04-03
2025年4月3号 = 2025-04-03
2025 年 4 月 3 日 = 2025-04-03
25年4月3日 = 2025-04-03
2024年12月31日 = 2024-12-31
二〇二五年四月三日 = 2025-04-03
二零二六年一月十五号 = 2026-01-15
4月3号 = 2025-04-03
4月3日 = 2025-04-03
4月9 = 2025-04-09
4月3 日 = 2025-04-03
4月 15号 = 2025-04-15
4/3 = 2025-04-03
4.3 = 2025-04-03
4.30 = 2025-04-30
4/30 = 2025-04-30
04-30 = 2025-04-30
4.3号 = 2025-04-03
三月十五号 = 2025-03-15
三月十五 = 2025-03-15
四月三日 = 2025-04-03
十二月二十五号 = 2025-12-25
十月一号 = 2025-10-01
今年5月1号 = 2025-05-01
去年12月20号 = 2024-12-20
去年的12月20号 = 2024-12-20
明年1月1日 = 2026-01-01
前年3月5号 = 2023-03-05
9月30号 = 2025-09-30
10月5号 = 2025-10-05
12月1号 = 2025-12-01
1月5号 = 2025-01-05
3号 = 2025-04-03
2号 = 2025-05-02
15号 = 2025-04-15
15日 = 2025-04-15
31号 = 2025-05-31
二十三号 = 2025-04-23
二十号 = 2025-04-20
三号 = 2025-04-03
今天 = 2025-04-03
今日 = 2025-04-03
今儿 = 2025-04-03
今儿个 = 2025-04-03
明天 = 2025-04-04
明日 = 2025-04-04
明儿 = 2025-04-04
明儿个 = 2025-04-04
后天 = 2025-04-05
后儿 = 2025-04-05
大后天 = 2025-04-06
昨天 = 2025-04-02
昨日 = 2025-04-02
昨儿 = 2025-04-02
前天 = 2025-04-01
大前天 = 2025-03-31
今晚 = 2025-04-03
今早 = 2025-04-03
明早 = 2025-04-04
明晚 = 2025-04-04
后晚 = 2025-04-05
昨晚 = 2025-04-02
昨夜 = 2025-04-02
今天晚上 = 2025-04-03
明天上午 = 2025-04-04
明天下午 = 2025-04-04
后天早上 = 2025-04-05
今晚上 = 2025-04-03
周三上午 = 2025-04-09
周四 = 2025-04-03
周五 = 2025-04-04
周三 = 2025-04-09
星期三 = 2025-04-09
礼拜三 = 2025-04-09
禮拜三 = 2025-04-09
週三 = 2025-04-09
周日 = 2025-04-06
周天 = 2025-04-06
星期天 = 2025-04-06
星期日 = 2025-04-06
礼拜天 = 2025-04-06
周末 = 2025-04-05
周 三 = 2025-04-09
周3 = 2025-04-09
这周三 = 2025-04-02
本周三 = 2025-04-02
这周五 = 2025-04-04
这个周五 = 2025-04-04
这星期五 = 2025-04-04
这个星期五 = 2025-04-04
本周日 = 2025-04-06
这周末 = 2025-04-05
本周末 = 2025-04-05
下周三 = 2025-04-09
下周四 = 2025-04-10
下周日 = 2025-04-13
下周天 = 2025-04-13
下周末 = 2025-04-12
下个周三 = 2025-04-09
下星期三 = 2025-04-09
下个星期三 = 2025-04-09
下礼拜三 = 2025-04-09
下周的周三 = 2025-04-09
下周周三 = 2025-04-09
下周星期三 = 2025-04-09
下下周三 = 2025-04-16
下下星期一 = 2025-04-14
上周三 = 2025-03-26
上周五 = 2025-03-28
上周日 = 2025-03-30
上星期一 = 2025-03-24
上个礼拜天 = 2025-03-30
上上周三 = 2025-03-19
上周末 = 2025-03-29
上周 = 2025-03-24
这周 = 2025-03-31
本周 = 2025-03-31
这一周 = 2025-03-31
下周 = 2025-04-07
下个星期 = 2025-04-07
上个星期 = 2025-03-24
上上周 = 2025-03-17
下下周 = 2025-04-14
3天后 = 2025-04-06
三天后 = 2025-04-06
3天之后 = 2025-04-06
3天以后 = 2025-04-06
3 天后 = 2025-04-06
两天后 = 2025-04-05
十天后 = 2025-04-13
十五天后 = 2025-04-18
30天后 = 2025-05-03
三天前 = 2025-03-31
3天前 = 2025-03-31
3日前 = 2025-03-31
二十天前 = 2025-03-14
30天以前 = 2025-03-04
一百天前 = 2024-12-24
1周后 = 2025-04-10
一周后 = 2025-04-10
两周后 = 2025-04-17
两个星期后 = 2025-04-17
两个礼拜后 = 2025-04-17
一周前 = 2025-03-27
一个星期前 = 2025-03-27
两周前 = 2025-03-20
一个月后 = 2025-05-03
三个月前 = 2025-01-03
半个月前 = 2025-03-19
半年前 = 2024-10-03
一年前 = 2024-04-03
最近7天 = 2025-03-27
最近一周 = 2025-03-27
近三天 = 2025-03-31
近30天 = 2025-03-04
过去两周 = 2025-03-20
最近一个月 = 2025-03-03
下个月3号 = 2025-05-03
下个月的3号 = 2025-05-03
下月3号 = 2025-05-03
下个月十五号 = 2025-05-15
下个月15 = 2025-05-15
上个月15号 = 2025-03-15
上月15日 = 2025-03-15
这个月3号 = 2025-04-03
这个月1号 = 2025-04-01
本月20号 = 2025-04-20
上上个月5号 = 2025-02-05
下下个月5号 = 2025-06-05
上个月 = 2025-03-01
上月 = 2025-03-01
这个月 = 2025-04-01
本月 = 2025-04-01
下个月 = 2025-05-01
上上个月 = 2025-02-01
月初 = 2025-04-01
月底 = 2025-04-30
月末 = 2025-04-30
上个月底 = 2025-03-31
上月底 = 2025-03-31
上个月初 = 2025-03-01
下个月初 = 2025-05-01
下月底 = 2025-05-31
这个月底 = 2025-04-30
本月底 = 2025-04-30
下个月中旬 = 2025-05-15
3月底 = 2025-03-31
5月初 = 2025-05-01
二月底 = 2025-02-28
去年二月底 = 2024-02-29
年初 = 2025-01-01
年底 = 2025-12-31
今年初 = 2025-01-01
今年年初 = 2025-01-01
去年底 = 2024-12-31
去年年底 = 2024-12-31
明年初 = 2026-01-01
2024年底 = 2024-12-31
今年 = 2025-01-01
去年 = 2024-01-01
现在 = 2025-04-03
在明天 = 2025-04-04
从上周一 = 2025-03-24
自3月1号起 = 2025-03-01
3月1号以来 = 2025-03-01
上周五开始 = 2025-03-28
明天吧 = 2025-04-04
后天的 = 2025-04-05
下周三那天 = 2025-04-09
明天。 = 2025-04-04
「明天」 = 2025-04-04
２０２５－０４－０９ = 2025-04-09
２０２５年４月９日 = 2025-04-09
４月９号 = 2025-04-09
4月9日(周三) = 2025-04-09
4月9号周三 = 2025-04-09
周三4月9号 = 2025-04-09
後天 = 2025-04-05
4月3號 = 2025-04-03
"""

ENGLISH = """
2025-04-09 = 2025-04-09
2025/04/09 = 2025-04-09
4/9/2025 = 2025-04-09
25/4/2025 = 2025-04-25
today = 2025-04-03
Today = 2025-04-03
tonight = 2025-04-03
this morning = 2025-04-03
this afternoon = 2025-04-03
tomorrow = 2025-04-04
Tomorrow = 2025-04-04
TOMORROW = 2025-04-04
tomorrow's = 2025-04-04
tmr = 2025-04-04
tmrw = 2025-04-04
tommorow = 2025-04-04
tomorow = 2025-04-04
tommorrow = 2025-04-04
tomorrow morning = 2025-04-04
tomorrow afternoon = 2025-04-04
tomorrow please = 2025-04-04
yesterday = 2025-04-02
yesteday = 2025-04-02
last night = 2025-04-02
the day after tomorrow = 2025-04-05
day after tomorrow = 2025-04-05
day after tommorow = 2025-04-05
the day before yesterday = 2025-04-01
Thursday = 2025-04-03
Friday = 2025-04-04
friday = 2025-04-04
on Friday = 2025-04-04
Monday = 2025-04-07
Wednesday = 2025-04-09
Mon = 2025-04-07
Tue = 2025-04-08
Tues = 2025-04-08
wed = 2025-04-09
Thu = 2025-04-03
thurs = 2025-04-03
Fri = 2025-04-04
Sat = 2025-04-05
Sun = 2025-04-06
wensday = 2025-04-09
thrusday = 2025-04-03
saterday = 2025-04-05
Friday morning = 2025-04-04
this Wednesday = 2025-04-02
this Friday = 2025-04-04
this Sunday = 2025-04-06
next Monday = 2025-04-07
next Wednesday = 2025-04-09
next Thursday = 2025-04-10
next Fri = 2025-04-11
next sunday = 2025-04-13
last Wednesday = 2025-03-26
last Friday = 2025-03-28
last Sunday = 2025-03-30
coming Friday = 2025-04-04
this coming Monday = 2025-04-07
upcoming Tuesday = 2025-04-08
Wednesday next week = 2025-04-09
Friday of next week = 2025-04-11
next week Wednesday = 2025-04-09
next week on Friday = 2025-04-11
Friday this week = 2025-04-04
next week = 2025-04-07
this week = 2025-03-31
last week = 2025-03-24
the week after next = 2025-04-14
the weekend = 2025-04-05
this weekend = 2025-04-05
next weekend = 2025-04-12
last month = 2025-03-01
this month = 2025-04-01
next month = 2025-05-01
last year = 2024-01-01
this year = 2025-01-01
April 3 = 2025-04-03
April 9 = 2025-04-09
april 9th = 2025-04-09
Apr 3rd = 2025-04-03
Apr. 3 = 2025-04-03
apr3 = 2025-04-03
April the 9th = 2025-04-09
3 April = 2025-04-03
9 apr = 2025-04-09
3rd April = 2025-04-03
3rd of April = 2025-04-03
the 3rd of April = 2025-04-03
the 1st of may = 2025-05-01
the first of May = 2025-05-01
May first = 2025-05-01
Apr 3 2026 = 2026-04-03
Apr 3, 2026 = 2026-04-03
April 3rd, 2026 = 2026-04-03
3 April 2026 = 2026-04-03
3rd of April 2024 = 2024-04-03
Sept 1 = 2025-09-01
sep 30 = 2025-09-30
Dec 25 = 2025-12-25
December 25th = 2025-12-25
Jan 5 = 2025-01-05
on March 20th = 2025-03-20
Wednesday, April 9 = 2025-04-09
Wed April 9th = 2025-04-09
the 3rd = 2025-04-03
the 2nd = 2025-05-02
on the 15th = 2025-04-15
15th = 2025-04-15
the 21st of next month = 2025-05-21
4/9 = 2025-04-09
4/30 = 2025-04-30
in 3 days = 2025-04-06
in three days = 2025-04-06
in a week = 2025-04-10
in two weeks = 2025-04-17
in a couple of days = 2025-04-05
in one month = 2025-05-03
3 days from now = 2025-04-06
3 days later = 2025-04-06
2 weeks from today = 2025-04-17
a week from today = 2025-04-10
a week from tomorrow = 2025-04-11
a week from Monday = 2025-04-14
two weeks from Friday = 2025-04-18
3 days ago = 2025-03-31
three days ago = 2025-03-31
a week ago = 2025-03-27
two weeks ago = 2025-03-20
a month ago = 2025-03-03
30 days ago = 2025-03-04
the last 7 days = 2025-03-27
past two weeks = 2025-03-20
since last Monday = 2025-03-24
since March 1 = 2025-03-01
from yesterday = 2025-04-02
end of month = 2025-04-30
end of the month = 2025-04-30
the end of this month = 2025-04-30
end of last month = 2025-03-31
beginning of next month = 2025-05-01
start of the month = 2025-04-01
the first of the month = 2025-04-01
end of March = 2025-03-31
end of the year = 2025-12-31
end of next week = 2025-04-11
month end = 2025-04-30
right now = 2025-04-03
by Friday = 2025-04-04
"""

NOTHING = """
2月30日 2025-02-30 2025年2月29日 4月31号 13月1号 4/31 32号 0号 Feb 30 April 31 the 32nd 2025-13-01
Q1 3月 三月 March 一季度 B204 ORD12345 SKU-3301 TX204913 299元 hello 随便 下午 14:00 两点 3pm 15 一 ? - 。
上海 next third day 3000天后天 1.2万 12.50 ¥4.30 192.168.4.3 ★ 明 周 week 周八 下周八 0天零 9999-99-99
"""
PARTS = "下 上 周 三 天 后 前 月 号 3 12 2025 - / . 年 next last week in 3 May day Mon 半 个"


def cases(table: str) -> list[tuple[str, date]]:
    pairs = (line.rsplit(" = ", 1) for line in table.strip().splitlines())
    return [(said, date.fromisoformat(value)) for said, value in pairs]


@pytest.mark.parametrize(("said", "day"), [*cases(CHINESE), *cases(ENGLISH)])
def test_a_day_is_read(said: str, day: date) -> None:
    assert parse_date(said, TODAY) == day


@pytest.mark.parametrize(("said", "day"), [*cases(CHINESE), *cases(ENGLISH)])
def test_spaces_and_case_do_not_matter(said: str, day: date) -> None:
    assert parse_date(f"  {said.upper()}　", TODAY) == day


@pytest.mark.parametrize(
    "said",
    [s for line in NOTHING.strip().splitlines() for s in line.split(" ")] + ["", " ", "Feb 30"],
)
def test_no_day_is_none(said: str) -> None:
    assert parse_date(said, TODAY) is None


@pytest.mark.parametrize(
    ("said", "today", "day"),
    [
        ("下周三", "2025-06-15", "2025-06-18"),
        ("下周一", "2026-01-30", "2026-02-02"),
        ("大后天", "2025-12-30", "2026-01-02"),
        ("上周一", "2025-09-15", "2025-09-08"),
        ("周六", "2025-04-05", "2025-04-05"),
        ("周末", "2025-04-06", "2025-04-12"),
        ("1月3号", "2025-12-30", "2026-01-03"),
        ("12月20号", "2026-01-05", "2025-12-20"),
        ("8月20号", "2026-01-05", "2026-08-20"),
        ("3月1号", "2025-11-01", "2026-03-01"),
        ("2月29号", "2025-04-03", None),
        ("2月29号", "2027-12-01", "2028-02-29"),
        ("2月29号", "2024-02-01", "2024-02-29"),
        ("3号", "2025-12-30", "2026-01-03"),
        ("30号", "2025-01-31", "2025-03-30"),
        ("三个月前", "2025-05-31", "2025-02-28"),
        ("next Monday", "2025-11-09", "2025-11-10"),
        ("上个月", "2026-01-15", "2025-12-01"),
        ("下个月31号", "2025-05-10", None),
    ],
)
def test_other_todays(said: str, today: str, day: str | None) -> None:
    found = parse_date(said, date.fromisoformat(today))
    assert (found.isoformat() if found else None) == day


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("周五", "2025-03-28"),
        ("周四", "2025-04-03"),
        ("Monday", "2025-03-31"),
        ("15号", "2025-03-15"),
        ("3号", "2025-04-03"),
        ("the 20th", "2025-03-20"),
        ("12月20号", "2024-12-20"),
        ("May 5", "2024-05-05"),
        ("下周三", "2025-04-09"),
        ("上周三", "2025-03-26"),
        ("2025-05-01", "2025-05-01"),
    ],
)
def test_bare_days_lie_behind_when_asked(said: str, day: str) -> None:
    assert parse_date(said, TODAY, past=True) == date.fromisoformat(day)


@settings(deadline=None)
@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2099, 12, 31)))
def test_iso_round_trip(day: date) -> None:
    assert parse_date(day.isoformat(), TODAY) == day
    assert parse_date(f"{day.year}年{day.month}月{day.day}日", TODAY) == day
    assert parse_date(f"{day.year}/{day.month}/{day.day}", TODAY) == day


@settings(deadline=None)
@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)), st.integers(-60, 180))
def test_a_day_without_its_year_is_near(today: date, away: int) -> None:
    day = today + timedelta(days=away)
    assert parse_date(f"{day.month}月{day.day}日", today) == day
    assert parse_date(f"{day:%B} {day.day}", today) == day


@settings(deadline=None)
@given(st.text(max_size=60), st.dates())
def test_any_text_and_day_are_safe(text: str, today: date) -> None:
    parse_date(text, today)
    for span in find_dates(text, today):
        assert text[span.start : span.end] == span.text


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(PARTS.split()),
        max_size=12,
    ),
    st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)),
)
def test_what_is_found_can_be_read(parts: list[str], today: date) -> None:
    text = "".join(parts)
    spaced = " ".join(parts)
    for message in (text, spaced):
        for span in find_dates(message, today):
            assert parse_date(span.text, today) is not None
