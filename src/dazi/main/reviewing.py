"""``dazi review``: a contract beside the company's template and policy, in the terminal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import typer

from dazi.apps.contracts.findings import Finding
from dazi.apps.contracts.policy import Rule, load_policy
from dazi.apps.contracts.review import Review, as_json, review_file
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.main.company import load_company
from dazi.main.settings import Settings

SEVERITIES = {"high": Text("高", "high"), "medium": Text("中", "medium"), "low": Text("低", "low")}
KINDS = {
    "policy": Text("政策", "policy"), "deviation": Text("偏离", "deviation"), "missing": Text("缺失", "missing"),
    "contradiction": Text("矛盾", "contradiction"), "reference": Text("引用", "reference"),
}  # fmt: skip
NOTHING = Text("没有发现问题。", "Nothing was found.")
PAGE = Text("第 {n} 页", "page {n}")
SUGGESTED = Text("建议", "suggestion")
MORE = Text(
    "另有 {n} 处低级别的措辞差异(--all 全部列出)", "and {n} low ones of wording (--all lists them)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """``all``: low findings are listed too; ``ours``: what the company is called."""

    file: Path
    template: Path | None
    policy: Path | None
    json_out: bool = False
    ocr: bool = False
    all: bool = False
    ours: tuple[str, ...] = ()


def names_of(settings: Settings) -> tuple[str, ...]:
    """What the company is called, which tells its side in a contract from the other."""
    name = load_company(settings.company_folder()).name
    return name.zh, name.en


async def review_contract(asked: Asked, language: Language) -> None:
    rules: tuple[Rule, ...] = load_policy(asked.policy)
    for path in (asked.file, asked.template):
        if path is not None and not path.is_file():
            raise CallerError("no_file", f"没有文件 {path}", f"there is no file {path}")
    done = await review_file(asked.file, asked.template, rules, ocr=asked.ocr, ours=asked.ours)
    if asked.json_out:
        typer.echo(json.dumps(as_json(done, language), ensure_ascii=False, indent=1))
    else:
        _show(done, language, all_of_them=asked.all)


def _show(done: Review, language: Language, *, all_of_them: bool) -> None:
    for name, found in done.fields.items():
        typer.echo(f"{name}: {found.value}")
    shown = [f for f in done.findings if all_of_them or f.severity != "low"]
    for f in shown:
        typer.echo("")
        for line in _lines(f, language):
            typer.echo(line)
    if not shown:
        typer.echo(NOTHING(language))
    left = len(done.findings) - len(shown)
    if left:
        typer.echo(f"\n{MORE(language).format(n=left)}")


def _lines(f: Finding, language: Language) -> list[str]:
    where = [w for w in (f.clause, PAGE(language).format(n=f.page) if f.page else "") if w]
    head = f"[{SEVERITIES[f.severity](language)}·{KINDS[f.kind](language)}] {f.message(language)}"
    out = [f"{head}  ({' · '.join(where)})" if where else head]
    if f.quote:
        out.append(f"  「{f.quote[:160]}」")
    if f.suggestion(language):
        out.append(f"  {SUGGESTED(language)}: {f.suggestion(language)}")
    return out
