"""A person's own conversations, searched for words.

What was said is sealed with the person's key, and an index of it would not be: so a search opens the
messages and looks. ``bench/threads.py`` measures what that costs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from dazi.core.errors import CallerError
from dazi.core.principal import Principal
from dazi.memory.threads import Thread, ThreadStore

MOST_OPENED = 20_000
"""Messages that one search opens; what is older waits for the next page."""
MOST_FOUND = 100
LONGEST_QUERY = 200
AROUND = 40
"""Characters of a snippet before and after the word."""


@dataclass(frozen=True, slots=True)
class ThreadHit:
    """``snippet``: around the words where they were last said; empty where only the title has them.
    ``at``: when, in seconds since the epoch."""

    thread: Thread
    snippet: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """``next``: the thread after which the search goes on; empty where nothing is left."""

    hits: tuple[ThreadHit, ...]
    next: str = ""


async def search(
    store: ThreadStore, principal: Principal, query: str, limit: int = 20, after: str = ""
) -> Found:
    """Threads of the principal, archived ones too, whose title or one message of which has every
    word of ``query``; last written to first. Raises ``CallerError`` for no words or too many, and
    ``NotFound`` for an ``after`` that is none."""
    words = _words(query)
    hits: list[ThreadHit] = []
    opened = 0
    async for threads in store.all(principal, after):
        last: dict[str, ThreadHit] = {}
        by_id = {t.id: t for t in threads}
        async for id, message in store.said(list(by_id), principal):
            opened += 1
            snippet = snippet_of(message.kept.message.content, words)
            if snippet:
                last[id] = ThreadHit(by_id[id], snippet, message.at)
        for thread in threads:
            after = thread.id
            if thread.id in last:
                hits.append(last[thread.id])
            elif _has_all(_plain(thread.title), words):
                hits.append(ThreadHit(thread, at=thread.at))
            if len(hits) == limit:
                return Found(tuple(hits), after)
        if opened >= MOST_OPENED:
            return Found(tuple(hits), after)
    return Found(tuple(hits))


def snippet_of(text: str, words: Sequence[str]) -> str:
    """What stands around the first of ``words``, as ``_plain`` makes them; empty where not all do."""
    plain = _plain(text)
    if not _has_all(plain, words):
        return ""
    shown = text if len(text) == len(plain) else plain
    at = plain.index(words[0])
    start, end = max(0, at - AROUND), at + len(words[0]) + AROUND
    cut = " ".join(shown[start:end].split())
    return ("…" if start else "") + cut + ("…" if end < len(shown) else "")


def _words(query: str) -> list[str]:
    if len(query) > LONGEST_QUERY:
        raise CallerError(
            "query_too_long",
            f"有 {len(query)} 个字符,最多 {LONGEST_QUERY} 个;请只写几个词",
            f"it has {len(query)} characters, {LONGEST_QUERY} at most; write a few words",
        )
    words = _plain(query).split()
    if not words:
        raise CallerError("empty", "没有写要找什么", "nothing to search for was given")
    return words


def _has_all(plain: str, words: Sequence[str]) -> bool:
    return all(w in plain for w in words)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
