"""Rendered samples -> token ids with the weight of each token in the loss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """``weights[i]`` is that of ``ids[i]`` as a target; the first token of all is none."""

    ids: list[int]
    weights: list[float]


@dataclass(frozen=True)
class Encoded:
    """``prefix``: the system turn, empty where the tokenizer does not end a token with it."""

    id: str
    prefix: tuple[int, ...]
    row: Row

    @property
    def length(self) -> int:
        return len(self.prefix) + len(self.row.ids)


def read_rendered(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


class Encoder:
    """Of one model's ``tokenizer.json``."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._prefixes: dict[str, tuple[int, ...]] = {}

    def ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def encoded(self, sample: dict[str, Any]) -> Encoded:
        prefix, segments = sample["prefix"], sample["segments"]
        rest = self.row(segments)
        if not prefix:
            return Encoded(sample["id"], (), rest)
        if prefix not in self._prefixes:
            self._prefixes[prefix] = tuple(self.ids(prefix))
        head = self._prefixes[prefix]
        whole = self.ids(prefix + "".join(text for text, _ in segments))
        if whole == [*head, *rest.ids]:
            return Encoded(sample["id"], head, rest)
        return Encoded(sample["id"], (), self.row([(prefix, 0.0), *segments]))

    def row(self, segments: list[Any]) -> Row:
        """A token weighs as much as the weightiest of the characters that it covers."""
        text = "".join(text for text, _ in segments)
        by_character: list[float] = []
        for piece, weight in segments:
            by_character += [float(weight)] * len(piece)
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        weights = [
            max(by_character[start], by_character[end - 1]) if end > start else 0.0
            for start, end in encoding.offsets
        ]
        return Row(encoding.ids, weights)
