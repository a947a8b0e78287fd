"""What a source holds now beside what is known of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from dazi.core.principal import Principal
from dazi.knowledge.folders import Listed
from dazi.knowledge.records import (
    Document,
    Source,
    SourceKind,
    State,
)


def declared_source(kind: SourceKind, place: str, readers: frozenset[str]) -> Source:
    """A source as the company's file has it, of the tenant that the file is about."""
    tenant = Principal("", frozenset()).tenant
    return Source(number_of("s", tenant, kind, place), tenant, kind, place, readers, True, "", 0.0)


def number_of(letter: str, *parts: str) -> str:
    """The same for the same thing, whenever it is added."""
    return f"{letter}_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"


def compared(source: Source, listed: Listed, old: Document | None) -> Document:
    """A document as it is from now on, ``new`` if it has to be looked into."""
    readers = listed.readers if listed.readers is not None else source.readers
    number = number_of("d", source.tenant, source.id, listed.place)
    if old is None or old.state == "gone":
        return Document(
            number, source.tenant, source.id, listed.place, listed.title, readers,
            own_title=bool(listed.title), size=listed.size, changed=listed.changed,
            revision=old.revision if old else 0,  # the index may still have it
        )  # fmt: skip
    if old.own_readers:
        readers = old.readers
    title = listed.title or old.title
    changed = (old.size, old.changed) != (listed.size, listed.changed)
    out = replace(
        old, title=title, own_title=bool(listed.title), readers=readers,
        size=listed.size, changed=listed.changed,
    )  # fmt: skip
    if (out.title, out.own_title) != (old.title, old.own_title):
        return replace(out, state="new", digest="")
    if changed:
        return replace(out, state="new")
    return replace(out, state=for_others(old)) if readers != old.readers else out


def for_others(document: Document) -> State:
    """The state in which a document gets other readers: what is to be read anyway will have them."""
    indexed = document.state in ("ready", "failed") and document.revision
    return "rights" if indexed else document.state


def as_kept(document: Document, path: Path) -> Listed:
    return Listed(document.place, path, document.size, document.changed, readers=document.readers)
