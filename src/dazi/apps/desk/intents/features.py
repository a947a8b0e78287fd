"""What a message is made of, for the recogniser: the same when it is trained and when it is used."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import combinations, pairwise

from dazi.apps.desk.intents.concepts import concepts

ID = "\u00a7"
"""In the place of an order number or another code."""
_CODE = re.compile(r"(?<![a-z0-9])(?:[a-z]{2,5}-?\d{3,}|\d{6,})(?![a-z0-9])")
_DIGITS = re.compile(r"\d+")
_PIECE = re.compile(r"[\u3400-\u9fff]+|[a-z']+|\u00a7|0|[?!]")
_HANZI = re.compile(r"[\u3400-\u9fff]")
LONGEST = 2_000
CONCEPT = "c:"


def plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()
    return _DIGITS.sub("0", _CODE.sub(ID, folded))


def features(text: str) -> Counter[str]:
    """Counts of: of Chinese, sequences of 1 to 4 characters; of other words, the word, its parts of
    3 to 5 letters, and pairs of words; concepts and pairs of them; codes, numbers and question marks."""
    out: Counter[str] = Counter()
    words: list[str] = []
    folded = plain(text)
    for piece in _PIECE.findall(folded):
        if _HANZI.match(piece):
            for n in (1, 2, 3, 4):
                out.update(piece[i : i + n] for i in range(len(piece) - n + 1))
        elif piece[0].isalpha():
            word = piece.strip("'")
            if not word:
                continue
            words.append(word)
            out[f"w:{word}"] += 1
            padded = f"_{word}_"
            for n in (3, 4, 5):
                out.update(padded[i : i + n] for i in range(len(padded) - n + 1))
        else:
            out[f"s:{piece}"] += 1
    out.update(f"p:{a} {b}" for a, b in pairwise(words))
    found = concepts(folded)
    out.update(f"c:{c}" for c in found)
    out.update(f"c:{a}+{b}" for a, b in combinations(found, 2))
    return out
