"""What is looked for in a text: its words, and each pair of neighbouring hanzi.

Words say what is meant, and pairs find what the dictionary cuts otherwise in the question than in the
document. Measured together they find more than either (docs/decisions/0017).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

_RUN = re.compile(
    r"[a-z0-9]+(?:[._'-][a-z0-9]+)*|[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002ebef]+"
)
_PART = re.compile(r"[._'-]")
_IS_LATIN = re.compile(r"[a-z0-9]")


def folded(text: str) -> str:
    """NFKC and lower case: full-width letters and digits are the same as others."""
    return unicodedata.normalize("NFKC", text).lower()


def words(text: str) -> list[str]:
    """Words of Chinese; runs of letters and digits whole, in their parts, and without endings."""
    out: list[str] = []
    for run in _RUN.findall(folded(text)):
        if _IS_LATIN.match(run):
            parts = _PART.split(run)
            for word in (run, *(parts if len(parts) > 1 else ())):
                stem = stemmed(word)
                out += [word, stem] if stem != word else [word]
        else:
            out += _segmenter()(run)
    return out


def stemmed(word: str) -> str:
    """An English word without its commonest endings, so that its forms meet; others as they are."""
    if not word.isalpha():
        return word
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return (word.removesuffix(ending) + instead).rstrip("e") or word
    return word.rstrip("e") or word


def pairs(text: str) -> list[str]:
    """Each pair of neighbouring hanzi; a hanzi alone by itself."""
    out: list[str] = []
    for run in _RUN.findall(folded(text)):
        if _IS_LATIN.match(run):
            continue
        out += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
    return out


@lru_cache(maxsize=1)
def _segmenter() -> Any:
    """Loading the dictionary takes a while: only where something is segmented."""
    import rjieba

    return rjieba.cut
