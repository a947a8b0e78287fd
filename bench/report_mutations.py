"""Alters the numbers of a report's words, one at a time, and counts what the check lets through.

Every number of every paragraph: each digit made another (all nine), one digit left out and one put in,
the sign turned, taken away or put on, the scale changed, a hanzi numeral or a month's name made another;
and between words a number that is nobody's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from dazi.apps.reports.numerals import Numeral, scan
from dazi.apps.reports.result import Paragraph, Run
from dazi.apps.reports.verifying import paragraphs, unbound
from dazi.core.language import Language

HANZI = "一二三四五六七八九十"
SCALES = {"万": "亿", "亿": "万", "%": "‰", "million": "billion"}
MONTHS = ("January", "February", "March", "April", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
INSERTED = {"zh": ("7", "三成", "翻倍"), "en": ("7", "three", "doubled")}
Check = Callable[[Paragraph, Language], bool]


@dataclass
class Counts:
    """``missed``: what was altered and found in order, as (kind, text)."""

    numbers: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, str]] = field(default_factory=list)


def caught(paragraph: Paragraph, language: Language) -> bool:
    return unbound(paragraph.text, paragraph.bound, language) is not None


def count(runs: Iterable[Run], check: Check = caught, every: int = 1) -> Counts:
    """``every``: of the alterations of a paragraph, every so many-th is tried."""
    out = Counts()
    for run in runs:
        for paragraph in paragraphs(run):
            out.numbers += len(scan(paragraph.text))
            for kind, text in islice(mutations(paragraph.text, run.language), 0, None, every):
                out.tried[kind] += 1
                altered = Paragraph(text, paragraph.bound, paragraph.bullet, paragraph.origin)
                if not check(altered, run.language):
                    out.missed.append((kind, text))
    return out


def mutations(text: str, language: Language) -> Iterator[tuple[str, str]]:
    """(kind, altered text)."""
    for numeral in scan(text):
        yield from _of_number(text, numeral)
    for place in _gaps(text):
        for number in INSERTED[language]:
            yield "a number more", f"{text[:place]} {number} {text[place:]}"


def _of_number(text: str, numeral: Numeral) -> Iterator[tuple[str, str]]:
    before, after = text[: numeral.start], text[numeral.end :]
    said = numeral.text
    for n, c in enumerate(said):
        if c.isdecimal():
            for other in "0123456789":
                if int(c) != int(other):
                    yield "another digit", f"{before}{said[:n]}{other}{said[n + 1 :]}{after}"
            yield "a digit less", f"{before}{said[:n]}{said[n + 1 :]}{after}"
            yield "a digit more", f"{before}{said[:n]}9{said[n:]}{after}"
        elif c in HANZI:
            for other in HANZI:
                if c != other:
                    yield "another hanzi", f"{before}{said[:n]}{other}{said[n + 1 :]}{after}"
    if said[0] in "+-":
        yield "sign turned", f"{before}{'-' if said[0] == '+' else '+'}{said[1:]}{after}"
        yield "sign gone", f"{before}{said[1:]}{after}"
    elif said[0].isdecimal() and not before[-1:].isalnum() and before[-1:] not in ("-", "."):
        yield "sign put on", f"{before}-{said}{after}"
    for scale, other in SCALES.items():
        if said.endswith(scale):
            yield "another scale", f"{before}{said.removesuffix(scale)}{other}{after}"
    if said in MONTHS:
        for other in MONTHS:
            if other != said:
                yield "another month", f"{before}{other}{after}"


def _gaps(text: str) -> list[int]:
    """Places outside numbers: the beginning, the end, and the middle of the longest piece between."""
    spans = [(n.start, n.end) for n in scan(text)]
    edges = [0, *(p for span in spans for p in span), len(text)]
    pieces = list(zip(edges[::2], edges[1::2], strict=True))
    start, end = max(pieces, key=lambda piece: piece[1] - piece[0])
    return sorted({0, (start + end) // 2, len(text)})
