"""The contract beside the company's template: what is the same, moved, changed, missing, added."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.likeness import coverage, essence, likeness, sentences
from dazi.apps.contracts.numerals import HANZI_NUMBER
from dazi.apps.contracts.roles import Roles, roles_of
from dazi.apps.contracts.topics import topics_of
from dazi.apps.contracts.values import percents, periods

Scores = NDArray[np.float64]
MATCHED = 0.40
"""A likeness from which on two clauses are about the same."""
LEFT_OVER, CLEARLY, SURE = 0.10, 1.35, 0.30
"""What is left is matched down to the first, where it is so many times better than the next best,
or better than the last."""
A_SENTENCE, WITH_NUMBERS, COVERED = 0.30, 0.16, 0.55
"""A likeness from which on a sentence says a clause, and one that gives its very numbers; a share of its words
from which on a clause does."""
LONGER, ALSO = 1.5, 0.5
"""A clause so much longer holds more than one; a sentence so near the best belongs to it."""
SHORTEST = 10
"""Characters of a clause that is compared: signatures and headings are not."""


@dataclass(frozen=True, slots=True)
class Pair:
    """``score``: how alike, 0 to 1; ``moved``: in another place of the order."""

    ours: Clause
    theirs: Clause
    score: float
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Alignment:
    """``pairs`` of template's and contract's clauses; ``missing`` of the template; ``added`` by the
    contract."""

    template: Contract
    contract: Contract
    ours: Roles
    theirs: Roles
    pairs: tuple[Pair, ...]
    missing: tuple[Clause, ...]
    added: tuple[Clause, ...]
    beside: tuple[Clause, ...] = ()
    """Sentences that the contract put under the number of a clause and nothing of the template answers to."""


def align(template: Contract, contract: Contract) -> Alignment:
    our_roles = roles_of(template)
    their_roles = roles_of(contract, our_roles)
    ours, theirs = clauses_compared(template), clauses_compared(contract)
    if not ours or not theirs:
        return Alignment(template, contract, our_roles, their_roles, (), (), ())
    language = contract.language
    mine = [essence(our_roles.marked(c.words), language) for c in ours]
    other = [essence(their_roles.marked(c.words), language) for c in theirs]
    scores = likeness(mine, other, language)
    topics = [topics_of(template, c) for c in ours], [topics_of(contract, c) for c in theirs]
    total = scores + _by_topic(topics[0], topics[1])
    pairs: list[tuple[int, int]] = []
    free_ours, free_theirs = set(range(len(ours))), set(range(len(theirs)))
    order = np.dstack(np.unravel_index(np.argsort(-total, axis=None), total.shape))[0]
    for i, j in order:
        if total[i, j] < MATCHED:
            break
        if i in free_ours and j in free_theirs and scores[i, j] > 0.08:
            pairs.append((int(i), int(j)))
            free_ours.discard(int(i))
            free_theirs.discard(int(j))
    for i, j in _left_over(total, sorted(free_ours), sorted(free_theirs)):
        pairs.append((i, j))
        free_ours.discard(i)
        free_theirs.discard(j)
    joined = sorted(pairs)
    kept = _in_order([j for _, j in joined])
    whole = [
        Pair(ours[i], theirs[j], float(scores[i, j]), n not in kept)
        for n, (i, j) in enumerate(joined)
    ]
    trimmed = [_trimmed(p, our_roles, their_roles, language) for p in whole]
    beside = [
        replace(p.theirs, text=s, title="")
        for p, t in zip(whole, trimmed, strict=True)
        for s in sentences(p.theirs.text)
        if s not in t.theirs.text
    ]
    left = [ours[i] for i in sorted(free_ours)]
    found, left = _beside(left, beside, our_roles, their_roles, language)
    within, missing = _within(contract, left, theirs, our_roles, their_roles, language)
    taken = {p.theirs.text for p in (*found, *within)}
    return Alignment(
        template,
        contract,
        our_roles,
        their_roles,
        (*trimmed, *found, *within),
        tuple(missing),
        tuple(theirs[j] for j in sorted(free_theirs)),
        tuple(b for b in beside if b.text not in taken),
    )


def _beside(
    ours: list[Clause], parts: list[Clause], our_roles: Roles, their_roles: Roles, language: str
) -> tuple[list[Pair], list[Clause]]:
    """Of clauses without a partner, those that a sentence answers to which was put under another's
    number; and the rest."""
    if not ours or not parts:
        return [], ours
    mine = [essence(our_roles.marked(c.words), language) for c in ours]
    other = [essence(their_roles.marked(p.text), language) for p in parts]
    scores = likeness(mine, other, language)
    matched = list(_left_over(scores, range(len(ours)), range(len(parts))))
    taken = {i for i, _ in matched}
    pairs = [Pair(ours[i], parts[j], float(scores[i, j])) for i, j in matched]
    return pairs, [c for n, c in enumerate(ours) if n not in taken]


def clauses_compared(contract: Contract) -> list[Clause]:
    """Clauses with all that hangs on them: lists and what is not numbered belong to what they
    follow."""
    counted = Counter(c.level for c in contract.body if c.number)
    begins = 4 if counted[3] >= 3 or counted[4] >= 3 else 5
    out: list[Clause] = []
    listed = ""
    for c in contract.body:
        if (
            c.table
            or _PARTICULARS.search(c.text)
            or (not c.number and c.article < 0)
            or _SIGNED.match(re.sub(r"\s", "", c.text))
        ):
            continue
        last = out[-1] if out else None
        if last is None or last.article != c.article or _shape(c.number) != listed:
            opens = last is not None and re.search(r"[:：]\s*$", last.text) and c.level >= 5
            listed = _shape(c.number) if opens and last and c.number else ""
            if last is not None and listed == _shape(last.number):
                listed = ""
        within = c.level > begins or (listed and _shape(c.number) == listed)
        if last is not None and last.article == c.article and within and last.level > 2:
            out[-1] = replace(last, text=f"{last.text} {c.number} {c.words}".strip())
        else:
            out.append(c)
    return [c for c in out if len(_letters(c.text)) >= SHORTEST and not _INTRODUCES.match(c.text)]


def _shape(number: str) -> str:
    """How it is written: （一） and （二） alike, 1） otherwise."""
    return re.sub(r"[a-z]+", "a", re.sub(r"\d+", "0", re.sub(rf"{HANZI_NUMBER}+", "一", number)))


_PARTICULARS = re.compile(
    r"法定代表人\s*[:：]|Legal representative\s*:|合同编号\s*[:：]|Agreement no", re.I
)
_SIGNED = re.compile(
    r"(?:甲方|乙方|Party[AB])?[（(]?(?:签字|盖章|签章|法定代表人|日期|签订日期|By:|Name:|Title:|Date:|Signed|Signature)"
)


_INTRODUCES = re.compile(r"(?:[^。；;.]{0,90}|.*(?:下列|以下|[Ff]ollowing)[^。]{0,30})[:：]$")
"""Of a table or a list."""


def _letters(text: str) -> str:
    return re.sub(r"[_＿\s\W]", "", text)


def _by_topic(ours: Sequence[tuple[str, ...]], theirs: Sequence[tuple[str, ...]]) -> Scores:
    """What a topic in common adds."""
    out = np.zeros((len(ours), len(theirs)))
    for i, mine in enumerate(ours):
        for j, other in enumerate(theirs):
            if mine and other:
                same = len(set(mine[:2]) & set(other[:2]))
                out[i, j] = 0.16 if mine[0] == other[0] else 0.08 if same else -0.06
    return out


def _trimmed(pair: Pair, ours: Roles, theirs: Roles, language: str) -> Pair:
    """Of a clause that says more than the template's, the sentences that answer to it: the rest was
    put under the same number."""
    parts = sentences(pair.theirs.text)
    if len(parts) < 2 or len(pair.theirs.text) < LONGER * len(pair.ours.words):
        return pair
    mine = essence(ours.marked(pair.ours.words), language)
    others = [essence(theirs.marked(p), language) for p in parts]
    scores = likeness([mine], others, language)[0]
    best = float(scores.max())
    kept = [p for p, s in zip(parts, scores, strict=True) if s >= best * ALSO]
    glue = "" if language == "zh" else " "
    clause = replace(pair.theirs, text=glue.join(kept), title="")
    whole = essence(theirs.marked(clause.text), language)
    return replace(pair, theirs=clause, score=float(likeness([mine], [whole], language)[0, 0]))


def _left_over(
    total: Scores, ours: Sequence[int], theirs: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Of what found no clear partner, those that are each other's best: a sentence that was worded
    anew has little in common with the old one, and still more than any other."""
    ours, theirs = list(ours), list(theirs)
    while ours and theirs:
        rest = total[np.ix_(ours, theirs)]
        at = np.unravel_index(int(rest.argmax()), rest.shape)
        best = float(rest[at])
        if best < LEFT_OVER:
            return
        i, j = int(at[0]), int(at[1])
        row, column = np.delete(rest[i], j), np.delete(rest[:, j], i)
        if max(row.max(initial=0.0), column.max(initial=0.0)) * CLEARLY < best or best > SURE:
            yield ours[i], theirs[j]
            del ours[i], theirs[j]
        else:
            del ours[i]


def _within(
    contract: Contract,
    ours: Sequence[Clause],
    theirs: Sequence[Clause],
    our_roles: Roles,
    their_roles: Roles,
    language: str,
) -> tuple[list[Pair], list[Clause]]:
    """Of clauses without a partner, those that are one sentence of a longer clause; and those that
    nothing says."""
    pairs: list[Pair] = []
    missing: list[Clause] = []
    parts = [replace(c, text=s, title="") for c in theirs for s in sentences(c.words)]
    if not ours or not parts:
        return pairs, list(ours)
    mine = [essence(our_roles.marked(c.words), language) for c in ours]
    other = [essence(their_roles.marked(p.text), language) for p in parts]
    whole = [essence(their_roles.marked(c.words), language) for c in theirs]
    tables = [essence(their_roles.marked(t.words), language) for t in contract.clauses if t.table]
    scores = likeness(mine, other, language)
    covered = coverage(mine, [*whole, *tables], language)
    for n, clause in enumerate(ours):
        at = int(scores[n].argmax())
        same = _same_numbers(clause, parts[at].text)
        if scores[n, at] >= (WITH_NUMBERS if same else A_SENTENCE):
            pairs.append(Pair(clause, parts[at], float(scores[n, at])))
        elif float(covered[n].max(initial=0.0)) < COVERED:
            missing.append(clause)
    return pairs, missing


def _same_numbers(clause: Clause, said: str) -> bool:
    """Whether a sentence gives the very periods and rates of a clause, which has some."""
    ours = [(p.number, p.unit) for p in periods(clause.text)]
    rates = [p.value for p in percents(clause.text)]
    return (
        bool(ours or rates)
        and sorted(ours) == sorted((p.number, p.unit) for p in periods(said))
        and sorted(rates) == sorted(p.value for p in percents(said))
    )


def _in_order(numbers: Sequence[int]) -> set[int]:
    """Places of the longest run that goes up: what is not in it was moved."""
    best: list[int] = []
    back = [-1] * len(numbers)
    for n, value in enumerate(numbers):
        low, high = 0, len(best)
        while low < high:
            middle = (low + high) // 2
            if numbers[best[middle]] < value:
                low = middle + 1
            else:
                high = middle
        back[n] = best[low - 1] if low else -1
        best[low : low + 1] = [n]
    out: set[int] = set()
    at = best[-1] if best else -1
    while at >= 0:
        out.add(at)
        at = back[at]
    return out
