"""The front matter of a Markdown file: what it says of itself between two lines of ``---``."""

from __future__ import annotations

import re

HEAD = 8_192
"""Characters within which it ends; what is longer is text."""
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


def front_matter(text: str) -> tuple[str, str]:
    """It, and the rest of ``text``; ``("", text)`` where there is none."""
    found = _FRONT.match(text[:HEAD])
    return (found[1], text[found.end() :]) if found else ("", text)
