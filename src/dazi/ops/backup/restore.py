"""Brings a backup back: all of it is read, checked and laid ready before anything is exchanged."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.copies import CopiedKey, KeyCopy, bring_back, copied
from dazi.core.errors import CallerError, OperatorError
from dazi.core.language import Text
from dazi.ops.backup import files, switch, tables
from dazi.ops.backup.entries import File, Piece, Rows, Table, Told, entries
from dazi.ops.backup.keyfile import read_keys
from dazi.ops.backup.sealed import Header, SealedReader, derive
from dazi.router.restored import Lying, let_lie
from dazi.store import schema
from dazi.store.database import Database
from dazi.store.jobs.restored import stop_all
from dazi.store.presence import Presence

LEAVING_S = 3.0
"""A connection that was closed may be on PostgreSQL's list for a moment longer."""
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Source:
    """``keys``: the file of keys; ``None`` leaves what is sealed unreadable."""

    file: Path
    keys: Path | None
    passphrase: str = field(repr=False)
    keys_passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Destination:
    """``url``: the database, in ``data`` or PostgreSQL. ``company``: where its folder goes.
    ``replace``: what is there goes aside."""

    url: str
    data: Path
    company: Path | None = None
    replace: bool = False

    @property
    def sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def place(self) -> str:
        """PostgreSQL's host and database; no password."""
        url = make_url(self.url)
        return "" if self.sqlite else f"{url.host}:{url.port or 5432}/{url.database}"


@dataclass(frozen=True, slots=True)
class Restored:
    """``made``: when the backup was, seconds since the epoch. ``erased``: keys that it had and
    that were destroyed later. ``aside``: where what was there is now. ``jobs``: cancelled, for they
    may have been done since."""

    made: float
    rows: int
    files: int
    keys: int
    erased: int
    tickets: Lying
    aside: Path | None
    jobs: int = 0


async def restore(source: Source, destination: Destination, told: Told) -> Restored:
    """Raises ``CallerError`` for a backup that cannot be opened whole and for a place that is not
    empty, ``OperatorError`` where somebody is at work there. Then nothing was changed."""
    data = destination.data
    with files.disk(), Presence(data, alone=True):
        finish(data, destination)
        switch.clear_staging(data)
        _check_empty(destination)
        try:
            with source.file.open("rb") as file:
                reader = SealedReader(file, source.passphrase, derive)
                keys = _keys(source, reader.header)
                return await _Restoring(destination, keys, told).run(reader)
        finally:
            if not switch.pending(data):
                switch.clear_staging(data)


def finish(data: Path, destination: Destination) -> None:
    """Carry a restore to its end that was cut off while it exchanged."""
    switch.finish(data, destination.place, lambda token: tables.committed(destination.url, token))


def _keys(source: Source, header: Header) -> KeyCopy | None:
    if source.keys is None or not header.installation:
        return None
    copy = read_keys(source.keys, source.keys_passphrase or source.passphrase, derive)
    if copy.installation != header.installation:
        raise CallerError(
            "keys",
            f"{source.keys} 是另一套系统的密钥文件",
            f"{source.keys} holds another installation's keys",
        )
    return copy


def _check_empty(destination: Destination) -> None:
    data = destination.data
    there = [name for name in os.listdir(data) if files.belongs(name)]
    if destination.sqlite and not schema.has_rows(data / files.DATABASE):
        there = [name for name in there if not name.startswith(files.DATABASE)]
    if there and not destination.replace:
        raise not_empty(str(data))
    company = destination.company
    if company is not None and company.exists():
        others = [p for p in company.iterdir() if p.resolve() != data.resolve()]
        if others:
            raise CallerError(
                "not_empty",
                f"公司目录 {company} 不是空的;换一个目录",
                f"the company folder {company} is not empty; take another one",
            )


class _Restoring:
    def __init__(self, destination: Destination, keys: KeyCopy | None, told: Told) -> None:
        self._to = destination
        self._keys = keys
        self._told = told
        self._token = secrets.token_hex(8)
        self._stamp = time.strftime("%Y%m%d-%H%M%S")
        self._staging = destination.data / f"{switch.STAGING}{self._token}"
        roots = {files.DATA: self._staging}
        if destination.company is not None:
            roots[files.COMPANY] = destination.company / f"{switch.STAGING}{self._token}"
        self._roots = roots
        self._unpacker = files.Unpacker(roots)

    async def run(self, reader: SealedReader) -> Restored:
        for folder in self._roots.values():
            folder.mkdir(mode=0o700, parents=True)
        try:
            return await self._run(reader)
        finally:
            self._unpacker.close()
            if files.COMPANY in self._roots:
                shutil.rmtree(self._roots[files.COMPANY], ignore_errors=True)

    async def _run(self, reader: SealedReader) -> Restored:
        async with self._transaction() as connection:
            loader = tables.TableLoader(connection)
            await loader.open(reader.header.revision)
            await self._take(reader, loader)
            lying = await let_lie(connection)
            jobs = await stop_all(connection)
            usable, erased = self._bring_keys(await tables.erasures(connection))
            plan = self._plan()
            if not self._to.sqlite:
                await connection.run_sync(tables.mark, self._token)
                switch.begin(self._to.data, plan)
        if self._to.sqlite:
            switch.begin(self._to.data, plan)
        finish(self._to.data, self._to)
        self._company()
        aside = self._to.data / plan.aside
        return Restored(
            reader.header.made, loader.rows, self._unpacker.count, usable, erased, lying,
            aside if aside.exists() else None, jobs,
        )  # fmt: skip

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        """A new file in the staging folder, or PostgreSQL with our tables out of the way."""
        to = self._to
        database = Database.at(self._staging / files.DATABASE) if to.sqlite else Database(to.url)
        try:
            async with database.write() as connection:
                if not to.sqlite:
                    await self._make_room(connection)
                yield connection
        except SQLAlchemyError as e:
            why = str(e.args[0]).partition("\n")[0]
            raise OperatorError(
                "database",
                f"数据库 {database.place} 出错:{why}。什么也没有动",
                f"the database {database.place} failed: {why}. Nothing was touched",
            ) from e
        finally:
            await database.close()

    async def _make_room(self, connection: AsyncConnection) -> None:
        await connection.run_sync(schema.lock)
        if not await _alone(connection):
            raise OperatorError(
                "in_use",
                f"{self._to.place} 正在使用:请先停下每台机器上的搭子",
                f"{self._to.place} is in use: stop Dazi on every machine first",
            )
        if await connection.run_sync(tables.occupied) and not self._to.replace:
            raise not_empty(self._to.place)
        name = f"dazi_{switch.ASIDE}{self._stamp}".replace("-", "_")
        if await connection.run_sync(tables.set_aside, name):
            self._told(
                Text(
                    f"原来的表在模式 {name} 里", f"the tables from before are in the schema {name}"
                )
            )

    async def _take(self, reader: SealedReader, loader: tables.TableLoader) -> None:
        for entry in entries(reader):
            match entry:
                case Table():
                    self._tell(loader)
                    loader.table(entry)
                case Rows():
                    await loader.take(entry)
                case File():
                    self._unpacker.begin(entry)
                case Piece():
                    self._unpacker.piece(entry.data)
        self._tell(loader)
        self._unpacker.close()
        await loader.close()
        if files.COMPANY in self._roots and not any(self._roots[files.COMPANY].iterdir()):
            raise CallerError(
                "no_company",
                "这份备份里没有公司目录;去掉 --company-folder",
                "this backup holds no company folder; leave out --company-folder",
            )

    def _tell(self, loader: tables.TableLoader) -> None:
        name, count = loader.taken
        if count:
            self._told(Text(f"{name}:{count} 行", f"{name}: {count} rows"))

    def _bring_keys(self, erased: Mapping[str, float]) -> tuple[int, int]:
        """Whoever was erased, by the ledger or by the keys that are here now, stays erased."""
        if self._keys is None:
            return 0, 0
        here = None
        with suppress(OperatorError):  # broken keys may be why somebody restores
            here = copied(self._to.data / files.AUDIT)
        destroyed = {key.id for key in here.keys if key.destroyed} if here else set()

        def gone(key: CopiedKey) -> bool:
            return key.id in destroyed or erased.get(key.subject, key.made_at) > key.made_at

        return bring_back(self._staging / files.AUDIT, self._keys, gone, time.time())

    def _plan(self) -> switch.Plan:
        there = sorted(name for name in os.listdir(self._to.data) if files.belongs(name))
        aside = f"{switch.ASIDE}{self._stamp}"
        return switch.Plan(
            self._staging.name, aside, there, "" if self._to.sqlite else self._token, self._to.place
        )

    def _company(self) -> None:
        if self._to.company is not None:
            for path in self._roots[files.COMPANY].iterdir():
                path.rename(self._to.company / path.name)


def not_empty(place: str) -> CallerError:
    return CallerError(
        "not_empty",
        f"{place} 里已有数据;用 --replace 换掉它(原来的会留在一旁)",
        f"{place} holds data; exchange it with --replace (what is there is kept aside)",
    )


async def _alone(connection: AsyncConnection) -> bool:
    """Whether nobody else of Dazi's is connected, or has gone within ``LEAVING_S``."""
    ends = time.monotonic() + LEAVING_S
    while await connection.run_sync(tables.in_use):
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(LOOK_S)
    return True
