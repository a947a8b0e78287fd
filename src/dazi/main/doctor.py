"""``dazi doctor``: is this machine fit, and what to do where it is not."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from dazi.core.errors import DaziError
from dazi.core.language import Text
from dazi.inference.profiles import memory_bytes
from dazi.main.channels import channel_findings
from dazi.main.company import load_company
from dazi.main.database import database_of
from dazi.main.doctor_finding import Finding
from dazi.main.doctor_model import model_findings
from dazi.main.doctor_weights import weight_findings
from dazi.main.settings import Settings
from dazi.main.systems import connector_context, make_connectors

NEEDED_MEMORY_GB = 2.0
NEEDED_DISK_GB = 1.0
EARLIEST_YEAR = 2025


async def diagnose(settings: Settings) -> list[Finding]:
    """Every check, in the order in which a start-up would meet them."""
    folder = settings.company_folder()
    data = settings.data_folder(folder)
    findings = [_guarded(check) for check in (
        lambda: _port(settings),
        _memory,
        lambda: _disk(data),
        _clock,
        lambda: _company(folder, data),
    )]  # fmt: skip
    findings.append(await _database(settings, data))
    findings += weight_findings(settings, data)
    findings += await model_findings(settings, data)
    findings += await channel_findings(folder)
    return findings


def _guarded(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except DaziError as e:
        return Finding(False, e.text)


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return Finding(
                False,
                Text(
                    f"端口 {settings.port} 被占用:换一个,例如 dazi serve --port {settings.port + 1}",
                    f"port {settings.port} is in use: take another, e.g. "
                    f"dazi serve --port {settings.port + 1}",
                ),
            )
    return Finding(True, Text(f"端口 {settings.port} 可用", f"port {settings.port} is free"))


def _memory() -> Finding:
    total = memory_bytes() / 2**30
    ok = total >= NEEDED_MEMORY_GB
    mend = Text(
        "" if ok else ",内置模型至少要 2 GB", "" if ok else "; the bundled model needs 2 GB"
    )
    return Finding(ok, Text(f"内存 {total:.1f} GB{mend.zh}", f"memory {total:.1f} GB{mend.en}"))


def _disk(data: Path) -> Finding:
    place = next(p for p in (data, *data.parents) if p.exists())
    free = shutil.disk_usage(place).free / 2**30
    ok = free >= NEEDED_DISK_GB
    mend = Text(
        "" if ok else ",至少要 1 GB,请清理或用 DAZI_DATA 换个位置",
        "" if ok else "; 1 GB is needed: make room, or choose another place with DAZI_DATA",
    )
    return Finding(
        ok, Text(f"磁盘剩余 {free:.1f} GB{mend.zh}", f"disk free {free:.1f} GB{mend.en}")
    )


def _clock() -> Finding:
    now = time.localtime()
    ok = now.tm_year >= EARLIEST_YEAR
    text = time.strftime("%Y-%m-%d %H:%M", now)
    mend = Text(
        "" if ok else ",时间不对,会影响日期理解和确认的有效期,请校时",
        "" if ok else "; this is wrong and breaks dates and confirmations: set the clock",
    )
    return Finding(ok, Text(f"时钟 {text}{mend.zh}", f"clock {text}{mend.en}"))


def _company(folder: Path, data: Path) -> Finding:
    company = load_company(folder)
    make_connectors(company, connector_context(company, data, None))
    return Finding(
        True,
        Text(
            f"公司目录 {folder}:{len(company.tools)} 个工具",
            f"company folder {folder}: {len(company.tools)} tools",
        ),
    )


async def _database(settings: Settings, data: Path) -> Finding:
    try:
        database = database_of(settings, data)
    except DaziError as e:
        return Finding(False, e.text)
    try:
        await database.create()
        await database.ping()
    except (DaziError, OSError) as e:
        text = e.text if isinstance(e, DaziError) else Text(str(e), str(e))
        return Finding(False, text)
    finally:
        await database.close()
    place = database.place if settings.database else str(data)
    return Finding(True, Text(f"数据库 {place}", f"database {place}"))
