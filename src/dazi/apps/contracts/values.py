"""Percentages, periods and dates as contracts write them, in figures and in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from dazi.apps.contracts.numerals import HANZI_NUMBER, NUMBER_WORDS, decimal_number, hanzi_number

Unit = Literal["day", "workday", "week", "month", "quarter", "year", "hour"]
DAYS: dict[Unit, float] = {
    "hour": 1 / 24, "day": 1, "workday": 1.4, "week": 7, "month": 30, "quarter": 91, "year": 365,
}  # fmt: skip

_MONTHS = {
    m[:3]: n for n, m in enumerate(
        ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"], 1,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """Where it stands in the text: from ``start`` to before ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Percent(Span):
    """In hundredths, so 0.05 of 0.05 %."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Period(Span):
    number: Decimal
    unit: Unit

    @property
    def days(self) -> float:
        """About how many; a working day counts 1.4."""
        return float(self.number) * DAYS[self.unit]


@dataclass(frozen=True, slots=True)
class Day(Span):
    day: date


_PERCENT = re.compile(
    rf"(?P<fig>\d+(?:\.\d+)?)\s*(?P<sign>%|％|‰|‱|per\s?cent\b|percent\b)"
    rf"|(?P<base>百分之|千分之|万分之)(?P<num>{HANZI_NUMBER}+(?:点{HANZI_NUMBER}+)?|\d+(?:\.\d+)?)"
    r"|(?P<tenths>[一二三四五六七八九])成(?![立为本熟果交功])"
    rf"|\b(?P<words>{NUMBER_WORDS}(?: point {NUMBER_WORDS})?)\s+per\s?cent\b(?!\s*\()",
    re.IGNORECASE,
)
_EN_UNIT = r"(?:(?:business|working|calendar|banking|clear|consecutive|full)[\s-]+)?(?:days?|weeks?|months?|quarters?|years?|hours?)"
_ZH_UNIT = r"工作日|自然日|日历[日天]|(?:日历|自然)月|日|天|周|星期|个?月|季度|年|小时"
_PERIOD = re.compile(
    rf"(?<!第)(?P<num>\d+(?:\.\d+)?|{HANZI_NUMBER}+|半)\s*(?:[(（](?:\d+|{HANZI_NUMBER}+)[)）])?\s*(?:个|整)?(?P<half>半)?\s*(?P<unit>{_ZH_UNIT})(?P<more>半)?(?!份|度|末|报)"
    rf"|(?P<fig>\d+)\)?(?:\s*\([a-z\- ]+\))?[\s-]*(?P<en>{_EN_UNIT})\b"
    rf"|(?P<nth>\d+)(?:st|nd|rd|th)\s+(?P<en3>(?:business |working |calendar )?days?)\b"
    rf"|\b(?P<only>{NUMBER_WORDS}|(?<=within )a|(?<=within )one|(?<=for )a)[\s-]+(?P<en2>{_EN_UNIT})\b",
    re.IGNORECASE,
)
_ZH_UNITS: dict[str, Unit] = {
    "工作日": "workday", "自然日": "day", "日历日": "day", "日历天": "day", "日": "day", "天": "day", "周": "week",
    "星期": "week", "月": "month", "个月": "month", "日历月": "month", "自然月": "month", "季度": "quarter", "年": "year", "小时": "hour",
}  # fmt: skip
_MONTH = r"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DATE = re.compile(
    r"(?P<y>20\d\d|19\d\d)\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?"
    r"|(?P<hy>[二一][〇○零九][〇○零一二三四五六七八九]{2})年(?P<hm>[一二三四五六七八九十]{1,2})月(?P<hd>[一二三四五六七八九十]{1,3})日"
    rf"|(?P<mon>{_MONTH})[a-z]*\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y2>20\d\d)"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?:day of\s+)?(?P<mon3>{_MONTH})[a-z]*\.?,?[\s-]+(?P<y3>20\d\d)",
    re.IGNORECASE,
)


_DAY_AFTER = re.compile(r"\s*\d{1,2}\s*[日号]")
"""After 10月: a day of a year that stands before."""


def percents(text: str) -> Iterator[Percent]:
    for m in _PERCENT.finditer(text):
        if m["fig"]:
            value: Decimal | None = Decimal(m["fig"]) / {"‰": 10, "‱": 100}.get(m["sign"], 1)
        elif m["base"]:
            number = decimal_number(m["num"])
            value = number and number / {"百分之": 1, "千分之": 10, "万分之": 100}[m["base"]]
        elif m["tenths"]:
            value = Decimal((hanzi_number(m["tenths"]) or 0) * 10)
        else:
            whole, _, rest = m["words"].lower().partition(" point ")
            value = decimal_number(whole)
            if value is not None and rest:
                digits = [decimal_number(w) for w in rest.split()]
                value = Decimal(f"{value}.{''.join(str(d) for d in digits if d is not None)}")
        if value is not None:
            yield Percent(m.start(), m.end(), value)


def periods(text: str) -> Iterator[Period]:
    """A date's parts (``3月``) are none."""
    dates = [(d.start, d.end) for d in days(text)]
    for m in _PERIOD.finditer(text):
        if any(start <= m.start() < end for start, end in dates):
            continue
        if m["unit"] == "月" and "个" not in m[0] and _DAY_AFTER.match(text, m.end()):
            continue
        unit: Unit
        if m["unit"]:
            number = Decimal("0.5") if m["num"] == "半" else decimal_number(m["num"])
            if number is not None and (m["half"] or m["more"]):
                number += Decimal("0.5")
            unit = _ZH_UNITS[m["unit"]]
        else:
            number = _en_number((m["fig"] or m["nth"] or m["only"]).lower())
            unit = _en_unit((m["en"] or m["en2"] or m["en3"]).lower())
        if number is not None and not (unit == "year" and number > 200):
            yield Period(m.start(), m.end(), number, unit)


def days(text: str) -> Iterator[Day]:
    for m in _DATE.finditer(text):
        if m["y"]:
            parts = int(m["y"]), int(m["m"]), int(m["d"])
        elif m["hy"]:
            read = [hanzi_number(m[k]) or 0 for k in ("hy", "hm", "hd")]
            parts = read[0], read[1], read[2]
        elif m["mon"]:
            parts = int(m["y2"]), _MONTHS[m["mon"].lower()], int(m["d2"])
        else:
            parts = int(m["y3"]), _MONTHS[m["mon3"].lower()], int(m["d3"])
        try:
            yield Day(m.start(), m.end(), date(*parts))
        except ValueError:
            continue


def _en_number(text: str) -> Decimal | None:
    return Decimal(1) if text == "a" else decimal_number(text)


def _en_unit(text: str) -> Unit:
    if re.match(r"business|working|banking", text):
        return "workday"
    for unit in ("day", "week", "month", "quarter", "year", "hour"):
        if unit in text:
            return unit
    raise AssertionError(text)
