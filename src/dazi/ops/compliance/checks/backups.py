"""Whether there is a recent backup, and whether what belongs to it is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from dazi.audit.copies import copied
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.ops.backup import keyfile
from dazi.ops.backup.sealed import MAGIC, read_header
from dazi.ops.compliance.results import Notes, Result, some
from dazi.ops.compliance.subject import DAY_S, Subject, recent

LONGEST_DAYS = 7.0
MAKE = Text(
    "每天运行 dazi backup,口令另外保管;备份在别处的,用 --backups 指明",
    "run dazi backup daily and keep the passphrase apart; where backups are elsewhere, name the "
    "place with --backups",
)
KEYS = Text(
    "接上那块盘再备份一次;不再用的,从 audit/backups.json 删掉",
    "connect that disk and make a backup; take what is no more out of audit/backups.json",
)


@dataclass(frozen=True, slots=True)
class _Backup:
    """``made``: seconds since the epoch; ``fault``: why it is none to rely on."""

    file: Path
    made: float
    fault: Text | None = None


async def backups(s: Subject) -> Result:
    """There is a recent one of this installation, undamaged as far as it shows without its
    passphrase, and the files of keys can be reached."""
    n = Notes()
    copy = copied(s.data / "audit")
    found = list(_found(s, copy.installation if copy is not None else ""))
    for bad in (b for b in found if b.fault is not None):
        assert bad.fault is not None
        n.wrong(f"{bad.file.name}:{bad.fault.zh}", f"{bad.file.name}: {bad.fault.en}", MAKE)
    whole = [b for b in found if b.fault is None]
    if whole:
        newest = max(whole, key=lambda b: b.made)
        days = (s.now - newest.made) / DAY_S
        n.expect(
            days <= LONGEST_DAYS,
            Text(f"{len(whole)} 个备份,最新 {newest.file},{days:.1f} 天前",
                 f"{len(whole)} backups, the newest is {newest.file}, {days:.1f} days old"),
            Text(f"最新的备份 {newest.file.name} 是 {days:.1f} 天前的",
                 f"the newest backup, {newest.file.name}, is {days:.1f} days old"),
            MAKE,
        )  # fmt: skip
        n.saw("内容要用口令恢复一次才算验证过", "only restoring one proves what is in it")
    else:
        places = some(s.backups)
        n.wrong(
            f"没有找到备份:{places or '没有记下任何位置'}",
            f"no backup was found: {places or 'no place is on record'}",
            MAKE,
        )
    lost = [str(k) for k in keyfile.remembered(s.data / "audit") if not k.exists()]
    if lost:
        n.wrong(
            f"密钥文件够不着,抹除覆盖不到它:{some(lost)}",
            f"files of keys that no erasure can reach: {some(lost)}",
            KEYS,
        )
    acts = [f for f in await recent(s, "admin") if f.content.fields.get("act") == "backup"]
    n.records = [f.record.seq for f in reversed(acts)]
    n.saw(f"这段时间记了 {len(acts)} 次备份", f"{len(acts)} backups are on record in this period")
    return n.result()


def _found(s: Subject, installation: str) -> Iterator[_Backup]:
    for folder in s.backups:
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        for file in files:
            if file.is_file() and not file.name.startswith(".") and file.name != keyfile.NAME:
                yield _look(file, installation)


def _look(file: Path, installation: str) -> _Backup:
    at = file.stat().st_mtime
    if not file.stat().st_size:
        return _Backup(file, at, Text("是空的", "it is empty"))
    with file.open("rb") as opened:
        sealed = opened.read(len(MAGIC)) == MAGIC
        opened.seek(0)
        if sealed:
            try:
                header, _ = read_header(opened)
            except CallerError as e:
                return _Backup(file, at, e.text)
            if installation and header.installation not in ("", installation):
                return _Backup(file, at, Text("是另一套系统的", "it is another installation's"))
            return _Backup(file, header.made)
    if file.suffix in (".sqlite", ".db") and not _readable(file):
        return _Backup(file, at, Text("数据库是坏的", "the database is damaged"))
    return _Backup(file, at)


def _readable(file: Path) -> bool:
    where = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(where, uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
