"""May this sentence be shown? It may only state what the turn's evidence holds.

Checked are ids, dates, numbers (amounts, counts, percentages) and the words for a status: what
can be checked for certain. Prose is not judged. A model that can only copy is held to what it was
taught, value by value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from dazi.agent.taught import Shown, Taught, folded
from dazi.core.tools import Tool
from dazi.router.grounding import Evidence, Source, date_values, numbers_of
from dazi.router.normalise.find import find_dates, find_months, find_quarters, find_times
from dazi.router.normalise.numbers import parse_number
from dazi.router.normalise.periods import parse_month, parse_quarter
from dazi.router.normalise.times import parse_time

_RUN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9][A-Za-z0-9-]{2,}")
_NUMBER = re.compile(r"(?<![A-Za-z0-9.])[-+]?\d[\d,]*(?:\.\d+)?(?![A-Za-z0-9])")
_LIST_MARK = re.compile(r"(?m)^\s*\d{1,2}[.、)]\s")
_MONEY_WORD = re.compile(r"[零一二两三四五六七八九十百千万亿]{1,12}(?=\s*(?:元|块|万元))")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``unsupported``: the pieces of the sentence that no evidence holds. ``needless``: it asks for
    what the person has just said."""

    ok: bool
    unsupported: tuple[str, ...] = ()
    needless: bool = False


@dataclass(slots=True)
class AnswerChecker:
    """Facts of one turn's evidence, ready for checking sentences against them."""

    today: date
    taught: Taught | None = None
    needless: frozenset[str] = frozenset()
    codes: set[str] = field(default_factory=set)
    numbers: set[Decimal] = field(default_factory=set)
    dates: set[str] = field(default_factory=set)
    times: set[str] = field(default_factory=set)
    periods: set[str] = field(default_factory=set)
    labels: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)
    text: str = ""
    _unread: tuple[tuple[Source, ...], tuple[Shown, ...]] = ((), ())
    _sayable: frozenset[str] | None = None

    @classmethod
    def over(
        cls,
        evidence: Evidence,
        results: Iterable[Shown],
        taught: Taught | None = None,
        needless: frozenset[str] = frozenset(),
    ) -> AnswerChecker:
        """``results``: (tool, canonical arguments, derived result) of the turn. ``taught``: all
        that the model may say; ``None`` if it may word things itself. ``needless``: questions that
        have been answered."""
        checker = cls(evidence.today, taught, needless)
        checker._unread = (tuple(evidence.sources), tuple(results))
        return checker

    def _read(self) -> None:
        """Learn the facts when the first sentence comes: a round that only calls says none."""
        sources, results = self._unread
        self._unread = ((), ())
        if sources or results:
            self.dates.add(self.today.isoformat())
        for source in sources:
            self._learn(source.text)
            if source.data is not None:
                self.numbers.update(abs(n) for n in numbers_of(source.data))
        for tool, arguments, result in results:
            for value in _strings(arguments):
                self._learn(value)
            self._learn_labels(tool, result)

    def _learn(self, text: str) -> None:
        self.text += "\n" + text.casefold()
        self.codes.update(code.upper() for code in _codes(text))
        self.dates |= date_values(text, self.today)
        for span in find_times(text):
            time = parse_time(span.text)
            if time:
                self.times.add(time)
        for value in re.findall(r"\d{1,2}:\d{2}", text):
            self.times.add(value.zfill(5))
        self.periods |= _periods(text, self.today)
        for match in _NUMBER.finditer(text):
            self.numbers |= _as_numbers(match[0])
        for match in _MONEY_WORD.finditer(text):
            number = parse_number(match[0])
            if number is not None:
                self.numbers.add(number)

    def _learn_labels(self, tool: Tool, result: Mapping[str, Any]) -> None:
        rows = result.get(tool.result.rows)
        shown = [result, *(rows if isinstance(rows, list) else [])]
        held = {str(v) for row in shown for v in row.values() if isinstance(v, str)}
        for name, values in tool.result.values.items():
            every = {form for text in values.values() for form in (text.zh, text.en)}
            true = {form for form in every if any(form in h for h in held)}
            if true:
                known = self.labels.setdefault(f"{tool.name}.{name}", (set(), set()))
                known[0].update(true)
                known[1].update(every)

    def check(self, sentence: str) -> Verdict:
        if self.needless and folded(sentence) in self.needless:
            return Verdict(False, (sentence.strip(),), needless=True)
        if self.taught is not None:
            if self._sayable is None:
                self._sayable = self.taught.sayable(self._unread[1])
            known = not sentence.strip() or folded(sentence) in self._sayable
            return Verdict(known, () if known else (sentence.strip(),))
        self._read()
        text = unicodedata.normalize("NFKC", sentence)
        bad: list[str] = []
        for span in find_dates(text, self.today):
            if not date_values(span.text, self.today) <= self.dates:
                bad.append(span.text)
        spans = [s.text for s in find_dates(text, self.today)]
        for span in find_times(text):
            time = parse_time(span.text)
            if time and time not in self.times and _later(time) not in self.times:
                bad.append(span.text)
            spans.append(span.text)
        for span in (*find_months(text, self.today), *find_quarters(text, self.today)):
            if not _periods(span.text, self.today) <= self.periods:
                bad.append(span.text)
            spans.append(span.text)
        bare = _without(text, spans)
        for code in _codes(bare):
            if code.upper() not in self.codes and code.casefold() not in self.text:
                bad.append(code)
        bare = _LIST_MARK.sub(" ", _RUN.sub(lambda m: " " if _is_code(m[0]) else m[0], bare))
        for match in _NUMBER.finditer(bare):
            if not _as_numbers(match[0]) & self.numbers:
                bad.append(match[0])
        for match in _MONEY_WORD.finditer(bare):
            if parse_number(match[0]) not in self.numbers:
                bad.append(match[0])
        bad += self._wrong_labels(text)
        return Verdict(not bad, tuple(dict.fromkeys(bad)))

    def _wrong_labels(self, text: str) -> Iterator[str]:
        folded = text.casefold()
        for true, every in self.labels.values():
            if any(t.casefold() in folded for t in true):
                continue
            false = every - true
            yield from (f for f in false if len(f) > 1 and _word_in(f.casefold(), folded))


def _codes(text: str) -> Iterator[str]:
    """Ids and the like: letters and digits in one run."""
    return (m[0] for m in _RUN.finditer(text) if _is_code(m[0]))


def _is_code(run: str) -> bool:
    # Two look-aheads in the pattern would say the same, in time that grows with the square.
    return any(c.isdigit() for c in run) and any(c.isalpha() for c in run)


def _word_in(word: str, text: str) -> bool:
    if word.isascii():
        return re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text) is not None
    at = text.find(word)
    # 「还没已发货」 is nobody's Chinese, but 「未发货」 and 「不会下雨」 deny rather than state.
    return at >= 0 and text[max(0, at - 1) : at] not in ("未", "没", "不", "非")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for v in value.values():
            yield from _strings(v)
    elif isinstance(value, list | tuple):
        for v in value:
            yield from _strings(v)
    elif value is not None:
        yield str(value)


def _as_numbers(text: str) -> set[Decimal]:
    try:
        return {abs(Decimal(text.replace(",", "").rstrip(".")))}
    except InvalidOperation:
        return set()


def _periods(text: str, today: date) -> set[str]:
    months = (parse_month(s.text, today) for s in find_months(text, today))
    quarters = (parse_quarter(s.text, today) for s in find_quarters(text, today))
    return {p for p in (*months, *quarters) if p}


def _later(time: str) -> str:
    """The same clock face half a day on: 「2点」 said of 14:00."""
    hour, minute = time.split(":")
    return f"{(int(hour) + 12) % 24:02}:{minute}"


def _without(text: str, parts: Iterable[str]) -> str:
    for part in sorted(set(parts), key=len, reverse=True):
        text = text.replace(part, " ")
    return text
