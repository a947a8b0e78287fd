"""A question to passages: who may read what is part of every step.

The index finds only what its rights allow; the database, which knows of a change of rights and of a
deletion at once, is asked again before anything is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dazi.core.principal import Principal
from dazi.knowledge import quoting
from dazi.knowledge.hybrid import DEPTH, Hybrid
from dazi.knowledge.index import Hit, KnowledgeIndex, Wanted
from dazi.knowledge.quoting import Quote
from dazi.knowledge.records import Document, Records
from dazi.knowledge.rewriting import whole
from dazi.knowledge.rights import labels_of

LIMIT = 6
"""Passages that are given."""

log = logging.getLogger("dazi.knowledge")


@dataclass(frozen=True, slots=True)
class Question:
    """``before``: what the person said earlier, latest first. ``documents``: only in these; in all that
    the person may read where there are none."""

    text: str
    principal: Principal
    before: tuple[str, ...] = ()
    documents: frozenset[str] = frozenset()
    limit: int = LIMIT


@dataclass(frozen=True, slots=True)
class Passage:
    hit: Hit
    document: Document


@dataclass(frozen=True, slots=True)
class Answer:
    """``quote``: the sentence that answers, if one does, and ``source`` its passage. ``passages``, best
    first, are what was looked at."""

    asked: str
    passages: tuple[Passage, ...]
    quote: Quote | None = None
    source: Passage | None = None


@dataclass(frozen=True, slots=True)
class Search:
    records: Records
    index: KnowledgeIndex
    hybrid: Hybrid

    async def passages(self, question: Question) -> list[Passage]:
        """Best first."""
        return (await self._found(replace(question, text=self._whole(question))))[: question.limit]

    async def answer(self, question: Question) -> Answer:
        """The passages, and out of all that were looked at the sentence that answers best."""
        text = self._whole(question)
        found = await self._found(replace(question, text=text))
        wanted = quoting.asked(text)
        who = question.principal
        labels = labels_of(who)
        seen = await self.index.frequencies(who.tenant, labels, wanted)
        readable = await self.index.count(who.tenant, labels)
        quote = quoting.best(text, [p.hit for p in found], seen, readable, question.text)
        source = next((p for p in found if quote is not None and p.hit is quote.hit), None)
        return Answer(text, tuple(found[: question.limit]), quote, source)

    async def _found(self, question: Question) -> list[Passage]:
        who = question.principal
        wanted = Wanted(question.text, who.tenant, labels_of(who), question.documents)
        found = await self.hybrid.find(wanted, DEPTH)
        for error in found.missing:
            log.warning("searched without: %s", error)
        return await self._checked(who, found.hits)

    async def _checked(self, who: Principal, hits: Sequence[Hit]) -> list[Passage]:
        """Those that the database lets ``who`` read now."""
        documents = await self.records.by_number(list({h.document for h in hits}))
        labels = labels_of(who)
        out = []
        for hit in hits:
            document = documents.get(hit.document)
            if document is None or document.state == "gone" or document.tenant != who.tenant:
                continue
            if document.readers & labels and _counts(hit, document):
                out.append(Passage(hit, document))
        return out

    def _whole(self, question: Question) -> str:
        return whole(question.text, question.before)


def _counts(hit: Hit, document: Document) -> bool:
    """Of the revision that is searched, or the next, which is being read. One that was deleted and
    came back has none yet: what the index still has of before is nobody's."""
    coming = document.revision + 1
    return hit.revision in ((document.revision, coming) if document.chunks else (coming,))
