"""The sentence of some passages that answers a question, word for word, or none.

BM25 over sentences (Robertson and Zaragoza, 2009), with how rare a term is counted in all that the
person may read. A sentence answers only if it and what stands above it hold enough of what the
question is about, weighed by how rare it is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dazi.knowledge.chunks import sentences
from dazi.knowledge.index import Hit
from dazi.knowledge.terms import folded, pairs, stemmed

LEAST = {"zh": 0.45, "en": 0.6}
"""Share of a question that an answer holds; pairs of hanzi also fall between words."""
ABOVE = 0.5
"""What a term in a title or heading counts, of one in the sentence."""
FIRST = 1.2
"""The first sentence of a document answers the broad questions."""
K1, B = 1.2, 0.5  # sentences differ little in length
_WORD = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)?")
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
    """``text`` stands in ``hit``'s chunk from ``begin`` on."""

    text: str
    hit: Hit
    begin: int


def asked(question: str) -> list[str]:
    """What a question is about: words of Latin script without endings, pairs of hanzi."""
    return list(dict.fromkeys(_terms(question)))


def best(
    question: str, hits: Sequence[Hit], seen: Mapping[str, int], readable: int
) -> Quote | None:
    """``seen``: of each term of ``asked``, in how many of ``readable`` chunks it is."""
    wanted = asked(question)
    if not wanted or not hits:
        return None
    weight = {t: _rarity(seen.get(t, 0), readable) for t in wanted}
    candidates = [c for hit in hits for c in _candidates(hit)]
    mean = sum(c.length for c in candidates) / len(candidates) or 1.0
    enough = LEAST["zh" if any(len(t) == 2 and t[0] >= "\u3400" for t in wanted) else "en"]
    scored = [(_score(c, weight, mean), c) for c in candidates]
    good = [(s, c) for (s, covered), c in scored if covered >= enough * sum(weight.values())]
    if not good:
        return None
    _, found = max(good, key=lambda pair: pair[0])
    return Quote(found.text, found.hit, found.hit.chunk.text.find(found.text))


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    hit: Hit
    own: Mapping[str, int]
    above: Collection[str]
    first: bool

    @property
    def length(self) -> int:
        return sum(self.own.values())


def _candidates(hit: Hit) -> list[_Candidate]:
    above = set(_terms(" ".join((hit.title, *hit.chunk.path))))
    parts = [p for line in hit.chunk.text.splitlines() for p in sentences(line)]
    return [
        _Candidate(p, hit, Counter(_terms(p)), above, hit.chunk.ordinal == 0 and i == 0)
        for i, p in enumerate(parts)
    ]


def _score(c: _Candidate, weight: Mapping[str, float], mean: float) -> tuple[float, float]:
    """Its score, and the weight of what it covers."""
    score = covered = 0.0
    for term, rarity in weight.items():
        count = c.own.get(term, 0) + (ABOVE if term in c.above else 0)
        norm = K1 * (1 - B + B * c.length / mean)
        score += rarity * count * (K1 + 1) / (count + norm)
        covered += rarity if count else 0
    own = any(t in c.own for t in weight)
    return (score * (FIRST if c.first else 1), covered if own else -1.0)


def _rarity(seen: int, readable: int) -> float:
    return math.log(1 + (readable - seen + 0.5) / (seen + 0.5))


def _terms(text: str) -> list[str]:
    plain = _ASKING.sub(" ", folded(text))
    return [*(stemmed(w) for w in _WORD.findall(plain) if w not in _SMALL), *pairs(plain)]
