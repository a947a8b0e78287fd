"""Tables as Markdown rows, in pieces that each repeat the header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

ROWS_A_PIECE = 50
CHARACTERS_A_PIECE = 4_000


def pieces(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The rows, first the header, as texts of about so many rows or characters at most. Empty rows
    are left out, and so are the empty cells at the end of a row."""
    header: list[str] | None = None
    piece: list[str] = []
    size = 0
    for row in rows:
        cells = _trimmed(row)
        if not cells:
            continue
        if header is None:
            header = cells
            continue
        line = _line(cells)
        if piece and (len(piece) >= ROWS_A_PIECE or size + len(line) > CHARACTERS_A_PIECE):
            yield _text(header, piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if header is not None and (piece or any(header)):
        yield _text(header, piece)


def _trimmed(row: Sequence[str]) -> list[str]:
    """Without the empty cells at the end; nothing if there is nothing else."""
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return [_cell(c) for c in row[:end]]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _text(header: Sequence[str], lines: Sequence[str]) -> str:
    rule = "|" + " --- |" * len(header)
    return "\n".join([_line(header), rule, *lines])
