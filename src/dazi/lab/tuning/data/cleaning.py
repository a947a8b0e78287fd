"""Stage 1: language, length, quality, and content that nobody wants to teach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dazi.core.errors import ConfigError
from dazi.guard.engine import Guard
from dazi.guard.folding import fold
from dazi.guard.injection import score, signals
from dazi.guard.words import LONGEST, WordList, key
from dazi.lab.tuning.data.duplicates import Text, find
from dazi.lab.tuning.data.language import detected
from dazi.lab.tuning.data.quality import fault
from dazi.lab.tuning.data.recipe import Clean, Placed
from dazi.lab.tuning.data.samples import Draft, Sample, said, whole
from dazi.lab.tuning.data.work import Refusing, Replay, Step

SECRET = "api_key"
TELLING = 8
"""Characters of a message from which on its language is asked for."""
SHORT_ANSWER = 40
"""Characters: an answer may be a time or an amount."""


def own_words(placed: Placed) -> WordList:
    """The words of the recipe's files, a word a line. Raises ``ConfigError``."""
    words: list[str] = []
    for pattern in placed.recipe.clean.words:
        for path in placed.files(pattern):
            for number, line in enumerate(text_lines(path), 1):
                word = line.strip()
                if not word or word.startswith("#"):
                    continue
                if not 2 <= len(key(word)) <= LONGEST:
                    raise ConfigError(
                        path,
                        number,
                        f"“{word}” 太短或太长,每个词 2 到 {LONGEST} 个字",
                        f"“{word}” is too short or too long; a word has 2 to {LONGEST} characters",
                    )
                words.append(word)
    return WordList(dict.fromkeys(words, "high"))


def text_lines(path: Path) -> list[str]:
    """Raises ``ConfigError`` for what is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as e:
        raise ConfigError(
            path, None, f"文件不是 UTF-8 编码({e.reason})", f"not UTF-8 text ({e.reason})"
        ) from None


class Cleaning:
    """Judges a sample by itself. ``words``: those of the recipe, beside the guard's own."""

    def __init__(
        self, rules: Clean, languages: Sequence[str], guard: Guard, words: WordList
    ) -> None:
        self._rules = rules
        self._languages = frozenset(languages)
        self._guard = guard
        self._words = words
        severities = rules.severities if guard.words else []
        self._unwanted = frozenset({SECRET, *(f"word:{s}" for s in severities)})

    def fault(self, draft: Draft) -> str:
        """Why it cannot be used; empty where it can. Sets its language."""
        sample = draft.sample
        length = sum(map(len, said(sample)))
        if length < self._rules.least:
            return "too_short"
        if length > self._rules.most:
            return "too_long"
        if self._rules.quality and (broken := _fault_of(sample)):
            return broken
        spoken = [m.content for m in sample.messages if m.role in ("user", "assistant")]
        languages = [detected(text) for text in spoken if len(text) >= TELLING or len(spoken) == 1]
        if any(found and found not in self._languages for found in languages):
            return "language"
        sample.language = next(filter(None, languages), sample.language)
        return self._content(sample)

    def _content(self, sample: Sample) -> str:
        text = whole(sample)
        places = self._guard.places(text, self._unwanted)
        if places:
            types = {type_ for _, _, type_ in places}
            return "secret" if SECRET in types else min(types)
        if self._words and self._words.find(fold(text)):
            return "word:recipe"
        if self._rules.injection:
            everything = "\n".join(m.content for m in sample.messages)
            if score(signals(everything)) >= self._rules.injection:
                return "injection"
        return ""


def _fault_of(sample: Sample) -> str:
    """Of each message by itself. A question may be a bare number, and so may a short answer."""
    for m in sample.messages:
        if m.role not in ("user", "assistant") or not m.content or not (broken := fault(m.content)):
            continue
        short = len(m.content) <= SHORT_ANSWER or (m.role == "user" and sample.kind != "class")
        if broken != "symbols" or not short or not any(map(str.isalnum, m.content)):
            return broken
    return ""


def cleaned(cleaning: Cleaning) -> Step:
    def step(drafts: Replay, refuse: Refusing) -> Iterator[Draft]:
        for draft in drafts():
            if why := cleaning.fault(draft):
                refuse(draft, why)
            else:
                yield draft

    return step


def deduplicated(folder: Path, alike: float, *, grouping: bool = False) -> Step:
    """Without what is the same as an earlier sample or nearly; ``grouping`` says besides which samples
    must stay together."""

    def step(drafts: Replay, refuse: Refusing) -> Iterator[Draft]:
        found = find((_text(d.sample) for d in drafts()), folder, alike)
        for n, draft in enumerate(drafts()):
            if found.same[n]:
                refuse(draft, "duplicate")
            elif found.near[n]:
                refuse(draft, "near_duplicate")
            else:
                if grouping:
                    draft.group = int(found.group[n])
                yield draft

    return step


def _text(sample: Sample) -> Text:
    text = whole(sample)
    return Text(text, f"{sample.kind}\n{text}", sample.conversation)
