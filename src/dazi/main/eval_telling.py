"""Runs of evaluations in the terminal: listed, reported, compared, held against gates."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Language, Text
from dazi.lab.evals.comparing import Comparison, Difference, compare
from dazi.lab.evals.figures import RIGHT
from dazi.lab.evals.gates import judged, read_gates
from dazi.lab.evals.page import html
from dazi.lab.evals.registry import suites
from dazi.lab.evals.runs import ItemRecord, Metric, RunFolder, RunHead, RunStore
from dazi.lab.evals.wording import bounds, called, shown

SUITES, RUNS = Text("有哪些评测", "Suites"), Text("跑过的", "Runs")
UNFINISHED = Text("没跑完", "not finished")
WRITTEN = Text("已写到 {path}", "written to {path}")
GROUPS = Text("各组全对的", "Right in each group")
SHOWN = 20
WRONG = Text(
    "不对的 {shown}/{all}(看一题:--item 编号)", "wrong {shown}/{all} (one of them: --item ID)"
)
TURNED_RIGHT = Text("变对的 {n}:{ids}", "turned right, {n}: {ids}")
TURNED_WRONG = Text("变错的 {n}:{ids}", "turned wrong, {n}: {ids}")
TIME = Text(
    "每题用时差 {ms:+.1f} 毫秒(p = {p:.3g}),词元差 {tokens:+.1f}",
    "time of an item {ms:+.1f} ms (p = {p:.3g}), tokens {tokens:+.1f}",
)
PASSED, FAILED = Text("通过", "passed"), Text("没通过", "failed")


def list_runs(store: RunStore, language: Language, *, json_out: bool) -> None:
    """The suites that there are, and the runs of this installation, the newest first."""
    runs = [h for _, h in store.all()]
    known = suites()
    if json_out:
        _json(
            {
                "suites": [{"name": s.name, "about": s.about(language)} for s in known.values()],
                "runs": [_short(h) for h in runs],
            }
        )
        return
    console = Console()
    table = Table(title=SUITES(language), title_justify="left", show_header=False)
    for suite in known.values():
        table.add_row(suite.name, suite.about(language))
    console.print(table)
    table = Table(title=RUNS(language), title_justify="left")
    for column in ("id", "n", called(RIGHT)(language), "", Text("开关", "switches")(language)):
        table.add_column(column, overflow="fold")
    for head in runs:
        right = head.metrics.get(RIGHT, Metric(None))
        state = shown(RIGHT, right) if head.ended else UNFINISHED(language)
        switches = ", ".join(f"{k}={v}" for k, v in head.switches.items())
        table.add_row(head.id, f"{head.done}/{head.of}", state, bounds(right), switches)
    console.print(table)


def _short(head: RunHead) -> dict[str, Any]:
    names = ("id", "suite", "model", "model_version", "began", "ended", "done", "of", "switches")
    found = {n: getattr(head, n) for n in names}
    right = head.metrics.get(RIGHT)
    return {**found, "right": right.value if right else None}


def report_run(
    folder: RunFolder, language: Language, *, json_out: bool, page: Path | None, item: str
) -> None:
    """Raises ``NotFound`` for an item that the run does not have."""
    if item:
        _one(folder, item)
        return
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("w", encoding="utf-8") as file:
            file.writelines(html(folder, language))
        typer.echo(WRITTEN(language).format(path=page), err=True)
    head = folder.head
    if json_out:
        wrong = [_wrong(r) for r in folder.by_id().values() if not r.right]
        _json({**msgspec.to_builtins(head), "wrong": wrong})
        return
    if page is None:
        tell_run(folder, language)


def tell_run(folder: RunFolder, language: Language) -> None:
    head, console = folder.head, Console()
    table = Table(
        title=f"{head.id}  {head.done}/{head.of}", title_justify="left", show_header=False
    )
    for name, metric in head.metrics.items():
        table.add_row(called(name)(language), shown(name, metric), bounds(metric), f"n={metric.n}")
    console.print(table)
    if head.groups:
        console.print(_groups(head.groups, language))
    wrong = [r for r in folder.by_id().values() if not r.right]
    if wrong:
        some = wrong[:SHOWN]
        title = WRONG(language).format(shown=len(some), all=len(wrong))
        table = Table(title=title, title_justify="left", show_header=False)
        table.add_column(no_wrap=True)
        for record in some:
            table.add_row(record.id, Styled("; ".join(record.why) or record.error))
        console.print(table)


def _groups(groups: Mapping[str, Mapping[str, Metric]], language: Language) -> Table:
    """How many were right in each; the page has the other metrics too."""
    table = Table(title=GROUPS(language), title_justify="left", show_header=False)
    for group, metrics in groups.items():
        right = metrics.get(RIGHT, Metric(None))
        table.add_row(Styled(group), shown(RIGHT, right), bounds(right), f"n={right.n}")
    return table


def _one(folder: RunFolder, item: str) -> None:
    record = folder.by_id().get(item)
    if record is None:
        raise NotFound("item", f"这次评测里没有 {item}", f"the run has no item {item}")
    _json(msgspec.to_builtins(record))


def _wrong(record: ItemRecord) -> dict[str, Any]:
    return {"id": record.id, "group": record.group, "why": list(record.why), "error": record.error}


def compare_runs(
    first: RunFolder, second: RunFolder, language: Language, *, json_out: bool
) -> None:
    found = compare(first, second)
    if json_out:
        _json(told(found))
        return
    console = Console()
    table = Table(title=f"{found.first.id}\n→ {found.second.id}", title_justify="left")
    heads = (
        Text("指标", "metric"),
        Text("题数", "n"),
        Text("前", "first"),
        Text("后", "second"),
        Text("差", "difference"),
        Text("95% 区间", "95 % interval"),
        Text("p", "p"),
        Text("升/降", "up/down"),
    )
    for number, head in enumerate(heads):
        # The name of a metric may be broken; figures may not.
        table.add_column(head(language), no_wrap=number > 0)
    for d in found.differences:
        table.add_row(*_row(called(d.metric)(language), d))
    for name, d in found.groups.items():
        if d.metric == RIGHT:
            table.add_row(*_row(name.rpartition("/")[0], d))
    console.print(table)
    typer.echo(TIME(language).format(ms=found.ms, p=found.ms_p, tokens=found.tokens))
    for text, ids in ((TURNED_RIGHT, found.gained), (TURNED_WRONG, found.lost)):
        listed = ", ".join(ids[:SHOWN]) + (" …" if len(ids) > SHOWN else "")
        typer.echo(text(language).format(n=len(ids), ids=listed or "-"))
    for note in found.notes:
        typer.echo(note(language), err=True)


def _row(name: str, d: Difference) -> Sequence[str]:
    return (
        name,
        str(d.n),
        f"{d.first:.1%}",
        f"{d.second:.1%}",
        f"{d.gap:+.1%}",
        f"{d.low:+.1%} – {d.high:+.1%}",
        f"{d.p:.3g}",
        f"{d.gained}/{d.lost}",
    )


def told(found: Comparison) -> dict[str, Any]:
    """As JSON."""
    out: dict[str, Any] = msgspec.to_builtins(found)
    for side in ("first", "second"):
        head = out[side]
        out[side] = {k: head[k] for k in ("id", "suite", "model", "model_version", "switches")}
    out["notes"] = [n.en for n in found.notes]
    return out


def hold_gates(
    gates: Path, first: RunFolder, second: RunFolder, language: Language, *, json_out: bool
) -> bool:
    """Did every gate pass? Raises ``CallerError`` for a run that is not finished: of the items that it has
    nothing can be said that holds for all."""
    wanted = read_gates(gates)
    for head in (first.head, second.head):
        if not head.ended:
            raise CallerError(
                "run",
                f"评测 {head.id} 没有跑完（{head.done}/{head.of}）：先用 `dazi eval run` 接着跑完",
                f"run {head.id} is not finished ({head.done}/{head.of}): go on with `dazi eval run`",
            )
    found = compare(first, second)
    for note in found.notes:
        typer.echo(note(language), err=True)
    results = judged(wanted, found)
    if json_out:
        listed = [
            {"gate": g.gate.name, "passed": g.passed, "seen": g.seen, "told": g.text(language)}
            for g in results
        ]
        notes = [n.en for n in found.notes]
        _json({"passed": all(g.passed for g in results), "gates": listed, "notes": notes})
    else:
        for g in results:
            typer.echo(f"{(PASSED if g.passed else FAILED)(language)}  {g.text(language)}")
    return all(g.passed for g in results)


def _json(data: Any) -> None:
    text = msgspec.json.format(msgspec.json.encode(data, enc_hook=str), indent=1)
    sys.stdout.write(text.decode() + "\n")
