"""E-mail addresses."""

from __future__ import annotations

import re
import unicodedata

from dazi.router.normalise.text import Span, whole

_ATOM = r"a-zA-Z0-9!#$%&'*+/=?^_`{|}~-"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}\.){{1,8}}[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])"
_ADDRESS = re.compile(rf"(?P<local>[{_ATOM}]+(?:\.[{_ATOM}]+)*)@(?P<host>{_HOST})")
# No part of an address is an address: whatever may stand in one ends none. A quote or a mark of
# emphasis around it is let be, as are a hanzi on either side and the = of "to=li@x.cn".
_INSIDE = _ATOM.replace("=", "")
_IN_TEXT = re.compile(
    rf"(?<![a-zA-Z0-9.][.{_INSIDE}])(?<![a-zA-Z0-9#$%&+/^.-])"
    rf"[a-zA-Z0-9][.{_INSIDE}]{{0,63}}@{_HOST}(?![a-zA-Z0-9@-])"
)
_LETTER = re.compile(r"[^\W\d_\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
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
    piece = whole(text)
    return [
        piece.span(text, m.start(), m.end())
        for m in _IN_TEXT.finditer(piece.folded)
        if parse_email(m[0]) and not _glued(piece.folded, m)
    ]


def _glued(text: str, found: re.Match[str]) -> bool:
    """A letter of another alphabet beside it belongs to the address that was meant."""
    before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
    return bool(_LETTER.fullmatch(before) or _LETTER.fullmatch(after))
