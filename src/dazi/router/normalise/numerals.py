"""Whole numbers in hanzi and in English words."""

from __future__ import annotations

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_SECTIONS = {"万": 10_000, "亿": 100_000_000}
FORMAL = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟", "一二三四五六七八九十百千")

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
WORDS = {w: i for i, w in enumerate(_ONES.split())} | {
    w: 20 + 10 * i for i, w in enumerate(_TENS.split())
}
ORDINALS = {w: i for i, w in enumerate(_ORDINALS.split(), start=1)}
_BIG = {"million": 1_000_000, "thousand": 1000, "hundred": 100}


def hanzi(text: str) -> int:
    """三千五 -> 3500, 一万零二十 -> 10020, 二〇二五 -> 2025. ``ValueError`` when it is no number."""
    if len(text) > 2 and all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = 0
    unit, above, zero = 10_000, 10**12, False
    for c in text:
        if c in _DIGITS and not digit:
            digit = _DIGITS[c]
            zero = zero or not digit
        elif c in _UNITS and _UNITS[c] < unit and (digit or c == "十"):
            section += (digit or 1) * _UNITS[c]
            unit, digit, zero = _UNITS[c], 0, False
        elif c in _SECTIONS and _SECTIONS[c] < above and section + digit:
            total += (section + digit) * _SECTIONS[c]
            unit = above = _SECTIONS[c]
            section, digit, zero = 0, 0, False
        else:
            raise ValueError(text)
    if not text:
        raise ValueError(text)
    if digit and total + section and unit > 10 and not zero:
        digit *= unit // 10
    return total + section + digit


def english(text: str) -> int:
    """twenty-three -> 23, a hundred and five -> 105. ``ValueError`` when it is no number."""
    return _words(text.replace("-", " ").split())


def _words(words: list[str]) -> int:
    for name, size in _BIG.items():
        if name in words:
            at = words.index(name)
            left, right = words[:at], words[at + 1 :]
            if right[:1] == ["and"]:
                right = [*right[1:]] or ["and"]
            many = 1 if left in ([], ["a"]) else _words(left)
            return many * size + (_words(right) if right else 0)
    values = [WORDS.get(w, -1) for w in words]
    if len(values) == 1 and values[0] >= 0:
        return values[0]
    if len(values) == 2 and values[0] >= 20 and 1 <= values[1] <= 9:
        return sum(values)
    raise ValueError(" ".join(words))


def whole(text: str) -> int:
    """Digits, hanzi, or English words."""
    if text.isdecimal():
        return int(text)
    return english(text) if text.isascii() else hanzi(text)
