"""What ``dazi report`` says: lists, what came of a run, what has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dazi.access.users import Directory
from dazi.apps.reports.comparing import compare
from dazi.apps.reports.definition import Report
from dazi.apps.reports.formats import written
from dazi.apps.reports.telling import as_told
from dazi.core.language import Language, Text
from dazi.main.company import load_company
from dazi.main.reporting import Made, read_run, reports_of
from dazi.main.settings import Settings

SAME = Text("没有变化。", "Nothing has changed.")
CHECKED = Text("核对 {n} 项,{bad} 项未通过", "{n} checks, {bad} failed")
CALLED = Text("{n} 次工具调用,审计编号 {turn}", "{n} tool calls, ledger reference {turn}")
WAITS = Text("邮件等待确认:{ticket}", "the mail waits for confirmation: {ticket}")
MAILED = Text("邮件:{outcome} {message}", "mail: {outcome} {message}")


def listed(settings: Settings, user: str, language: Language, *, json_out: bool) -> list[str]:
    company = load_company(settings.company_folder())
    principal = Directory(company, settings.host).principal(user, "cli") if user else None
    reports = list(reports_of(company, principal).values())
    if json_out:
        return [json.dumps([as_told(r, language) for r in reports], ensure_ascii=False, indent=1)]
    return [line for r in reports for line in _lines(r, language)]


def _lines(report: Report, language: Language) -> Iterator[str]:
    yield f"{report.name}  {report.title(language)}  ({', '.join(sorted(report.roles))})"
    yield f"  {report.description(language)}"
    for p in report.parameters:
        values = f" [{', '.join(p.values)}]" if p.values else ""
        default = p.default if not isinstance(p.default, list) else ",".join(map(str, p.default))
        shown = f" = {default}" if default is not None else ""
        yield f"  {p.name}: {p.type}{'*' if p.many else ''}{values}{shown}  {p.label(language)}"


def as_lines(made: Made) -> Iterator[str]:
    run = made.run
    if made.chosen:
        yield made.chosen
    for section in run.sections:
        yield f"[{section.title}]"
        yield from (f"{'- ' if p.bullet else ''}{p.text}" for p in section.paragraphs)
    yield CHECKED(run.language).format(n=len(run.checks), bad=len(run.failed))
    turn = run.calls[0].reference if run.calls else "-"
    yield CALLED(run.language).format(n=len(run.calls), turn=turn)
    yield from run.notes
    if run.mail is not None:
        said = WAITS if run.mail.ticket else MAILED
        yield said(run.language).format(**asdict(run.mail))
    yield f"{made.path} ({made.size:,} B)"


def as_object(made: Made) -> dict[str, Any]:
    run = made.run
    return {
        "report": run.report,
        "chosen": made.chosen,
        "file": str(made.path),
        "bytes": made.size,
        "parameters": {g.name: g.value for g in run.parameters},
        "text": {s.id: [p.text for p in s.paragraphs] for s in run.sections},
        "marked": {
            t.id: [
                asdict(m) | {"expected": str(m.expected), "measure": str(m.measure)}
                for m in t.marks
            ]
            for t in run.tables
        },
        "checks": [{"name": c.name, "ok": c.ok} for c in run.checks],
        "calls": [{"tool": c.tool, "arguments": c.arguments, "rows": c.rows} for c in run.calls],
        "reference": run.calls[0].reference if run.calls else "",
        "notes": list(run.notes),
        "mail": asdict(run.mail) if run.mail is not None else None,
    }


def compared(old: Path, new: Path, language: Language, *, json_out: bool) -> list[str]:
    changes = compare(read_run(old), read_run(new))
    if json_out:
        return [json.dumps([asdict(c) for c in changes], ensure_ascii=False, indent=1, default=str)]
    if not changes:
        return [SAME(language)]
    out = []
    for c in changes:
        more = f" ({written(c.growth, 'change', language)})" if c.growth is not None else ""
        out.append(f"{c.label}: {c.old or '-'} → {c.new or '-'}{more}")
    return out
