"""Is every number of a text a bound one? The text is taken apart as it stands, whoever wrote it.

The numbers of the text, in their order, must be those that its bindings' values are written as, in
theirs: a digit, sign, scale or unit that is other, missing or too much is told with its sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dazi.apps.reports.formats import written
from dazi.apps.reports.numerals import Numeral, scan, sentence_at
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
    wanted: list[Numeral] = []
    for b in bound:
        said = written(b.value, b.format, language)
        if said != b.text:
            return Unbound(b.text, sentence_at(text, b.start), said)
        wanted += scan(said)
    found = scan(text)
    for n, numeral in enumerate(found):
        expected = wanted[n] if n < len(wanted) else None
        if expected is None or expected.key != numeral.key:
            sentence = sentence_at(text, numeral.start)
            return Unbound(numeral.text, sentence, expected.text if expected else "")
    if len(found) < len(wanted):
        return Unbound(wanted[len(found)].text, text.strip(), wanted[len(found)].text)
    return None


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
