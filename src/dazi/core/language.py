"""The two languages people speak with Dazi, and texts that exist in both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]

_HANZI = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def language_of(text: str) -> Language:
    """The language a reply to ``text`` should be in.

    Any clause-worth of Chinese wins: people mix product names and ids into Chinese sentences far
    more often than they mix Chinese into English ones.
    """
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
