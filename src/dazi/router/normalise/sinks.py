"""Where something goes: amounts of money, web addresses and accounts, as whole values.

A part of an address or of an account number is never that address or number, so these are found
as wholes and compared in one canonical form.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from urllib.parse import urlsplit, urlunsplit

from dazi.router.normalise.numbers import find_numbers, parse_number
from dazi.router.normalise.text import Span, whole

_URL = re.compile(r"[Hh][Tt]{2}[Pp][Ss]?://[^\s<>\"'`\\,;()\u0080-\U0010ffff]+")
_TRAILING = ".,:!?…"
_ACCOUNT = re.compile(
    r"""(?<![A-Za-z0-9])(?:
      [A-Za-z]{2}\d{2}[A-Za-z0-9]{7,30}                        # IBAN (ISO 13616) as it is stored,
    | [A-Za-z]{2}\d{2}[ ][A-Za-z0-9]{4}                        # and as it is printed, in fours; a
      (?:[ ](?=[A-Za-z]{0,3}\d)[A-Za-z0-9]{4}){1,6}            # word that follows has no digit
      (?P<iban>[ ](?=[A-Za-z]{0,2}\d)[A-Za-z0-9]{1,3})?
    | \d{8,34}
    | \d{4}(?:[ ]\d{4}){1,7}(?P<rest>[ ]\d{1,3})?
    | \d{2,8}(?:[ ]?-[ ]?\d{2,8}){1,8}
    | \d{4}(?:[ -]\d{4}){1,7}
    )(?![A-Za-z0-9])""",
    re.VERBOSE,
)
_LONGEST = 2_000


def parse_money(text: str) -> Decimal | None:
    """An amount in yuan, or ``None``: unreadable, or finer than a cent."""
    value = parse_number(text)
    if value is None or value * 100 != (value * 100).to_integral_value():
        return None
    return value


def find_money(text: str) -> list[Span]:
    return [s for s in find_numbers(text) if parse_money(s.text) is not None]


def parse_url(text: str) -> str | None:
    """An http(s) address with its scheme and host in lower case, or ``None``.

    User names in addresses, and hosts that are no plain names or addresses, are refused: they are
    read differently by different programs (RFC 3986, section 7.6).
    """
    text = text.strip()
    if len(text) > _LONGEST or not _URL.fullmatch(text) or not text.isascii():
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if "@" in parts.netloc or not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:.]+", host):
        return None
    shown = f"[{host}]" if ":" in host else host
    place = shown if port is None else f"{shown}:{port}"
    return urlunsplit((parts.scheme.lower(), place, parts.path, parts.query, parts.fragment))


def find_urls(text: str) -> list[Span]:
    found = []
    for m in _URL.finditer(text):
        said = m[0].rstrip(_TRAILING)
        # A path may go on in hanzi after a / or =; what stands before is another address then.
        cut = m[0][-1] in "/=" and text[m.end() : m.end() + 1].isalpha()
        if parse_url(said) and not cut:
            found.append(Span(m.start(), m.start() + len(said), said))
    return found


def parse_account(text: str) -> str | None:
    """An account number without spaces and hyphens, letters in upper case, or ``None``."""
    text = unicodedata.normalize("NFKC", text).strip()
    plain = re.sub(r"[ -]", "", text).upper()
    return plain if _ACCOUNT.fullmatch(text) and 8 <= len(plain) <= 34 else None


def find_accounts(text: str) -> list[Span]:
    """A short group at the end of a spaced number may be its rest or the next thing said, such as
    an amount: then both readings are found."""
    found: list[Span] = []
    piece = whole(text)
    for m in _ACCOUNT.finditer(piece.folded):
        found.append(piece.span(text, m.start(), m.end()))
        if m.lastgroup:
            found.append(piece.span(text, m.start(), m.start(m.lastgroup)))
    return [s for s in found if parse_account(s.text)]
