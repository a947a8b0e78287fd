"""The two languages people speak with Dazi, and texts that exist in both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]

_HANZI = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


_NO_LANGUAGE = re.compile(
    r"(?<!\S)\S+@\S+|(?<![A-Z])[A-Z]+[ -]?\d[A-Z0-9_-]*|\b(?:ok|okay)\b", re.IGNORECASE
)
"""Addresses and ids are written alike in both languages, and so is OK. Each begins where no other
could have begun before: else a long text without spaces is gone through from every character."""


def language_of(text: str, *before: str) -> Language:
    """The language a reply to ``text`` should be in.

    Any clause-worth of Chinese wins: people mix product names and ids into Chinese sentences far
    more often than they mix Chinese into English ones. Where ``text`` is no more than an id, the
    first of ``before`` that has a language tells, the person's messages up to then, latest first.
    """
    rest = (_NO_LANGUAGE.sub(" ", t) for t in (text, *before))
    telling = next((t for t in rest if _HANZI.search(t) or _LATIN_WORD.search(t)), "")
    return _language(telling)


def _language(text: str) -> Language:
    hanzi = len(_HANZI.findall(text))
    return "zh" if hanzi and hanzi * 3 >= len(_LATIN_WORD.findall(text)) else "en"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in Chinese and English; a missing one falls back on the other."""

    zh: str
    en: str

    def __call__(self, language: Language) -> str:
        return (self.zh or self.en) if language == "zh" else (self.en or self.zh)

    @classmethod
    def of(cls, value: str | Mapping[str, str]) -> Text:
        """From a plain string (the same in both) or a mapping with ``zh`` and/or ``en``."""
        if isinstance(value, str):
            return cls(value, value)
        return cls(str(value.get("zh", "")), str(value.get("en", "")))
