"""Numbers in words: 一百二十, 壹佰贰拾, ``two hundred and fifty thousand``.

Capital numerals for sums: 会计基础工作规范 (Ministry of Finance, order 98), article 52.
"""

from __future__ import annotations

import re
from decimal import Decimal

DIGITS = {
    c: n for n, cs in enumerate(("零〇○0", "一壹幺1", "二贰两贰2", "三叁3", "四肆4", "五伍5", "六陆6", "七柒7",
                                 "八捌8", "九玖9")) for c in cs
}  # fmt: skip
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1_000, "仟": 1_000}
_GROUPS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
HANZI_NUMBER = "[零〇○一二三四五六七八九十百千万亿两壹贰叁肆伍陆柒捌玖拾佰仟萬億]"
_UP_TO_19 = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {w: n for n, w in enumerate(_UP_TO_19)} | {w: 10 * n for n, w in enumerate(_TENS, 2)}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ONE_WORD = rf"(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))}|hundred|thousand)"
NUMBER_WORDS = (
    rf"(?:an? )?{_ONE_WORD}(?:(?:[\s-]+|(?<=hundred)\s+and\s+|(?<=thousand)\s+and\s+){_ONE_WORD})*"
)
"""A number in English words, as a pattern that ignores case."""


def hanzi_number(text: str) -> int | None:
    """``一百二十`` and ``壹佰贰拾`` are 120, ``二〇二五`` is 2025; ``None`` for what is no number."""
    if not text or any(c not in DIGITS and c not in _UNITS and c not in _GROUPS for c in text):
        return None
    if not any(c in _UNITS or c in _GROUPS for c in text):
        return int("".join(str(DIGITS[c]) for c in text))
    total = group = digit = 0
    for c in text:
        if c in DIGITS:
            digit = DIGITS[c]
        elif c in _UNITS:
            group += (digit or 1) * _UNITS[c]
            digit = 0
        else:
            total = (total + group + digit) * _GROUPS[c]
            group = digit = 0
    return total + group + digit


def word_number(text: str) -> int | None:
    """``Two hundred and fifty thousand`` is 250,000; ``None`` for what is no number."""
    total = group = 0
    seen = False
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _WORDS:
            group += _WORDS[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word in SCALES:
            total += (group or 1) * SCALES[word]
            group = 0
        elif word in ("and", "a", "an"):
            continue
        else:
            return None
        seen = True
    return total + group if seen else None


def decimal_number(text: str) -> Decimal | None:
    """``12.5``, ``十二点五``, ``twelve``."""
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return Decimal(text)
    if text.isascii():
        words = word_number(text)
        return None if words is None else Decimal(words)
    whole, _, rest = text.partition("点")
    number = hanzi_number(whole)
    if number is None:
        return None
    return (
        Decimal(f"{number}.{''.join(str(DIGITS.get(c, 0)) for c in rest)}")
        if rest
        else Decimal(number)
    )
