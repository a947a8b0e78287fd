"""Text that a person must be able to trust: what cannot be seen is shown.

Bidirectional controls can turn the order of what is read around, zero-width characters can make
two values look the same (Unicode TR 36, TR 39).
"""

from __future__ import annotations

import unicodedata

_ORDINARY_SPACES = frozenset(" \u3000")
_LINES = frozenset("\n\t")
# Letters and marks by category that nevertheless draw nothing.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_HIDDEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"))


def is_hidden(char: str) -> bool:
    if char in _ORDINARY_SPACES or char in _LINES:
        return False
    code = ord(char)
    variation = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return variation or char in _BLANK or unicodedata.category(char) in _HIDDEN


def has_hidden(text: str) -> bool:
    return any(map(is_hidden, text))


def reveal(text: str) -> str:
    """``text`` as plain text, each hidden character as ``⟦U+202E⟧``."""
    return "".join(f"⟦U+{ord(c):04X}⟧" if is_hidden(c) else c for c in text)
