"""Passages out of a folder of documents, read where files are always read: in a process with limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from pathlib import Path

from dazi.core.errors import CallerError
from dazi.knowledge.blocks import Block
from dazi.knowledge.chunks import Chunk, Chunker
from dazi.knowledge.folders import Listed, listing
from dazi.knowledge.parsing.process import parse
from dazi.knowledge.rights import ALL, readers_of
from dazi.lab.tuning.data.recipe import DocumentsSource
from dazi.lab.tuning.data.samples import Draft, Origin, Said, Sample, identified
from dazi.lab.tuning.data.work import Refusing


async def read_documents(
    source: DocumentsSource,
    folder: Path,
    audience: Collection[str],
    roles: Collection[str],
    refuse: Refusing,
) -> AsyncIterator[Draft]:
    """``audience``: labels of whoever will use the model; ``roles``: those of the company. Raises
    ``CallerError`` for what is no folder and for labels that are none."""
    default = readers_of(source.readers, roles)
    wanted = readers_of(audience, roles)
    for listed in listing(folder).files:
        readers = listed.readers if listed.readers is not None else default
        ref = f"document:{listed.place}"
        if ALL not in readers and not wanted <= readers:
            refuse.ref(ref, "readers")
            continue
        try:
            async for draft in _passages(listed, ref):
                yield draft
        except CallerError:
            refuse.ref(ref, "unreadable")


async def _passages(listed: Listed, ref: str) -> AsyncIterator[Draft]:
    """Raises ``CallerError`` for a file that cannot be read; passages before that have come."""
    chunker = Chunker()
    title = listed.title
    async with aclosing(parse(listed.path)) as blocks:
        async for block in blocks:
            if not isinstance(block, Block):
                continue
            if block.kind == "heading" and not title:
                title = " ".join(block.text.split())
            for chunk in chunker.add(block):
                yield _draft(chunk, title or listed.path.stem, ref, listed.changed)
    for chunk in chunker.close():
        yield _draft(chunk, title or listed.path.stem, ref, listed.changed)


def _draft(chunk: Chunk, title: str, ref: str, changed: float) -> Draft:
    origin = Origin("document", f"{ref}#{chunk.ordinal}")
    sample = Sample("", ref, "text", "", [Said("assistant", chunk.text)], origin)
    return identified(Draft(sample, at=changed, title=title, path=list(chunk.path), passage=True))
