"""What a report is run with: values as people say them (``last month``, 市场部) -> values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from dazi.apps.reports.definition import Parameter, Report
from dazi.apps.reports.formats import written
from dazi.apps.reports.result import Given
from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.router.normalise.dates import parse_date
from dazi.router.normalise.numbers import parse_number
from dazi.router.normalise.periods import parse_month, parse_quarter

_BETWEEN = re.compile(r"\s*[,,、;;]\s*")
MOST = 40
"""Values of one parameter."""


def settled(report: Report, given: Mapping[str, Any], today: date) -> dict[str, Any]:
    """A value for every parameter, ``None`` for one that may be left out. Raises ``CallerError``."""
    known = {p.name for p in report.parameters}
    for name in given:
        if name not in known:
            listed = ", ".join(sorted(known)) or "-"
            raise CallerError(
                "parameter",
                f"报表 {report.name} 没有参数 “{name}”,有:{listed}",
                f"report {report.name} has no parameter “{name}”; it has: {listed}",
            )
    return {p.name: _settled(p, given.get(p.name, p.default), today) for p in report.parameters}


def _settled(p: Parameter, value: Any, today: date) -> Any:
    if value is None or value == "" or value == []:
        if p.required:
            raise CallerError("parameter", f"缺少参数 {p.name}", f"parameter {p.name} is missing")
        return [] if p.many else None
    if not p.many:
        return _one(p, value, today)
    many = value if isinstance(value, list | tuple) else _BETWEEN.split(str(value).strip())
    if len(many) > MOST:
        raise _wrong(p, f"{len(many)}")
    return list(dict.fromkeys(_one(p, v, today) for v in many))


def _one(p: Parameter, value: Any, today: date) -> Any:
    text = str(value).strip()
    found: Any = None
    if len(text) > 500:
        raise _wrong(p, text[:40])
    match p.type:
        case "month":
            found = (
                text if re.fullmatch(r"\d{4}-(?:0[1-9]|1[0-2])", text) else parse_month(text, today)
            )
        case "quarter":
            found = text if re.fullmatch(r"\d{4}-Q[1-4]", text) else parse_quarter(text, today)
        case "date":
            day = parse_date(text, today, past=True)
            found = day.isoformat() if day else None
        case "enum":
            found = _member(p, text)
        case "integer" | "number":
            number = parse_number(text)
            whole = p.type == "number" or number is None or number == number.to_integral_value()
            found = number if number is not None and whole and _within(p, number) else None
        case "string":
            found = text if not p.pattern or re.fullmatch(p.pattern, text) else None
        case "file":
            found = text
    if found is None:
        raise _wrong(p, text)
    return found


def _member(p: Parameter, text: str) -> str | None:
    folded = text.casefold()
    for value in p.values:
        label = p.labels[value]
        if folded in (value.casefold(), label.zh.casefold(), label.en.casefold()):
            return value
    return None


def _within(p: Parameter, number: Decimal) -> bool:
    low = p.minimum is None or number >= p.minimum
    return low and (p.maximum is None or number <= p.maximum)


def _wrong(p: Parameter, text: str) -> CallerError:
    hint = {
        "month": "2025-03, 上个月", "quarter": "2025-Q1, 上季度", "date": "2025-03-31",
        "enum": ", ".join(p.values),
    }.get(p.type, p.pattern or p.type)  # fmt: skip
    return CallerError(
        "parameter",
        f"参数 {p.name} 的值 “{text}” 不对,例:{hint}",
        f"“{text}” is no value of parameter {p.name}; for example: {hint}",
    )


def told(report: Report, values: Mapping[str, Any], language: Language) -> tuple[Given, ...]:
    """The parameters with their values, for whoever reads the report."""
    return tuple(
        Given(p.name, p.label(language), values[p.name], in_words(p, values[p.name], language))
        for p in report.parameters
    )


def in_words(p: Parameter, value: Any, language: Language) -> str:
    many: Sequence[Any] = value if isinstance(value, list) else [value]
    if p.type == "enum":
        many = [p.labels[v](language) if v in p.labels else v for v in many]
    if p.type == "file":
        many = [str(v).replace("\\", "/").rpartition("/")[2] if v else v for v in many]
    format = "period" if p.type in ("month", "quarter", "date") else "text"
    return written(many if isinstance(value, list) else many[0], format, language)
