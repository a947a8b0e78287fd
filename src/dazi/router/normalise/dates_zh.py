"""How days are said in Chinese."""

from __future__ import annotations

import re
from datetime import date

from dazi.router.normalise.anchor import Anchor, month_end
from dazi.router.normalise.grammar import Rules, S, rule
from dazi.router.normalise.numerals import whole

N = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
COUNT = r"(?:\d{1,3}|[一二两三四五六七八九十百]{1,5})"
YEAR = r"(?:(?:(?:19|20)\d\d|[一二][〇零一二三四五六七八九]{3}|\d\d)\s?年|[前去今明后本]年)"
MONTH_WORD = r"(?:上上个?月|上一?个?月|这一?个?月|本月|当月|(?<!一)下下个?月|(?<!一)下一?个?月)"
_ALONE = r"(?<![0-9零〇一二两三四五六七八九十百千万几.])"
_DIGIT = r"(?<![0-9a-z_./#$¥€£])(?<![a-z]-)"
_NOT_COUNTED = r"(?![\d.:%]|\s?[个名位件款单大家种条台点时月年天周元块万千百号日折分星项倍样])"
"""A day without 号 must not count something: 3月10个区."""
DAY = (
    rf"{S}(?P<d>{N}{S}[号日](?!均)|\d{{1,2}}{_NOT_COUNTED}"
    rf"|(?:[一二三]?十[一二三四五六七八九]|[二三]十){_NOT_COUNTED})"
)
_WEEK = r"(?:周|星期|礼拜)"
_WEEK_WORD = (
    r"(?P<w>上上一?个?|上一?个?|这一?个?|(?<![尔日基资成])本|(?<!一)下下一?个?|(?<!一)下一?个?)"
)
_BARE_DAY_IS_A_PLACE = r"(?!\s?[楼线店机门馆仓桌柜厅车码展院])"

_NAMED = {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1, "后": 2, "大后": 3}


def month_offset(word: str) -> int:
    """上上个月 -> -2, 本月 -> 0."""
    return word.count("下") - word.count("上")


def _number(text: str) -> int:
    return whole(text.rstrip("号日 "))


def _weekday(text: str) -> int:
    return 5 if text == "末" else 6 if text in "日天" else whole(text) - 1


def _dated(m: re.Match[str], a: Anchor) -> date:
    month, day, year = whole(m["m"]), _number(m["d"]), m["y"]
    return date(a.year(_year(year)), month, day) if year else a.yearless(month, day)


def _year(written: str) -> str:
    return written if written[0] in "前去今明后本" else written[:-1].strip()


def _edge(year: int, month: int, edge: str) -> date:
    if edge in ("底", "末"):
        return month_end(year, month)
    return date(year, month, 1 if edge == "初" else 15)


def _month_edge(m: re.Match[str], a: Anchor) -> date:
    month = whole(m["m"])
    year = a.year(_year(m["y"])) if m["y"] else a.yearless(month, 1).year
    return _edge(year, month, m["e"])


def _week(m: re.Match[str], a: Anchor) -> date:
    return a.in_week(month_offset(m["w"]), _weekday(m["d"]))


def _offset(m: re.Match[str], a: Anchor) -> date:
    sign = 1 if m["way"] == "后" else -1
    return _ago(m["n"], m["u"], sign, a)


def _ago(number: str, unit: str, sign: int, a: Anchor) -> date:
    if number.startswith("半"):
        return a.days(15 * sign) if "月" in unit else a.months(6 * sign)
    count = whole(number) * sign
    if unit in ("天", "日"):
        return a.days(count)
    if unit in ("个月", "年"):
        return a.months(count if unit == "个月" else count * 12)
    return a.days(count * 7)


def _years_edge(m: re.Match[str], a: Anchor) -> date:
    year = a.year(_year(m["y"])) if m["y"] else a.today.year
    return date(year, 1, 1) if m["e"] == "初" else date(year, 12, 31)


_UNIT = r"(?P<u>天|日|年|个月|个?星期|个?礼拜|周)"
_HALF_OR_COUNT = rf"(?P<n>{COUNT}|半(?=个月|年))"

NUMBERED: Rules[Anchor, date] = Rules(
    r"[0-9一二两三四五六七八九十百半前去今明后本]",
    (
        rule(
            rf"{_DIGIT}(?<!第)(?:(?P<y>{YEAR})的?)?{_ALONE}{S}(?P<m>{N}){S}月(?:份的?)?{DAY}",
            _dated,
        ),
        rule(
            rf"{_DIGIT}(?:(?P<y>{YEAR})的?)?{_ALONE}(?P<m>{N}){S}月份?(?P<e>初|底|末|中旬)",
            _month_edge,
        ),
        rule(
            rf"{_DIGIT}{_ALONE}{_HALF_OR_COUNT}{S}{_UNIT}{S}[之以]?(?P<way>[前后])(?!面(?![试谈]))",
            _offset,
        ),
        rule(
            rf"{_DIGIT}(?<![大小第月]){_ALONE}(?P<d>{N}{S}号{_BARE_DAY_IS_A_PLACE}"
            rf"|(?:\d{{1,2}}|十[一二三四五六七八九]|[二三]十[一二三四五六七八九]?){S}日(?![均内游后前报]))",
            lambda m, a: a.day(_number(m["d"])),
        ),
        rule(rf"{_DIGIT}{_ALONE}(?P<y>{YEAR})的?年?(?P<e>初|底|末)", _years_edge),
    ),
)
WORDS: Rules[Anchor, date] = Rules(
    r"[上下这本当月周星礼大前昨今明后最过近去年]",
    (
        rule(
            rf"(?P<r>{MONTH_WORD})的?{DAY}",
            lambda m, a: a.in_month(month_offset(m["r"]), _number(m["d"])),
        ),
        rule(
            rf"(?P<r>{MONTH_WORD})的?(?P<e>初|底|末|中旬)",
            lambda m, a: _edge(*a.month(month_offset(m["r"])), m["e"]),
        ),
        rule(
            r"(?<![0-9一二三四五六七八九十几每个])月(?P<e>初|底|末)",
            lambda m, a: _edge(*a.month(0), m["e"]),
        ),
        rule(
            rf"{MONTH_WORD}(?!\s?[\d一二三四五六七八九十]{{1,3}}\s?[号日])",
            lambda m, a: a.in_month(month_offset(m[0]), 1),
        ),
        rule(
            rf"{_WEEK_WORD}的?{S}{_WEEK}(?:{S}的?{S}{_WEEK})?{S}"
            rf"(?P<d>[一二三四五六日天末]|[1-7](?![\d个天点:.]))",
            _week,
        ),
        rule(
            rf"(?<![一二两三四五六七八九十几每半第])(?:(?<![0-9])|(?<=[a-z0-9]\d\d))"
            rf"(?:{_WEEK}{S}(?P<d>[一二三四五六日天]|[1-7](?![\d个天点:.]))|周末)",
            lambda m, a: a.weekday(_weekday(m["d"] or "末")),
        ),
        rule(
            rf"{_WEEK_WORD}{_WEEK}(?!\s?[一二三四五六日天末])",
            lambda m, a: a.in_week(month_offset(m["w"]), 0),
        ),
        rule(
            r"(?P<n>大前|大后|(?<![以之目先提])前|昨|今|明|(?<![今以然之最售])后)(?:天|儿个?|[早晚夜晨])",
            lambda m, a: a.days(_NAMED[m["n"]]),
        ),
        rule(r"(?P<n>[昨今明])日(?![报历])", lambda m, a: a.days(_NAMED[m["n"]])),
        rule(
            rf"(?:最近|过去|近)的?这?{S}{_HALF_OR_COUNT}{S}{_UNIT}(?:[之以]?[内来])?",
            lambda m, a: _ago(m["n"], m["u"], -1, a),
        ),
        rule(
            r"(?<![0-9零〇一二三四五六七八九十几每半多前去今明后本])(?P<y>)年(?P<e>初|底|末)",
            _years_edge,
        ),
        rule(
            r"(?P<y>[前去今明]年)(?!\s?(?:的\s?)?[\dq第一二三四五六七八九十上下首末初底]|\s?同期)",
            lambda m, a: date(a.year(m["y"]), 1, 1),
        ),
    ),
)
