"""Which questions ask for the same: by their terms, or by vectors where there is a model of them.

A question joins the gap whose first question it is most like, if that is like enough (leader
clustering): one pass, the same result every time, and no number of gaps to be known before.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from dazi.knowledge.terms import folded, stemmed

ALIKE = 0.45
"""Cosine of their terms from which on two questions ask for the same: docs/decisions/0040."""
ALIKE_VECTORS = 0.8
"""The same of an embedding model's vectors; models differ, and this was not measured on one."""


_WORD = re.compile(r"[a-z0-9]+")
_SMALL_WORDS = (
    "a an are be by can do does for i in is it me my of on our that the they to we you your"
)
_EMPTY = frozenset(_SMALL_WORDS.split())
_PARTICLES = frozenset("的了吗呢么啊呀吧")


def terms_of(text: str) -> frozenset[str]:
    """Words without endings, and single hanzi: of short questions they tell more than words or pairs
    do (docs/decisions/0040). How it is asked stays: 「多少钱」 is not 「怎么申请」."""
    plain = folded(text)
    words = {stemmed(w) for w in _WORD.findall(plain) if w not in _EMPTY}
    return frozenset(words | {c for c in plain if c >= "\u3400" and c not in _PARTICLES})


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Cosine of two sets of terms, 0 to 1."""
    if not one or not other:
        return 0.0
    return len(one & other) / math.sqrt(len(one) * len(other))


def grouped(texts: Sequence[str]) -> list[int]:
    """For each text the index of the first text of its group."""
    leaders: dict[int, frozenset[str]] = {}
    by_term: defaultdict[str, list[int]] = defaultdict(list)
    out: list[int] = []
    for i, text in enumerate(texts):
        terms = terms_of(text)
        shared = Counter(leader for t in terms for leader in by_term[t])
        best, most = i, ALIKE
        for leader in sorted(shared):
            like = likeness(terms, leaders[leader])
            if like >= most and (like > most or best == i):
                best, most = leader, like
        if best == i:
            leaders[i] = terms
            for t in terms:
                by_term[t].append(i)
        out.append(best)
    return out


def grouped_by_vectors(vectors: Sequence[Sequence[float]]) -> list[int]:
    """As ``grouped``, by meaning. Vectors need not be of length 1."""
    if len(vectors) == 0:
        return []
    given = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(given, axis=1, keepdims=True)
    units = given / np.where(lengths == 0.0, 1.0, lengths)
    leaders: list[int] = []
    beside = np.empty_like(units)  # those of the leaders, one after the other
    out: list[int] = []
    for i, unit in enumerate(units):
        likes = beside[: len(leaders)] @ unit
        nearest = int(likes.argmax()) if leaders else -1
        if leaders and likes[nearest] >= ALIKE_VECTORS:
            out.append(leaders[nearest])
            continue
        beside[len(leaders)] = unit
        leaders.append(i)
        out.append(i)
    return out


def most_central(texts: Sequence[str]) -> int:
    """The text that is most like all of them; of equals the shortest."""
    sets = [terms_of(t) for t in texts]
    return max(
        range(len(texts)), key=lambda i: (sum(likeness(sets[i], s) for s in sets), -len(texts[i]))
    )
