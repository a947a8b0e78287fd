"""The language of a text: by its script, and among those in Latin letters by their small words.

It tells Chinese and English, which is what Dazi speaks, from everything else; which other language it
is nobody asks.
"""

from __future__ import annotations

import re

_HAN = re.compile(r"[\u3400-\u9fff]")
_OTHER = re.compile(
    r"[\u3040-\u30ff\uac00-\ud7af\u0400-\u052f\u0370-\u03ff\u0590-\u06ff\u0900-\u0dff\u0e00-\u0eff]"
)
"""Kana, hangul, Cyrillic, Greek, Hebrew, Arabic, the scripts of India, Thai and Lao."""
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_MARKED = re.compile(r"[\u00c0-\u024f\u1e00-\u1eff]")
_ENGLISH_WORDS = (
    "the of and to in is that it for was on are as with his they be at this have from or had by but what"
    " were when we there can an your which their if do will how about would these my please not you me"
    " could i should any our has does where who why"
)
_FOREIGN_WORDS = (
    # Spanish and Portuguese, French, German, Italian, Dutch, Indonesian, Turkish
    "el los las del que una por con para como pero está son más sus ese muy desde cuando o os uma não com"
    " dos ao pela isso também le les des une est dans pour qui sur pas avec ce cette sont mais nous vous"
    " der die das und ist nicht ein eine mit auf für von dem den sich auch wir ich sie il gli che della"
    " per sono anche questo nel alla het een niet van voor zijn dat wij naar yang dan dengan untuk tidak"
    " ini dari pada saya adalah ve bir bu için ile değil çok ne"
)
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_FOREIGN = frozenset(_FOREIGN_WORDS.split()) - _ENGLISH
MIXED = 1 / 3
"""Han characters to Latin words, from which on a text is Chinese with foreign names in it."""


def detected(text: str) -> str:
    """``zh``, ``en``, ``other``, or empty for a text without words."""
    han = len(_HAN.findall(text))
    foreign = len(_OTHER.findall(text))
    words = [w.casefold() for w in _LATIN.findall(text)]
    if foreign > (han + len(words)) / 4:
        return "other"
    if han and han >= len(words) * MIXED:
        return "zh"
    if not words:
        return ""
    return "other" if _is_foreign(words) else "en"


def _is_foreign(words: list[str]) -> bool:
    english = sum(w in _ENGLISH for w in words)
    other = sum(w in _FOREIGN for w in words)
    marked = sum(bool(_MARKED.search(w)) for w in words)
    return other + marked > english + len(words) / 20
