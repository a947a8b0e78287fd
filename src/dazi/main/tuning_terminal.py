"""What ``dazi tune`` prints."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer

from dazi.core.language import Language, Text
from dazi.lab.tuning.recipe import SOFT, read_recipe
from dazi.lab.tuning.registry import AdapterCard, Tuned
from dazi.main.settings import Settings
from dazi.main.tuning import Bench, deploy, gated, prepared_run, rollback, train

PREPARED = Text(
    "样本:训练 {train},验证 {validation};系统提示 {prefixes} 种;用不上的 {refused}",
    "samples: {train} to train on, {validation} to validate; {prefixes} system turns; unusable: {refused}",
)
FEW = Text(
    "注意:训练样本不到 1000 个,容易背下样本而不是学会做事。",
    "note: with fewer than 1,000 samples a model tends to learn the samples, not the task.",
)
GOES_ON = Text("接着做 {folder}", "going on with {folder}")
BEGUN = Text(
    "{steps} 步,可训练的参数 {learnt:,} 个;太长没用的样本 {longer}",
    "{steps} steps, {learnt:,} parameters learnt; samples too long: {longer}",
)
STEP = Text(
    "{step}/{of}  损失 {loss:.4f}  {tokens_s} 词元/秒  还要 {left} ",
    "{step}/{of}  loss {loss:.4f}  {tokens_s} tokens/s  {left} left ",
)
VALIDATION = Text(
    "{step} 步:验证损失 {loss:.4f}(最好 {best:.4f})",
    "step {step}: validation loss {loss:.4f} (best {best:.4f})",
)
STOPPED = Text("停下了,再运行同一条命令就接着做。", "Stopped; the same command goes on.")
DONE = Text("{title} 做好了:{folder}", "{title} is made: {folder}")
PASSED = {
    True: Text("通过评测", "passed its evaluation"),
    False: Text("没有通过评测", "did not pass its evaluation"),
    None: Text("没有评测过", "not evaluated"),
}
NEXT = Text("启用:dazi tune deploy {title}", "To use it: dazi tune deploy {title}")
DEPLOYED = Text(
    "在用 {title}。正在运行的服务重启后生效。",
    "{title} is in use; a running server takes it up when it starts again.",
)
BACK = Text("退回到 {name}。", "Back to {name}.")
WARNED = Text(
    "注意:它用过后来撤回的数据 {names}", "note: it was trained on withdrawn data: {names}"
)


async def run_recipe(
    settings: Settings, file: Path, language: Language, *, anew: bool, skip_gate: bool
) -> int:
    """The exit status: 0, 75 when it was stopped, 1 when it failed its evaluation."""
    recipe = read_recipe(file)
    bench = Bench.of(settings)
    run = prepared_run(bench, recipe, anew=anew, file=file)
    if run.prepared is None:
        typer.echo(GOES_ON(language).format(folder=run.folder))
    else:
        p = run.prepared
        refused = ", ".join(f"{k} {n}" for k, n in p.refused.items()) or "0"
        told = PREPARED(language).format(
            train=p.train, validation=p.validation, prefixes=p.prefixes, refused=refused
        )
        typer.echo(told)
        if p.few:
            typer.echo(FEW(language), err=True)
    tuned = train(bench, recipe, run, lambda event: _event(event, language))
    if tuned is None:
        typer.echo(STOPPED(language))
        return 75
    typer.echo(DONE(language).format(title=tuned.card.title, folder=tuned.folder))
    if not skip_gate and (recipe.gate.better or recipe.gate.same):
        tuned = await gated(bench, recipe, tuned, language)
        show_gate(tuned.card.gate, language)
    typer.echo(f"{tuned.card.title}: {PASSED[tuned.card.passed](language)}")
    if tuned.card.passed is not False and recipe.method not in SOFT:
        typer.echo(NEXT(language).format(title=tuned.card.title))
    return 1 if tuned.card.passed is False else 0


async def evaluate_adapter(settings: Settings, wanted: str, file: Path, language: Language) -> int:
    """By the gate of a recipe. The exit status: 0, or 1 when it did not pass."""
    recipe = read_recipe(file)
    bench = Bench.of(settings)
    tuned = await gated(bench, recipe, bench.registry.get(wanted), language)
    show_gate(tuned.card.gate, language)
    typer.echo(f"{tuned.card.title}: {PASSED[tuned.card.passed](language)}")
    return 0 if tuned.card.passed else 1


def list_adapters(settings: Settings, language: Language, *, json_out: bool) -> None:
    bench = Bench.of(settings)
    found = bench.registry.all()
    active = bench.catalog.active()
    name = active.name if active else ""
    if json_out:
        _json([{**_plain(t.card), "active": t.card.title == name} for t in found])
        return
    for tuned in found:
        typer.echo(_line(tuned, name, language))


def show_adapter(settings: Settings, wanted: str, language: Language, *, json_out: bool) -> None:
    tuned = Bench.of(settings).registry.get(wanted)
    if json_out:
        _json(_plain(tuned.card))
        return
    card = tuned.card
    typer.echo(_line(tuned, "", language))
    typer.echo(f"  {tuned.folder}")
    for name, value in (("base", card.base), ("method", card.method), ("made", card.made)):
        typer.echo(f"  {name}: {value}")
    for data in card.datasets:
        typer.echo(f"  data: {data['name']}@{data['version']}  {data['sha256'][:12]}")
    typer.echo(f"  trained: {json.dumps(card.trained, ensure_ascii=False)}")
    show_gate(card.gate, language)


def deploy_adapter(settings: Settings, wanted: str, language: Language, *, anyway: bool) -> None:
    tuned = deploy(Bench.of(settings), wanted, anyway=anyway)
    card = tuned.card
    if card.passed is not True:
        typer.echo(f"{card.title}: {PASSED[card.passed](language)}", err=True)
    if card.erased:
        names = ", ".join(e.title for e in card.erased)
        typer.echo(WARNED(language).format(names=names), err=True)
    typer.echo(DEPLOYED(language).format(title=card.title))


def rollback_adapter(settings: Settings, language: Language) -> None:
    typer.echo(BACK(language).format(name=rollback(Bench.of(settings))))


def show_gate(gate: Mapping[str, Any], language: Language) -> None:
    for row in (*gate.get("better", ()), *gate.get("same", ())):
        runs = "  ".join(filter(None, row.get("runs", ())))
        typer.echo(
            f"  {row['name']}  n={row['n']}  {row['before']:.1%} -> {row['after']:.1%}  "
            f"{row['difference']:+.1%} [{row['low']:+.1%}, {row['high']:+.1%}]  p={row['p']:.2g}"
            f"{'  ' + runs if runs else ''}"
        )
    for why in gate.get("why", ()):
        typer.echo(f"  ! {why}")


def _line(tuned: Tuned, active: str, language: Language) -> str:
    card = tuned.card
    mark = "*" if card.title == active else " "
    loss = "-" if card.loss is None else f"{card.loss:.4f}"
    text = (
        f"{mark} {card.title}  {card.base}  {card.method}  {loss}  {PASSED[card.passed](language)}"
    )
    if card.erased:
        text += "  ! " + WARNED(language).format(names=", ".join(e.title for e in card.erased))
    return text


def _event(event: Mapping[str, Any], language: Language) -> None:
    lively = sys.stderr.isatty()
    if event["event"] == "begun":
        typer.echo(BEGUN(language).format(**event))
    elif event["event"] == "step" and event["loss"] is not None:
        minutes, seconds = divmod(event["left_s"], 60)
        line = STEP(language).format(**event, left=f"{minutes}:{seconds:02}")
        typer.echo(f"\r{line}" if lively else line, err=True, nl=not lively)
    elif event["event"] == "validation" and event["loss"] is not None:
        typer.echo(("\r" if lively else "") + VALIDATION(language).format(**event), err=True)


def _plain(card: AdapterCard) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(card)
    return found


def _json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def evaluate_it(settings: Settings, wanted: str, file: Path, language: Language) -> int:
    return asyncio.run(evaluate_adapter(settings, wanted, file, language))


def run_it(
    settings: Settings, file: Path, language: Language, *, anew: bool, skip_gate: bool
) -> int:
    return asyncio.run(run_recipe(settings, file, language, anew=anew, skip_gate=skip_gate))
