"""Sums, percentages, periods and dates as contracts write them, in figures and in words.

Capital numerals for sums: 会计基础工作规范 (Ministry of Finance, order 98), article 52.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Unit = Literal["day", "workday", "week", "month", "quarter", "year", "hour"]
DAYS: dict[Unit, float] = {
    "hour": 1 / 24, "day": 1, "workday": 1.4, "week": 7, "month": 30, "quarter": 91, "year": 365,
}  # fmt: skip

_DIGITS = {
    c: n for n, cs in enumerate(("零〇0", "一壹幺1", "二贰两贰2", "三叁3", "四肆4", "五伍5", "六陆6", "七柒7",
                                 "八捌8", "九玖9")) for c in cs
}  # fmt: skip
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1_000, "仟": 1_000}
_GROUPS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
HANZI_NUMBER = "[零〇一二三四五六七八九十百千万亿两壹贰叁肆伍陆柒捌玖拾佰仟萬億]"
_WORDS = {
    w: n for n, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
    )
} | {w: 10 * n for n, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
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
class Money(Span):
    """``written``: in words (大写, ``Two hundred thousand``), not in figures."""

    amount: Decimal
    currency: str
    written: bool = False


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


def hanzi_number(text: str) -> int | None:
    """``一百二十`` and ``壹佰贰拾`` are 120, ``二〇二五`` is 2025; ``None`` for what is no number."""
    if not text or any(c not in _DIGITS and c not in _UNITS and c not in _GROUPS for c in text):
        return None
    if not any(c in _UNITS or c in _GROUPS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total = group = digit = 0
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
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
        elif word in _SCALES:
            total += (group or 1) * _SCALES[word]
            group = 0
        elif word == "and":
            continue
        else:
            return None
        seen = True
    return total + group if seen else None


# --- money ---------------------------------------------------------------------------------------

_CURRENCIES = {
    "人民币": "CNY", "rmb": "CNY", "cny": "CNY", "￥": "CNY", "¥": "CNY", "元": "CNY",
    "美元": "USD", "usd": "USD", "us$": "USD", "$": "USD", "u.s. dollars": "USD", "us dollars": "USD",
    "dollars": "USD", "港元": "HKD", "港币": "HKD", "hkd": "HKD", "hk$": "HKD", "欧元": "EUR",
    "eur": "EUR", "€": "EUR", "euro": "EUR", "euros": "EUR", "gbp": "GBP", "£": "GBP", "英镑": "GBP",
    "sgd": "SGD", "s$": "SGD", "日元": "JPY", "jpy": "JPY", "yuan": "CNY", "renminbi": "CNY",
}  # fmt: skip
_BEFORE = r"人民币|RMB|CNY|US\$|USD|HK\$|HKD|EUR|GBP|SGD|S\$|JPY|美元|港币|欧元|[¥￥€£$]"
_AFTER = r"元|圆|美元|港元|港币|欧元|英镑|日元|US [Dd]ollars|U\.S\. [Dd]ollars|[Dd]ollars|[Ee]uros?|[Yy]uan|Renminbi|RMB|CNY|USD|EUR|HKD|GBP|SGD|JPY"
_FIGURE = r"\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MONEY = re.compile(
    rf"(?P<before>{_BEFORE})\s*(?:\(?小写\)?|（小写）)?\s*[:：]?\s*(?P<cur2>[¥￥$])?\s*(?P<fig>{_FIGURE})\s*(?P<scale>万|亿|million|thousand|billion)?\s*(?P<after>{_AFTER})?"
    rf"|(?P<fig2>{_FIGURE})\s*(?P<scale2>万|亿|million|thousand|billion)?\s*(?P<after2>{_AFTER})(?!/)"
)
_CAPITAL = re.compile(
    r"(?P<num>[零壹贰叁肆伍陆柒捌玖拾佰仟万亿萬億]{2,}|[零〇一二三四五六七八九十百千万亿]{3,})(?P<unit>元|圆|美元)(?P<rest>[零壹贰叁肆伍陆柒捌玖角分]*)(?P<whole>整|正)?"
)
_WORDED = re.compile(
    r"(?P<cur>RMB|CNY|USD|US [Dd]ollars|Renminbi|Euros?)?\s*(?P<num>(?:(?:[Oo]ne|[Tt]wo|[Tt]hree|[Ff]our|[Ff]ive|[Ss]ix|[Ss]even|[Ee]ight|[Nn]ine|[Tt]en|"
    r"[Ee]leven|[Tt]welve|[Tt]hirteen|[Ff]ourteen|[Ff]ifteen|[Ss]ixteen|[Ss]eventeen|[Ee]ighteen|[Nn]ineteen|[Tt]wenty|[Tt]hirty|[Ff]orty|"
    r"[Ff]ifty|[Ss]ixty|[Ss]eventy|[Ee]ighty|[Nn]inety|[Hh]undred|[Tt]housand|[Mm]illion|[Bb]illion|and)[\s-]+){2,})"
    r"(?P<after>(?:Chinese )?[Yy]uan|US [Dd]ollars|U\.S\. [Dd]ollars|[Dd]ollars|[Ee]uros?|Renminbi|RMB)"
)


def moneys(text: str) -> Iterator[Money]:
    """Every sum, in the order of the text; a sum in words besides its figures is one of its own."""
    found: list[Money] = []
    for m in _CAPITAL.finditer(text):
        whole = hanzi_number(m["num"])
        if whole is None or whole < 10:
            continue
        amount = Decimal(whole)
        for unit, part in (("角", Decimal("0.1")), ("分", Decimal("0.01"))):
            at = m["rest"].find(unit)
            if at > 0 and m["rest"][at - 1] in _DIGITS:
                amount += _DIGITS[m["rest"][at - 1]] * part
        currency = "USD" if m["unit"] == "美元" else "CNY"
        found.append(Money(m.start(), m.end(), amount, currency, written=True))
    for m in _WORDED.finditer(text):
        whole = word_number(m["num"])
        if whole is not None and whole >= 20:
            currency = _CURRENCIES.get(
                (m["after"] or m["cur"]).lower().removeprefix("chinese "), "USD"
            )
            found.append(Money(m.start(), m.end(), Decimal(whole), currency, written=True))
    for m in _MONEY.finditer(text):
        if any(f.start < m.end() and m.start() < f.end for f in found):
            continue
        figure = (m["fig"] or m["fig2"]).replace(",", "").replace("，", "")
        scale = m["scale"] or m["scale2"] or ""
        factor = {"万": 10**4, "亿": 10**8} | _SCALES
        amount = Decimal(figure) * factor.get(scale.lower(), 1)
        named = m["after"] or m["after2"] or m["before"] or ""
        if named in ("元", "圆") and m["before"] and m["before"] not in ("¥", "￥", "人民币"):
            named = m["before"]
        currency = _CURRENCIES.get(named.lower(), "CNY")
        found.append(Money(m.start(), m.end(), amount, currency))
    yield from sorted(found, key=lambda f: f.start)


# --- percentages, periods, dates -----------------------------------------------------------------

_PERCENT = re.compile(
    rf"(?P<fig>\d+(?:\.\d+)?)\s*(?P<sign>%|％|‰|per\s?cent|percent)|(?P<base>百分之|千分之|万分之)(?P<num>{HANZI_NUMBER}+(?:点{HANZI_NUMBER}+)?|\d+(?:\.\d+)?)",
    re.IGNORECASE,
)
_PERCENT_WORDS = re.compile(
    r"\b(?P<num>(?:[Oo]ne|[Tt]wo|[Tt]hree|[Ff]our|[Ff]ive|[Ss]ix|[Ss]even|[Ee]ight|[Nn]ine|[Tt]en|[Ee]leven|[Tt]welve|[Tt]hirteen|[Ff]ourteen|[Ff]ifteen|[Ss]ixteen|[Ss]eventeen|[Ee]ighteen|[Nn]ineteen|[Tt]wenty|[Tt]hirty|[Ff]orty|[Ff]ifty|[Ss]ixty|[Ss]eventy|[Ee]ighty|[Nn]inety|[Oo]ne hundred)(?:-[a-z]+)?)\s+(?:per\s?cent|percent)(?!\s*\()"
)
_PERIOD = re.compile(
    rf"(?P<num>\d+(?:\.\d+)?|{HANZI_NUMBER}+|半)\s*(?:[(（]\d+[)）])?\s*(?:个)?\s*(?P<unit>工作日|自然日|日历日|日|天|周|星期|个?月|季度|年|小时)(?!份|度|末|报)"
    r"|(?:(?P<word>[A-Za-z]+(?:-[a-z]+)?)\s*\()?(?P<fig>\d+)\)?[\s-]*(?P<en>(?:business|working|calendar)?[\s-]*(?:days?|weeks?|months?|quarters?|years?|hours?))\b"
    r"|(?P<nth>\d+)(?:st|nd|rd|th)\s+(?P<en3>(?:business |working |calendar )?days?)\b"
    r"|\b(?P<only>one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty-five|sixty|ninety)[\s-]+(?P<en2>(?:business |working |calendar )?(?:days?|weeks?|months?|years?|hours?))\b",
    re.IGNORECASE,
)
_ZH_UNITS: dict[str, Unit] = {
    "工作日": "workday", "自然日": "day", "日历日": "day", "日": "day", "天": "day", "周": "week",
    "星期": "week", "月": "month", "个月": "month", "季度": "quarter", "年": "year", "小时": "hour",
}  # fmt: skip
_DATE = re.compile(
    r"(?P<y>20\d\d|19\d\d)\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?"
    r"|(?P<hy>[二一][〇零九][〇零一二三四五六七八九]{2})年(?P<hm>[一二三四五六七八九十]{1,2})月(?P<hd>[一二三四五六七八九十]{1,3})日"
    r"|(?P<mon>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s+(?P<d2>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y2>20\d\d)"
    r"|(?P<d3>\d{1,2})(?:st|nd|rd|th)?\s+(?:day of\s+)?(?P<mon3>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?,?\s+(?P<y3>20\d\d)",
)


def percents(text: str) -> Iterator[Percent]:
    for m in _PERCENT.finditer(text):
        if m["fig"]:
            value = Decimal(m["fig"]) / (10 if m["sign"] == "‰" else 1)
        else:
            number = _decimal(m["num"])
            if number is None:
                continue
            value = number / {"百分之": 1, "千分之": 10, "万分之": 100}[m["base"]]
        yield Percent(m.start(), m.end(), value)
    for m in _PERCENT_WORDS.finditer(text):
        words = word_number(m["num"])
        if words is not None:
            yield Percent(m.start(), m.end(), Decimal(words))


def periods(text: str) -> Iterator[Period]:
    """A date's parts (``3月``) are none."""
    dates = [(d.start, d.end) for d in days(text)]
    for m in _PERIOD.finditer(text):
        if any(start <= m.start() < end for start, end in dates):
            continue
        unit: Unit
        if m["unit"]:
            number = Decimal("0.5") if m["num"] == "半" else _decimal(m["num"])
            unit = _ZH_UNITS[m["unit"]]
        else:
            figure = m["fig"] or m["nth"]
            number = Decimal(figure) if figure else Decimal(_word(m["only"]))
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


def _decimal(text: str) -> Decimal | None:
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        return Decimal(text)
    whole, _, rest = text.partition("点")
    number = hanzi_number(whole)
    if number is None:
        return None
    return (
        Decimal(f"{number}.{''.join(str(_DIGITS.get(c, 0)) for c in rest)}")
        if rest
        else Decimal(number)
    )


def _word(text: str) -> int:
    return sum(_WORDS[w] for w in text.lower().split("-"))


def _en_unit(text: str) -> Unit:
    if "business" in text or "working" in text:
        return "workday"
    for unit in ("day", "week", "month", "quarter", "year", "hour"):
        if unit in text:
            return unit
    raise AssertionError(text)
