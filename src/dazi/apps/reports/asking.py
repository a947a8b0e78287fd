"""A request in words -> a declared report and its parameters. Words are matched by code; a model, where
one is set, may only choose among the reports there are, and what it says is checked.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dazi.apps.reports.definition import Parameter, Report
from dazi.core.engine import Engine, GenerateRequest, Purpose, Sampling, TextDelta
from dazi.core.errors import CallerError, DaziError
from dazi.core.language import Language, Text
from dazi.core.messages import Message
from dazi.router.normalise.dates import parse_date
from dazi.router.normalise.find import find_dates, find_months, find_quarters
from dazi.router.normalise.periods import parse_month, parse_quarter
from dazi.router.spoken import occurs

LEAST = 2.0
"""Of the score of a request's words: one from each of a report's groups gives ``GROUP``."""
GROUP, ALSO, VALUE = 2.0, 0.5, 1.0
CHOOSE = Text(
    "从下面的报表里选一个来满足请求,只回答报表的名字;都不合适就回答 none。",
    "Choose the report that answers the request. Reply with its name only, or none if none does.",
)


@dataclass(frozen=True, slots=True)
class Request:
    """``given``: parameters that the words name."""

    report: Report
    given: Mapping[str, Any]
    score: float
    by_model: bool = False


def recognised(text: str, reports: Iterable[Report], today: date) -> Request | None:
    """The report that ``text`` asks for, by its words; ``None`` where none or two do alike."""
    found = sorted(
        (_scored(text, report, today) for report in reports), key=lambda r: r.score, reverse=True
    )
    if not found or found[0].score < LEAST:
        return None
    if len(found) > 1 and found[1].score == found[0].score:
        return None
    return found[0]


def _scored(text: str, report: Report, today: date) -> Request:
    folded = unicodedata.normalize("NFKC", text)
    given = named(folded, report, today)
    groups = [any(occurs(w, folded) for w in words) for words in report.ask.all_of]
    if not groups or not all(groups):
        return Request(report, given, 0.0)
    also = sum(occurs(w, folded) for w in report.ask.also)
    return Request(report, given, GROUP * len(groups) + ALSO * also + VALUE * len(given))


def named(text: str, report: Report, today: date) -> dict[str, Any]:
    """The parameters of ``report`` that ``text`` gives."""
    out: dict[str, Any] = {}
    for p in report.parameters:
        values = _values(p, text, today)
        if values and (p.many or len(values) == 1):
            out[p.name] = values if p.many else values[0]
    return out


def _values(p: Parameter, text: str, today: date) -> list[str]:
    match p.type:
        case "month":
            found = [parse_month(s.text, today) for s in find_months(text, today)]
        case "quarter":
            found = [parse_quarter(s.text, today) for s in find_quarters(text, today)]
        case "date":
            days = [parse_date(s.text, today, past=True) for s in find_dates(text, today)]
            found = [d.isoformat() if d else None for d in days]
        case "enum":
            found = [v for v in p.values if any(occurs(w, text) for w in _calls(p, v))]
        case _:
            return []
    return list(dict.fromkeys(f for f in found if f))


def _calls(p: Parameter, value: str) -> tuple[str, ...]:
    """What people call a value: its labels, 市场 for 市场部, and a longer English name of itself."""
    label = p.labels[value]
    short = label.zh.removesuffix("部") if len(label.zh) > 2 else label.zh
    return tuple(w for w in (label.zh, short, label.en, value) if len(w) > 1)


async def chosen(
    text: str, reports: Sequence[Report], engine: Engine, today: date, language: Language
) -> Request | None:
    """By a model: one of ``reports`` or none. What it says besides does not count."""
    if engine.profile.copies_text or not reports:
        return None
    listed = "\n".join(
        f"{r.name}: {r.title(language)} — {r.description(language)}" for r in reports
    )
    messages = (
        Message("system", f"{CHOOSE(language)}\n\n{listed}"),
        Message("user", text),
    )
    said = ""
    request = GenerateRequest(
        messages, sampling=Sampling(max_tokens=30), whole=True, purpose=Purpose("report")
    )
    try:
        async for event in engine.generate(request):
            if isinstance(event, TextDelta):
                said += event.text
    except DaziError:
        return None
    named_report = said.strip().strip("`'\"“”.。").casefold()
    report = next((r for r in reports if r.name == named_report), None)
    if report is None:
        return None
    return Request(report, named(text, report, today), 0.0, by_model=True)


def unknown(reports: Sequence[Report]) -> CallerError:
    """Nobody knows which report is meant: these are there."""
    zh = ";".join(f"{r.name}({r.title.zh}:{r.description.zh})" for r in reports)
    en = "; ".join(f"{r.name} ({r.title.en}: {r.description.en})" for r in reports)
    return CallerError(
        "unknown_report",
        f"没有认出要哪个报表。现有:{zh or '无'}",
        f"no report was recognised. There are: {en or 'none'}",
    )


def told(request: Request, language: Language) -> str:
    given = json.dumps(request.given, ensure_ascii=False)
    return f"{request.report.name} ({request.report.title(language)}) {given}"
