"""Number plates of vehicles (GA 36-2018)."""

from __future__ import annotations

import re

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Hit, Recogniser, shape
from dazi.guard.recognisers.labels import Label

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_ANY = "[0-9A-HJ-NP-Za-hj-np-z]"
_LABEL = Label.of(r"车牌|牌照|车号|号牌|车辆|挂牌|[Pp]late")
_WORDS = re.compile("[更最全创刷翻重清崭革]新|[里讯为度上]云")
"""Ends of words that are no province's short name, such as 更新 and 腾讯云."""


def _plate(m: re.Match[str]) -> Hit | None:
    text, start = m.string, m.start()
    code = m["code"]
    letters = sum(c.isalpha() for c in code)
    labelled = _LABEL.stands_by(text, start, m.end())
    if letters > (len(code) - 1 if labelled else 2):
        return None
    if not labelled and _WORDS.fullmatch(text, max(0, start - 1), start + 1):
        return None
    return Hit(start, m.end(), Certainty.LABEL if labelled else Certainty.SHAPE)


_DOT = "[-·. ]?"

RECOGNISERS = (
    Recogniser(
        "plate",
        "plate",
        re.compile(
            rf"[{_PROVINCES}][ ·]?[A-Za-z]{_DOT}(?P<code>[A-HJKa-hjk]{_ANY}[0-9]{{4}}|[0-9]{{5}}[A-HJKa-hjk]"
            rf"|{_ANY}{{5}}|{_ANY}{{4}}(?=[学警港澳挂领试超]))(?![0-9A-Za-z])[学警港澳挂领试超]?"
        ),
        _plate,
        reach=(0, 12),
        after=12,
    ),
    Recogniser(
        "plate",
        "plate",
        re.compile(
            rf"(?:使 ?[0-9]{{3}}[-·. ]?[0-9]{{3}}|[0-9]{{3}}[-·. ]?[0-9]{{3}}使|[{_PROVINCES}]领[-·. ]?[0-9]{{4,5}}"
            rf"|[Ww][Jj][-·. ]?[{_PROVINCES}][-·. ]?[0-9]{{4,5}}[0-9A-Za-z]?)(?![0-9A-Za-z])"
        ),
        shape,
        reach=(8, 12),
    ),
)
