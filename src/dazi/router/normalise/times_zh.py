"""How times of day are said in Chinese."""

from __future__ import annotations

import re

from dazi.router.normalise.clock import Clock, clock
from dazi.router.normalise.grammar import LEFT, Rules, S, rule
from dazi.router.normalise.numerals import whole

PART = (
    r"(?:(?P<part>凌晨|清晨|大?清早|一大早|早晨|早上|上午|中午|正午|午间|午后|下午|傍晚|晚上|晚间|夜里|夜间|夜晚|深夜"
    rf"|半夜|午夜|(?<![最不太])[早晚])(?:的|大约|大概|约)?{S})"
)
HOUR = r"(?:二?十[一二三四五六七八九]?|[零〇一二两三四五六七八九])"
AM_PM = r"(?:\s?(?P<ap>[ap])(?:\.\s?m(?![a-z0-9])\.?|m(?![a-z0-9])))"
BOUND = rf"(?:{LEFT}|(?<=\d\dt)|(?<=\d\d\d\d-\d\d-\d\d))"
"""Before a time that begins with a digit; it may follow a full date directly."""
_HOUR = rf"(?P<h>(?<![第几])\d{{1,2}}|(?:(?<![零〇一二两三四五六七八九十百第几])|(?<=[周期拜][一二三四五六])){HOUR})"
_THINGS = "[个名位人天件块元家份批楼层款种项台场间组号月]"
_COUNTED = rf"(?!\s?{_THINGS})"
_MINUTE = (
    rf"(?:(?P<half>半)|(?P<quarter>[一三13])刻钟?|钟?整|过?(?P<min>(?<!\s)(?:[0-5]\d(?![\d:/])"
    rf"{_COUNTED}|\d(?=分))"
    rf"|[零〇][一二三四五六七八九]|[二三四五]?十[一二三四五六七八九]?{_COUNTED}|[一二三四五六七八九](?=分))分?)"
)
_NOT_POINTS = (
    r"(?!\s?(?:建议|意见|问题|要求|原因|疑问|想法|看法|优势|好处|优点|缺点|区别|不同|说明|希望|收获|感受|需要)"
    rf"|[零〇一二三四五六七八九]{{1,3}}(?:[天倍元块万千亿折米升度成吨斤级版%]|个(?:小时|月|百|多))"
    rf"|[儿滴]|多?钱|\d{{1,2}}(?!\d|\s?{_THINGS}))"
)
_AN_HOUR = r"(?!候|间|光|常|代|段|刻|差)"


def _minute(m: re.Match[str]) -> int:
    if m["half"]:
        return 30
    if m["quarter"]:
        return 15 if m["quarter"] in "一1" else 45
    return whole(m["min"]) if m["min"] else 0


def _said(m: re.Match[str], _: None) -> Clock:
    groups = m.groupdict()
    return clock(groups.get("ap") or groups["part"], whole(m["h"]), _minute(m))


def _to(m: re.Match[str], _: None) -> Clock:
    less = m["less"].rstrip("分")
    return clock(m["part"], whole(m["h"])).less(15 if "刻" in less else whole(less))


RULES: Rules[None, Clock] = Rules(
    r"[0-9零〇一二两三四五六七八九十差凌清大早上中正午下傍晚夜深半]",
    (
        rule(
            rf"(?:{PART}|{BOUND}|(?=[一-龥])){_HOUR}{S}点(?:钟|{S}{_MINUTE})?{AM_PM}?{_NOT_POINTS}",
            _said,
        ),
        rule(
            rf"(?:{PART}|{BOUND})(?P<h>(?<![第几])\d{{1,2}}){S}时{_AN_HOUR}(?:{S}{_MINUTE})?", _said
        ),
        rule(rf"{PART}(?P<h>{HOUR})时{_AN_HOUR}(?:{S}{_MINUTE})?", _said),
        rule(
            rf"{PART}?差{S}(?P<less>一刻钟?|(?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}})分?){S}"
            rf"(?P<h>\d{{1,2}}|{HOUR})点",
            _to,
        ),
        rule(r"中午|正午", lambda m, _: Clock(12)),
        rule(r"午夜", lambda m, _: Clock(0)),
    ),
)

_A_BIT = re.compile(
    r"(?:[到至从在于~\-号早晚午末]|[今明后昨]天|[周期拜][一二三四五六日天]|\d日)\s?$"
)
_NO_BIT = re.compile(r"\s?(?:[到至~\-半钟整]|开[会始]|[之以]?前|左右|见|集合|出发|$)")


def is_an_hour(text: str, start: int, end: int) -> bool:
    """Whether a lone 一点 is one o'clock: 快一点, 一点也不 are not."""
    if text[start:end] != "一点":
        return True
    return bool(
        _A_BIT.search(text[max(0, start - 4) : start]) or _NO_BIT.match(text[end : end + 4])
    ) and (text[start - 1 : start] not in tuple("快慢有早晚好大小多少高低长短便"))
