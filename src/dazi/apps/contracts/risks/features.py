"""What a sentence of a contract is made of, for the recogniser: the same when it is trained and when it is used."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise

from dazi.apps.contracts.likeness import essence
from dazi.apps.contracts.roles import GIVES, TAKES

PARTY = "ⓟ"
"""In the place of a word for a party."""
_ZH = [
    r for r in (*GIVES, *TAKES, "甲方", "乙方", "房东", "店方", "公司", "对方") if not r.isascii()
]
_EN = [r for r in (*GIVES, *TAKES, "Party A", "Party B", "Company", "Counterparty") if r.isascii()]
_A_PARTY = re.compile(
    "|".join(sorted(map(re.escape, _ZH), key=len, reverse=True))
    + "|"
    + "|".join(rf"\b(?:the )?{re.escape(r)}\b" for r in sorted(_EN, key=len, reverse=True)),
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_PIECE = re.compile(r"[\u3400-\u9fffⓟ]+|[a-z'’-]+|0|%")
_HANZI = re.compile(r"[\u3400-\u9fff]")
LONGEST = 600


def features(text: str) -> Counter[str]:
    """Counts of: of Chinese, sequences of 1 to 4 characters; of English, words, pairs of words and pairs one apart,
    beginnings of words; the same of the sentence with synonyms as one word."""
    text = text[:LONGEST]
    language = "zh" if _HANZI.search(text) else "en"
    marked = _A_PARTY.sub(PARTY, text)
    plain = _DIGITS.sub("0", unicodedata.normalize("NFKC", marked).casefold().replace("ⓟ", PARTY))
    out = _parts(plain, "")
    said = re.sub(r"\d+(?:\.\d+)?[a-z%]*", "0", essence(marked, language))
    for part, n in _parts(said, "e:").items():
        out[part] += n
    return out


def _parts(text: str, mark: str) -> Counter[str]:
    out: Counter[str] = Counter()
    words: list[str] = []
    for piece in _PIECE.findall(text):
        if _HANZI.search(piece):
            for n in (1, 2, 3, 4):
                out.update(f"{mark}{piece[i : i + n]}" for i in range(len(piece) - n + 1))
            words.append("…")
        else:
            words.append(piece)
            out[f"{mark}w:{piece}"] += 1
            if len(piece) > 5:
                out[f"{mark}s:{piece[:5]}"] += 1
    out.update(f"{mark}p:{a} {b}" for a, b in pairwise(words))
    out.update(f"{mark}q:{a} {b}" for a, b in zip(words, words[2:], strict=False))
    return out
