"""What the host makes of a turn's results without the model: words, tables and charts."""

from __future__ import annotations

from collections.abc import Sequence

from dazi.agent.context import results_of
from dazi.core.company import Company
from dazi.core.language import Language, Text
from dazi.core.turn import Attachment, CallRecord
from dazi.router.view import comparison, plain, sources, table

AS_FOLLOWS = Text("查询结果如下。", "Here is what I found.")


def drawn(
    company: Company, records: Sequence[CallRecord], language: Language
) -> tuple[Attachment, ...]:
    """Tables and charts of the results, in the order of the calls."""
    out: list[Attachment | None] = []
    done = results_of(company, records)
    for name in dict.fromkeys(t.name for t, _, _ in done):
        results = [r for t, _, r in done if t.name == name]
        tool = company.tools[name]
        side_by_side = comparison(tool, results, language) if len(results) > 1 else None
        out += [side_by_side] if side_by_side else [table(tool, r, language) for r in results]
        if tool.result.attach == "chart":
            out += [Attachment("chart", str(r.get("title", "")), r) for r in results]
        if tool.result.attach == "sources":
            out += [sources(r, language) for r in results]
    return tuple(a for a in out if a is not None)


def in_words(company: Company, records: Sequence[CallRecord], language: Language) -> str:
    """The results in words that cannot be wrong; those drawn as a table are only announced."""
    attachments = [a for a in drawn(company, records, language) if a.kind != "sources"]
    titles = {a.title for a in attachments if a.kind == "table"}
    parts = [
        plain(tool, result, language)
        for tool, _, result in results_of(company, records)
        if tool.description(language) not in titles and tool.result.attach != "chart"
    ]
    if attachments:
        parts.append(AS_FOLLOWS(language))
    return "\n".join(parts)


def tells(company: Company, records: Sequence[CallRecord], answer: str) -> bool:
    """Does the answer say anything of each result that was read?

    A large model is trusted to; one that can only copy must have copied something.
    """
    folded = answer.casefold()
    for record in records:
        tool = company.tools[record.name]
        rows = record.result.get(tool.result.rows)
        if tool.effect != "read" or (isinstance(rows, list) and not rows):
            continue
        shown = [record.result, *(rows if isinstance(rows, list) else [])]
        values = (str(v).casefold() for r in shown for v in r.values() if v not in (None, "", []))
        if not any(v in folded for v in values):
            return False
    return bool(answer.strip())
