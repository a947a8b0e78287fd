"""Texts cut as BERT was taught to read them: Devlin et al. 2019, as a ``tokenizer.json`` describes it.

By hand, because the library for such files brings a client of a model hub along. Marks such as
``[SEP]`` in a text are letters of it and no marks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

_KEPT_WORDS = 1 << 16
_LONGEST_WORD = 100
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class _Model(msgspec.Struct, frozen=True):
    vocab: dict[str, int]
    type: str
    unk_token: str = "[UNK]"
    continuing_subword_prefix: str = "##"
    max_input_chars_per_word: int = _LONGEST_WORD


class _Normalizer(msgspec.Struct, frozen=True):
    type: str
    lowercase: bool = True
    strip_accents: bool | None = None


class _Kind(msgspec.Struct, frozen=True):
    type: str


class _File(msgspec.Struct, frozen=True):
    model: _Model
    normalizer: _Normalizer
    pre_tokenizer: _Kind
    post_processor: dict[str, Any]


class WordPiece:
    """``begin`` and ``end`` are the ids before and behind each text."""

    def __init__(self, model: _Model, normalizer: _Normalizer, ends: tuple[int, int]) -> None:
        self._vocabulary: Mapping[str, int] = model.vocab
        self._unknown = model.vocab[model.unk_token]
        self._inner = model.continuing_subword_prefix
        self._longest = model.max_input_chars_per_word
        self._lower = normalizer.lowercase
        stripped = normalizer.strip_accents
        self._strip = normalizer.lowercase if stripped is None else stripped
        self.begin, self.end = ends
        self.pieces = lru_cache(_KEPT_WORDS)(self._pieces)

    @classmethod
    def of(cls, path: Path) -> WordPiece:
        """From a ``tokenizer.json``. Raises ``OSError``, and ``ValueError`` for another kind."""
        file = msgspec.json.decode(path.read_bytes(), type=_File)
        kinds = (file.model.type, file.normalizer.type, file.pre_tokenizer.type)
        if kinds != ("WordPiece", "BertNormalizer", "BertPreTokenizer"):
            raise ValueError(f"{path.name} holds {', '.join(kinds)}, and no tokenizer of BERT")
        if file.model.unk_token not in file.model.vocab:
            raise ValueError(f"{path.name} has no {file.model.unk_token}")
        return cls(file.model, file.normalizer, _ends(file))

    @property
    def highest(self) -> int:
        """The largest id."""
        return max(self._vocabulary.values())

    def encode(self, text: str, most: int) -> list[int]:
        """The ids of ``text`` with its ends, ``most`` in all; what is beyond is cut off."""
        out = [self.begin]
        for word in self._words(text):
            out += self.pieces(word)
            if len(out) >= most:
                break
        return [*out[: most - 1], self.end]

    def _words(self, text: str) -> list[str]:
        if self._strip:
            text = unicodedata.normalize("NFD", text)
        apart = "".join(map(_apart, text))
        if self._strip:
            apart = "".join(c for c in apart if not _is_accent(c))
        if self._lower:
            # The one letter whose small form depends on what follows; BERT looks at each by itself.
            apart = apart.replace("Σ", "σ").lower()
        return apart.split()

    def _pieces(self, word: str) -> tuple[int, ...]:
        """The longest known piece, again and again; all is unknown where there is none."""
        if len(word) > self._longest:
            return (self._unknown,)
        out: list[int] = []
        at = 0
        while at < len(word):
            prefix = self._inner if at else ""
            for end in range(len(word), at, -1):
                found = self._vocabulary.get(prefix + word[at:end])
                if found is not None:
                    out.append(found)
                    at = end
                    break
            else:
                return (self._unknown,)
        return tuple(out)


def _ends(file: _File) -> tuple[int, int]:
    """The ids of what stands before and behind a text. Raises ``ValueError``."""
    given = file.post_processor
    try:
        if given["type"] == "BertProcessing":
            return int(given["cls"][1]), int(given["sep"][1])
        before, text, behind = given["single"]
        names = before["SpecialToken"]["id"], behind["SpecialToken"]["id"]
        if "Sequence" not in text:
            raise KeyError("Sequence")
        return file.model.vocab[names[0]], file.model.vocab[names[1]]
    except (KeyError, TypeError, ValueError, IndexError) as e:
        raise ValueError(f"the post_processor is none of BERT ({e!r})") from None


@cache
def _is_accent(c: str) -> bool:
    return unicodedata.category(c) == "Mn"


@lru_cache(maxsize=1 << 16)
def _apart(c: str) -> str:
    """A character with blanks around it if it stands by itself, and nothing for what is not seen."""
    kind = unicodedata.category(c)
    if c in "\t\n\r" or (c.isspace() and kind[0] == "Z"):
        return " "
    if (kind[0] == "C" and kind != "Cn") or c == "\ufffd":
        return ""
    code = ord(c)
    mark = kind[0] == "P" or (code < 128 and not c.isalnum() and c != " ")
    return f" {c} " if mark or any(a <= code <= b for a, b in _IDEOGRAPHS) else c
