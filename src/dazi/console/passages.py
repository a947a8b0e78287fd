"""Passages of documents as HTML. They are others' words: everything is escaped, what cannot be seen is
shown, and nothing in them is markup but the lines of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.console.visible import reveal_html

_RULE = frozenset("|-: ")
_LONGEST_QUOTE = 2_000
_BETWEEN = re.compile(r"[\s|]+")


def passage_html(text: str, quote: str = "") -> str:
    """``text`` with ``quote`` marked in it, where it stands there."""
    start, end = quoted(text, quote)
    out: list[str] = []
    rows: list[str] = []
    for line, at in _lines(text):
        if line.startswith("|") and line.rstrip().endswith("|"):
            if not set(line) <= _RULE:
                marked = start < at + len(line) and at < end
                rows.append(_row(line, marked, head=not rows))
            continue
        out += _table(rows)
        rows = []
        out.append(f"<p>{_marked(line, start - at, end - at)}</p>")
    return "".join((*out, *_table(rows)))


def quoted(text: str, quote: str) -> tuple[int, int]:
    """Where ``quote`` stands in ``text``, whatever white space or lines of a table are between its
    words; ``(0, 0)`` where it does not."""
    words = [w for w in _BETWEEN.split(quote[:_LONGEST_QUOTE]) if w]
    found = re.search(r"[\s|]*".join(map(re.escape, words)), text) if words else None
    return found.span() if found else (0, 0)


def _lines(text: str) -> Iterator[tuple[str, int]]:
    at = 0
    for line in text.split("\n"):
        if line.strip():
            yield line, at
        at += len(line) + 1


def _marked(line: str, start: int, end: int) -> str:
    start, end = max(start, 0), min(end, len(line))
    if start >= end:
        return reveal_html(line)
    before, within, after = (reveal_html(s) for s in (line[:start], line[start:end], line[end:]))
    return f'{before}<mark class="dz-quoted">{within}</mark>{after}'


def _row(line: str, marked: bool, *, head: bool) -> str:
    cell = "th" if head else "td"
    cells = "".join(
        f"<{cell}>{_marked(c.strip(), 0, len(c) if marked else 0)}</{cell}>"
        for c in line.strip().strip("|").split("|")
    )
    return f"<tr>{cells}</tr>"


def _table(rows: list[str]) -> list[str]:
    return (
        [
            f'<div class="dz-scroll" tabindex="0"><table class="dz-rows">{"".join(rows)}</table></div>'
        ]
        if rows
        else []
    )
