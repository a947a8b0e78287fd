"""Whole numbers in hanzi and in English words."""

from __future__ import annotations

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_SECTIONS = {"万": 10_000, "亿": 100_000_000}
_FORMAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千")

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WORDS = {w: i for i, w in enumerate(_ONES)} | {w: 20 + 10 * i for i, w in enumerate(_TENS)}
_BIG = {"thousand": 1000, "million": 1_000_000}

ORDINALS = {
    w: i + 1
    for i, w in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
    )
}


def hanzi(text: str) -> int:
    """三千五 -> 3500, 一万零二十 -> 10020, 二〇二五 -> 2025. ``ValueError`` when it is no number."""
    text = text.translate(_FORMAL)
    if len(text) > 2 and all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = 0
    unit, pending, zero, began = 10_000, False, False, False
    for c in text:
        if c in _DIGITS:
            if pending and digit:
                raise ValueError(text)
            digit, pending, zero = _DIGITS[c], True, zero or _DIGITS[c] == 0
        elif c in _UNITS:
            if _UNITS[c] >= unit or not (pending and digit or c == "十" and not began):
                raise ValueError(text)
            section += (digit if pending else 1) * _UNITS[c]
            unit, digit, pending, zero = _UNITS[c], 0, False, False
        elif c in _SECTIONS:
            section += digit if pending else 0
            if not section or total % (_SECTIONS[c] * 10_000) and total < _SECTIONS[c]:
                raise ValueError(text)
            total += section * _SECTIONS[c]
            section, digit, pending, zero, unit = 0, 0, False, False, _SECTIONS[c]
        else:
            raise ValueError(text)
        began = True
    if not began:
        raise ValueError(text)
    if pending and digit and not zero and unit in (100, 1000, 10_000, 100_000_000) and total + section:
        digit *= unit // 10
    return total + section + digit


def english(text: str) -> int:
    """twenty-three -> 23, a hundred and five -> 105. ``ValueError`` when it is no number."""
    total = group = 0
    words = text.replace("-", " ").split()
    if not words or words[-1] == "and":
        raise ValueError(text)
    last = 0
    for i, word in enumerate(words):
        if word in WORDS:
            if last and not (last >= 20 > WORDS[word] * 2 and last < 100 or last >= 100):
                raise ValueError(text)
            group += WORDS[word]
            last = WORDS[word] or 1
        elif word == "hundred" and group < 10:
            group, last = (group or 1) * 100, 100
        elif word in _BIG and (group or i):
            total, group, last = total + (group or 1) * _BIG[word], 0, 1000
        elif not (word in ("a", "an") and i == 0 or word == "and" and last >= 100):
            raise ValueError(text)
    return total + group


def whole(text: str) -> int:
    """Digits, hanzi, or English words."""
    if text.isdecimal():
        return int(text)
    return english(text) if text.isascii() else hanzi(text)
