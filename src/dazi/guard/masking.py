"""What a masked finding looks like: its shape stays, and enough of it to tell two apart."""

from __future__ import annotations

from collections.abc import Mapping

from dazi.guard.folding import visible

STAR = "*"
_SECRET = STAR * 6
_LONG = 256

_KEEP: Mapping[str, tuple[int, int]] = {
    "resident_id": (4, 4),
    "bank_card": (4, 4),
    "bank_account": (0, 4),
    "landline": (3, 0),
    "uscc": (4, 4),
    "passport": (1, 3),
    "permit": (1, 3),
    "plate": (2, 1),
    "address": (3, 0),
    "person": (1, 0),
}
"""Letters and digits shown at the beginning and at the end; of other types none are."""


def mask(type_: str, text: str) -> str:
    """``text`` is the finding as it stands in the original; invisible characters are dropped.

    >>> mask("resident_id", "110101199003074610")
    '1101**********4610'
    """
    shown = visible(text)
    if type_ == "api_key" or len(shown) > _LONG:
        return _SECRET
    if type_ == "email":
        name, at, domain = shown.partition("@" if "@" in shown else "＠")
        return name[:1] + STAR * max(len(name) - 1, 1) + at + domain
    places = [i for i, c in enumerate(shown) if c.isalnum()]
    if type_ == "mobile":
        hidden = set(places[-8:-4])
    else:
        first, last = _KEEP.get(type_, (0, 0))
        hidden = set(places[first : len(places) - last] if first + last < len(places) else places)
    return "".join(STAR if i in hidden else c for i, c in enumerate(shown))
