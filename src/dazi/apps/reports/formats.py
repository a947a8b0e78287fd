"""How values are written: each format says how it rounds, in both languages.

Rounding is half up (0.05 becomes 0.1, -0.05 becomes -0.1), once, when a value is written; nothing is
calculated on from what was rounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from dazi.core.language import Language, Text

MISSING = "—"
WAN, MILLION = Decimal(10_000), Decimal(1_000_000)
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_PERIOD = re.compile(r"(\d{4})-(?:(\d{2})(?:-(\d{2}))?|Q([1-4]))")


@dataclass(frozen=True, slots=True)
class Format:
    """``write`` makes a text of a value. ``excel``: the number format of a cell; empty where the value
    is no number. ``rounds``: what is told of it."""

    name: str
    write: Callable[[Any, Language], str]
    rounds: Text
    excel: str = ""


def rounded(value: Decimal, places: int) -> Decimal:
    """Half up; never a negative nought."""
    out = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return out if out else abs(out)


def _figure(value: Decimal, places: int, *, signed: bool = False) -> str:
    return format(rounded(value, places), "+," if signed else ",")


def _decimals(places: int) -> Callable[[Any, Language], str]:
    return lambda value, _: _figure(value, places)


def _yuan(value: Decimal, language: Language) -> str:
    figure = _figure(value, 2)
    return f"{figure}元" if language == "zh" else f"CNY {figure}"


def _wan(value: Decimal, language: Language) -> str:
    if language == "zh":
        return f"{_figure(value / WAN, 2)}万元"
    return f"CNY {_figure(value / MILLION, 2)} million"


def _percent(value: Decimal, _: Language) -> str:
    return f"{_figure(value * 100, 1)}%"


def _change(value: Decimal, _: Language) -> str:
    part = rounded(value * 100, 1)
    return f"{part:+,}%" if part else "0.0%"


def _grew(value: Decimal, language: Language) -> str:
    """In words: 增长 12.3%, down 3.1%."""
    part = rounded(value * 100, 1)
    if not part:
        return "持平" if language == "zh" else "unchanged"
    word = (("增长", "下降"), ("up ", "down "))[language == "en"][part < 0]
    return f"{word}{abs(part):,}%"


def _points(value: Decimal, language: Language) -> str:
    part = _figure(value * 100, 1, signed=True)
    return f"{part}个百分点" if language == "zh" else f"{part} percentage points"


def _times(value: Decimal, language: Language) -> str:
    return f"{_figure(value, 2)}倍" if language == "zh" else f"{_figure(value, 2)} times"


def _ordinal(value: Decimal, language: Language) -> str:
    number = int(value)
    if language == "zh":
        return f"第{number}"
    last = (
        "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{last}"


def _period(value: Any, language: Language) -> str:
    """A month, quarter or day, as ISO writes it, in words."""
    match = _PERIOD.fullmatch(str(value))
    if match is None:
        return str(value)
    year, month, day, quarter = match.groups()
    if quarter:
        return f"{year}年第{quarter}季度" if language == "zh" else f"Q{quarter} {year}"
    if language == "zh":
        return f"{year}年{int(month)}月" + (f"{int(day)}日" if day else "")
    name = _MONTHS[int(month) - 1]
    return f"{int(day)} {name} {year}" if day else f"{name} {year}"


def _text(value: Any, language: Language) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ("、" if language == "zh" else ", ").join(_text(v, language) for v in value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return " ".join(str(value).split())


def _periods(value: Any, language: Language) -> str:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return ("、" if language == "zh" else ", ").join(_period(v, language) for v in values)


_CENT = Text("四舍五入到分", "rounded half up to the cent")
_TENTH = Text("四舍五入到 0.1 个百分点", "rounded half up to a tenth of a percent")
_NONE = Text("不取整", "not rounded")
FORMATS: Mapping[str, Format] = {
    f.name: f
    for f in (
        Format("yuan", _yuan, _CENT, "#,##0.00"),
        Format("wan", _wan, Text("万元,四舍五入到百元", "millions, rounded half up to two places"), "#,##0.00"),
        Format("integer", _decimals(0), Text("四舍五入到整数", "rounded half up to whole numbers"), "#,##0"),
        Format("number", _decimals(2), Text("四舍五入到两位小数", "rounded half up to two places"), "#,##0.00"),
        Format("tenth", _decimals(1), Text("四舍五入到一位小数", "rounded half up to one place"), "#,##0.0"),
        Format("percent", _percent, _TENTH, "0.0%"),
        Format("change", _change, _TENTH, "+0.0%;-0.0%;0.0%"),
        Format("grew", _grew, _TENTH, "+0.0%;-0.0%;0.0%"),
        Format("points", _points, _TENTH, "+0.0%;-0.0%;0.0%"),
        Format("times", _times, Text("四舍五入到两位小数", "rounded half up to two places"), "0.00"),
        Format("ordinal", _ordinal, _NONE, "0"),
        Format("period", _periods, _NONE),
        Format("text", _text, _NONE),
    )
}  # fmt: skip
_NUMBERS = frozenset(n for n, f in FORMATS.items() if f.excel)


def is_number(name: str) -> bool:
    return name in _NUMBERS


def written(value: Any, name: str, language: Language) -> str:
    """``value`` in the format of that name; a dash for what there is none of. Raises ``ValueError``
    for a value that the format cannot write."""
    if value is None:
        return MISSING
    if name in _NUMBERS and (not isinstance(value, Decimal) or not value.is_finite()):
        raise ValueError(f"{name}: {value!r}")
    return FORMATS[name].write(value, language)
