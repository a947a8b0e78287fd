"""``/v1/dazi/threads``: the caller's own conversations. Another's looks like none at all."""

from __future__ import annotations

import time

from msgspec import Struct

from dazi.gateway.accounts.bodies import Done
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import GENERATED, Exchange
from dazi.gateway.reply import encode
from dazi.gateway.wire import Reader
from dazi.memory import export, thread_search
from dazi.memory.export import CONTENT_TYPES, Format, as_file, file_name
from dazi.memory.threads import Numbered, Thread, ThreadStore

MOST = 200
FORMATS: dict[str, Format] = {"": "markdown", "markdown": "markdown", "json": "json"}


class ThreadView(Struct, frozen=True):
    """``updated``: seconds since the epoch."""

    id: str
    title: str
    updated: int
    archived: bool


class Threads(Struct, frozen=True):
    """``next``: give it as ``after`` for the page that follows; empty on the last."""

    data: list[ThreadView]
    next: str
    object: str = "list"


class ThreadQuery(Struct, forbid_unknown_fields=True):
    """Words that a title or one message must all have. ``after``: ``next`` of the page before."""

    query: str
    limit: int = 20
    after: str = ""


class FoundThread(Struct, frozen=True):
    """``snippet``: around the words where they were last said, ``at`` when, in seconds since the
    epoch; empty where only the title has them."""

    thread: ThreadView
    snippet: str
    at: int


class FoundThreads(Struct, frozen=True):
    data: list[FoundThread]
    next: str
    object: str = "list"


class ThreadEdit(Struct, forbid_unknown_fields=True):
    title: str | None = None
    archived: bool | None = None


THREAD_QUERY = Reader(ThreadQuery)
THREAD_EDIT = Reader(ThreadEdit)


async def threads(x: Exchange) -> None:
    archived, limit = x.flag("archived"), x.number("limit", 50, least=1, most=MOST)
    found = await _store(x).list(x.principal, limit + 1, archived=archived, after=x.text("after"))
    shown = found[:limit]
    more = shown[-1].id if len(found) > limit else ""
    await x.reply(encode(Threads([_view(t) for t in shown], more)))


async def search_threads(x: Exchange) -> None:
    given = THREAD_QUERY.read(x.body)
    most = thread_search.MOST_FOUND
    if not 1 <= given.limit <= most:
        raise BadField("limit", f"应在 1 到 {most} 之间", f"must be 1 to {most}")
    found = await thread_search.search(
        _store(x), x.principal, given.query, given.limit, given.after
    )
    hits = [FoundThread(_view(h.thread), h.snippet, int(h.at)) for h in found.hits]
    await x.reply(encode(FoundThreads(hits, found.next)))


async def thread(x: Exchange) -> None:
    found, messages = await _all_of(x)
    await x.reply(encode(export.exported(found, messages)), GENERATED)


async def edit_thread(x: Exchange) -> None:
    given, store, id = THREAD_EDIT.read(x.body), _store(x), x.path["thread"]
    if given.title is not None:
        await store.rename(id, x.principal, given.title)
    if given.archived is not None:
        await store.archive(id, x.principal, out=given.archived)
    await x.reply(encode(_view(await store.get(id, x.principal))))


async def delete_thread(x: Exchange) -> None:
    await x.state.service.delete_thread(x.principal, x.path["thread"])
    await x.reply(encode(Done()))


async def export_thread(x: Exchange) -> None:
    format = FORMATS.get(x.text("format"))
    if format is None:
        raise BadField("format", "应为 markdown 或 json", "must be markdown or json")
    found, messages = await _all_of(x)
    body = as_file(found, messages, format, x.spoken)
    await x.file(body, CONTENT_TYPES[format], file_name(found, format), GENERATED)


async def export_all(x: Exchange) -> None:
    remembering = x.state.service.remembering
    name = f"dazi-{time.strftime('%Y%m%d')}.jsonl"
    await x.begin_file("application/x-ndjson", name, GENERATED)
    async for line in export.everything(_store(x), remembering.facts, x.principal):
        await x.piece(line)
    await x.end_file()


async def _all_of(x: Exchange) -> tuple[Thread, list[Numbered]]:
    store, id = _store(x), x.path["thread"]
    return await store.get(id, x.principal), [m async for m in store.messages(id, x.principal)]


def _store(x: Exchange) -> ThreadStore:
    return x.state.service.threads


def _view(t: Thread) -> ThreadView:
    return ThreadView(t.id, t.title, int(t.at), t.archived is not None)
