"""``/v1/dazi/knowledge`` for managers: sources, uploads, readers. Who may is asked before a body is
looked at; that it is done goes on record first."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from dazi.core.errors import NotFound
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import Exchange
from dazi.gateway.knowledge import bodies
from dazi.gateway.knowledge.reading import managed, of_manager
from dazi.gateway.receiving import pieces
from dazi.gateway.reply import encode
from dazi.knowledge.records import Source, unknown_document
from dazi.knowledge.service import INCOMING

WRITTEN_AT_ONCE = 1 << 20


async def sources(x: Exchange) -> None:
    administration = managed(x).administration
    held = Counter(d.source for d in await administration.documents(x.principal))
    found = await administration.sources(x.principal)
    await x.reply(encode(bodies.Sources([_source_view(x, s, held[s.id]) for s in found])))


async def add_source(x: Exchange) -> None:
    knowledge = managed(x)
    given = bodies.NEW_SOURCE.read(x.body)
    added = await knowledge.add_url(x.principal, given.url, given.readers)
    await x.reply(encode(_source_view(x, added, 0)))


async def remove_source(x: Exchange) -> None:
    administration, number = managed(x).administration, x.path["source"]
    if number.startswith("d_"):
        raise NotFound("source", f"没有来源 {number}", f"there is no source {number}")
    await x.reply(encode(bodies.Removed(await administration.remove(x.principal, number))))


async def upload(x: Exchange) -> None:
    knowledge = managed(x)
    name = x.text("name")
    if not name:
        raise BadField("name", "缺少文件名", "the file's name is missing", "missing_field")
    readers = x.query.get("readers", [])
    path = knowledge.library.files / INCOMING / token_hex(12)
    try:
        await _receive(x, path, knowledge.largest_upload)
        document = await knowledge.upload(x.principal, name, path, readers)
    finally:
        path.unlink(missing_ok=True)
    await x.reply(encode(of_manager(x, document)))


async def set_readers(x: Exchange) -> None:
    administration = managed(x).administration
    given = bodies.NEW_READERS.read(x.body)
    number = await _document(x)
    readers = await administration.set_readers(x.principal, number, given.readers)
    await x.reply(encode(bodies.ReadersView(sorted(readers))))


async def remove_document(x: Exchange) -> None:
    administration = managed(x).administration
    removed = await administration.remove(x.principal, await _document(x))
    await x.reply(encode(bodies.Removed(removed)))


async def read_again(x: Exchange) -> None:
    administration, number = managed(x).administration, await _document(x)
    await administration.again(x.principal, number)
    (document,) = [d for d in await administration.documents(x.principal) if d.id == number]
    await x.reply(encode(of_manager(x, document)))


async def _document(x: Exchange) -> str:
    """Its number. Raises ``NotFound``, also for a source's."""
    number: str = x.path["document"]
    if not number.startswith("d_"):
        raise unknown_document(number)
    return (await managed(x).library.records.document(number, x.principal.tenant)).id


async def _receive(x: Exchange, path: Path, limit: int) -> None:
    """The body into a file at ``path``, of which never more than a piece is held. Raises as
    ``pieces``."""
    file: BinaryIO | None = None
    held = bytearray()
    try:
        async for piece in pieces(x, limit):
            if file is None:
                file = await asyncio.to_thread(_created, path)
            held += piece
            if len(held) >= WRITTEN_AT_ONCE:
                await asyncio.to_thread(file.write, held)
                held = bytearray()
        if file is not None:
            await asyncio.to_thread(file.write, held)
    finally:
        if file is not None:
            await asyncio.to_thread(file.close)


def _created(path: Path) -> BinaryIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.open("xb")


def _source_view(x: Exchange, s: Source, documents: int) -> bodies.SourceView:
    error = s.error_zh if x.spoken == "zh" else s.error_en
    return bodies.SourceView(s.id, s.kind, s.place, sorted(s.readers), s.declared, documents, error)
