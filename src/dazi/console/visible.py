"""What cannot be seen in a text, as a page shows it."""

from __future__ import annotations

import unicodedata
from html import escape

from dazi.core.visible import has_hidden, is_hidden, reveal

__all__ = ["has_hidden", "is_hidden", "reveal", "reveal_html"]


def reveal_html(text: str) -> str:
    """``text`` as HTML: everything escaped, each hidden character a mark with its code."""
    return "".join(_mark(c) if is_hidden(c) else escape(c) for c in text)


def _mark(char: str) -> str:
    name = escape(unicodedata.name(char, "control character"))
    return f'<mark class="dz-hidden" title="{name}">U+{ord(char):04X}</mark>'
