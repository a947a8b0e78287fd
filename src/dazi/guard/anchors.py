"""Where in a text a recogniser could find anything: the few places that its pattern is tried at.

Chinese prose is nearly all hanzi; digits in a row, an @, the word 密码 are rare. Hyperscan finds
them where it is installed (``hyperscan_anchors``), and Python's own expressions elsewhere, in the
string of character classes, where a search that starts with a fixed character takes a nanosecond
a character. Both may point at more places than they need to: whatever a recogniser finds in a whole
text begins and ends within its reach of one of its family's anchors; the tests compare all three.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from dazi.guard.folding import Folded
from dazi.guard.near import Anchors, add_house, add_mailbox
from dazi.guard.recognisers.persons import LABELS, WORDS
from dazi.guard.recognisers.secrets import HAN_LABELS, LONG, WORD_ENDS

_DIGITS = re.compile(rb"0[0 ./(-]{6,}")
_NUMBER = re.compile(rb"0(?:(?:[ ./(-]{0,3}0){6,}|0{0,2}\.0{1,3}\.0{1,3}\.0)")
"""Seven digits or more, however they are grouped; or the four of a network address."""
_COLONS = re.compile(rb":[0a]{0,4}:")
_PLATE = re.compile(rb"P(?:[ .-]?[a0]|(?<=0P))")
_UNIT = re.compile(rb"U(?<=[0Na]U)")
_PERSON = re.compile(rb"L[ (:=\"SPUNILAK]")
_WORD = re.compile(rb"a(?:[a0_-]{%d,}+|[a0_-]*+(?=\"? {0,3}[:=I])|a{1,5}+(?= ))" % (LONG - 1))
"""A long token; a word with a sign behind it; one of six letters at most before a blank."""
_PART = re.compile(rb"[_-]")
_ENDS = (*WORD_ENDS, *WORDS, "bearer")
_LONGEST_END = 6


def class_anchors(folded: Folded) -> Anchors:
    """Stretches of the folded text for each family that has any."""
    text, classes = folded.text, folded.classes
    found: Anchors = defaultdict(list)
    for run in _DIGITS.finditer(classes):
        found["number"] += [m.span() for m in _NUMBER.finditer(classes, *run.span())]
    found["colons"] = [m.span() for m in _COLONS.finditer(classes)]
    found["plate"] = [m.span() for m in _PLATE.finditer(classes)]
    for at in _all(classes, b"@"):
        add_mailbox(text, at, found)
    for m in _UNIT.finditer(classes):
        add_house(text, m.start(), found)
    found["home"] = [(at, at) for at in _all(classes, b"A")]
    for m in _PERSON.finditer(classes):
        if text[max(0, m.start() - 5) : m.start() + 1].endswith(LABELS):
            found["person"].append((m.start(), m.start()))
    for at in _all(classes, b"K"):
        if text[at - 1 : at + 1] in HAN_LABELS or text[at : at + 2] in HAN_LABELS:
            found["secret"].append((at, at))
    if b"a" in classes:
        for m in _WORD.finditer(classes):
            _latin(text, classes, m, found)
    if b"-" in classes:
        found["block"] = [(at, at) for at in _all(classes, b"-----")]
    return found


def _latin(text: str, classes: bytes, m: re.Match[bytes], found: Anchors) -> None:
    """A long token, or a label that a secret or a name may follow."""
    start, end = m.span()
    if end - start >= LONG:
        found["token"].append((start, start))
        found["token"] += [(p.end(), p.end()) for p in _PART.finditer(classes, start, end)]
    word = text[max(start, end - _LONGEST_END) : end].lower()
    if word.endswith(_ENDS):
        found["bearer" if word.endswith("bearer") else "word"].append((start, end))
    if classes.startswith(b"://", end):
        found["url"].append((end, end))


def _all(classes: bytes, part: bytes) -> Iterator[int]:
    at = classes.find(part)
    while at >= 0:
        yield at
        at = classes.find(part, at + 1)
