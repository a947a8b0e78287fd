"""Is every number of a text a bound one? The text is taken apart as it stands, whoever wrote it.

Each bound piece must stand at its place as its value is written, and no number may reach beyond bound
pieces: a digit, sign, scale or unit that is other, missing or too much is told with its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dazi.apps.reports.formats import written
from dazi.apps.reports.numerals import scan, sentence_at
from dazi.apps.reports.result import Bound, Paragraph, Run
from dazi.core.errors import OperatorError
from dazi.core.language import Language


@dataclass(frozen=True, slots=True)
class Unbound:
    """``number``: as the text has it; of one that is missing, as it should stand there."""

    number: str
    sentence: str
    expected: str = ""


def unbound(text: str, bound: Sequence[Bound], language: Language) -> Unbound | None:
    """The first number of ``text`` that is not the bound one at its place."""
    covered: set[int] = set()
    end = -1
    for b in bound:
        said = written(b.value, b.format, language)
        here = text[b.start : b.end]
        if here != b.text or _keys(said) != _keys(here) or b.start < end:
            return Unbound(_number_at(text, b), sentence_at(text, b.start), said)
        covered.update(range(b.start, b.end))
        if end >= 0 and text[end : b.start].isspace():
            covered.update(range(end, b.start))  # a figure and its unit
        end = b.end
    for numeral in scan(text):
        if not covered.issuperset(range(numeral.start, numeral.end)):
            near = next(
                (b.text for b in bound if b.start < numeral.end and numeral.start < b.end), ""
            )
            return Unbound(numeral.text, sentence_at(text, numeral.start), near)
    return None


def _keys(text: str) -> list[str]:
    return [n.key for n in scan(text)]


def _number_at(text: str, b: Bound) -> str:
    """The number that stands where ``b`` should."""
    found = next((n.text for n in scan(text) if n.end > b.start), "")
    return found or text[b.start : b.end] or b.text


def paragraphs(run: Run) -> Iterator[Paragraph]:
    """All that a run says in words: sections and the notes below tables."""
    for section in run.sections:
        yield from section.paragraphs
    for table in run.tables:
        yield from table.notes


def verify(run: Run) -> None:
    """Raises ``OperatorError`` for a run that says a number nobody bound: it is not rendered."""
    for paragraph in paragraphs(run):
        found = unbound(paragraph.text, paragraph.bound, run.language)
        if found is not None:
            instead = f",应为 “{found.expected}”" if found.expected else ""
            should = f" (bound: “{found.expected}”)" if found.expected else ""
            raise OperatorError(
                "unbound_number",
                f"数字 “{found.number}” 没有绑定到数据{instead},报表不生成。所在句子:{found.sentence}",
                f"the number “{found.number}” is bound to nothing{should}; the report is not made. "
                f"Its sentence: {found.sentence}",
            )
