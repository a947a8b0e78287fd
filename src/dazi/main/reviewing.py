"""``dazi review``: a contract beside the company's template and policy, in the terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import typer

from dazi.apps.contracts.making import Given, Terms, judged, suffix_of
from dazi.apps.contracts.outputs.told import as_told
from dazi.apps.contracts.outputs.words import KINDS, PAGE, SEVERITIES, SUGGESTED
from dazi.apps.contracts.review import read_file
from dazi.apps.contracts.reviewed import Origin, Remark, Reviewed, digest_of
from dazi.apps.contracts.rules import load_policy
from dazi.apps.contracts.service import ContractService
from dazi.apps.contracts.statistics import RuleQuality
from dazi.apps.contracts.verdicts import WORDS, Said, VerdictStore
from dazi.core.company import Company
from dazi.core.errors import CallerError, OperatorError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.accounts import desk
from dazi.main.company import load_company
from dazi.main.contract_settings import contract_conditions
from dazi.main.contracts import kinds_of
from dazi.main.jobs import stores_of
from dazi.main.settings import Settings
from dazi.store.jobs.service import JobService

NOTHING = Text("没有发现问题。", "Nothing was found.")
MORE = Text(
    "另有 {n} 处低级别的措辞差异(--all 全部列出)", "and {n} low ones of wording (--all lists them)"
)
NO_VERDICTS = Text("还没有人表态。", "Nobody has said anything yet.")
STATISTICS = Text(
    "{rule}  提示 {shown},认可 {accepted},不认可 {rejected},改正 {corrected}",
    "{rule}  shown {shown}, accepted {accepted}, rejected {rejected}, corrected {corrected}",
)
PRECISION = Text(
    "准确率 {p:.0%}(95% 区间 {low:.0%}–{high:.0%})",
    "precision {p:.0%} (95% interval {low:.0%}–{high:.0%})",
)
DOUBTFUL = Text(
    "被否得太多:改规则,或在 [contracts] muted 里停用",
    "rejected too often: change the rule, or mute it in [contracts]",
)
KEPT = Text("已记下", "noted")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Files to be written, each if it has a place."""

    word: Path | None = None
    highlights: Path | None = None
    pdf: Path | None = None
    html: Path | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """``all``: low findings are listed too."""

    file: Path
    template: Path | None
    policy: Path | None
    json_out: bool = False
    ocr: bool = False
    all: bool = False
    wanted: Wanted = Wanted()


def terms_of(settings: Settings, policy: Path | None, language: Language) -> Terms:
    """The company's, with the rules of ``policy`` where one is given. Raises ``ConfigError``."""
    terms = contract_conditions(load_company(settings.company_folder())).terms
    if policy is not None:
        terms = replace(terms, rules=load_policy(policy), own_policy=True)
    return replace(terms, language=language)


async def review_contract(settings: Settings, asked: Asked, language: Language) -> None:
    """Raises as ``read_file``, and ``CallerError`` where an output does not go with the file."""
    for path in (asked.file, asked.template):
        if path is not None and not path.is_file():
            raise CallerError("no_file", f"没有文件 {path}", f"there is no file {path}")
    _check(asked)
    terms = terms_of(settings, asked.policy, language)
    contract = await read_file(asked.file, ocr=asked.ocr)
    template = await read_file(asked.template) if asked.template is not None else None
    data = await asyncio.to_thread(asked.file.read_bytes)
    named = asked.template.name if asked.template is not None else ""
    given = Given(contract, template, Origin(asked.file.name, digest_of(data), named), terms)
    done = await asyncio.to_thread(judged, given)
    await _write(asked, done, data, language)
    if asked.json_out:
        typer.echo(json.dumps(as_told(done, language), ensure_ascii=False, indent=1))
    else:
        _show(done, language, all_of_them=asked.all)


def _check(asked: Asked) -> None:
    ending = suffix_of(asked.file.name)
    if asked.wanted.word is not None and ending != ".docx":
        raise CallerError(
            "not_word",
            "--word 只能用于 .docx;PDF 用 --highlights,别的用 --pdf 或 --html",
            "--word is for .docx files; for a PDF take --highlights, else --pdf or --html",
        )
    if asked.wanted.highlights is not None and ending != ".pdf":
        raise CallerError(
            "not_pdf", "--highlights 只能用于 PDF", "--highlights is for PDF files only"
        )


async def _write(asked: Asked, done: Reviewed, data: bytes, language: Language) -> None:
    """What makes each is imported when it is wanted."""
    wanted = asked.wanted
    if wanted.word is not None:
        from dazi.apps.contracts.outputs.comments import with_comments

        save(wanted.word, with_comments(data, done.remarks, language))
    if wanted.highlights is not None:
        from dazi.apps.contracts.outputs.highlights import with_highlights

        save(wanted.highlights, await with_highlights(asked.file, done, language))
    if wanted.pdf is not None:
        from dazi.apps.contracts.outputs.summary import summary

        save(wanted.pdf, summary(done, language))
    if wanted.html is not None:
        from dazi.apps.contracts.outputs.page import page

        save(wanted.html, page(done, language).encode())


def save(path: Path, data: bytes) -> None:
    """Whole or not at all. Raises ``OperatorError``."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as e:
        beside.unlink(missing_ok=True)
        raise OperatorError(
            "unwritable",
            f"{path} 写不进去:{e.strerror};请换个位置",
            f"{path} cannot be written: {e.strerror}; choose another place",
        ) from None


def _show(done: Reviewed, language: Language, *, all_of_them: bool) -> None:
    for said in done.fields:
        typer.echo(f"{said.name}: {said.value}")
    shown = [r for r in done.remarks if all_of_them or r.severity != "low"]
    for r in shown:
        typer.echo("")
        for line in _lines(r, language):
            typer.echo(line)
    if not shown:
        typer.echo(NOTHING(language))
    left = len(done.remarks) - len(shown)
    if left:
        typer.echo(f"\n{MORE(language).format(n=left)}")


def _lines(r: Remark, language: Language) -> list[str]:
    where = [w for w in (r.clause, PAGE(language).format(n=r.page) if r.page else "") if w]
    head = f"[{SEVERITIES[r.severity](language)}·{KINDS[r.kind](language)}] {r.message(language)}"
    out = [f"{head}  ({' · '.join(where)})" if where else head]
    if r.quote:
        out.append(f"  「{r.quote[:160]}」")
    if r.suggestion(language):
        out.append(f"  {SUGGESTED(language)}: {r.suggestion(language)}")
    return out


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody says of an item of a review, as it was typed."""

    job: str
    item: str
    verdict: str
    note: str = ""
    value: str = ""


@asynccontextmanager
async def contracts(
    settings: Settings, user: str
) -> AsyncIterator[tuple[ContractService, Principal]]:
    """The service, and whose word it is: ``user``'s, or that of the company's first one who may
    review. Needs no model and works on no jobs."""
    company = load_company(settings.company_folder())
    conditions = contract_conditions(company)
    reviewers = conditions.rights.reviewers
    may = (u.user for u in company.users if not reviewers or reviewers & _roles(company, u.roles))
    first = next(may, "")
    async with desk(settings, user or first) as d:
        jobs, schedules = stores_of(settings, d.database, d.private)
        verdicts = VerdictStore(d.database, d.private)
        kinds = {k.name: k for k in kinds_of(conditions, verdicts)}
        service = JobService(jobs, schedules, kinds)
        yield ContractService(service, verdicts, conditions, settings.job_file_bytes), d.by


def _roles(company: Company, given: Iterable[str]) -> frozenset[str]:
    """With those that they include."""
    return frozenset(given).union(*(company.roles[r] for r in given if r in company.roles))


async def show_statistics(
    settings: Settings, user: str, language: Language, *, json_out: bool
) -> None:
    async with contracts(settings, user) as (service, by):
        found = await service.statistics(by)
    if json_out:
        typer.echo(json.dumps([asdict(q) for q in found], ensure_ascii=False, indent=1))
        return
    for q in found:
        typer.echo(_statistics(q, language))
    if not found:
        typer.echo(NO_VERDICTS(language))


def _statistics(q: RuleQuality, language: Language) -> str:
    parts = [STATISTICS(language).format(**asdict(q))]
    if q.precision is not None:
        parts.append(PRECISION(language).format(p=q.precision, low=q.low, high=q.high))
    if q.doubtful:
        parts.append(DOUBTFUL(language))
    return "  ".join(parts)


async def judge_item(settings: Settings, user: str, opinion: Opinion, language: Language) -> None:
    if opinion.verdict not in WORDS:
        raise CallerError(
            "verdict",
            "应为 accept、reject 或 correct",
            "must be accept, reject or correct",
        )
    said = Said(opinion.item, opinion.verdict, opinion.note, opinion.value)
    async with contracts(settings, user) as (service, by):
        await service.judge(by, opinion.job, said)
    typer.echo(KEPT(language))
