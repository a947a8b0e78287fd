"""What scanning and converting does to the text of a PDF: spaces between hanzi, broken lines,
full-width digits, and letters and digits that look alike, these only where nothing is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random

from bench.contracts.blocks import Block

_BETWEEN = re.compile(r"(?<=[一-鿿])(?=[一-鿿])")
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_ALIKE = {"0": "O", "1": "l", "l": "1", "O": "0"}
_EACH = 0.3


@dataclass(frozen=True, slots=True)
class Noise:
    """Shares from 0 to 1: of gaps between hanzi that get a space, of paragraphs with a line broken
    and with full-width digits, of plain paragraphs with confused letters."""

    spaces: float
    breaks: float
    wide: float
    alike: float

    @classmethod
    def some(cls, rng: Random) -> Noise:
        return cls(*(rng.choice((0.0, most / 2, most)) for most in (0.08, 0.2, 0.25, 0.3)))


def noisy(blocks: list[Block], noise: Noise, rng: Random) -> list[Block]:
    return [_block(block, noise, rng) for block in blocks]


def _block(block: Block, noise: Noise, rng: Random) -> Block:
    if block.kind == "table":
        if not (block.plain and rng.random() < noise.alike):
            return block
        head, *rows = block.rows
        alike = tuple((row[0], *(_confused(cell, rng) for cell in row[1:])) for row in rows)
        return replace(block, rows=(head, *alike))
    if block.kind != "text":
        return block
    text = block.text
    if block.plain and rng.random() < noise.alike:
        text = _confused(text, rng)
    if rng.random() < noise.wide:
        text = text.translate(_WIDE)
    text = _BETWEEN.sub(lambda _: " " if rng.random() < noise.spaces else "", text)
    if len(text) > 30 and rng.random() < noise.breaks:
        text = _broken(text, rng)
    return replace(block, text=text)


def _confused(text: str, rng: Random) -> str:
    return "".join(_ALIKE.get(c, c) if rng.random() < _EACH else c for c in text)


def _broken(text: str, rng: Random) -> str:
    """At a space where there are any: words are not torn."""
    gaps = [at for at, letter in enumerate(text) if letter == " " and at > 10]
    at = rng.choice(gaps) if gaps else rng.randrange(10, len(text) - 5)
    return f"{text[:at].rstrip()}\n{text[at:].lstrip()}"
