"""Backing up and restoring from the command line."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

from dazi import __version__
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.main.auditing import check, opened
from dazi.main.database import database_url, declare_tables
from dazi.main.settings import Settings
from dazi.ops.backup.backup import BackedUp, Installed, Target, back_up
from dazi.ops.backup.keyfile import NAME
from dazi.ops.backup.restore import Destination, Restored, Source, restore

Ask = Callable[[bool], str]
"""Asks a person for a passphrase; true: twice, for a new one."""
Told = Callable[[Text], None]


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """As they are given on the command line."""

    file: Path
    keys: Path | None
    company_folder: bool
    passphrase_file: Path | None


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """As they are given on the command line."""

    file: Path
    keys: Path | None
    without_keys: bool
    passphrase_file: Path | None
    keys_passphrase_file: Path | None
    company_folder: Path | None
    replace: bool


async def make(settings: Settings, options: BackupOptions, ask: Ask, told: Told) -> BackedUp:
    """On record before it happens, so that it is in the backup too."""
    passphrase = _passphrase(settings, options.passphrase_file, lambda: ask(True))
    keys = options.keys or options.file.absolute().parent / NAME
    company = settings.company_folder()
    declare_tables()
    async with opened(settings) as room:
        await room.ledger.append("admin", getuser(), "", {"act": "backup"})
        installed = Installed(
            room.database,
            settings.data_folder(company),
            company if options.company_folder else None,
            __version__,
        )
        return await back_up(installed, Target(options.file, keys, passphrase), told)


async def bring_back(
    settings: Settings, options: RestoreOptions, ask: Ask, told: Told
) -> tuple[Restored, Settings]:
    """And the settings that lead to what was restored."""
    if options.company_folder is not None and settings.company is None:
        settings = settings.model_copy(update={"company": options.company_folder})
    passphrase = _passphrase(settings, options.passphrase_file, lambda: ask(False))
    keys = None
    if not options.without_keys:
        keys = options.keys or options.file.absolute().parent / NAME
    other = options.keys_passphrase_file
    source = Source(options.file, keys, passphrase, _first_line(other) if other is not None else "")
    data = settings.data_folder(settings.company_folder())
    declare_tables()
    destination = Destination(
        database_url(settings, data), data, options.company_folder, options.replace
    )
    return await restore(source, destination, told), settings


async def afterwards(settings: Settings, language: Language, done: Restored) -> tuple[bool, str]:
    """What the ledger's verification finds; then the restore goes on record in it."""
    sound, found = await check(settings, language, None, None)
    async with opened(settings) as room:
        await room.ledger.append("admin", getuser(), "", {"act": "restore", "since": done.made})
    return sound, found


def made_text(done: BackedUp, options: BackupOptions) -> Text:
    zh = f"{options.file}:{done.rows} 行,{done.files} 个文件,{done.size / 2**20:.1f} MB"
    en = f"{options.file}: {done.rows} rows, {done.files} files, {done.size / 2**20:.1f} MB"
    if done.keys:
        keys = options.keys or options.file.absolute().parent / NAME
        zh += f"。密钥文件 {keys}:{done.keys} 把;恢复时两个文件和口令缺一不可"
        en += f". File of keys {keys}: {done.keys}; a restore needs both files and the passphrase"
    return Text(zh, en)


def restored_text(done: Restored) -> Text:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(done.made))
    zh = f"已恢复 {at} 的备份:{done.rows} 行,{done.files} 个文件,{done.keys} 把密钥"
    en = f"restored the backup of {at}: {done.rows} rows, {done.files} files, {done.keys} keys"
    if done.erased:
        zh += f";{done.erased} 把密钥属于后来被抹除的人,没有恢复"
        en += f"; {done.erased} keys belong to people who were erased later and stay gone"
    if done.tickets.undecided or done.tickets.stopped:
        zh += (
            f"。有 {done.tickets.undecided} 个操作在等人决定,{done.tickets.stopped} 个决定了还没办;"
            "备份之后可能已经办过,先到对方系统核实。没办的不会自动再办"
        )
        en += (
            f". {done.tickets.undecided} requests wait for a decision and {done.tickets.stopped} "
            "were decided and not carried out; that may have been done after the backup, so look "
            "into the other system first. Nothing of it is carried out by itself"
        )
    if done.jobs:
        zh += f"。{done.jobs} 个没做完的任务已取消(备份之后可能已经做完),要的话请本人重试"
        en += (
            f". {done.jobs} jobs that were not over are cancelled, for they may have been done after "
            "the backup; their owners can try them again"
        )
    if done.aside is not None:
        zh += f"。原来的在 {done.aside},确认无误后请自行删除"
        en += f". What was there is in {done.aside}; delete it when all is well"
    return Text(zh, en)


def _passphrase(settings: Settings, file: Path | None, ask: Callable[[], str]) -> str:
    if file is not None:
        return _first_line(file)
    return settings.backup_passphrase or ask()


def _first_line(file: Path) -> str:
    try:
        return file.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as e:
        raise CallerError(
            "passphrase", f"读不了口令文件 {file}:{e}", f"{file} cannot be read: {e}"
        ) from e
