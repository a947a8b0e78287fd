"""Which few tools a message may need: role first, then relevance.

Offering every tool costs context and accuracy; offering the wrong few makes the right call
impossible. So the choice is generous and lexical: BM25 over hanzi pairs, words and word parts of a
tool's name, description and example requests, plus the shapes of ids that the message holds.
It narrows and never decides: the model sees several tools and picks.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from dazi.core.ids import loose_pattern
from dazi.core.tools import Tool

_WORD = re.compile(r"[a-z0-9&]+|[\u3400-\u9fff]+")
_ID_IN_TEXT = 3.0
_USED_BEFORE = 2.5
_SAID_BEFORE = 0.6
_RELEVANT = 0.33
"""A tool below this share of the best score is no serious candidate (docs/decisions/0007)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a turn is about. ``used``: tools called earlier in the thread, which a follow-up may need
    again. ``before``: what the person said since the last call, latest first: an answer to a
    question back belongs to the request that the question was about."""

    message: str
    used: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """``offered`` in declared order (a stable order keeps prefix caches warm). ``scores`` by name.
    ``allowed``: names of all that the person may use, the most relevant first."""

    offered: tuple[Tool, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()

    def passed_over(self, most: int) -> list[str]:
        """Of those that have something to do with the message, the best that are not offered."""
        offered = {t.name for t in self.offered}
        near = (n for n in self.allowed if n not in offered and self.scores[n] > 0)
        return list(islice(near, most))


def terms(text: str) -> list[str]:
    """Hanzi and their pairs; words, and four-letter beginnings of longer words."""
    out: list[str] = []
    for run in _WORD.findall(unicodedata.normalize("NFKC", text).lower()):
        if run[0] >= "\u3400":
            out += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
            out += run
        elif run not in _COMMON:
            out += [run, f"~{run[:4]}"] if len(run) > 4 else [run]
    return out


_COMMON = frozenset(
    "a an the is are was were be to of in on at it for and or i me my we you your can could would "  # noqa: SIM905
    "please do does did have has had what how that this with from".split()
)


class ToolChooser:
    """Relevance of the tools of one company. Build it once; ``choose`` takes microseconds."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self.tools = {t.name: t for t in tools}
        bags = {name: self._bag(tool) for name, tool in self.tools.items()}
        count = len(bags)
        seen = Counter(term for bag in bags.values() for term in bag)
        mean = sum(sum(b.values()) for b in bags.values()) / max(count, 1)
        k1, b = 1.2, 0.5
        idf = {term: math.log(1 + (count - n + 0.5) / (n + 0.5)) for term, n in seen.items()}
        self._weights: dict[str, dict[str, float]] = {term: {} for term in seen}
        for name, bag in bags.items():
            norm = k1 * (1 - b + b * sum(bag.values()) / mean)
            for term, times in bag.items():
                self._weights[term][name] = idf[term] * (times * (k1 + 1) / (times + norm))
        self._patterns = [
            (name, loose_pattern(p.pattern))
            for name, tool in self.tools.items()
            for p in tool.parameters
            if p.grounded and p.pattern
        ]

    @staticmethod
    def _bag(tool: Tool) -> Counter[str]:
        bag: Counter[str] = Counter()
        for text in (
            tool.name.replace("_", " "),
            tool.description.zh,
            tool.description.en,
            *tool.examples,
        ):
            bag.update(terms(text))
        for p in tool.parameters:
            for words in p.labels.values():
                bag.update(terms(words.zh) + terms(words.en))
        return bag

    def scores(self, message: str) -> dict[str, float]:
        out = dict.fromkeys(self.tools, 0.0)
        for term in set(terms(message)):
            for name, weight in self._weights.get(term, {}).items():
                out[name] += weight
        text = unicodedata.normalize("NFKC", message)
        for name, pattern in self._patterns:
            if pattern.search(text):
                out[name] += _ID_IN_TEXT
        return out

    def choose(
        self, request: Request, may: Callable[[Tool], bool], limit: int, *, narrow: bool = False
    ) -> Choice:
        """At most ``limit`` tools that the person ``may`` use; with ``narrow``, for small models,
        only serious candidates.

        When the most relevant tool of all is one they may not use, it takes the last place:
        the model can then propose it and the router refuses, which is recorded, and the person
        hears a clear no instead of something else done in its place.
        """
        scores = self.scores(request.message)
        under_way = set(request.used)
        for said in request.before:
            earlier = self.scores(said)
            for name, score in earlier.items():
                scores[name] += _SAID_BEFORE * score
            under_way.update(sorted(earlier, key=lambda n: -earlier[n])[:2])
        for name in request.used:
            if name in scores:
                scores[name] += _USED_BEFORE
        ranked = sorted(self.tools, key=lambda n: -scores[n])
        allowed = [n for n in ranked if may(self.tools[n])]
        names = allowed[:limit]
        if ranked and allowed and scores[ranked[0]] > scores[allowed[0]]:
            names = [*allowed[: limit - 1], ranked[0]]
        if narrow:
            least = _RELEVANT * max((scores[n] for n in names), default=0.0)
            names = [n for n in names if scores[n] >= least or n in under_way]
        kept = set(names)
        offered = tuple(t for n, t in self.tools.items() if n in kept)
        return Choice(offered, scores, tuple(allowed))
