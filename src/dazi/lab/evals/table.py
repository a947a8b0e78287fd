"""A report as tables for a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from dazi.core.language import Language, Text
from dazi.lab.evals.metrics import DialogueRow, Row
from dazi.lab.evals.report import Failure, Report

_ALL = Text("全部", "all")
_LANGUAGES = {"zh": Text("中文", "Chinese"), "en": Text("英文", "English")}
_SINGLES = Text("单条用例", "Single cases")
_DIALOGUES = Text("对话", "Dialogues")
_TOOLS = Text("各工具", "Tools")
_FAILURES = Text("不对的", "Failures")
_ROW = {
    "n": Text("条数", "n"),
    "name_accuracy": Text("工具名正确", "name"),
    "exact_match": Text("完全正确", "exact"),
    "false_call_rate": Text("误调用", "false calls"),
    "forbidden_right": Text("越权被拒", "refused"),
}
_DIALOGUE_ROW = {
    "n": Text("个数", "n"),
    "dialogue_success": Text("整段正确", "dialogues"),
    "turns": Text("轮数", "n turns"),
    "turn_success": Text("单轮正确", "turns"),
    "approvals_respected": Text("照确认执行", "approvals"),
}
_TOOL = {
    "tool": Text("工具", "tool"),
    "expected": Text("应调用", "expected"),
    "name": Text("工具名正确", "name"),
    "exact": Text("完全正确", "exact"),
    "instead": Text("错成", "instead"),
}
_SAFE = {
    "forbidden_executed": Text("越权执行", "forbidden calls executed"),
    "unconfirmed": Text("未经确认的敏感调用", "sensitive calls executed unconfirmed"),
    "sensitive_unasked": Text("没要求的敏感调用", "sensitive calls nobody asked for"),
    "errors": Text("出错的轮次", "turns that failed"),
}


def print_report(
    report: Report, language: Language, console: Console | None = None, failures: int = 20
) -> None:
    """``failures``: how many of them to show."""
    console = console or Console()
    if report.singles is not None:
        rows = {_ALL(language): report.singles, **_named(report.languages, language)}
        console.print(_shares(_SINGLES(language), rows, _ROW, language))
    if report.dialogues is not None:
        talks = {_ALL(language): report.dialogues, **_named(report.dialogue_languages, language)}
        console.print(_shares(_DIALOGUES(language), talks, _DIALOGUE_ROW, language))
    console.print(_tools(report, language))
    for name, label in _SAFE.items():
        count = getattr(report, name)
        console.print(f"{label(language)}: {count}", style="bold red" if count else None)
    console.print(_summary(report)(language), highlight=False)
    if report.failures and failures:
        console.print(_failures(report.failures[:failures], len(report.failures), language))


def _named(rows: Mapping[str, Any], language: Language) -> dict[str, Any]:
    return {_LANGUAGES[name](language): row for name, row in rows.items()} if len(rows) > 1 else {}


def _shares(
    title: str,
    rows: Mapping[str, Row | DialogueRow],
    columns: Mapping[str, Text],
    language: Language,
) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for label in columns.values():
        table.add_column(label(language), justify="right")
    for name, row in rows.items():
        table.add_row(name, *(_cell(getattr(row, field)) for field in columns))
    return table


def _tools(report: Report, language: Language) -> Table:
    table = Table(title=_TOOLS(language), title_justify="left")
    for name, label in _TOOL.items():
        table.add_column(
            label(language), justify="left" if name in ("tool", "instead") else "right"
        )
    for name in sorted(report.tools.keys() | report.confusion.keys()):
        row = report.tools.get(name)
        called = report.confusion.get(name, {})
        instead = ", ".join(f"{other} {times}" for other, times in called.items() if other != name)
        shares = [str(row.expected), _cell(row.name), _cell(row.exact)] if row else ["", "", ""]
        table.add_row(name, *shares, instead)
    return table


def _summary(report: Report) -> Text:
    valid, replaced = _cell(report.schema_valid_rate), _cell(report.replaced_rate)
    return Text(
        f"模型 {report.model};调用 {report.proposed} 次,格式合规 {valid};回答经核对被替换 {replaced};"
        f"每轮 p50 {report.p50_ms:.0f} ms,p95 {report.p95_ms:.0f} ms"
        f"(同时 {report.concurrency} 条,共 {report.seconds:.1f} 秒)",
        f"model {report.model}; {report.proposed} calls, {valid} valid; replies with a sentence "
        f"replaced {replaced}; a turn p50 {report.p50_ms:.0f} ms, p95 {report.p95_ms:.0f} ms "
        f"({report.concurrency} at once, {report.seconds:.1f} s in all)",
    )


def _failures(shown: Sequence[Failure], total: int, language: Language) -> Table:
    table = Table(title=f"{_FAILURES(language)} {len(shown)}/{total}", title_justify="left")
    table.add_column("id", no_wrap=True)
    table.add_column("")
    for f in shown:
        text = "\n".join(
            [
                f.said,
                f"= {_calls(f.expected)}",
                f"> {_calls(f.got)}",
                f"  {f.reply}",
                f"! {'; '.join(f.wrong)}",
            ]
        )
        # Styled text, so that brackets in what people say are not read as markup.
        table.add_row(f"{f.id}/{f.turn}", Styled(text))
    return table


def _calls(calls: Sequence[Mapping[str, Any]]) -> str:
    shown = []
    for call in calls:
        outcome = call.get("outcome", "")
        arguments = json.dumps(call["arguments"], ensure_ascii=False, default=str)
        shown.append(
            f"{call['name']}{arguments}{f' {outcome}' if outcome != 'ok' else ''}".rstrip()
        )
    return ", ".join(shown) or "-"


def _cell(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if isinstance(value, float) else str(value)
