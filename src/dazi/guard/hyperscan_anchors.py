"""Anchors found by Hyperscan, in the UTF-16 form of the folded text: two bytes a character, so that
a byte offset is a place. Fixed strings and expressions are two databases, each as fast as it can be.

``find`` gives ``None`` where the package is not installed or does not run.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from threading import Lock
from typing import Any

from dazi.guard.folding import Folded, members
from dazi.guard.near import Anchors, add_house, add_mailbox
from dazi.guard.recognisers.persons import LABELS
from dazi.guard.recognisers.secrets import HAN_LABELS, PREFIXES

try:
    hyperscan: Any = import_module("hyperscan")
except ImportError:  # no wheel for this platform: ``anchors.class_anchors`` does the same
    hyperscan = None

Add = Callable[[str, int, Anchors], None]
"""Takes the text, the place behind what was found, and what is known so far."""

_GAP = r"[ \t./()（）·—―-]{0,3}"
_STRETCH = re.compile(rf"[0-9](?:{_GAP}[0-9]){{6,}}")
_DOTTED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_BACK = 25
"""Characters of six digits and the gaps between seven."""
_DIGITS = 0
_LABELS = [
    "passw",
    "passc",
    "passp",
    "pwd",
    "secret",
    "token",
    "key",
    "name",
    "contact",
    "authorization",
]
_LONGEST_LABEL = 14

_EXPRESSIONS = (
    rb"[0-9]\x00(?:(?:[ \t./()\xb7-]\x00|[\x08\x09]\xff|[\x14\x15]\x20){0,3}[0-9]\x00){6}",
    rb"[0-9]\x00\.\x00(?:[0-9]\x00){1,3}\.\x00[0-9]\x00",
    rb":\x00(?:[0-9A-Fa-f]\x00){0,4}:\x00",
)


def find(folded: Folded) -> Anchors | None:
    """Stretches of the folded text for each family that has any."""
    if hyperscan is None or (databases := _databases()) is None:
        return None
    numbers, words, adding = databases
    hits: list[tuple[int, int]] = []

    def note(i: int, _start: int, end: int, _flags: int, _context: object) -> None:
        if not end & 1:  # between two characters, not within one
            hits.append((i, end >> 1))

    with _LOCK:
        numbers.scan(folded.raw, match_event_handler=note)
        words.scan(folded.raw, match_event_handler=note)
    found: Anchors = defaultdict(list)
    text, done = folded.text, 0
    for i, end in hits:
        if i == _DIGITS:
            if end > done:  # reported once more for every further digit
                done = _stretch(text, max(done, end - _BACK), found)
        else:
            adding[i](text, end, found)
    return found


_LOCK = Lock()
"""A database has one scratch space."""


def _stretch(text: str, since: int, found: Anchors) -> int:
    m = _STRETCH.search(text, since)
    assert m is not None  # Hyperscan has seen one that ends behind ``since``
    found["number"].append(m.span())
    return m.end()


def _dotted(text: str, end: int, found: Anchors) -> None:
    m = _DOTTED.search(text, max(0, end - 9), end + 16)
    if m is not None and m.span() not in found["number"]:
        found["number"].append(m.span())


def _colons(_text: str, end: int, found: Anchors) -> None:
    found["colons"].append((max(0, end - 6), end))


def _plate(_text: str, end: int, found: Anchors) -> None:
    found["plate"].append((end - 2, end))


def _house(text: str, end: int, found: Anchors) -> None:
    add_house(text, end - 1, found)


def _mailbox(text: str, end: int, found: Anchors) -> None:
    add_mailbox(text, end - 1, found)


def _word(_text: str, end: int, found: Anchors) -> None:
    found["word"].append((max(0, end - _LONGEST_LABEL), end))


def _ending(family: Any, back: int) -> Add:
    def add(_text: str, end: int, found: Anchors) -> None:
        found[family].append((end - back, end - back))

    return add


def _fixed() -> Iterator[tuple[str, Add]]:
    """The strings that are looked for, and what each adds."""
    latin, provinces = string.ascii_letters, members("P")
    numerals = string.digits + members("N") + latin
    for province in provinces:
        for c in f"{latin}{string.digits} .·-领":
            yield province + c, _plate
    for digit in string.digits:
        yield digit + "使", _plate
    for unit in members("U"):
        for numeral in numerals:
            yield numeral + unit, _house
    for label in LABELS:
        yield label, _ending("person", 1)
    for label in HAN_LABELS:
        yield label, _ending("secret", 1)
    yield "址", _ending("home", 1)
    yield "@", _mailbox
    yield "://", _ending("url", 3)
    yield "-----", _ending("block", 5)
    for prefix in PREFIXES:
        yield prefix, _ending("token", len(prefix))


@cache
def _databases() -> tuple[Any, Any, list[Add]] | None:
    """For expressions and for fixed strings, and what each finding adds, by its number.

    Takes a tenth of a second. ``None`` where the processor lacks what Hyperscan needs.
    """
    fixed = list(_fixed())
    caseless = [*_LABELS, "bearer"]
    adding = [_dotted, _dotted, _colons, *(add for _, add in fixed)]
    adding += [_word] * len(_LABELS) + [_ending("bearer", 6)]
    flags = [0] * len(fixed) + [hyperscan.HS_FLAG_CASELESS] * len(caseless)
    dotall = [hyperscan.HS_FLAG_DOTALL] * len(_EXPRESSIONS)
    words = [_bytes(text) for text in [*(text for text, _ in fixed), *caseless]]
    try:
        numbers = _compiled(list(_EXPRESSIONS), dotall, 0)
        return numbers, _compiled(words, flags, len(_EXPRESSIONS)), adding
    except hyperscan.HyperscanError:
        return None


def _compiled(expressions: list[bytes], flags: list[int], first: int) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    n = len(expressions)
    database.compile(
        expressions=expressions, ids=list(range(first, first + n)), elements=n, flags=flags
    )
    return database


def once_each(strings: list[tuple[int, str]]) -> Any:
    """A database that reports each number once if any of its strings is there, in whatever case;
    ``None`` where there can be none."""
    if hyperscan is None:
        return None
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[_bytes(text) for _, text in strings],
            ids=[number for number, _ in strings],
            elements=len(strings),
            flags=[hyperscan.HS_FLAG_CASELESS | hyperscan.HS_FLAG_SINGLEMATCH] * len(strings),
        )
    except hyperscan.HyperscanError:
        return None
    return database


def _bytes(text: str) -> bytes:
    return b"".join(b"\\x%02x" % byte for byte in text.encode("utf-16-le"))
