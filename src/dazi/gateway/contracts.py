"""``/v1/dazi/contracts``: contracts that the caller has reviewed, and what they say of the findings."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from dazi.apps.contracts.job import Files
from dazi.apps.contracts.outputs.told import as_told
from dazi.apps.contracts.service import ContractService
from dazi.apps.contracts.statistics import RuleQuality
from dazi.apps.contracts.verdicts import WORDS, Said, Verdict, Word
from dazi.core.errors import NotFound
from dazi.gateway.accounts.bodies import Done
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import GENERATED, Exchange
from dazi.gateway.jobs import Jobs, JobView, in_full, view
from dazi.gateway.receiving import whole
from dazi.gateway.reply import encode
from dazi.gateway.wire import Reader

MOST = 200
LONGEST_NAME = 200


class VerdictBody(Struct, forbid_unknown_fields=True):
    """``value``: what it should be, with ``correct``."""

    verdict: str
    note: str = ""
    value: str = ""


class VerdictView(Struct, frozen=True):
    """``item``: a finding's id, or ``field:`` and a name; ``at``: seconds since the epoch."""

    item: str
    rule: str
    verdict: Word
    note: str
    value: str
    at: float


class ReviewView(Struct, frozen=True):
    """``review`` is as ``dazi review --json`` prints it, ``null`` before the job is done."""

    job: JobView
    review: Any
    verdicts: list[VerdictView]


class TemplateView(Struct, frozen=True):
    """``id``: what ``template`` takes; ``own``: of the caller, else of the company."""

    id: str
    name: str
    own: bool


class TemplateViews(Struct, frozen=True):
    data: list[TemplateView]
    object: str = "list"


class Statistics(Struct, frozen=True):
    """The doubtful rules first."""

    data: list[RuleQuality]
    object: str = "list"


VERDICT = Reader(VerdictBody)


async def contracts(x: Exchange) -> None:
    limit = x.number("limit", 50, least=1, most=MOST)
    found = await _service(x).reviews(x.principal, limit + 1, x.text("after"))
    more = found[limit - 1].id if len(found) > limit else ""
    await x.reply(encode(Jobs([view(x, j) for j in found[:limit]], more)))


async def review_contract(x: Exchange) -> None:
    service = _allowed(x)
    name = _name(x)
    data = await whole(x, service.largest)
    job = await service.begin(x.principal, Files(name, data), x.spoken, x.text("template"))
    await x.reply(encode(view(x, job)), status=202)


async def contract(x: Exchange) -> None:
    opened = await _service(x).open(x.principal, x.path["job"])
    told = as_told(opened.done, x.spoken) if opened.done is not None else None
    verdicts = [_verdict(v) for v in opened.verdicts.values()]
    await x.reply(encode(ReviewView(view(x, opened.job), told, verdicts)), GENERATED)


async def judge(x: Exchange) -> None:
    given = VERDICT.read(x.body)
    if given.verdict not in WORDS:
        names = "、".join(WORDS), ", ".join(WORDS)
        raise BadField("verdict", f"应为 {names[0]} 之一", f"must be one of {names[1]}")
    said = Said(x.path["item"], given.verdict, given.note, given.value)
    await x.reply(encode(_verdict(await _service(x).judge(x.principal, x.path["job"], said))))


async def withdraw(x: Exchange) -> None:
    await _service(x).withdraw(x.principal, x.path["job"], x.path["item"])
    await x.reply(encode(Done()))


async def contract_templates(x: Exchange) -> None:
    service = _service(x)
    found = [TemplateView(n, n, own=False) for n in service.conditions.templates]
    found += [
        TemplateView(j.id, j.title, own=True) for j in await service.own_templates(x.principal)
    ]
    await x.reply(encode(TemplateViews(found)))


async def add_contract_template(x: Exchange) -> None:
    service = _allowed(x)
    name = _name(x)
    data = await whole(x, service.largest)
    job = await service.add_template(x.principal, name, data, x.spoken)
    await x.reply(encode(view(x, job)), status=202)


async def contract_statistics(x: Exchange) -> None:
    await x.reply(encode(Statistics(await _service(x).statistics(x.principal))))


def _verdict(v: Verdict) -> VerdictView:
    return VerdictView(v.said.item, v.rule, v.said.verdict, v.said.note, v.said.value, v.at)


def _allowed(x: Exchange) -> ContractService:
    """Before a byte of a file is taken. Raises ``AccessError``."""
    service = _service(x)
    in_full(x)
    service.conditions.rights.check(x.principal)
    return service


def _service(x: Exchange) -> ContractService:
    if x.state.contracts is None:
        raise NotFound("contracts", "这里不审合同", "no contracts are reviewed here")
    return x.state.contracts


def _name(x: Exchange) -> str:
    name = x.text("name")
    if not name:
        raise BadField("name", "缺少文件名", "the file's name is missing", "missing_field")
    if len(name) > LONGEST_NAME:
        raise BadField(
            "name",
            f"最多 {LONGEST_NAME} 个字符",
            f"must have {LONGEST_NAME} characters at the most",
        )
    return name
