"""Numbers of persons and organisations that carry a check character."""

from __future__ import annotations

import re
from datetime import date
from operator import mul

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Hit, Recogniser, bare
from dazi.guard.recognisers.labels import AFTER, Label

_REGIONS = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 "
    "83"
)
PROVINCES = frozenset(_REGIONS.split())
"""First two digits of GB/T 2260; 81, 82, 83 stand for residents from Hong Kong, Macao and Taiwan."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_KINDS = {
    "1": "1239", "2": "19", "3": "123459", "4": "19", "5": "1239", "6": "129", "7": "129", "8": "19",
    "9": "123", "A": "19", "N": "1239", "Y": "1",
}  # fmt: skip
_BETWEEN = r"(?: ?[-—.·/] ?| )?"
_ID_LABEL = Label.of(
    r"身份證?证?號?号|身份证|身份證|证件|旧证|老证|一代证|公民身份|ID(?: ?[Cc]ard)?|[Ii]dentity"
)
_CODE_LABEL = Label.of(r"信用代码|社会代码|税号|纳税人?|机构代码|营业执照|执照号|USCC|[Tt]ax")


def is_resident_id(number: str) -> bool:
    """GB 11643-1999: region, date of birth, and an ISO 7064 MOD 11-2 check character."""
    return number[:2] in PROVINCES and _is_birthday(number[6:14]) and _checks(number)


def is_permanent_resident(number: str) -> bool:
    """The foreigner's card of 2023: 9, province, nationality, date of birth, the same check."""
    return number[1:3] in PROVINCES and _is_birthday(number[6:14]) and _checks(number)


def is_uscc(code: str) -> bool:
    """GB 32100-2015: registry, kind, region, organisation, and a check character modulo 31."""
    if code[1] not in _KINDS.get(code[0], "") or (code[2:4] not in PROVINCES and code[2:4] != "10"):
        return False
    total = 0
    for i, c in enumerate(code[:17]):
        value = _USCC.find(c)
        if value < 0:
            return False
        total += value * pow(3, i, 31)
    return _USCC[-total % 31] == code[17]


def _checks(number: str) -> bool:
    total = sum(map(mul, map(int, number[:17]), _WEIGHTS))
    return _CHECKS[total % 11] == number[17]


def _is_birthday(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return born.year >= 1900 and born <= date.today()


def _resident(m: re.Match[str]) -> Hit | None:
    return Hit(m.start(), m.end(), Certainty.PROOF) if is_resident_id(bare(m[0])) else None


def _old_resident(m: re.Match[str]) -> Hit | None:
    """Numbers before 1999 have 15 digits and no check: a label must say what they are."""
    number = bare(m[0])
    if number[:2] not in PROVINCES or not _is_birthday("19" + number[6:12]):
        return None
    if not _ID_LABEL.stands_by(m.string, m.start(), m.end()):
        return None
    return Hit(m.start(), m.end(), Certainty.LABEL)


def _permanent(m: re.Match[str]) -> Hit | None:
    return Hit(m.start(), m.end(), Certainty.PROOF) if is_permanent_resident(bare(m[0])) else None


def _organisation(m: re.Match[str]) -> Hit | None:
    """A code of digits alone needs a label: one order number in 2,000 would pass."""
    code, start, end = bare(m[0]), m.start(), m.end()
    if not is_uscc(code):
        return None
    if code.isdigit() and not _CODE_LABEL.stands_by(m.string, start, end):
        return None
    return Hit(start, end, Certainty.PROOF)


_END = r"(?:[0-9](?![0-9Xx])|[Xx](?![0-9A-Za-z]))"

RECOGNISERS = (
    Recogniser(
        "resident_id",
        "number",
        re.compile(rf"(?<![0-9])[1-8](?:[0-9]{{16}}|(?:{_BETWEEN}[0-9]){{16}}{_BETWEEN}){_END}"),
        _resident,
        reach=(0, 4),
        digits=(17, 18),
    ),
    Recogniser(
        "resident_id",
        "number",
        re.compile(rf"(?<![0-9A-Za-z])[1-8](?:{_BETWEEN}[0-9]){{14}}(?![0-9A-Za-z])"),
        _old_resident,
        after=AFTER,
        digits=(15, 15),
    ),
    Recogniser(
        "permit",
        "number",
        re.compile(rf"(?<![0-9])9(?:[0-9]{{16}}|(?:{_BETWEEN}[0-9]){{16}}{_BETWEEN}){_END}"),
        _permanent,
        reach=(0, 4),
        digits=(17, 18),
    ),
    Recogniser(
        "uscc",
        "number",
        re.compile(
            rf"(?<![0-9A-Za-z])[1-9ANYany]{_BETWEEN}[1-9](?:{_BETWEEN}[0-9]){{6}}"
            rf"(?:{_BETWEEN}[0-9A-HJ-NP-RT-UW-Ya-hj-np-rt-uw-y]){{10}}(?![0-9A-Za-z])"
        ),
        _organisation,
        after=AFTER,
        reach=(4, 60),
        digits=(7, 18),
    ),
)
