"""Which users a page shows: what is looked for, in order, a page at a time."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from dazi.access.accounts import LOCAL, Account
from dazi.access.people import FILE

PATH = "/people"
SHOWN = 50
LONGEST = 200
NAMES = ("q", "role", "state", "sort", "after")

_IS: Mapping[str, Callable[[Account], bool]] = {
    "active": lambda a: not a.disabled,
    "disabled": lambda a: a.disabled,
    "service": lambda a: a.kind == "service",
    "local": lambda a: a.source == LOCAL,
    "file": lambda a: a.source == FILE,
    "outside": lambda a: a.source not in (LOCAL, FILE),
}
_KEYS: Mapping[str, Callable[[Account], Any]] = {
    "user": lambda a: (a.user,),
    "name": lambda a: (a.name.zh, a.user),
    "department": lambda a: (department(a), a.user),
    "newest": lambda a: (-a.created, a.user),
}
Expand = Callable[[frozenset[str]], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """``after``: the user that the page before ended with."""

    q: str = ""
    role: str = ""
    state: str = ""
    sort: str = "user"
    after: str = ""

    def address(self, after: str = "") -> str:
        given = {"q": self.q, "role": self.role, "state": self.state, "after": after}
        given["sort"] = "" if self.sort == "user" else self.sort
        query = urlencode({k: v for k, v in given.items() if v})
        return f"{PATH}?{query}" if query else PATH


@dataclass(frozen=True, slots=True)
class Part:
    """``total``: of all pages; ``after``: where the next one begins, empty for none."""

    accounts: tuple[Account, ...]
    total: int
    after: str
    left: int


def asked(address: Mapping[str, str]) -> Asked:
    given = {name: address.get(name, "").strip()[:LONGEST] for name in NAMES}
    if given["sort"] not in _KEYS:
        given["sort"] = "user"
    return Asked(**given)


def part(accounts: Sequence[Account], wanted: Asked, expand: Expand, size: int = SHOWN) -> Part:
    """``expand``: roles with what they include."""
    word = plain(wanted.q)
    key = _KEYS[wanted.sort]
    chosen = _IS.get(wanted.state)
    found = [
        a
        for a in accounts
        if (chosen is None or chosen(a))
        and (not wanted.role or wanted.role in expand(a.roles))
        and (not word or word in said(a))
    ]
    found.sort(key=key)
    begin = 0
    last = next((a for a in accounts if a.user == wanted.after), None) if wanted.after else None
    if last is not None:
        begin = bisect_right(found, key(last), key=key)
    shown = found[begin : begin + size]
    left = len(found) - begin - len(shown)
    return Part(tuple(shown), len(found), shown[-1].user if left > 0 else "", left)


def said(a: Account) -> str:
    words = [a.user, a.name.zh, a.name.en, a.department, *a.attributes.values()]
    return plain("\n".join(words))


def department(a: Account) -> str:
    return a.department or a.attributes.get("department", "")


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
