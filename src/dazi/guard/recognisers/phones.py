"""Mobile and landline numbers (E.164; numbering plan of the Chinese mainland)."""

from __future__ import annotations

import re

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Hit, Recogniser, bare
from dazi.guard.recognisers.labels import AFTER, BEFORE, Label, is_other_number

_PHONE = Label.of(
    r"电话|手机|座机|固话|传真|热线|总机|号码|致电|拨打|来电|联系|[Tt]el|TEL|[Pp]hone|[Ff]ax|FAX|[Mm]obile"
    r"|[Cc]all|[Hh]otline|WhatsApp|客服|咨询|投诉|预约"
)
_NOT_A_PHONE = re.compile(
    r"(?: ?(?:元|万|亿|美元|人民币|%|％|‰|件|个|台|吨|千克|公斤|人次|次|户|家|条|笔|股|米|度)"
    r"|[.][0-9]|[A-Za-z]{0,6}[0-9])"
)
"""Right behind a number: an amount, a decimal, or the rest of a code."""
_DECIMAL = re.compile(r"(?:[^\s，,、；;:：(（0-9]|[0-9]{3})[0-9]{0,2}[0-9]\.\Z")
"""Digits and a point right before, unless they number a list: 1.13812345678."""
_CODE = re.compile(r"[0-9A-Za-z_]{1,20}\Z")
_SAID = re.compile(
    r"(?i:(?:[a-z]{1,10}_)?(?:tel|phone|mobile|mob|cell|call|ph|fax|wx|vx|wechat|no|num|number|contact|m|t|f|p|sms|to)_?)"
)
_CHINA = r"(?:\(?(?:\+|00)86\)?[- ]{0,2}|86[- ]?)"
_B = r"(?: ?[-—.·] ?| )"

_AREAS = (
    (310, 319), (335, 335), (349, 359), (370, 379), (391, 398), (410, 419), (421, 421), (427, 429),
    (431, 440), (451, 459), (464, 469), (470, 483), (510, 519), (523, 523), (527, 527), (530, 539),
    (543, 543), (546, 546), (550, 566), (570, 580), (591, 599), (631, 635), (660, 663), (668, 668),
    (691, 692), (701, 701), (710, 719), (722, 728), (730, 739), (743, 746), (750, 769), (770, 779),
    (790, 799), (812, 840), (851, 859), (870, 888), (891, 898), (901, 919), (930, 943), (951, 955),
    (970, 979), (990, 999),
)  # fmt: skip
_ABROAD = {"852": 8, "853": 8, "886": 9}
"""Digits of a number in Hong Kong, Macao and Taiwan."""


def is_landline(digits: str) -> bool:
    """Area code and local number: 8 digits in the large cities, else 7 or 8.

    Real local numbers begin with 2 to 8; made-up ones, with which people show what they mean, with
    any digit but 0.
    """
    if digits[:2] == "10" or (digits[0] == "2" and digits[1] != "6"):
        area, local = digits[:2], digits[2:]
        sizes: tuple[int, ...] = (8,)
    else:
        area, local = digits[:3], digits[3:]
        sizes = (7, 8)
        if not any(a <= int(area) <= b for a, b in _AREAS):
            return False
    return len(local) in sizes and local[0] != "0"


def _mobile(m: re.Match[str]) -> Hit | None:
    text, start, end = m.string, m.start(), m.end()
    if _NOT_A_PHONE.match(text, end) or _part_of_code(text, start):
        return None
    if is_other_number(text, start):
        return None
    if text[start - 1 : start] == "." and _DECIMAL.search(text[max(0, start - 8) : start]):
        return None
    return Hit(start, end, Certainty.SHAPE)


def _part_of_code(text: str, start: int) -> bool:
    """Are there letters right before, other than a word for telephone?"""
    last = text[start - 1 : start]
    if not (last.isascii() and (last.isalpha() or last == "_")):
        return False
    code = _CODE.search(text, max(0, start - BEFORE), start)
    return code is not None and _SAID.fullmatch(code[0]) is None


def _abroad(m: re.Match[str]) -> Hit | None:
    digits = bare(m["number"])
    wanted = _ABROAD.get(m["country"])
    if wanted is not None:
        if len(digits) not in (wanted, wanted - 1) or is_other_number(m.string, m.start()):
            return None
    elif not 7 <= len(digits) <= 12 or not _PHONE.stands_before(m.string, m.start()):
        return None
    return Hit(m.start(), m.end(), Certainty.SHAPE)


def _landline(m: re.Match[str]) -> Hit | None:
    text, start, end = m.string, m.start(), m.end()
    if not is_landline(bare(m["national"] or m["a"]).lstrip("0")) or _NOT_A_PHONE.match(text, end):
        return None
    if _part_of_code(text, start) or is_other_number(text, start):
        return None
    if m["one"] is not None and not _PHONE.stands_by(text, start, end):
        return None
    return Hit(start, end, Certainty.SHAPE)


def _service(m: re.Match[str]) -> Hit | None:
    """400 and 800 numbers; written in one run they need a label."""
    text, start = m.string, m.start()
    if _NOT_A_PHONE.match(text, m.end()) or is_other_number(text, start):
        return None
    if m["number"].isdigit() and not _PHONE.stands_by(text, start, m.end()):
        return None
    return Hit(start, m.end(), Certainty.SHAPE)


def _local(m: re.Match[str]) -> Hit | None:
    """A number without its area needs a label."""
    text, start = m.string, m.start()
    if not _NEAR_PHONE.stands_before(text, start) or _NOT_A_PHONE.match(text, m.end()):
        return None
    return Hit(start, m.end(), Certainty.LABEL)


_NEAR_PHONE = Label.of(
    r"电话|座机|固话|传真|热线|总机|[Tt]el|TEL|[Pp]hone|[Ff]ax|FAX",
    r"(?:号码?|\([^()]{0,6}\)|（[^（）]{0,6}）|[.])?[\s:：=是为]{0,3}",
)
_EXTENSION = r"(?: ?[,，(（]? ?(?:[-—#xX]|转接?|分机号?|[Ee]xt\.?) ?:? ?[0-9]{1,6}(?![0-9])[)）]?)?"
_LOCAL = r"[1-9][0-9]{2,3}[- —]?[0-9]{4}"
_AREA = r"(?:10|2[0-9]|[3-9][0-9]{2})"
_ENDS = r"(?![0-9])"

RECOGNISERS = (
    Recogniser(
        "mobile",
        "number",
        re.compile(
            rf"(?<![0-9]){_CHINA}?0?1(?:[3-9](?:[0-9]{{9}}"
            rf"|[0-9](?:{_B}(?:[0-9]{{4}}{_B}?[0-9]{{4}}|[0-9]{{3}}{_B}?[0-9]{{5}})"
            rf"|[0-9](?:{_B}(?:[0-9]{{4}}{_B}[0-9]{{3}}|[0-9]{{3}}{_B}[0-9]{{4}})"
            rf"|[0-9](?:{_B}(?:[0-9]{{6}}|[0-9]{{3}}{_B}[0-9]{{3}})|[0-9]{{2}}{_B}[0-9]{{4}}))))"
            rf"|{_B}[3-9](?:{_B}[0-9]){{9}}){_ENDS}"
        ),
        _mobile,
        reach=(8, 0),
        after=8,
        digits=(11, 16),
    ),
    Recogniser(
        "mobile",
        "number",
        re.compile(
            rf"(?<![0-9A-Za-z])(?:\+|00)(?!86)(?P<country>1|7|852|853|886|[2-689][0-9]{{1,2}})[- ]{{0,2}}"
            rf"(?P<number>\(?[0-9]{{1,4}}\)?(?:[- ]?[0-9]{{2,4}}){{1,4}}){_ENDS}"
        ),
        _abroad,
        reach=(4, 0),
        digits=(8, 18),
    ),
    Recogniser(
        "landline",
        "number",
        re.compile(
            rf"(?<![0-9])(?<![0-9][-.])(?:{_CHINA}[(（]?(?P<a>0?{_AREA}[)）]?[- —]{{0,2}}{_LOCAL})"
            rf"|(?P<national>[(（]?0{_AREA}(?:[)）]?[- —]{{1,3}}|[)）]|(?P<one>(?=1))|){_LOCAL})){_ENDS}{_EXTENSION}"
        ),
        _landline,
        reach=(10, 20),
        after=AFTER,
        digits=(9, 24),
    ),
    Recogniser(
        "landline",
        "number",
        re.compile(
            rf"(?<![0-9A-Za-z])(?<![0-9][-.])(?P<number>[48]00[- —]?(?:[0-9]{{3}}[- —]?[0-9]{{4}}|[0-9]{{4}}[- —]?"
            rf"[0-9]{{3}})){_ENDS}{_EXTENSION}"
        ),
        _service,
        reach=(0, 20),
        after=AFTER,
        digits=(10, 16),
    ),
    Recogniser(
        "landline",
        "number",
        re.compile(rf"(?<![0-9A-Za-z])(?<![0-9][-.])(?=[2-9]){_LOCAL}{_ENDS}{_EXTENSION}"),
        _local,
        reach=(0, 20),
        after=8,
        digits=(7, 14),
    ),
)
