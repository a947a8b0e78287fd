"""Questions and answers out of passages, without a model: the answer is what stands there, word for word.

Questions are made from headings, from sentences that say how much something is, from rows of tables,
and from pairs that a document itself has. A question that does not lead back to its sentence is thrown
away (round-trip consistency: Alberti et al. 2019), by the search for answers that Dazi uses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dazi.core.language import Language, language_of
from dazi.knowledge.chunks import Chunk, sentences
from dazi.knowledge.index import Hit
from dazi.knowledge.quoting import asked, best

LONGEST_ANSWER = 400
SHORTEST_TOPIC, LONGEST_TOPIC = 2, 40
OTHERS = 100
"""Passages that there are besides, for how rare a term is: in one alone each would be rare or none."""
_MARK_Q, _MARK_A = r"(?:[Qq]|问|问题)\s*\d*\s*[:：.、]", r"(?:[Aa]|答|回答)\s*\d*\s*[:：.、]"
_WRITTEN = re.compile(
    rf"^\s*{_MARK_Q}\s*(?P<q>.+?)\s*\n+\s*{_MARK_A}\s*(?P<a>.+?)\s*(?=\n\s*{_MARK_Q}|\Z)",
    re.MULTILINE | re.DOTALL,
)
_HOW_MUCH_ZH = re.compile(
    r"^(?P<topic>[^，,。；;：:、]{2,40}?(?:[（(][^（()）]{1,30}[)）][^，,。；;：:、]{0,20}?)?)"
    r"(?:一律|统一|均|都|应当|应|须)?(?:为|是|不(?:得)?超过|不低于|至少|最多)"
    r"(?P<rest>[^。；;]*[0-9一二三四五六七八九十百千万两][^。；;]*)[。；;]?$"
)
_HOW_MUCH_EN = re.compile(
    r"^(?P<topic>(?:The |A |An )?[A-Za-z][^,.;:]{2,60}?)"
    r" (?:is|are|must not exceed|may not exceed|is at most|is at least) (?P<rest>[^.;]*\d[^.;]*)[.;]?$"
)
_QUESTION = re.compile(r"[?？]\s*$")
_ASIDE = re.compile(r"[（(][^（()）]*[)）]")
_RULE = frozenset("|-: ")


@dataclass(frozen=True, slots=True)
class Passage:
    """``path``: the headings above it, outermost first."""

    text: str
    title: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """``sentence``: what the question must lead back to; ``start`` and ``end``: where the answer
    stands in the passage."""

    question: str
    answer: str
    sentence: str
    start: int
    end: int
    rule: str


def proposed(passage: Passage) -> Iterator[Pair]:
    """All that the rules make of it, the surest first."""
    language = language_of(passage.text)
    yield from _written(passage)
    yield from _cells(passage, language)
    yield from _how_much(passage, language)
    yield from _heading(passage, language)


def leads_back(pair: Pair, passage: Passage, beside: Sequence[Passage] = ()) -> bool:
    """Whether the search for answers finds the sentence again, among the passages ``beside`` too."""
    hits = [_hit(n, p) for n, p in enumerate((*beside, passage))]
    terms = set(asked(pair.question))
    seen = Counter(t for h in hits for t in terms.intersection(asked(h.chunk.text)))
    # What is looked at is what has most of the question, as a search would have it.
    ranked = sorted(hits, key=lambda h: -len(terms.intersection(asked(h.chunk.text))))
    found = best(pair.question, ranked, seen, len(hits) + OTHERS)
    if found is None or found.hit is not hits[-1]:
        return False
    return _plain(found.raw) in _plain(pair.sentence) or _plain(pair.sentence) in _plain(found.raw)


def _hit(number: int, passage: Passage) -> Hit:
    return Hit(str(number), passage.title, Chunk(1, passage.text, passage.path), 0.0)


def _written(passage: Passage) -> Iterator[Pair]:
    """Pairs that stand in the text as such."""
    for m in _WRITTEN.finditer(passage.text):
        answer = m["a"]
        if len(answer) <= LONGEST_ANSWER:
            begin = passage.text.find(m["q"], m.start())
            whole = passage.text[begin : m.end("a")]
            yield Pair(m["q"], answer, whole, *m.span("a"), "written")
    if passage.path and _QUESTION.search(passage.path[-1]):
        text = passage.text
        if len(text) <= LONGEST_ANSWER and not text.startswith("|"):
            yield Pair(passage.path[-1], text, text, 0, len(text), "written")


def _how_much(passage: Passage, language: Language) -> Iterator[Pair]:
    pattern = _HOW_MUCH_ZH if language == "zh" else _HOW_MUCH_EN
    for sentence, start in _placed(passage.text):
        m = pattern.match(sentence)
        if m is None:
            continue
        topic = _ASIDE.sub("", m["topic"]).strip()
        if not SHORTEST_TOPIC <= len(topic) <= LONGEST_TOPIC * 2:
            continue
        if language == "zh":
            question = f"{topic}是多少?"
        else:
            verb = "are" if m[0][m.end("topic") :].startswith(" are ") else "is"
            question = f"What {verb} {_lowered(topic)}?"
        yield Pair(question, sentence, sentence, start, start + len(sentence), "how_much")


def _cells(passage: Passage, language: Language) -> Iterator[Pair]:
    """Of a table: what a column says of the row that its first cell names."""
    rows = [
        (m[0].rstrip(), m.start())
        for m in re.finditer(r"^\|.*\|[ \t]*$", passage.text, re.MULTILINE)
        if not set(m[0]) <= _RULE
    ]
    if len(rows) < 2:
        return
    head = _split(rows[0][0])
    for line, start in rows[1:]:
        cells = _split(line)
        if len(cells) != len(head) or not SHORTEST_TOPIC <= len(cells[0]) <= LONGEST_TOPIC:
            continue
        for name, value in zip(head[1:], cells[1:], strict=True):
            if not name or not value or value in ("-", "—"):
                continue
            question = (
                f"{cells[0]}的{name}是什么?"
                if language == "zh"
                else f"What is the {_lowered(name)} of {cells[0]}?"
            )
            yield Pair(question, value, line, start, start + len(line), "cell")


def _heading(passage: Passage, language: Language) -> Iterator[Pair]:
    """What stands under a heading answers what it is about."""
    if not passage.path or len(passage.text) > LONGEST_ANSWER or passage.text.startswith("|"):
        return
    topic = passage.path[-1].strip("#* ")
    if not SHORTEST_TOPIC <= len(topic) <= LONGEST_TOPIC or _QUESTION.search(topic):
        return
    question = (
        f"《{passage.title}》里关于{topic}是怎么规定的?"
        if language == "zh"
        else f"What does “{passage.title}” say about {_lowered(topic)}?"
    )
    text = passage.text
    yield Pair(question, text, text, 0, len(text), "heading")


def _placed(text: str) -> Iterator[tuple[str, int]]:
    """Sentences with where they begin."""
    at = 0
    for sentence in sentences(text):
        at = text.find(sentence, at)
        yield sentence, at
        at += len(sentence)


def _split(row: str) -> list[str]:
    return [c.strip() for c in row.strip().strip("|").split("|")]


def _lowered(text: str) -> str:
    """Without a capital that only begins a sentence."""
    first, space, rest = text.partition(" ")
    begins = first[:1].isupper() and (first[1:].islower() or len(first) == 1)
    return f"{first.lower()}{space}{rest}" if begins else text


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isalnum())
