"""What a finished report says about itself, and its parts' headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dazi.apps.reports.formats import FORMATS, is_number, written
from dazi.apps.reports.result import Check, Column, Run, Table
from dazi.core.language import Language, Text

MADE = Text("本报表由搭子按数据自动生成", "Made automatically by Dazi from the company's data")
MODELLED = Text(
    ",标有“AI 生成”的文字由人工智能撰写",
    "; what is marked AI-generated was written by artificial intelligence",
)
GENERATED = Text("AI 生成", "AI-generated")
BY = Text("生成人:{user} · 生成时间:{at}", "run by {user} · made at {at}")
FAILED = Text("核对未通过:{names}", "checks failed: {names}")
APPENDIX = Text("附录", "Appendix")
PARAMETERS = Text("参数", "Parameters")
CALLS = Text("数据来源(工具调用)", "Where the data comes from (tool calls)")
CALCULATIONS = Text("计算口径", "Calculations")
CHECKS = Text("核对", "Checks")
NOTES = Text("说明", "Notes")
ROUNDING = Text("取整", "Rounding")
TOTAL = Text("合计", "total")
_UNIT = re.compile(r"[((](?:元|CNY)[))]")
PASSED, NOT_PASSED = Text("通过", "passed"), Text("未通过", "failed")
CALL_HEADS = (
    Text("步骤", "step"), Text("工具", "tool"), Text("系统", "system"), Text("参数", "arguments"),
    Text("行数", "rows"), Text("时间", "at"), Text("审计编号", "ledger reference"),
)  # fmt: skip
CALCULATION_HEADS = (Text("名称", "name"), Text("公式", "formula"), Text("结果", "result"))
CHECK_HEADS = (
    Text("核对", "check"), Text("公式", "formula"), Text("左", "left"), Text("右", "right"),
    Text("结果", "result"),
)  # fmt: skip
PARAMETER_HEADS = (Text("参数", "parameter"), Text("值", "value"))


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts for the appendix."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def label(run: Run) -> str:
    more = MODELLED(run.language) if run.modelled else ""
    return MADE(run.language) + more


def byline(run: Run) -> str:
    return BY(run.language).format(user=run.user, at=run.made_at.replace("T", " "))


def title(run: Run) -> str:
    return f"{run.title} · {run.subject}" if run.subject else run.title


def failed(run: Run) -> str:
    names = ("、" if run.language == "zh" else ", ").join(c.name for c in run.failed)
    return FAILED(run.language).format(names=names) if names else ""


def cells(table: Table, row: int, language: Language) -> list[str]:
    """A row as text, with a mark on what stands out."""
    out = []
    for column in table.columns:
        said = written(table.rows[row][column.name], _format(column), language)
        out.append(f"▲ {said}" if table.marked(row, column.name) else said)
    return out


def _format(column: Column) -> str:
    """Where the heading has the unit, the cells do without."""
    headed = column.format == "yuan" and _UNIT.search(column.label) is not None
    return "number" if headed else column.format


def total_cells(table: Table, language: Language) -> list[str]:
    """The row of sums; empty where there is none."""
    if not table.totals:
        return []
    out = [
        written(table.totals[c.name], _format(c), language) if c.name in table.totals else ""
        for c in table.columns
    ]
    return [out[0] or TOTAL(language), *out[1:]]


def is_right(table: Table, column: int) -> bool:
    return is_number(table.columns[column].format)


def appendix(run: Run) -> Iterator[Grid]:
    language = run.language
    yield _grid(PARAMETERS, PARAMETER_HEADS, [(g.label, g.text) for g in run.parameters], language)
    calls = [
        (
            c.step,
            c.tool,
            c.system,
            ", ".join(f"{k}={v}" for k, v in c.arguments.items()),
            str(c.rows),
            c.at.replace("T", " ")[:19],
            c.reference,
        )
        for c in run.calls
    ]
    yield _grid(CALLS, CALL_HEADS, calls, language)
    yield _grid(
        CALCULATIONS,
        CALCULATION_HEADS,
        [(c.label, f"{c.name} = {c.expression}", c.text) for c in run.calculations]
        + [
            (f"{t.title}: {c.label}", c.source, "")
            for t in run.tables
            for c in t.columns
            if _is_made(c.source, c.name)
        ],
        language,
    )
    yield _grid(CHECKS, CHECK_HEADS, [_check(c, language) for c in run.checks], language)
    used = sorted({c.format for t in run.tables for c in t.columns if is_number(c.format)})
    yield _grid(
        ROUNDING,
        PARAMETER_HEADS,
        [(name, FORMATS[name].rounds(language)) for name in used],
        language,
    )


def _is_made(source: str, name: str) -> bool:
    return source != name and not source.replace(".", "").replace("_", "").isalnum()


def _check(check: Check, language: Language) -> tuple[str, ...]:
    said = (PASSED if check.ok else NOT_PASSED)(language)
    return check.name, check.expression, _plain(check.left), _plain(check.right), said


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _grid(
    title: Text, heads: tuple[Text, ...], rows: Sequence[tuple[str, ...]], language: Language
) -> Grid:
    return Grid(title(language), tuple(h(language) for h in heads), tuple(rows))
