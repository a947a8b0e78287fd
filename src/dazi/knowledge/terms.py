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
    """Words of Chinese, and runs of letters and digits whole and in their parts."""
    out: list[str] = []
    for run in _RUN.findall(folded(text)):
        if _IS_LATIN.match(run):
            out.append(run)
            parts = _PART.split(run)
            if len(parts) > 1:
                out += parts
        else:
            out += _segmenter()(run)
    return out


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
