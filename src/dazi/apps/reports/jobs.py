"""Reports as jobs: run when their time comes, by the rights of that moment, and kept with their data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from dazi.apps.reports.parameters import settled
from dazi.apps.reports.rendering import FileFormat, format_of, rendered
from dazi.apps.reports.result import Run as ReportRun
from dazi.apps.reports.result import as_data, of_json
from dazi.apps.reports.running import may_run
from dazi.apps.reports.service import ReportService, Wanted
from dazi.core.errors import AccessError, CallerError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.store.jobs.work import Kind, Run

KIND = "report"
TITLE = Text("报表", "report")
KEYS = frozenset({"name", "parameters", "formats", "mail_to", "language"})
WRITING = Text("生成文件:{format}", "writing {format}")
SECONDS = 600.0


def report_kind(service: ReportService) -> Kind:
    """Arguments: ``name``, ``parameters`` as they are said (so that 上个月 moves on with a schedule),
    ``formats``, ``mail_to``, ``language``; parameters and formats may be texts. The result: the
    report's data; its files beside it."""

    async def check(principal: Principal, arguments: Any) -> Any:
        return checked(service, principal, arguments)

    async def work(run: Run) -> Any:
        return await _work(service, run)

    return Kind(KIND, TITLE, check, work, seconds=SECONDS)


def checked(service: ReportService, principal: Principal, arguments: Any) -> dict[str, Any]:
    """As they are kept. Raises ``CallerError``, ``NotFound``, ``AccessError``."""
    if not isinstance(arguments, Mapping) or not isinstance(arguments.get("name"), str):
        raise CallerError("arguments", "缺少报表名 name", "the report's name is missing")
    unknown = sorted(set(arguments) - KEYS)
    if unknown:
        raise CallerError(
            "arguments", f"不认识参数 {unknown[0]}", f"there is no argument {unknown[0]}"
        )
    report = service.named(arguments["name"])
    if not may_run(report, principal):
        raise AccessError(
            "forbidden",
            f"你的角色不能出报表 {report.name}",
            f"your role may not run report {report.name}",
        )
    if report.wants_file:
        raise CallerError(
            "file",
            "这个报表要读文件,请用命令行 dazi report run",
            "this report reads a file; use dazi report run",
        )
    given = arguments.get("parameters") or {}
    if isinstance(given, str):
        given = _named(given)
    if not isinstance(given, Mapping):
        raise CallerError("parameter", "parameters 应是 名字: 值", "parameters are NAME: VALUE")
    settled(report, given, service.today())
    formats = arguments.get("formats") or ["html"]
    if isinstance(formats, str):
        formats = re.split(r"[,\s]+", formats.strip())
    if not isinstance(formats, list):
        raise CallerError("format", "formats 应是列表", "formats is a list")
    language = arguments.get("language") or "zh"
    if language not in ("zh", "en"):
        raise CallerError("language", "language 是 zh 或 en", "language is zh or en")
    return {
        "name": report.name,
        "parameters": dict(given),
        "formats": [format_of(str(f)) for f in dict.fromkeys(formats)],
        "mail_to": str(arguments.get("mail_to") or ""),
        "language": language,
    }


def _named(text: str) -> dict[str, str]:
    """``month=上个月; span=6``, as a command line has it. Raises ``CallerError``."""
    out: dict[str, str] = {}
    for pair in filter(None, (p.strip() for p in text.split(";"))):
        name, equals, value = pair.partition("=")
        if not equals:
            raise CallerError(
                "parameter", f"写成 名字=值; 名字=值,不是 {pair}", f"write NAME=VALUE, not {pair}"
            )
        out[name.strip()] = value.strip()
    return out


async def _work(service: ReportService, job: Run) -> Any:
    given = job.arguments
    wanted = Wanted(
        given["name"],
        cast("Language", given["language"]),
        given["parameters"],
        mail_to=given["mail_to"],
        where=f"dazi jobs · {job.job.id}",
    )

    async def made() -> Any:
        return as_data(await service.run(job.principal, wanted, job.report))

    # Kept once it is done: a mail is not asked for again, nor systems, if a file cannot be written.
    data = await job.step("report", made, dict)
    run = of_json(msgspec.json.encode(data))
    formats: list[FileFormat] = given["formats"]
    for n, format in enumerate(formats):
        told = Text(WRITING.zh.format(format=format), WRITING.en.format(format=format))
        job.report(told, 0.8 + 0.2 * n / len(formats))
        file = await asyncio.to_thread(rendered, run, format, service.company.folder)
        await job.put_file(file.name, file.type, file.data)
    return data


def run_of(result: Any) -> ReportRun:
    """The report of a job's result. Raises ``ValueError``."""
    return of_json(msgspec.json.encode(result))
