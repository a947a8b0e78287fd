"""Mailing a report: its words, through the company's governed mail tool.

The tool takes a subject and a text, so the mail says what the report says and where it lies; the files
stay where they are. It is sensitive: as a rule a person confirms it first, and until then it waits.
"""

from __future__ import annotations

from dazi.apps.reports import words
from dazi.apps.reports.calling import GovernedCaller
from dazi.apps.reports.result import Mail, Run
from dazi.apps.reports.verifying import verify
from dazi.core.language import Text

LONGEST = 4_500
"""Characters of a mail's text."""
WHERE = Text("报表文件:{where}", "The report's files: {where}")
CUT = Text("(后面的见报表文件)", "(the rest is in the report's files)")


async def mailed(run: Run, to: str, caller: GovernedCaller, where: str = "") -> Mail:
    """What came of it. Raises ``OperatorError`` for a report that says what nothing binds."""
    verify(run)
    record = await caller.mail(to, words.title(run), body(run, where))
    return Mail(to, record.outcome, record.message, record.ticket)


def body(run: Run, where: str = "") -> str:
    lines = [words.title(run), f"{run.company} · {words.byline(run)}"]
    if failed := words.failed(run):
        lines.append(failed)
    for section in run.sections:
        lines += ["", section.title]
        lines += [f"{'- ' if p.bullet else ''}{p.text}" for p in section.paragraphs]
    text = "\n".join(lines)
    if len(text) > LONGEST:
        cut = text.rfind("\n", 0, LONGEST)
        text = f"{text[:cut]}\n{CUT(run.language)}"
    ends = [WHERE(run.language).format(where=where)] if where else []
    return "\n".join([text, "", *ends, words.label(run)])
