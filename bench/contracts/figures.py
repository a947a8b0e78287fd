"""Numbers, sums and dates as contracts write them, in Chinese and in English."""

from __future__ import annotations

from datetime import date
from typing import Literal

Language = Literal["zh", "en"]

DIGITS = "零一二三四五六七八九"
FORMAL = "零壹贰叁肆伍陆柒捌玖"
_TENS = ("", "十", "百", "千")
_FORMAL_TENS = ("", "拾", "佰", "仟")
_SMALL = (
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
)
_DECADES = (
    ".",
    ".",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_CURRENCIES = {"CNY": "Chinese yuan", "USD": "US dollars", "EUR": "euros"}


def hanzi(number: int) -> str:
    """``30`` is 三十, ``105`` 一百零五; up to 99,999,999."""
    text = _grouped(number, DIGITS, _TENS)
    return text[1:] if text.startswith("一十") else text


def formal(number: int) -> str:
    """A whole sum of yuan as cheques and contracts write it: 壹拾贰万零叁佰元整."""
    return _grouped(number, FORMAL, _FORMAL_TENS) + "元整"


def _grouped(number: int, digits: str, tens: tuple[str, ...]) -> str:
    if number == 0:
        return digits[0]
    high, low = divmod(number, 10_000)
    out = _four(high, digits, tens) + "万" if high else ""
    if low:
        out += (digits[0] if high and low < 1_000 else "") + _four(low, digits, tens)
    return out


def _four(number: int, digits: str, tens: tuple[str, ...]) -> str:
    out, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if digit:
            out += (digits[0] if gap and out else "") + digits[digit] + tens[place]
            gap = False
        else:
            gap = True
    return out


def words(number: int) -> str:
    """``1250`` is "one thousand two hundred and fifty"; up to 999,999,999."""
    for size, name in ((1_000_000, "million"), (1_000, "thousand")):
        if number >= size:
            high, low = divmod(number, size)
            joint = " and " if 0 < low < 100 else " "
            return f"{words(high)} {name}" + (joint + words(low) if low else "")
    if number >= 100:
        high, low = divmod(number, 100)
        return f"{_SMALL[high]} hundred" + (f" and {words(low)}" if low else "")
    if number < 20:
        return _SMALL[number]
    high, low = divmod(number, 10)
    return _DECADES[high] + (f"-{_SMALL[low]}" if low else "")


def sum_in_words(amount: int, currency: str, language: Language) -> str:
    return formal(amount) if language == "zh" else f"{words(amount)} {_CURRENCIES[currency]} only"


def spelled(number: int, language: Language) -> str:
    """A number in a sentence: 三十, "thirty"; of percentages, 百分之三十 is the caller's."""
    return hanzi(number) if language == "zh" else words(number)


def money(amount: float, style: int = 0) -> str:
    """Three styles: ``1,234,560.00``, ``1,234,560`` and ``1234560.00``."""
    return (f"{amount:,.2f}", f"{amount:,.0f}", f"{amount:.2f}")[style % 3]


def day(value: date, style: int, language: Language) -> str:
    """Three styles a language; ``style`` counts from 0 and goes round."""
    y, m, d = value.year, value.month, value.day
    if language == "zh":
        return (
            f"{y}年{m}月{d}日",
            f"{y}年{m:02d}月{d:02d}日",
            f"{hanzi_year(y)}年{hanzi(m)}月{hanzi(d)}日",
        )[style % 3]
    name = _MONTHS[m - 1]
    return (f"{d} {name} {y}", f"{name} {d}, {y}", f"{y}-{m:02d}-{d:02d}")[style % 3]


def hanzi_year(year: int) -> str:
    return "".join("〇" if digit == "0" else DIGITS[int(digit)] for digit in str(year))
