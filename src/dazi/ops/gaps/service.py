"""Gaps in the documents: what was asked and not answered, grouped, counted, closed with a document."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from dazi.access.recording import Record as PutOnRecord
from dazi.access.recording import recorded
from dazi.core.errors import AccessError, DaziError, NotFound
from dazi.core.language import Language, language_of
from dazi.core.learning import HandedOver
from dazi.core.principal import Principal
from dazi.guard.engine import Guard
from dazi.knowledge.administration import OPERATOR
from dazi.knowledge.library import Library
from dazi.knowledge.records import Document, unknown_document
from dazi.knowledge.rights import labels_of
from dazi.knowledge.search import Question, Search
from dazi.ops.feedback.rights import may_review
from dazi.ops.feedback.sample import hidden_text
from dazi.ops.gaps.likeness import grouped, grouped_by_vectors
from dazi.ops.gaps.noticing import Seen, Why
from dazi.ops.gaps.store import Asked, Closed, GapStore
from dazi.ops.gaps.suggesting import Around, Suggestion, suggested

WEEK_S = 7 * 86_400.0
LATELY_S = 86_400.0
"""A question that was not answered in a turn and then went to a person within that time is one question."""
MOST_QUESTIONS = 2_000
"""The latest, which are grouped."""
MOST_COMPARED = 200
"""Of a gap, the latest, from which its title and its points come: each is compared with each."""
MOST_EXAMPLES = 5
LONGEST_QUESTION = 500
NEAR = 3
"""Documents that count as near a question."""
Embed = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]

log = logging.getLogger("dazi.learning")


@dataclass(frozen=True, slots=True)
class Gap:
    """``weeks``: questions of each week, the latest last; ``collections``: of each source of documents that
    is nearest, by its place; ``whys``: how it was noticed. ``examples`` with stand-ins. ``closed``: with
    which document, and then ``since`` tells how often it was asked after that."""

    id: str
    count: int
    people: int
    weeks: tuple[int, ...]
    collections: tuple[tuple[str, int], ...]
    whys: tuple[tuple[Why, int], ...]
    examples: tuple[str, ...]
    suggestion: Suggestion
    last: float
    closed: Closed | None = None
    since: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """Of each question of a gap, by its id, the document that answers it now; empty where none does, or
    where nobody can ask any more. ``closed``: as it is kept."""

    closed: Closed
    answers: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Parts:
    """``people``: somebody who is not here, with the rights of this moment, once ``recall`` has had them
    looked up. ``embed``: where there is a
    model of vectors."""

    library: Library
    search: Search
    guard: Guard
    record: PutOnRecord
    people: Callable[[str, str, str], Principal]
    recall: Callable[[str], Awaitable[None]]
    managers: frozenset[str] = frozenset()
    embed: Embed | None = None
    clock: Callable[[], float] = field(default=time.time)


class GapService:
    def __init__(self, store: GapStore, parts: Parts) -> None:
        self.store = store
        self.parts = parts

    def may(self, principal: Principal) -> bool:
        """Those who review feedback, and those who look after documents."""
        manages = principal.has_role(*self.parts.managers) or principal.channel == OPERATOR
        return may_review(principal) or manages

    def _require(self, principal: Principal) -> None:
        if not self.may(principal):
            raise AccessError(
                "forbidden",
                "只有管理员和管理文档的人能看",
                "only administrators and those who look after documents see this",
            )

    # --- noticing ---------------------------------------------------------------------------------

    async def note(self, by: Principal, seen: Seen) -> bool:
        """Take down a question that was not answered; whether it is new."""
        text = seen.text.strip()[:LONGEST_QUESTION]
        if not text:
            return False
        documents = await self._near(by, text)
        source = documents[0].source if documents else ""
        kept = Seen(seen.why, seen.thread, seen.turn, text, seen.language)
        return await self.store.put(by, kept, source, [d.id for d in documents], self.parts.clock())

    async def handed_over(self, told: HandedOver) -> bool:
        try:
            await self.parts.recall(told.user)
            who = self.parts.people(told.user, told.channel, told.tenant)
        except AccessError:
            return False
        text = told.asked.strip()[:LONGEST_QUESTION]
        since = self.parts.clock() - LATELY_S
        if any(a.text == text for a in await self.store.of_user(who.user, who.tenant, since)):
            return False  # the turn that did not answer it has told of it
        language = language_of(told.asked)
        return await self.note(who, Seen("handed_over", told.thread, "", told.asked, language))

    async def _near(self, by: Principal, text: str) -> list[Document]:
        try:
            found = await self.parts.search.passages(Question(text, by))
        except DaziError as e:  # documents that cannot be searched hide no gap
            log.info("no documents near a gap: %s", e)
            return []
        documents = {p.document.id: p.document for p in found}
        return list(documents.values())[:NEAR]

    # --- looking ----------------------------------------------------------------------------------

    async def gaps(self, by: Principal, weeks: int = 8, language: Language = "zh") -> list[Gap]:
        """Open ones first, those that were asked about most; then closed ones. Raises ``AccessError``."""
        self._require(by)
        since = self.parts.clock() - weeks * WEEK_S
        closed = {c.id: c for c in await self.store.closed(by.tenant)}
        # Grouped with what is older, as whoever closes one finds it.
        every = [(id, [a for a in of if a.at >= since]) for id, of in await self._all(by)]
        groups = {id: of for id, of in every if of}
        asked = [a for of in groups.values() for a in of]
        sources = {s.id: s for s in await self.parts.library.records.sources(by.tenant)}
        numbers = {n for a in asked for n in a.near}
        there = await self.parts.library.records.by_number(sorted(numbers))
        documents = {n: d for n, d in there.items() if self._sees(by, d)}
        managers = sorted(self.parts.managers)
        out = []
        for id, of in groups.items():
            near = Counter(n for a in of for n in a.near if n in documents)
            around = Around([documents[n] for n, _ in near.most_common(NEAR)], sources, managers)
            await asyncio.sleep(0)  # answering goes on meanwhile
            texts = [hidden_text(self.parts.guard, a.text) for a in of[-MOST_COMPARED:]]
            places = Counter(
                _place(sources[a.source].place) if a.source in sources else "" for a in of
            )
            shut = closed.get(id)
            out.append(
                Gap(
                    id,
                    len(of),
                    len({a.user for a in of}),
                    self._by_week(of, weeks),
                    tuple(places.most_common()),
                    tuple(Counter(a.why for a in of).most_common()),
                    tuple(dict.fromkeys(reversed(texts)))[:MOST_EXAMPLES],
                    suggested(texts, around, language),
                    max(a.at for a in of),
                    shut,
                    sum(a.at > shut.at for a in of) if shut is not None else 0,
                )
            )
        return sorted(out, key=lambda g: (g.closed is not None, -g.count, g.id))

    async def _groups(
        self, asked: Sequence[Asked], closed: dict[str, Closed]
    ) -> dict[str, list[Asked]]:
        """By the id of the first question. Those of closed gaps come first, so that what is asked again
        is found to be theirs."""
        ordered = sorted(asked, key=lambda a: (a.gap not in closed, a.at, a.id))
        texts = [a.text for a in ordered]
        if self.parts.embed is not None and texts:
            vectors = await self.parts.embed(texts)
            leaders = await asyncio.to_thread(grouped_by_vectors, vectors)
        else:
            leaders = await asyncio.to_thread(grouped, texts)
        out: dict[str, list[Asked]] = {}
        for a, leader in zip(ordered, leaders, strict=True):
            first = ordered[leader]
            id = a.gap if a.gap in closed else first.gap if first.gap in closed else first.id
            out.setdefault(id, []).append(a)
        return out

    def _sees(self, by: Principal, document: Document) -> bool:
        """Whether its title is theirs to see."""
        manages = by.has_role(*self.parts.managers) or by.channel == OPERATOR
        return document.tenant == by.tenant and (manages or bool(document.readers & labels_of(by)))

    def _by_week(self, asked: Sequence[Asked], weeks: int) -> tuple[int, ...]:
        now = self.parts.clock()
        ages = Counter(min(int((now - a.at) // WEEK_S), weeks - 1) for a in asked)
        return tuple(ages[weeks - 1 - i] for i in range(weeks))

    # --- closing ----------------------------------------------------------------------------------

    async def close(self, by: Principal, gap: str, document: str) -> Measured:
        """With a document, and see whether its questions are answered now, each with the rights of
        whoever asked it. Raises ``NotFound`` for a gap or a document that is none."""
        self._require(by)
        # Its first question may have gone since it was listed.
        found = next(
            (g for g in await self._all(by) if g[0] == gap or any(a.id == gap for a in g[1])), None
        )
        if found is None:
            raise unknown()
        if not self._sees(by, await self._document(document)):
            raise unknown_document(document)
        async with recorded(self.parts.record, by, "gap.close", of=gap, document=document):
            return await self._measured(by, gap, document, found[1], self.parts.clock())

    async def _document(self, number: str) -> Document:
        found = (await self.parts.library.records.by_number([number])).get(number)
        if found is None or found.state == "gone":
            raise unknown_document(number)
        return found

    async def measure(self, by: Principal, gap: str) -> Measured:
        """A closed one, once more. Raises ``NotFound``."""
        self._require(by)
        closed = next((c for c in await self.store.closed(by.tenant) if c.id == gap), None)
        if closed is None:
            raise unknown()
        asked = next((of for id, of in await self._all(by) if id == gap), [])
        return await self._measured(by, gap, closed.document, asked, closed.at)

    async def reopen(self, by: Principal, gap: str) -> None:
        """Raises ``NotFound``."""
        self._require(by)
        if not any(c.id == gap for c in await self.store.closed(by.tenant)):
            raise unknown()
        async with recorded(self.parts.record, by, "gap.reopen", of=gap):
            await self.store.reopen(gap, by.tenant)

    async def _all(self, by: Principal) -> list[tuple[str, list[Asked]]]:
        asked = await self.store.questions(by.tenant, 0.0, MOST_QUESTIONS)
        closed = {c.id: c for c in await self.store.closed(by.tenant)}
        return list((await self._groups(asked, closed)).items())

    async def _measured(
        self, by: Principal, gap: str, document: str, asked: Sequence[Asked], at: float
    ) -> Measured:
        answers = [(a.id, await self._answering(a)) for a in asked]
        closed = Closed(
            gap, by.tenant, by.user, at, document, len(asked),
            sum(bool(found) for _, found in answers), self.parts.clock(),
        )  # fmt: skip
        await self.store.close(closed, [a.id for a in asked])
        return Measured(closed, tuple(answers))

    async def _answering(self, asked: Asked) -> str:
        """The document that has a sentence which answers."""
        try:
            await self.parts.recall(asked.user)
            who = self.parts.people(asked.user, asked.channel, asked.tenant)
        except AccessError:
            return ""
        found = await self.parts.search.answer(Question(asked.text, who))
        return found.source.document.id if found.source is not None else ""


def unknown() -> NotFound:
    return NotFound("gap", "没有这个缺口", "no such gap")


def _place(place: str) -> str:
    """What a source is called, without where it lies."""
    shown = place.split("\n")[0].rstrip("/")
    return shown if "://" in shown else shown.rpartition("/")[2]
