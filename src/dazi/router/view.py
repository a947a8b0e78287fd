"""How a derived result is shown: to the model, as a table, and as plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dazi.core.language import Language, Text
from dazi.core.tools import Tool
from dazi.core.turn import Attachment


def model_view(tool: Tool, result: Mapping[str, Any], *, concise: bool) -> dict[str, Any]:
    """What goes back to the model: shown fields only, empty ones left out.

    A model that can only copy (``concise``) gets the first ``model_rows`` rows: the host attaches
    the whole table, so nothing is lost and nothing has to be recited.
    """
    rules = tool.result
    rows = result.get(rules.rows) if rules.shape == "many" else None
    if not isinstance(rows, list):
        more = {} if concise else {n: result[n] for n in rules.detail if result.get(n)}
        return {**_shown(tool, result), **more}
    kept = rows[: rules.model_rows] if concise else rows
    whole = {
        k: v
        for k, v in result.items()
        if k in rules.labels and k not in rules.shown and v is not None
    }
    return {
        "count": result.get("count", len(rows)),
        **whole,
        rules.rows: [_shown(tool, r) for r in kept],
    }


def _shown(tool: Tool, row: Mapping[str, Any]) -> dict[str, Any]:
    names = tool.result.shown or tuple(row)
    return {n: row[n] for n in names if row.get(n) not in (None, "", [])}


def table(tool: Tool, result: Mapping[str, Any], language: Language) -> Attachment | None:
    """The rows of a ``many`` result as a table, or ``None`` when there is nothing to compare."""
    rules = tool.result
    rows = result.get(rules.rows)
    if rules.attach != "table" or not isinstance(rows, list) or len(rows) < 2:
        return None
    names = [n for n in rules.shown if any(r.get(n) is not None for r in rows)]
    return Attachment(
        "table",
        tool.description(language),
        {
            "columns": [label(tool, n, language) for n in names],
            "rows": [[cell(r.get(n)) for n in names] for r in rows],
        },
    )


SOURCES = Text("出处", "Sources")


def sources(result: Mapping[str, Any], language: Language) -> Attachment:
    """The passages of a search, those that the answer quotes first, under ``cited`` their numbers;
    ``quote`` is the sentence that does."""
    cited = result.get("cited")
    numbers = [cited["number"]] if isinstance(cited, Mapping) else []
    passages = [p for p in result.get("passages", ()) if p["number"] not in numbers]
    return Attachment(
        "sources",
        SOURCES(language),
        {
            "cited": numbers,
            "quote": str(result.get("quote", "")),
            "passages": [cited, *passages] if numbers else passages,
        },
    )


def comparison(
    tool: Tool, results: Sequence[Mapping[str, Any]], language: Language
) -> Attachment | None:
    """Results of one tool side by side, a column each, when the tool can be compared."""
    rules = tool.result
    rows = [r[rules.rows][0] if rules.shape == "many" else r for r in results
            if rules.shape != "many" or r.get(rules.rows)]  # fmt: skip
    if not rules.compare or len(rows) < 2:
        return None
    names = [n for n in rules.shown if any(r.get(n) not in (None, "") for r in rows)]
    heading = rules.compare["name"]
    return Attachment(
        "table",
        tool.description(language),
        {
            "columns": [label(tool, heading, language), *(cell(r.get(heading)) for r in rows)],
            "rows": [
                [label(tool, n, language), *(cell(r.get(n)) for r in rows)]
                for n in names
                if n != heading
            ],
        },
    )


def label(tool: Tool, name: str, language: Language) -> str:
    text = tool.result.labels.get(name)
    return text(language) if text else name


def series_name(series: Mapping[str, Any], language: Language) -> str:
    """Of a chart: the field's name for people, and the period where several stand side by side."""
    name, field = str(series.get("name", "")), str(series.get("field", ""))
    labels = series.get("labels")
    words = Text.of(labels)(language) if isinstance(labels, Mapping) else ""
    if not words:
        return name
    which = name.removeprefix(field).strip()
    return f"{words} · {which}" if which else words


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def plain(tool: Tool, result: Mapping[str, Any], language: Language) -> str:
    """A rendering that cannot be wrong: every shown field with its label."""
    rules = tool.result
    rows = result.get(rules.rows) if rules.shape == "many" else None
    if isinstance(rows, list):
        if not rows:
            return "没有查到相应的记录。" if language == "zh" else "Nothing was found."
        head = _pairs(tool, {k: v for k, v in result.items() if k not in rules.shown}, language)
        lines = [_pairs(tool, _shown(tool, row), language) for row in rows]
        return "\n".join(([head] if head else []) + [f"- {line}" for line in lines])
    return _pairs(tool, _shown(tool, result), language) + ("。" if language == "zh" else ".")


def _pairs(tool: Tool, row: Mapping[str, Any], language: Language) -> str:
    colon, comma = (":", ",") if language == "zh" else (": ", ", ")
    return comma.join(
        f"{label(tool, n, language)}{colon}{cell(v)}"
        for n, v in row.items()
        if not tool.result.labels or n in tool.result.labels
    )


def markdown_table(attachment: Attachment) -> str:
    columns = attachment.data["columns"]
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(str(c) for c in row) + " |" for row in attachment.data["rows"]]
    return "\n".join(lines)
