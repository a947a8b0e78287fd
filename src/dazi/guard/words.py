"""A company's word lists: ``words/*.txt``, one word a line, under ``[high]``, ``[medium]`` or ``[low]``.

A word is looked for where its first two characters are. Whether a pair of characters begins any word
is read from a table for all pairs of a text at once, which takes 10 ns a character for 20,000 words;
so few pairs are left that they can be looked at one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from dazi.core.errors import ConfigError
from dazi.guard.findings import Certainty, Finding
from dazi.guard.folding import Folded, fold
from dazi.packs.layers import layers_of

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
LONGEST = 64
_SHORT = 64
"""Below this length looking at every pair is cheaper than preparing the table look-up."""
_FIRST, _SECOND = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B)
_MOST_BITS = 22


def read_words(folder: Path) -> dict[str, Severity]:
    """All words of ``folder/words``, as they are written. ``medium`` where no heading says else.

    Raises ``ConfigError`` with file and line.
    """
    words: dict[str, Severity] = {}
    for path in layers_of(folder).glob("words/*.txt"):
        severity: Severity = "medium"
        for number, line in enumerate(_lines(path), 1):
            word = line.strip()
            if not word or word.startswith("#"):
                continue
            if word.startswith("[") and word.endswith("]"):
                severity = _severity(path, number, word[1:-1].strip())
            elif 2 <= len(key(word)) <= LONGEST:
                words[word] = severity
            else:
                raise ConfigError(
                    path,
                    number,
                    f"“{word}” 太短或太长,每个词 2 到 {LONGEST} 个字",
                    f"“{word}” is too short or too long; a word has 2 to {LONGEST} characters",
                )
    return words


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as e:
        raise ConfigError(
            path, None, f"文件不是 UTF-8 编码({e.reason})", f"not UTF-8 text ({e.reason})"
        ) from None


def _severity(path: Path, number: int, name: str) -> Severity:
    for severity in SEVERITIES:
        if name == severity:
            return severity
    known = ", ".join(f"[{s}]" for s in SEVERITIES)
    raise ConfigError(
        path, number, f"没有 [{name}],可用:{known}", f"no [{name}]; use one of {known}"
    )


def key(word: str) -> str:
    """What a word is compared by: folded, in lower case."""
    return _lower(fold(word).text)


def _lower(text: str) -> str:
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(_lower_one(c) for c in text)


def _lower_one(c: str) -> str:
    lower = c.lower()
    return lower if len(lower) == 1 else c


class WordList:
    """Finds words; each is found wherever it stands, inside another one too. A word of Latin letters
    is not found inside a longer one."""

    def __init__(self, words: Mapping[str, Severity]) -> None:
        self._severities = {key(word): severity for word, severity in words.items()}
        self._by_pair: dict[str, list[str]] = defaultdict(list)
        for word in self._severities:
            self._by_pair[word[:2]].append(word)
        self._cased = any(word.upper() != word for word in self._severities)
        bits = min(_MOST_BITS, len(self._by_pair).bit_length() + 7)
        self._shift = np.uint32(32 - bits)
        self._begins = np.zeros(1 << bits, np.bool_)
        if self._by_pair:
            pairs = np.array([[ord(c) for c in pair] for pair in self._by_pair], np.uint32)
            self._begins[self._slots(pairs[:, 0], pairs[:, 1])] = True
        self._beginnings = {word[:n] for word in self._severities for n in range(1, len(word) + 1)}
        self.longest = max(map(len, self._severities), default=0)

    def __bool__(self) -> bool:
        return bool(self._severities)

    def find(self, folded: Folded, severities: Iterable[str] = SEVERITIES) -> list[Finding]:
        """In places of the folded text."""
        if not self:
            return []
        text = _lower(folded.text) if self._cased else folded.text
        return self._at(text, self._pairs(text, folded), frozenset(severities))

    def find_short(self, text: str, start: int, severities: Iterable[str]) -> list[Finding]:
        """Those that begin in ``text[start:]``, folded."""
        return self._at(_lower(text), range(start, len(text) - 1), frozenset(severities))

    def _at(self, text: str, places: Iterable[int], wanted: frozenset[str]) -> list[Finding]:
        found = []
        for at in places:
            for word in self._by_pair.get(text[at : at + 2], ()):
                severity = self._severities[word]
                if severity in wanted and text.startswith(word, at) and _apart(text, at, word):
                    type_ = f"word:{severity}"
                    found.append(Finding(at, at + len(word), type_, Certainty.SHAPE, at))
        return found

    def first(self) -> set[str]:
        """The characters that words begin with, in both cases."""
        return {c for word in self._severities for c in (word[0], word[0].upper()) if len(c) == 1}

    def begun(self, text: str) -> int:
        """Where, at the end of folded text, a word may have begun; its length where none has."""
        lower = _lower(text)
        for at in range(max(0, len(lower) - self.longest), len(lower)):
            if lower[at:] in self._beginnings:  # a whole word, too: what follows may belong to it
                return at
        return len(lower)

    def _pairs(self, text: str, folded: Folded) -> Iterable[int]:
        if len(text) < _SHORT:
            return range(len(text) - 1)
        units = folded.units
        if text is not folded.text:
            units = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        slots = self._slots(units[:-1].astype(np.uint32), units[1:].astype(np.uint32))
        places: list[int] = np.flatnonzero(self._begins.take(slots)).tolist()
        return places

    def _slots(self, first: NDArray[np.uint32], second: NDArray[np.uint32]) -> NDArray[np.uint32]:
        slots = first * _FIRST
        slots += second * _SECOND
        slots >>= self._shift
        return slots


def _apart(text: str, at: int, word: str) -> bool:
    end = at + len(word)
    return not (
        (_latin(word[0]) and _latin(text[at - 1 : at]))
        or (_latin(word[-1]) and _latin(text[end : end + 1]))
    )


def _latin(c: str) -> bool:
    return c.isascii() and c.isalnum()
