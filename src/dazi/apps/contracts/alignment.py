"""The contract beside the company's template: what is the same, moved, changed, missing, added."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dazi.apps.contracts.clauses import Clause, Contract, blank
from dazi.apps.contracts.likeness import essence, likeness
from dazi.apps.contracts.roles import Roles, roles_of
from dazi.apps.contracts.topics import topics_of

MATCHED = 0.40
"""A likeness from which on two clauses are about the same."""
PRESENT = 0.22
"""Below it, and without a clause of the topic, what a clause says is missing."""
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


def align(template: Contract, contract: Contract) -> Alignment:
    our_roles = roles_of(template)
    their_roles = roles_of(contract, our_roles)
    ours, theirs = _compared(template), _compared(contract)
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
    missing = [i for i in sorted(free_ours) if _is_missing(i, scores, topics, mine[i], other)]
    joined = sorted(pairs)
    kept = _in_order([j for _, j in joined])
    return Alignment(
        template,
        contract,
        our_roles,
        their_roles,
        tuple(
            Pair(ours[i], theirs[j], float(scores[i, j]), n not in kept)
            for n, (i, j) in enumerate(joined)
        ),
        tuple(ours[i] for i in missing),
        tuple(theirs[j] for j in sorted(free_theirs)),
    )


def _compared(contract: Contract) -> list[Clause]:
    out: list[Clause] = []
    for c in contract.body:
        text = re.sub(r"\s", "", c.text)
        if c.table or len(text) < SHORTEST or (not c.number and c.article < 0):
            continue
        if re.match(
            r"(?:甲方|乙方|Party [AB])?[（(]?(?:签字|盖章|签章|法定代表人|日期|By:|Name:|Title:|Date:|Signed)",
            text,
        ):
            continue
        if blank(c.text) and len(re.sub(r"[_＿\s\W]", "", c.text)) < SHORTEST:
            continue
        out.append(c)
    return out


def _by_topic(ours: Sequence[tuple[str, ...]], theirs: Sequence[tuple[str, ...]]) -> np.ndarray:
    """What a topic in common adds."""
    out = np.zeros((len(ours), len(theirs)))
    for i, mine in enumerate(ours):
        for j, other in enumerate(theirs):
            if mine and other:
                same = len(set(mine[:2]) & set(other[:2]))
                out[i, j] = 0.16 if mine[0] == other[0] else 0.08 if same else -0.06
    return out


def _is_missing(
    i: int,
    scores: np.ndarray,
    topics: tuple[list[tuple[str, ...]], list[tuple[str, ...]]],
    mine: str,
    other: Sequence[str],
) -> bool:
    """Not where clauses of its topic, taken together, say most of it: it was split or merged."""
    best = float(scores[i].max(initial=0.0))
    if best >= MATCHED:
        return False
    wanted = topics[0][i][:1]
    near = [t for t, of in zip(other, topics[1], strict=True) if wanted and wanted[0] in of[:2]]
    together = "".join(near)
    if not together:
        return best < 0.34
    grams = (
        {mine[k : k + 2] for k in range(len(mine) - 1)}
        if " " not in mine.strip()
        else set(mine.split())
    )
    covered = sum(g in together for g in grams) / max(len(grams), 1)
    return best < PRESENT + 0.08 and covered < 0.5


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


def moved(alignment: Alignment) -> Iterator[Pair]:
    return (p for p in alignment.pairs if p.moved)
