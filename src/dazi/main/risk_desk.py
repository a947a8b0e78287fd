"""``dazi risk`` in the terminal."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

import typer

from dazi.apps.risk.card import card, drift_text, thresholds_text
from dazi.apps.risk.events import Outcome
from dazi.apps.risk.lifecycle import Made
from dazi.apps.risk.papers import Form, as_paper
from dazi.apps.risk.reading import read_cases
from dazi.apps.risk.service import RiskService
from dazi.apps.risk.shelf import version_of
from dazi.core.errors import ConfigError, NotFound
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.core.risk import RiskAnswer
from dazi.main.accounts import desk
from dazi.main.company import load_company
from dazi.main.demo import Demo
from dazi.main.risk import answer_of, open_risk
from dazi.main.risk_settings import risk_settings
from dazi.main.settings import Settings
from dazi.main.systems import connector_context

Paper = Literal["card", "thresholds", "drift"]
UNDECLARED = Text("没有声明交易;写上 [risk]", "no transactions are declared; write [risk]")
NOTHING = Text("{day} 的 {n} 笔交易,没有要看的。", "Of {n} transactions on {day}, none to look at.")
WAITING = Text("{day} 的 {n} 笔交易,{m} 笔要看:", "Of {n} transactions on {day}, {m} to look at:")
IN_USE = Text(
    "已启用模型 {version}:AUC {auc:.3f},平均精确率 {ap:.3f};复核线 {review:.4f},暂停线 {hold:.4f}",
    "model {version} is in use: AUC {auc:.3f}, average precision {ap:.3f}; review from {review:.4f}, "
    "hold from {hold:.4f}",
)
GAIN = Text("没见过的案例,多找到 {gain:.0%}", "of held-out cases, {gain:.0%} more were found")
LEVELS = {"low": Text("低", "low"), "medium": Text("中", "medium"), "high": Text("高", "high")}
KEPT = Text("已记下:{id} 是{what}", "kept: {id} is {what}")
OUTCOMES = {"fraud": Text("欺诈", "fraud"), "genuine": Text("正常", "genuine")}
WRITTEN = Text("已写入 {path}", "written to {path}")


@dataclass(frozen=True, slots=True)
class Desk:
    service: RiskService
    by: Principal


@asynccontextmanager
async def risk_desk(settings: Settings, user: str) -> AsyncIterator[Desk]:
    """As ``user``, or the first of the company's file who may review. Needs no model of language."""
    folder = settings.company_folder()
    company = load_company(folder)
    declared = risk_settings(company)
    if declared is None:
        raise ConfigError(folder / "dazi.toml", None, UNDECLARED.zh, UNDECLARED.en)
    data = settings.data_folder(folder)
    if company.demo:
        await asyncio.to_thread(Demo(company, data, settings.today or date.today()).seed)
    first = next((u.user for u in company.users if declared.rights.reviewers & {*u.roles}), "")
    async with desk(settings, user or first) as d:
        context = connector_context(company, data, None)
        opened = open_risk(company, context, d.database, d.private, d.record)
        assert opened is not None
        try:
            yield Desk(opened.service, d.by)
        finally:
            await opened.close()


async def train(settings: Settings, user: str, language: Language, *, json_out: bool) -> None:
    async with risk_desk(settings, user) as d:
        made = await d.service.train(d.by)
    _show_made(made, language, json_out=json_out)


async def adapt(
    settings: Settings,
    user: str,
    cases: Path | None,
    name: str,
    language: Language,
    *,
    json_out: bool,
) -> None:
    given = read_cases(cases) if cases is not None else None
    async with risk_desk(settings, user) as d:
        made = await d.service.adapt(d.by, given, name or (cases.stem if cases else ""))
    _show_made(made, language, json_out=json_out)


async def use(settings: Settings, user: str, version: str, language: Language) -> None:
    async with risk_desk(settings, user) as d:
        if not version:
            for known in await d.service.versions(d.by):
                typer.echo(known)
            return
        made = await d.service.use(d.by, version)
    _show_made(made, language, json_out=False)


def _show_made(made: Made, language: Language, *, json_out: bool) -> None:
    told = {
        "version": version_of(made), "auc": made.quality.auc,
        "ap": made.quality.average_precision, "review": made.thresholds.review,
        "hold": made.thresholds.hold,
    }  # fmt: skip
    if json_out:
        typer.echo(json.dumps({**told, "gain": made.gain}, indent=1))
        return
    typer.echo(IN_USE(language).format(**told))
    if made.gain is not None:
        typer.echo(GAIN(language).format(gain=made.gain))


async def assess(
    settings: Settings,
    user: str,
    transactions: Sequence[str],
    language: Language,
    *,
    json_out: bool,
) -> None:
    """Raises ``NotFound`` at the first that there is not."""
    answers: list[RiskAnswer] = []
    async with risk_desk(settings, user) as d:
        for id in transactions:
            told = await d.service.assess(d.by, id)
            if told is None:
                raise NotFound(
                    "risk_transaction", f"没有交易 {id}", f"there is no transaction {id}"
                )
            answers.append(answer_of(told))
    if json_out:
        typer.echo(json.dumps([asdict(a) for a in answers], ensure_ascii=False, indent=1))
        return
    for a in answers:
        comma = "、" if language == "zh" else ", "
        why = comma.join(r.title(language) for r in a.reasons) or "-"
        typer.echo(
            f"{a.transaction}  {LEVELS[a.level](language)}  {a.score:.1f}%  {why}  "
            f"{a.proposal(language)}"
        )


async def explain(settings: Settings, user: str, transaction: str, language: Language) -> None:
    async with risk_desk(settings, user) as d:
        told = await d.service.case(d.by, transaction)
    typer.echo(told.assessment.account(language).text)
    for decision in told.decisions:
        said = f" ({decision.note})" if decision.note else ""
        typer.echo(f"- {decision.user}: {OUTCOMES[decision.outcome](language)}{said}")


async def queue(
    settings: Settings, user: str, day: str, language: Language, *, json_out: bool
) -> None:
    async with risk_desk(settings, user) as d:
        found = await d.service.batch(d.by, day)
        waiting = await d.service.queue(d.by, day=found.day)
    if json_out:
        rows: list[dict[str, Any]] = [asdict(w) for w in waiting]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    head = WAITING if waiting else NOTHING
    typer.echo(head(language).format(day=found.day, n=found.transactions, m=len(waiting)))
    for w in waiting:
        typer.echo(f"{w.transaction}  {100 * w.score:.1f}%  {w.action}  {' '.join(w.codes)}")


async def decide(
    settings: Settings, user: str, said: tuple[str, str, str], language: Language
) -> None:
    """``said``: the transaction, what it is, and a note."""
    id, outcome, note = said
    async with risk_desk(settings, user) as d:
        await d.service.decide(d.by, id, cast(Outcome, outcome), note)
    typer.echo(KEPT(language).format(id=id, what=OUTCOMES[outcome](language)))


async def paper(
    settings: Settings, user: str, which: Paper, form: Form, out: Path | None, language: Language
) -> None:
    async with risk_desk(settings, user) as d:
        data = as_paper(await text_of(d.service, d.by, which, language), form)
    if out is not None:
        await asyncio.to_thread(out.write_bytes, data)
        typer.echo(WRITTEN(language).format(path=out))
    elif form == "pdf":
        sys.stdout.buffer.write(data)
    else:
        typer.echo(data.decode())


async def text_of(service: RiskService, by: Principal, which: Paper, language: Language) -> str:
    """A report in Markdown."""
    made = await service.model(by)
    if which == "thresholds":
        return thresholds_text(made.quality, made.thresholds, language)
    drifts = await service.drift(by)
    if which == "drift":
        return drift_text(drifts, language)
    return card(made.model, made.quality, drifts, language)
