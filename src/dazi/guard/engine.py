"""The guard: what is in a text, and what the rules say about it. It acts on nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.guard.findings import Finding, groups, resolve
from dazi.guard.folding import Folded, fold
from dazi.guard.masking import mask
from dazi.guard.pseudonyms import Place
from dazi.guard.reading import Reader
from dazi.guard.recognisers.base import Recogniser
from dazi.guard.recognisers.registry import BUILT_IN
from dazi.guard.rules import DEFAULT_RULES, Action, Hidden, Rules, Scope, strictest
from dazi.guard.scanning import Scanner
from dazi.guard.words import WordList

STOPPED = Text(
    "(按公司规定,这里的内容不能显示。)", "(Company rules do not allow this to be shown.)"
)


_SETS = 64
"""Sets of types that are prepared at once: as many as there are different rules for people."""


class Judged(NamedTuple):
    """A place and what is done there. ``finding`` is the longest and most certain of those that
    overlap; the place covers them all, and ``since`` their labels."""

    since: int
    start: int
    end: int
    finding: Finding
    action: Action


@dataclass(frozen=True, slots=True)
class Verdict:
    """``action`` is the strictest of all places, and ``block`` where the guard itself failed.

    ``text`` is what may go on: masked, and empty where it is blocked. What is asked about is still
    in it, and so is what a model is to see a pseudonym of (``hiding``). ``findings`` are those that
    something is done about.
    """

    text: str
    action: Action
    findings: tuple[Judged, ...]
    failed: bool = False


Watch = Callable[[Scope, tuple[Judged, ...]], None]
BLOCKED = Verdict("", "block", (), failed=True)


def _nobody(scope: Scope, found: tuple[Judged, ...]) -> None:
    """Looks on."""


class Guard:
    """One for a company; safe to use from several threads."""

    def __init__(
        self,
        rules: Rules = DEFAULT_RULES,
        recognisers: Iterable[Recogniser] = BUILT_IN,
        words: WordList | None = None,
    ) -> None:
        self.rules = rules
        self.words = words or WordList({})
        self.recognisers = tuple(recognisers)
        self._everything = Scanner(self.recognisers)
        self._looks_for = lru_cache(_SETS)(self._anything)
        self._scanner = lru_cache(_SETS)(self._scanner_of)
        self.reader = lru_cache(_SETS)(self._reader_of)
        self.watch: Watch = _nobody
        """Is told where something was found, and what is done there."""
        self._hides = rules.hides
        self._hidden = lru_cache(_SETS)(rules.hidden)

    def scan(self, text: str) -> tuple[Finding, ...]:
        """Everything that is recognised, whatever the rules say; one finding a place."""
        folded = fold(text)
        found = self._everything.candidates(folded)
        found += self.words.find(folded)
        return resolve(_original(folded, found)) if found else ()

    def verdict(self, text: str, scope: Scope, principal: Principal | None = None) -> Verdict:
        """Never raises: a guard that fails lets nothing pass."""
        try:
            verdict = self._verdict(text, self.rules.of(scope, principal))
        except Exception:  # whatever it is, the text has not been checked
            return BLOCKED
        if verdict.findings:
            self.watch(scope, verdict.findings)
        return verdict

    def candidates(self, folded: Folded, types: frozenset[str]) -> list[Finding]:
        """Of these types, in places of the folded text; they may overlap."""
        found = self._scanner(types).candidates(folded)
        if self.words and (severities := _severities(types)):
            found += self.words.find(folded, severities)
        return found

    def _anything(self, types: frozenset[str]) -> bool:
        return any(r.type in types for r in self.recognisers) or bool(
            self.words and _severities(types)
        )

    def _scanner_of(self, types: frozenset[str]) -> Scanner:
        return Scanner(r for r in self.recognisers if r.type in types)

    def _reader_of(self, types: frozenset[str]) -> Reader:
        severities = _severities(types) if self.words else []
        return Reader([r for r in self.recognisers if r.type in types], self.words, severities)

    def hidden(self, principal: Principal) -> Hidden | None:
        """What a model sees pseudonyms of instead, ``None`` where it is nothing at all."""
        if not self._hides:
            return None
        return self._hidden(principal.channel, principal.roles)

    def places(self, text: str, types: frozenset[str]) -> list[Place]:
        """Where something of these types stands, what overlaps being one place."""
        if not self._looks_for(types):
            return []
        folded = fold(text)
        candidates = self.candidates(folded, types)
        if not candidates:
            return []
        together = groups(_original(folded, candidates))
        return [(min(f.start for f in g), max(f.end for f in g), g[0].type) for g in together]

    def _verdict(self, text: str, actions: Mapping[str, Action]) -> Verdict:
        types = frozenset(actions)
        if not self._looks_for(types):
            return Verdict(text, "allow", ())
        folded = fold(text)
        candidates = self.candidates(folded, types)
        if not candidates:
            return Verdict(text, "allow", ())
        found = _original(folded, candidates)
        judged = judge(found, actions)
        action = strictest(j.action for j in judged)
        if action == "block":
            return Verdict("", action, judged)
        return Verdict(_masked(text, judged), action, judged)


def judge(found: Iterable[Finding], actions: Mapping[str, Action]) -> tuple[Judged, ...]:
    """Places, each with the strictest action of what is found there."""
    return tuple(
        Judged(
            min(f.since for f in group),
            min(f.start for f in group),
            max(f.end for f in group),
            group[0],
            strictest(actions[f.type] for f in group),
        )
        for group in groups(found)
    )


def _masked(text: str, judged: Iterable[Judged]) -> str:
    """``text`` with the places to be masked made unreadable."""
    parts, at = [], 0
    for j in judged:
        if j.action == "mask":
            parts += [text[at : j.start], covered(j, text[j.start : j.end])]
            at = j.end
    return "".join([*parts, text[at:]])


def covered(j: Judged, text: str) -> str:
    """What is shown of one place: nothing of it where several findings overlap."""
    whole = (j.finding.start, j.finding.end) == (j.start, j.end)
    return mask(j.finding.type if whole else "", text)


def _severities(types: Iterable[str]) -> list[str]:
    return [t.removeprefix("word:") for t in types if t.startswith("word:")]


def _original(folded: Folded, found: Iterable[Finding]) -> Iterator[Finding]:
    for f in found:
        start, end = folded.original(f.start, f.end)
        yield Finding(start, end, f.type, f.certainty, start)
