"""Makes a backup of a running installation: tables, files, and the data keys apart."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from dazi.audit.copies import copied
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.ops.backup import files
from dazi.ops.backup.entries import File, Packer, Told
from dazi.ops.backup.keyfile import Known, public_of, remember, write_keys
from dazi.ops.backup.sealed import (
    SALT_BYTES,
    Header,
    SealedWriter,
    check_passphrase,
    derive,
)
from dazi.ops.backup.tables import put_tables
from dazi.store.database import Database
from dazi.store.schema import HEAD


@dataclass(frozen=True, slots=True)
class Installed:
    """What is backed up. ``company``: its folder, where that is wanted too."""

    database: Database
    data: Path
    company: Path | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """``keys``: the file of keys, which all backups share."""

    file: Path
    keys: Path
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BackedUp:
    """``keys``: how many data keys the file of keys holds; ``size`` in bytes."""

    rows: int
    files: int
    keys: int
    size: int


async def back_up(installed: Installed, target: Target, told: Told) -> BackedUp:
    """Writes ``target.file`` as one step, after the file of keys. Somebody may be writing to the
    installation meanwhile. Raises ``CallerError`` and ``OperatorError``; what was there stays."""
    check_passphrase(target.passphrase)
    _check_place(target, installed.data)
    salt = os.urandom(SALT_BYTES)
    root = derive(target.passphrase, salt)
    audit = installed.data / files.AUDIT
    copy = copied(audit)
    owner = copy.installation if copy is not None else ""
    header = Header(time.time(), installed.version, HEAD, owner, salt)
    with files.disk(), _replacing(target.file) as out:
        packer = Packer(SealedWriter(out, header, root))
        await _put(packer, installed, told)
        packer.close()
        out.flush()
        os.fsync(out.fileno())
        size = out.tell()
        # After the tables, so that there is a key for everything in them; and before the backup
        # is there, so that no backup is without.
        known = Known(str(target.keys.absolute()), salt, public_of(root))
        keys = write_keys(audit, known)
        if copy is not None:
            remember(audit, known)
    return BackedUp(packer.rows, packer.files, keys, size)


async def _put(packer: Packer, installed: Installed, told: Told) -> None:
    data = installed.data
    head = data / files.HEAD
    # Before the tables: a checkpoint that comes in between would speak of records they lack.
    signed = head.read_bytes() if head.exists() else None
    await put_tables(packer, installed.database, told)
    if signed is not None:
        files.put_bytes(packer, File(files.DATA, files.HEAD, 0o600), signed)
    for name, path in files.data_files(data):
        if name != files.HEAD:
            files.put_file(packer, File(files.DATA, name, files.rights(path)), path, data)
    if installed.company is not None:
        for name, path in files.company_files(installed.company, data):
            files.put_file(packer, File(files.COMPANY, name, files.rights(path)), path, data)
    told(Text(f"{packer.files} 个文件", f"{packer.files} files"))


def _check_place(target: Target, data: Path) -> None:
    for path in (target.file, target.keys):
        if data.resolve() in path.resolve().parents:
            raise CallerError(
                "place",
                f"{path} 在数据目录里;备份请放到别处,最好是另一块磁盘",
                f"{path} is inside the data folder; put backups elsewhere, best on another disk",
            )
        if not path.absolute().parent.is_dir():
            raise CallerError(
                "place", f"没有目录 {path.parent}", f"there is no folder {path.parent}"
            )
    if target.file.resolve() == target.keys.resolve():
        raise CallerError(
            "place", "备份和密钥要放在两个文件里", "a backup and its keys are two files"
        )


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A new file that takes the name once it is whole; else nothing of it stays."""
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
