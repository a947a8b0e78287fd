"""``dazi eval 3c``: reads what was measured, scores it, and writes it down."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.lab.evals.runs import RunStore
from dazi.lab.scorecard import wording as w
from dazi.lab.scorecard.costing import reckoned
from dazi.lab.scorecard.declared import DIMENSIONS, CandidateSpec, Card, Weights, read_card
from dazi.lab.scorecard.document import pdf
from dazi.lab.scorecard.evidence import RunOf, read_compliance, read_run
from dazi.lab.scorecard.page import html
from dazi.lab.scorecard.plain import as_plain
from dazi.lab.scorecard.scoring import Found, Scorecard, scored
from dazi.main.settings import Settings


def show(
    settings: Settings,
    file: Path,
    out: Path | None,
    weights: str,
    json_out: bool,
    language: Language,
) -> None:
    card = read_card(file)
    if weights:
        card = card.model_copy(update={"weights": _weights(weights)})
    made = scorecard(card, RunStore(settings.data_folder(settings.company_folder())), file.parent)
    if out is not None:
        for path in save(made, out, language):
            typer.echo(str(path), err=True)
    if json_out:
        sys.stdout.write(json.dumps(as_plain(made), ensure_ascii=False, indent=1) + "\n")
        return
    for line in _told(made, language):
        typer.echo(line)


def scorecard(card: Card, runs: RunStore, beside: Path) -> Scorecard:
    """``runs``: those that are named by their ids; other paths are ``beside`` the card."""
    read = [tuple(read_run(name, runs, beside) for name in c.runs) for c in card.candidates]
    suite = _of_all([r for c, r in zip(card.candidates, read, strict=True) if c.cost])
    pairs = zip(card.candidates, read, strict=True)
    found = [_found(spec, card, mine, suite, beside) for spec, mine in pairs]
    return scored(card, found, time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()))


def save(s: Scorecard, out: Path, language: Language) -> list[Path]:
    """The page, the PDF and the JSON."""
    texts: dict[str, Callable[[], bytes]] = {
        "3c.json": lambda: (json.dumps(as_plain(s), ensure_ascii=False, indent=1) + "\n").encode(),
        "3c.html": lambda: html(s, language).encode(),
        "3c.pdf": lambda: pdf(s, language),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, make in texts.items():
            (out / name).write_bytes(make())
    except OSError as e:
        raise CallerError(
            "out", f"写不了 {out}：{e.strerror}", f"{out} cannot be written: {e.strerror}"
        ) from e
    return [out / name for name in texts]


def _of_all(priced: Sequence[Sequence[RunOf]]) -> str:
    """The first suite by whose tokens every one of them can be reckoned; empty where there is none."""
    counted = [[r.suite for r in runs if r.use.read is not None] for runs in priced]
    return next((s for s in counted[0] if all(s in c for c in counted)), "") if counted else ""


def _found(
    spec: CandidateSpec, card: Card, read: tuple[RunOf, ...], suite: str, beside: Path
) -> Found:
    first = sorted(read, key=lambda r: r.suite != suite)
    cost = reckoned(spec.cost, first, card.requests) if spec.cost else None
    kept = read_compliance(beside / spec.compliance, card.frameworks) if spec.compliance else None
    return Found(spec.name, read, cost, kept)


def _weights(given: str) -> Weights:
    try:
        numbers = [float(part) for part in given.split(",")]
        return Weights(**dict(zip(DIMENSIONS, numbers, strict=True)))
    except ValueError as e:
        raise CallerError(
            "weights",
            f"--weights 要三个 0 到 1000 的数，如 60,20,20，不能全是 0；给的是 {given}",
            f"--weights takes three numbers from 0 to 1000, as 60,20,20, not all 0; it was {given}",
        ) from e


def _told(s: Scorecard, language: Language) -> list[str]:
    lines = [f"{Text.of(s.card.title)(language)}  {s.made}"]
    for c in s.candidates:
        lines += ["", f"{c.name}: {w.OVERALL(language)} {w.number(c.overall)}"]
        lines += [
            f"  {w.NAMES[d](language)} ({s.card.weights.of(d):g}): {w.number(c.scores.get(d))}"
            for d in DIMENSIONS
        ]
        lines += [
            f"    {w.label(m, language)}: {w.measure(c.measured.get(m.key))}"
            for m in s.card.capability
        ]
        lines.append(f"    {w.cost(c.cost, language)}")
        lines.append(f"    {w.compliance(c.compliance, language)}")
        lines += [f"  {w.must(k, language)}" for k in c.musts]
        if told := w.lacking(c, language):
            lines.append(f"  {told}")
    for told in filter(None, (w.left_out(s, language), w.unlike(s, language))):
        lines += ["", told]
    return [*lines, "", w.STATEMENT(language)]
