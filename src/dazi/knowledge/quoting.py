"""The sentence of some passages that answers a question, word for word, or none.

BM25 over sentences (Robertson and Zaragoza, 2009), with how rare a term is counted in all that the
person may read. A sentence answers only if it and what stands around it hold enough of what the
question is about, weighed by how rare it is (docs/decisions/0020).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dazi.knowledge.index import Hit
from dazi.knowledge.terms import folded, pairs, stemmed

LEAST = {"zh": 0.35, "en": 0.45}
"""Share of a question, weighed by how rare its terms are, that an answer covers."""
ABOVE, AROUND = 0.5, 0.5
"""What a term counts towards that which is in the headings only, and in the passage around only."""
NUMBER = 1.2
"""Who asks how many or how long wants a number."""
LAST = 3.0
"""What a term counts of the question that was asked last, of one of the question before."""
FIRST = 1.2
"""The first sentence of a document answers the broad questions."""
DEPTH = 10
"""Passages that are looked at."""
K1, B = 1.2, 0.5  # sentences differ little in length
_WORD = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)?")
_END = re.compile(r"[^。！？!?\n]*(?:[。！？!?]+[”’」』）)]*|\n|\Z)")
_ENGLISH = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
_RULE = frozenset("|-: ")
_HOW_MUCH = re.compile(
    r"多少|几|多久|多长|多大|多远|how (?:many|much|long|far|often)|by when|what (?:time|discount)"
)
_DIGIT = re.compile(r"[0-9一二三四五六七八九十两百千]")
_ASKING = re.compile(
    r"请问|怎么样|怎么|如何|多少|多久|多长|什么|哪些|哪里|能不能|可不可以|有没有|是不是|要不要"
    r"|需不需要|几天|几个|需要|可以|规定|政策|制度|办法|谁出|谁|的|了|吗|呢|么|啊"
)
_SMALL_WORDS = (
    "a an and any are at be by can do does for from have how i in is it long many me much my need of on"
    " or our per policy rule rules s should the there they this to up us we what when where which who"
    " with work you your"
)
_SMALL = frozenset(_SMALL_WORDS.split())


@dataclass(frozen=True, slots=True)
class Quote:
    """``text`` as it is told, a table's row without its lines; ``raw`` as it stands in ``hit``'s chunk."""

    text: str
    hit: Hit
    raw: str


def asked(question: str) -> list[str]:
    """What a question is about: words of Latin script without endings, pairs of hanzi."""
    return list(dict.fromkeys(_terms(question)))


def best(
    question: str, hits: Sequence[Hit], seen: Mapping[str, int], readable: int, own: str = ""
) -> Quote | None:
    """``seen``: of each term of ``asked``, in how many of ``readable`` chunks it is. ``own``: the part
    of ``question`` that was said last, where it leans on one before: that is what matters more."""
    wanted = asked(question)
    if not wanted or not hits:
        return None
    weight = {t: _rarity(seen.get(t, 0), readable) for t in wanted}
    leans = own not in ("", question)
    for term in asked(own) if leans else ():
        weight[term] *= LAST
    candidates = [c for hit in hits[:DEPTH] for c in _candidates(hit, leads=not leans)]
    mean = sum(c.length for c in candidates) / max(len(candidates), 1) or 1.0
    chinese = any(t[0] >= "\u3400" for t in wanted)
    enough = LEAST["zh" if chinese else "en"] * sum(weight.values())
    number = _HOW_MUCH.search(folded(question)) is not None
    good = [c for c in candidates if c.own.keys() & weight.keys() and _covered(c, weight) >= enough]
    if not good:
        return None
    found = max(good, key=lambda c: _score(c, weight, mean, number))
    return Quote(_told(found.text), found.hit, found.text)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """``own``: terms of the sentence; ``above`` those of the headings, ``around`` of the passage."""

    text: str
    hit: Hit
    own: Mapping[str, int]
    above: Collection[str]
    around: Collection[str]
    first: bool

    @property
    def length(self) -> int:
        return sum(self.own.values())


def _candidates(hit: Hit, *, leads: bool) -> list[_Candidate]:
    above = set(_terms(" ".join((hit.title, *hit.chunk.path))))
    around = set(_terms(hit.chunk.text))
    leads = leads and hit.chunk.ordinal == 0
    return [
        _Candidate(p, hit, Counter(_terms(p)), above, around, leads and i == 0)
        for i, p in enumerate(_sentences(hit.chunk.text))
    ]


def _sentences(text: str) -> list[str]:
    """Whole ones, to be quoted: what comes behind a semicolon belongs to it."""
    out = []
    for part in _END.findall(text):
        out += [s for piece in _ENGLISH.split(part) if (s := piece.strip()) and not set(s) <= _RULE]
    return out


def _covered(c: _Candidate, weight: Mapping[str, float]) -> float:
    """How much of the question is in it, and how much at least near it."""
    return sum(
        rarity * (1.0 if t in c.own else ABOVE if t in c.above else AROUND if t in c.around else 0)
        for t, rarity in weight.items()
    )


def _score(c: _Candidate, weight: Mapping[str, float], mean: float, number: bool) -> float:
    score = 0.0
    for term, rarity in weight.items():
        count = c.own.get(term, 0) + (term in c.above)
        norm = K1 * (1 - B + B * c.length / mean)
        score += rarity * count * (K1 + 1) / (count + norm)
    if number:
        score *= NUMBER if _DIGIT.search(c.text) else 1 / NUMBER
    return score * (FIRST if c.first else 1)


def _told(raw: str) -> str:
    """A table's row as its cells."""
    if not (raw.startswith("|") and raw.endswith("|")):
        return raw
    return " ".join(cell for c in raw.strip("|").split("|") if (cell := c.strip()))


def _rarity(seen: int, readable: int) -> float:
    return math.log(1 + (readable - seen + 0.5) / (seen + 0.5))


def _terms(text: str) -> list[str]:
    plain = _ASKING.sub(" ", folded(text))
    return [*(stemmed(w) for w in _WORD.findall(plain) if w not in _SMALL), *pairs(plain)]
