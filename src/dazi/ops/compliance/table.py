"""The report on a console: what passed in a line, what did not with its evidence."""

from __future__ import annotations

from collections.abc import Iterator

from dazi.core.language import Language
from dazi.ops.compliance.report import STATEMENT, Chapter, Judged, Report
from dazi.ops.compliance.results import Status
from dazi.ops.compliance.wording import MARK, MEND, RECORDS, STATUS, heading


def lines(report: Report, language: Language) -> Iterator[str]:
    return (_shown(line) for line in _lines(report, language))


def _lines(report: Report, language: Language) -> Iterator[str]:
    yield heading(report, language)
    yield STATEMENT(language)
    for chapter in report.chapters:
        yield ""
        yield from _chapter(chapter, language)
    yield ""
    for chapter in report.chapters:
        yield f"{chapter.framework.name(language)}: {counted(chapter, language)}"


def counted(chapter: Chapter, language: Language) -> str:
    told = [f"{STATUS[s](language)} {chapter.counts[s]}" for s in Status]
    return ", ".join(told)


def _chapter(chapter: Chapter, language: Language) -> Iterator[str]:
    yield f"== {chapter.framework.name(language)}"
    group = None
    for j in chapter.items:
        if j.item.group != group:
            group = j.item.group
            yield f"-- {group(language)}"
        yield from _item(j, language)


def _item(j: Judged, language: Language) -> Iterator[str]:
    yield f"{MARK[j.status]} {j.item.id}  {j.item.title(language)}  [{STATUS[j.status](language)}]"
    if j.status is Status.ORGANISATIONAL and not j.evidence:
        return
    if j.status in (Status.FAIL, Status.ORGANISATIONAL):
        for seen in j.evidence:
            if not seen.ok or j.status is Status.ORGANISATIONAL:
                yield f"    {'·' if seen.ok else '✗'} {seen.text(language)}"
    for mend in j.mend:
        yield f"    {MEND(language)}: {mend(language)}"
    if j.records and j.status is Status.FAIL:
        yield f"    {RECORDS(language)}: {', '.join(map(str, j.records))}"


def _shown(line: str) -> str:
    """Without characters that would act on the terminal."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)
