"""What was put into, taken out of, or exchanged in a sentence that otherwise stands as the template has it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz.distance import Indel

from dazi.apps.contracts.findings import Severity
from dazi.apps.contracts.polarity import without_harmless
from dazi.core.language import Text

Difference = tuple[Severity, Text]
NEARLY, SWAPPED = 0.72, 0.95
"""Of two sentences' words, the share in common from which on one is the other, edited."""

_WORDS = re.compile(
    r"[ⒼⓉ]|任何一方|双方|对方|守约方|另一方|[A-Za-z][A-Za-z'’\-]*|\d+(?:[.,]\d+)*|[\u3400-\u9fff]"
)
_MUTUAL = re.compile(
    r"任何一方|任一方|双方|各方|对方|守约方|另一方|受损方|\b(?:either|each|neither|both|any|the other|other|injured|innocent) part(?:y|ies)\b|\bthe other\b", re.I
)  # fmt: skip
_NO = re.compile(
    r"\bneither\b|\bcannot\b|不得|不应|不会|不再|不予|无权|无须|无需|不必|不承担|不负|不保证|不享有|(?<![无])不(?=[\u3400-\u9fff])|\b(?:not|never|no|cannot|nor|inadequate|insufficient)\b", re.I
)  # fmt: skip
_DENYING = re.compile(r"not|no|never|do|does|did|shall|will|is|are|be|[不未无非得应当会予]", re.I)
_EXCEPTED = re.compile(
    r"[（(，,]?\s*(?:但)?(?:对)?[ⒼⓉ](?:一方)?(?:除外|不在此限|不受此限)|\bthat of [ⒼⓉ] excepted|\b(?:except|save|excluding)(?: for)?(?: that of)? [ⒼⓉ]|[ⒼⓉ] (?:being )?excepted", re.I
)  # fmt: skip
_BOTH_SIGN = re.compile(r"双方|both (?:of the )?parties|each party|the parties", re.I)
_ONE_SIGNS = re.compile(r"任何?一方|(?<!每)(?<!另)一方|either party|any party|one party", re.I)
_AGREES = re.compile(r"\b(?:consent|approval|agreement of)\b|同意|许可|批准", re.I)
_IS_TOLD = re.compile(
    r"\b(?:inform\w*|notify\w*|notification|telling|notice)\b|通知|告知|知会", re.I
)


def edited(ours: str, theirs: str) -> Iterator[Difference]:
    """Between two sentences with marks for the sides, of which one is the other with a few words changed."""
    mine, other = _WORDS.findall(ours), _WORDS.findall(theirs)
    if not mine or not other:
        return
    if _EXCEPTED.search(theirs) and not _EXCEPTED.search(ours):
        yield "high", Text("对一方作了例外", "one side is excepted")
    if _only_told(ours, theirs):
        yield "medium", Text("要同意的变成了只要通知", "consent became mere notice")
    if _one_signs(ours, theirs):
        yield "medium", Text("要双方签的变成了一方签", "what both sign is signed by one")
    sides = [[w for w in words if w in "ⒼⓉ"] for words in (mine, other)]
    swapped = [{"Ⓖ": "Ⓣ", "Ⓣ": "Ⓖ"}[w] for w in sides[1]]
    if len(sides[0]) >= 2 and sides[0] == swapped != sides[1]:
        neutral = [["Ⓖ" if w in "ⒼⓉ" else w for w in words] for words in (mine, other)]
        if Indel.normalized_similarity(*neutral) >= SWAPPED and ("by" in mine) == ("by" in other):
            yield "high", Text("双方的位置对调了", "the sides have changed places")
    if Indel.normalized_similarity(mine, other) < NEARLY:
        return
    yield from _exchanged(mine, other)


def _only_told(ours: str, theirs: str) -> bool:
    agreed = _AGREES.search(ours) and not _AGREES.search(theirs)
    return bool(agreed and _IS_TOLD.search(theirs) and not _IS_TOLD.search(ours))


def _one_signs(ours: str, theirs: str) -> bool:
    """Whether a paper that both sides sign needs only one."""
    both = _BOTH_SIGN.search(ours) and not _BOTH_SIGN.search(theirs)
    one = _ONE_SIGNS.search(theirs) and not _ONE_SIGNS.search(ours)
    return bool(both and one and re.search(r"签|盖章|sign", ours, re.I))


def _exchanged(mine: list[str], other: list[str]) -> Iterator[Difference]:
    denials = [len(_NO.findall(without_harmless(" ".join(t)))) for t in (mine, other)]
    glue = " " if any(w[0].isascii() for w in mine) else ""
    more = {mark: other.count(mark) - mine.count(mark) for mark in "ⒼⓉ"}
    for gone, new in _spans(mine, other):
        was, now = glue.join(gone), glue.join(new)
        sides_was, sides_now = set(re.findall("[ⒼⓉ]", was)), set(re.findall("[ⒼⓉ]", now))
        if (
            len(sides_was) == 1
            and len(sides_now) == 1
            and sides_was != sides_now
            and more[min(sides_was)] < 0 < more[min(sides_now)]
        ):
            yield "high", Text("换成了另一方", "it is the other side now")
        elif _MUTUAL.search(was) and not sides_was and len(sides_now) == 1:
            yield (
                "medium",
                Text("原来对双方的约定,现在只对一方", "what held for both sides holds for one"),
            )
        denied = [bool(_NO.search(without_harmless(t))) for t in (was, now)]
        if (
            denied[0] != denied[1]
            and denials[0] != denials[1]
            and _without_denial(gone) == _without_denial(new)
        ):
            yield "medium", Text("多了或少了否定", "a denial came or went")


def _without_denial(words: list[str]) -> list[str]:
    """What is left of ``does not warrant`` and of ``warrants``."""
    return [re.sub(r"s$", "", w.lower()) for w in words if not _DENYING.fullmatch(w)]


def _spans(mine: list[str], other: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Runs of words that were replaced: what stood there, what stands there."""
    gone: list[str] = []
    new: list[str] = []
    for op in Indel.opcodes(mine, other):
        if op.tag == "equal":
            if gone or new:
                yield gone, new
            gone, new = [], []
        else:
            gone += mine[op.src_start : op.src_end]
            new += other[op.dest_start : op.dest_end]
    if gone or new:
        yield gone, new
