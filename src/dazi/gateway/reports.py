"""``/v1/dazi/reports``: the reports that the caller may run, and running them."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import Struct, field

from dazi.apps.reports.rendering import TYPES, format_of, rendered
from dazi.apps.reports.service import ReportService, Wanted
from dazi.apps.reports.telling import as_told
from dazi.core.errors import NotFound
from dazi.core.language import Language
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import GENERATED, Exchange
from dazi.gateway.reply import encode
from dazi.gateway.wire import Reader

FILES = tuple(TYPES.values())


class Reports(Struct, frozen=True):
    """Each with its name, title, description, roles, tools and parameters."""

    data: list[dict[str, Any]]
    object: str = "list"


class ReportRequest(Struct, forbid_unknown_fields=True):
    """``parameters``: as they are said; ``format``: of the file that is wanted; ``language``: zh or
    en, without it the caller's; ``mail_to``: mail its words too, which waits for confirmation."""

    parameters: dict[str, Any] = field(default_factory=dict)
    format: str = "json"
    language: str = ""
    mail_to: str = ""


REPORT_REQUEST = Reader(ReportRequest)


async def reports(x: Exchange) -> None:
    found = _service(x).visible(x.principal, x.only)
    await x.reply(encode(Reports([as_told(r, x.spoken) for r in found])))


async def run_report(x: Exchange) -> None:
    service, given = _service(x), REPORT_REQUEST.read(x.body)
    if given.language not in ("", "zh", "en"):
        raise BadField("language", "应为 zh 或 en", "must be zh or en")
    format = format_of(given.format)
    language: Language = (
        x.spoken if not given.language else "en" if given.language == "en" else "zh"
    )
    wanted = Wanted(
        x.path["report"], language, given.parameters, mail_to=given.mail_to, only=x.only
    )
    run = await service.run(x.principal, wanted)
    # Beside the loop: a file takes a while to write.
    file = await asyncio.to_thread(rendered, run, format, service.company.folder)
    await x.file(file.data, file.type, file.name, *((GENERATED,) if run.modelled else ()))


def _service(x: Exchange) -> ReportService:
    if x.state.reports is None:
        raise NotFound("reports", "这里没有报表", "there are no reports here")
    return x.state.reports
