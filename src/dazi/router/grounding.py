"""Evidence: what a turn really knows, and whether a value occurs in it.

An order number that nobody mentioned cannot be passed on, however sure the model is. Evidence is
the person's own messages and what systems returned; never the assistant's words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from dazi.core.engine import OfferedTool
from dazi.core.ids import canonical_id, find_ids
from dazi.core.language import Language
from dazi.core.tools import Parameter, Tool
from dazi.guard.injection import score, signals
from dazi.router.content import says_something
from dazi.router.normalise.dates import parse_date
from dazi.router.normalise.durations import find_durations
from dazi.router.normalise.emails import find_emails
from dazi.router.normalise.find import find_dates, find_months, find_quarters, find_times
from dazi.router.normalise.numbers import find_numbers, number_text, parse_number
from dazi.router.normalise.sinks import find_accounts, find_urls, parse_account, parse_url
from dazi.router.normalise.text import Span
from dazi.router.spoken import quoted_at_end

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_NO_NUMBER = re.compile(
    r"\d{4}-\d{2}(?:-\d{2})?|\d{1,2}:\d{2}|[A-Za-z][A-Za-z0-9-]*\d[A-Za-z0-9-]*|\d{4}-Q\d", re.ASCII
)
_FINDERS = {
    "date": find_dates,
    "month": find_months,
    "quarter": find_quarters,
}
MAX_SPAN_SOURCE = 2_000
"""Longest message, in characters, that free text may be copied from by grammar."""


HISTORY = "history"
"""Label of what the assistant said earlier, by the caller's account: nobody knows what of."""

MEMORY = "memory"
"""Label of what is remembered of a person's words."""


@dataclass(frozen=True, slots=True)
class Source:
    """A piece of evidence. ``label`` is ``person``, or kind and name of where it comes from, such
    as ``tool:get_order_status`` or ``mail:read_inbox``; anything but a person's own words is
    tainted. ``grounds``: values may be taken from it. ``signals`` are labels of what in it speaks to
    the model (``guard.injection``), and ``score`` how much so, from 0 to 1."""

    label: str
    text: str
    data: Any = None
    grounds: bool = True
    signals: frozenset[str] = frozenset()
    score: float = 0.0

    @property
    def tainted(self) -> bool:
        return self.label != "person"


@dataclass(slots=True)
class Evidence:
    """Grows as a turn goes on."""

    today: date
    sources: list[Source] = field(default_factory=list)

    def said(self, text: str) -> None:
        self.sources.append(Source("person", unicodedata.normalize("NFKC", text)))

    @property
    def signals(self) -> frozenset[str]:
        """Labels of all texts from outside."""
        return frozenset().union(*(s.signals for s in self.sources))

    def found(self, label: str, result: Any) -> Source:
        """``label``: of the tool that gave ``result`` (``core.tools.Tool.label``)."""
        source = _looked_at(Source(label, "\n".join(_texts_in(result)), result))
        self.sources.append(source)
        return source

    def recalled(self, text: str) -> None:
        """An assistant's earlier words, of unknown origin: they ground nothing, and taint what
        repeats or rewords them."""
        self.sources.append(_looked_at(Source(HISTORY, text, None, False)))

    def remembered(self, text: str, label: str = MEMORY) -> None:
        """What is left of older turns. ``label`` is that of the source that its values came from;
        a person's own words are no longer theirs once they are condensed."""
        self.sources.append(_looked_at(Source(label, text, [text])))

    def of(self, tool: str) -> bool:
        """Is there a result of ``tool``?"""
        return any(s.label.partition(":")[2] == tool for s in self.sources)

    def _by_weight(self) -> list[Source]:
        """The person's words before anything else, and the latest first."""
        latest = [s for s in self.sources[::-1] if s.grounds]
        return [s for s in latest if not s.tainted] + [s for s in latest if s.tainted]

    def words(self) -> list[str]:
        """The person's messages, latest first."""
        return [s.text for s in reversed(self.sources) if not s.tainted]

    def values(self, p: Parameter) -> dict[str, str]:
        """Canonical values that ``p`` may take, each with the label of its first source.

        Latest sources come first; a person's word outranks a tool's for the same value.
        """
        out: dict[str, str] = {}
        for source in self._by_weight():
            for value in _values_in(p, source):
                out.setdefault(value, source.label)
        return out

    def origins(self, p: Parameter, value: Any) -> tuple[str, ...]:
        """The labels of everything that ``value`` may have come from.

        What the person said is theirs, whoever else said it too. What stands nowhere was made up
        of all that the model has read: then every source counts, and the model itself.
        """
        holding = [s for s in self.sources if _holds(s, p, value)]
        if any(not s.tainted for s in holding):
            return ("person",)
        if not holding:
            holding = [s for s in self.sources if s.tainted]
            return ("model", *dict.fromkeys(s.label for s in holding)) if holding else ("model",)
        return tuple(dict.fromkeys(s.label for s in holding))

    def supports(self, p: Parameter, value: Any) -> str | None:
        """The label of the source that ``value`` occurs in, or ``None``."""
        known = self.values(p)
        if p.pattern:
            canonical = canonical_id(p.pattern, str(value))
            return known.get(canonical) if canonical else None
        if p.type in ("number", "integer"):
            number = parse_number(str(value))
            return known.get(number_text(number)) if number is not None else None
        if p.format is not None and p.format in _WHOLE:
            canonical = _WHOLE[p.format](str(value))
            return known.get(canonical) if canonical else None
        plain = unicodedata.normalize("NFKC", str(value)).strip().casefold()
        for source in self._by_weight():
            if plain and plain in source.text.casefold():
                return source.label
        return None


def _looked_at(source: Source) -> Source:
    """With what in its text speaks to the model, and normalised."""
    seen = signals(source.text)
    text = unicodedata.normalize("NFKC", source.text)
    labels = frozenset(s.label for s in seen)
    return replace(source, text=text, signals=labels, score=score(seen))


def _texts_in(data: Any) -> Iterator[str]:
    """Every name and value of JSON-like data by itself, as it is written and not as JSON would
    escape it."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield str(name)
            yield from _texts_in(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts_in(value)
    elif data is not None:
        yield str(data)


def _address(text: str) -> str:
    return text.strip().lower()


_WHOLE: Mapping[str, Callable[[str], str | None]] = {
    "email": _address,
    "url": parse_url,
    "account": parse_account,
}
"""Formats whose values count only as wholes: a part of an address is another address."""


def _values_in(p: Parameter, source: Source) -> Iterator[str]:
    if p.pattern:
        yield from find_ids(p.pattern, source.text, () if source.tainted else _announcing(p))
    elif p.format == "email":
        yield from (s.text.lower() for s in find_emails(source.text))
    elif p.format == "url":
        yield from (u for s in find_urls(source.text) if (u := parse_url(s.text)))
    elif p.format == "account":
        yield from (a for s in find_accounts(source.text) if (a := parse_account(s.text)))
    elif p.type in ("number", "integer"):
        said = (s.value for s in find_numbers(source.text))
        numbers = numbers_of(source.data) if source.tainted else said
        whole = p.type == "integer"
        yield from (number_text(n) for n in numbers if not whole or n == n.to_integral_value())


def _announcing(p: Parameter) -> tuple[str, ...]:
    """Words that say a bare number is meant as this id: 「订单」 of 「订单号」, ``order``."""
    zh = p.description.zh.removesuffix("号")
    short = p.description.zh[-2:] if p.description.zh.endswith("号") else ""
    en = p.description.en.split(" ")[0]
    return tuple(w for w in (zh, short, en) if len(w) > 1)


def numbers_of(data: Any) -> Iterator[Decimal]:
    """Every number in JSON-like data, those inside strings too."""
    if isinstance(data, bool) or data is None:
        return
    if isinstance(data, int | float):
        yield Decimal(str(data))
    elif isinstance(data, str):
        # A date, a time and an id hold digits but no numbers.
        for match in _NUMBER.finditer(_NO_NUMBER.sub(" ", data)):
            yield Decimal(match[0].replace(",", "").rstrip("."))
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from numbers_of(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from numbers_of(value)


def offer(
    tool: Tool, evidence: Evidence, language: Language, *, copies: bool, concise: bool
) -> OfferedTool:
    """``tool`` as the model is offered it, with what its grounded parameters may hold.

    ``copies``: the model composes nothing, so dates and periods are limited to those that the
    person spoke of, and free text to parts of their messages.
    """
    candidates: dict[str, tuple[str, ...]] = {}
    spans: dict[str, tuple[str, ...]] = {}
    words = evidence.words()
    for p in tool.parameters:
        if p.grounded:
            candidates[p.name] = tuple(evidence.values(p))
        elif not copies:
            continue
        elif p.format == "time":
            candidates[p.name] = _times(words, ends=bool(p.after))
        elif p.format in _FINDERS:
            find = _FINDERS[p.format]
            candidates[p.name] = _spoken(
                words, lambda text, find=find: [s.text for s in find(text, evidence.today)]
            )
        elif p.type in ("integer", "number"):
            candidates[p.name] = tuple(evidence.values(p))
        elif p.type == "string" and not p.enum and words:
            # An address is a value of its own and no part of a subject or a title.
            spans[p.name] = _passages(p, tool, words[:3], evidence.today)
    empty = [n for n, values in (*candidates.items(), *spans.items()) if not values]
    return OfferedTool(
        tool.name,
        tool.description(language),
        tool.schema(language, concise=concise),
        candidates,
        spans,
        lacking=tuple(p.name for p in tool.parameters if copies and p.required and p.name in empty),
    )


def _passages(p: Parameter, tool: Tool, words: list[str], today: date) -> tuple[str, ...]:
    """Texts that a free-text parameter may be a part of."""
    alone = sum(q.prose for q in tool.parameters) == 1
    if p.prose and alone and (quoted := quoted_at_end(words[0])):
        return (quoted,)
    # An address is a value of its own and no part of a subject or a title.
    telling = (w for w in words if says_something(w, tool, today))
    return _sources(part.strip() for w in telling for part in _between(w, find_emails(w)))


def _between(text: str, spans: Iterable[Span]) -> Iterator[str]:
    start = 0
    for span in spans:
        yield text[start : span.start]
        start = span.end
    yield text[start:]


def _spoken(words: list[str], find: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for message in words for text in find(message)))


def held_to_words(tool: OfferedTool, evidence: Evidence) -> OfferedTool:
    """A caller's own tool for a model that can only copy: texts and numbers are those said.

    Only what stands at the top of its schema; nested values are left to the model.
    """
    numbers = {n for s in evidence.sources for n in _numbers_in(s)}
    candidates, spans = dict(tool.candidates), dict(tool.spans)
    for name, schema in dict(tool.parameters.get("properties", {})).items():
        kind = schema.get("type") if isinstance(schema, Mapping) else None
        if name in candidates or name in spans or not kind or "enum" in schema:
            continue
        if kind in ("number", "integer"):
            whole = (n for n in numbers if kind == "number" or n == n.to_integral_value())
            candidates[name] = tuple(number_text(n) for n in sorted(whole))
        elif kind == "string" and evidence.words():
            spans[name] = _sources(evidence.words()[:3])
    return replace(tool, candidates=candidates, spans=spans)


def _numbers_in(source: Source) -> Iterator[Decimal]:
    if source.data is not None:
        return numbers_of(source.data)
    return (s.value for s in find_numbers(source.text))


def _sources(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(t for t in texts if 1 < len(t) <= MAX_SPAN_SOURCE)


def _times(words: list[str], *, ends: bool) -> tuple[str, ...]:
    """Times that were spoken of; for an end, lengths of time too. A single time is a beginning."""
    times = _spoken(words, lambda text: [s.text for s in find_times(text)])
    if not ends:
        return times
    lengths = _spoken(words, lambda text: [s.text for s in find_durations(text)])
    return (*times, *lengths) if len(times) > 1 else lengths


def _holds(source: Source, p: Parameter, value: Any) -> bool:
    if p.grounded and (p.pattern or p.format in _WHOLE or p.type in ("number", "integer")):
        return Evidence(date.min, [source]).supports(p, value) is not None
    values = value if isinstance(value, list) else [value]
    text = source.text.casefold()
    return bool(values) and all(
        unicodedata.normalize("NFKC", str(v)).strip().casefold() in text for v in values
    )


def date_values(text: str, today: date) -> set[str]:
    """ISO dates that ``text`` speaks of, in any wording."""
    found = (parse_date(s.text, today) for s in find_dates(text, today))
    return {d.isoformat() for d in found if d is not None}
