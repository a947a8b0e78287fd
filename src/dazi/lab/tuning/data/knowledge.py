"""Stage 2: passages become questions and answers, and calls are held against the tools.

The passages of a document come one after the other; a question is tried against all of them, so that
one that some other passage answers as well is not kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from dazi.lab.tuning.data.by_model import RULE, Writer, written
from dazi.lab.tuning.data.calls import CallCheck
from dazi.lab.tuning.data.pairs import Pair, Passage, leads_back, proposed
from dazi.lab.tuning.data.recipe import Knowledge
from dazi.lab.tuning.data.samples import Draft, Origin, Said, Sample, identified
from dazi.lab.tuning.data.work import AsyncStep, Refusing, Replay

BESIDE = 60
"""Passages of a document that a question is tried against."""


@dataclass(frozen=True, slots=True)
class Maker:
    """``calls``: none where they are not checked; ``writer``: none where no model is named."""

    rules: Knowledge
    calls: CallCheck | None
    writer: Writer | None

    def step(self) -> AsyncStep:
        async def run(drafts: Replay, refuse: Refusing) -> AsyncIterator[Draft]:
            for document in _documents(drafts()):
                if document[0].passage:
                    async for made in self._of(document, refuse):
                        yield made
                    continue
                why = self.calls.fault(document[0].sample) if self.calls else ""
                if why:
                    refuse(document[0], why)
                else:
                    yield document[0]

        return run

    async def _of(self, document: Sequence[Draft], refuse: Refusing) -> AsyncIterator[Draft]:
        passages = [_passage(d) for d in document]
        given = [0] * len(document)
        for n, passage in enumerate(passages):
            for pair in self._chosen(passage, _beside(passages, n)):
                given[n] += 1
                yield _made(document[n], pair, "")
        if self.writer is not None:
            async for n, found in written(self.writer, passages):
                for pair, why in found:
                    made = _made(document[n], pair, self.writer.called)
                    if not why and not leads_back(pair, passages[n], _beside(passages, n)):
                        why = "not_found_again"
                    if why:
                        refuse(made, why)
                    else:
                        given[n] += 1
                        yield made
        for n, draft in enumerate(document):
            if self.rules.texts:
                yield draft
            else:
                refuse(draft, "passage" if given[n] else "no_sample")

    def _chosen(self, passage: Passage, beside: Sequence[Passage]) -> Iterator[Pair]:
        if not self.rules.pairs:
            return
        seen: set[str] = set()
        for pair in proposed(passage):
            if len(seen) >= self.rules.per_passage:
                return
            if pair.question not in seen and leads_back(pair, passage, beside):
                seen.add(pair.question)
                yield pair


def _beside(passages: Sequence[Passage], number: int) -> list[Passage]:
    return [p for i, p in enumerate(passages[:BESIDE]) if i != number]


def _documents(drafts: Iterator[Draft]) -> Iterator[list[Draft]]:
    """Passages that follow each other in one document together, anything else by itself."""
    held: list[Draft] = []
    for draft in drafts:
        same = bool(held) and draft.sample.conversation == held[0].sample.conversation
        if draft.passage and (same or not held):
            held.append(draft)
            continue
        if held:
            yield held
            held = []
        if draft.passage:
            held = [draft]
        else:
            yield [draft]
    if held:
        yield held


def _passage(draft: Draft) -> Passage:
    return Passage(draft.sample.messages[0].content, draft.title, tuple(draft.path))


def _made(draft: Draft, pair: Pair, model: str) -> Draft:
    s = draft.sample
    origin = Origin(
        s.source.kind,
        s.source.ref,
        user=s.source.user,
        licence=s.source.licence,
        consent=s.source.consent,
        span=(pair.start, pair.end),
        by=model if pair.rule == RULE else "",
    )
    messages = [Said("user", pair.question), Said("assistant", pair.answer)]
    made = Sample("", s.conversation, "qa", s.language, messages, origin)
    return identified(Draft(made, of=draft.of, at=draft.at, marked=draft.marked))
