"""E-mail addresses."""

from __future__ import annotations

import re
import unicodedata

from dazi.router.normalise.text import Span, pieces

_ATOM = r"a-zA-Z0-9!#$%&'*+/=?^_`{|}~-"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}\.){{1,8}}[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])"
_ADDRESS = re.compile(rf"(?P<local>[{_ATOM}]+(?:\.[{_ATOM}]+)*)@(?P<host>{_HOST})")
_IN_TEXT = re.compile(rf"(?<![a-zA-Z0-9._+-])[a-zA-Z0-9._+-]{{1,64}}@{_HOST}(?![a-zA-Z0-9@-])")
_LONGEST, _LONGEST_LOCAL = 254, 64


def parse_email(text: str) -> str | None:
    """The address with its host in lower case, or ``None``.

    The common form of RFC 5321 only: no quoted local parts, no address literals, nothing beyond
    ASCII; the lengths are those of its section 4.5.3.1.
    """
    if len(text) > 2 * _LONGEST:
        return None
    text = unicodedata.normalize("NFKC", text).strip()
    found = _ADDRESS.fullmatch(text)
    if not found or len(text) > _LONGEST or len(found["local"]) > _LONGEST_LOCAL:
        return None
    return f"{found['local']}@{found['host'].lower()}"


def find_emails(text: str) -> list[Span]:
    """The addresses that a message names."""
    return [
        piece.span(text, m.start(), m.end())
        for piece in pieces(text)
        for m in _IN_TEXT.finditer(piece.folded, piece.start)
        if parse_email(m[0])
    ]
