"""Two runs over the same items, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.lab.evals.figures import RIGHT, Scored, scored
from dazi.lab.evals.intervals import Interval, Paired, grouped_gap, newcombe
from dazi.lab.evals.runs import RunFolder, RunHead
from dazi.ops.experiments.sequential import mcnemar, sign_flips

BOOTSTRAP, NEWCOMBE = "bootstrap", "newcombe"


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric over the ``n`` items of which both runs say something: ``gap`` is ``second`` less
    ``first``, with its 95 % bounds by ``method``; ``p``: how likely a gap at least as large is where the
    runs are as good. ``gained`` and ``lost`` count items (none of values between 0 and 1)."""

    metric: str
    n: int
    first: float
    second: float
    gap: float
    low: float
    high: float
    p: float
    method: str
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """``gained`` and ``lost``: ids of items that turned right, or wrong. ``ms``: the mean difference of
    time, and its p by flipping signs. ``unmatched``: items that one of the runs lacks."""

    first: RunHead
    second: RunHead
    differences: tuple[Difference, ...]
    groups: dict[str, Difference]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    ms: float
    ms_p: float
    tokens: float
    unmatched: int
    notes: tuple[Text, ...] = ()

    def of(self, metric: str, group: str = "") -> Difference | None:
        if group:
            return self.groups.get(f"{group}/{metric}")
        return next((d for d in self.differences if d.metric == metric), None)


def compare(first: RunFolder, second: RunFolder) -> Comparison:
    """Raises ``CallerError`` where the runs have no item in common."""
    heads = first.head, second.head
    one = {i.id: i for i in scored(first.records())}
    two = {i.id: i for i in scored(second.records())}
    pairs = [(one[i], two[i]) for i in one if i in two]
    if not pairs:
        raise CallerError(
            "no_pairs",
            f"{heads[0].id} 和 {heads[1].id} 没有共同的题目,比不了",
            f"{heads[0].id} and {heads[1].id} have no item in common",
        )
    seed = heads[0].seed
    names = dict.fromkeys(n for a, _ in pairs for n in a.scores)
    found = [d for n in names if (d := _difference(n, pairs, seed)) is not None]
    groups: dict[str, Difference] = {}
    for group, some in _parts(pairs).items():
        for name in names:
            if (d := _difference(name, some, seed)) is not None:
                groups[f"{group}/{name}"] = d
    gaps = [b.ms - a.ms for a, b in pairs]
    tokens = [_tokens(b) - _tokens(a) for a, b in pairs]
    return Comparison(
        *heads,
        tuple(found),
        groups,
        tuple(a.id for a, b in pairs if not a.scores[RIGHT] and b.scores[RIGHT]),
        tuple(a.id for a, b in pairs if a.scores[RIGHT] and not b.scores[RIGHT]),
        sum(gaps) / len(gaps),
        sign_flips(gaps, seed=seed),
        sum(tokens) / len(tokens),
        len(one.keys() ^ two.keys()),
        tuple(_notes(*heads, len(one.keys() ^ two.keys()))),
    )


def _parts(pairs: Sequence[tuple[Scored, Scored]]) -> dict[str, list[tuple[Scored, Scored]]]:
    """By group, and by language where there are several, called as ``groups_of`` calls them."""
    out: dict[str, list[tuple[Scored, Scored]]] = {}
    for pair in pairs:
        out.setdefault(pair[0].group, []).append(pair)
    languages: dict[str, list[tuple[Scored, Scored]]] = {}
    for pair in pairs:
        languages.setdefault(f"[{pair[0].language}]", []).append(pair)
    return out | (languages if len(languages) > 1 else {})


def _difference(name: str, pairs: Sequence[tuple[Scored, Scored]], seed: int) -> Difference | None:
    both = [
        (float(x), float(y), a.conversation or a.id)
        for a, b in pairs
        if (x := a.scores.get(name)) is not None and (y := b.scores.get(name)) is not None
    ]
    if not both:
        return None
    first, second = sum(x for x, _, _ in both) / len(both), sum(y for _, y, _ in both) / len(both)
    gained = sum(x < y for x, y, _ in both)
    lost = sum(x > y for x, y, _ in both)
    binary = all(v in (0, 1) for x, y, _ in both for v in (x, y))
    alone = len({c for _, _, c in both}) == len(both)
    if binary and alone:
        p11 = sum(bool(x and y) for x, y, _ in both)
        interval = newcombe(Paired(p11, lost, gained, len(both) - p11 - lost - gained))
    else:
        befores, afters, talks = (list(c) for c in zip(*both, strict=True))
        interval = grouped_gap(befores, afters, talks, seed)
    p = mcnemar(lost, gained) if binary and alone else _p_of_groups(both, seed)
    method = NEWCOMBE if binary and alone else BOOTSTRAP
    return _made(name, len(both), (first, second), interval, p, method, (gained, lost))


def _p_of_groups(both: Sequence[tuple[float, float, str]], seed: int) -> float:
    """By flipping the signs of whole conversations."""
    sums: dict[str, float] = {}
    for x, y, conversation in both:
        sums[conversation] = sums.get(conversation, 0.0) + y - x
    return sign_flips(list(sums.values()), seed=seed)


def _made(
    name: str,
    n: int,
    shares: tuple[float, float],
    interval: Interval,
    p: float,
    method: str,
    turned: tuple[int, int],
) -> Difference:
    gap = shares[1] - shares[0]
    return Difference(name, n, *shares, gap, interval.low, interval.high, p, method, *turned)


def _tokens(item: Scored) -> int:
    return item.tokens.prompt + item.tokens.completion


def _notes(first: RunHead, second: RunHead, unmatched: int) -> list[Text]:
    out = []
    if first.data.sha256 != second.data.sha256:
        out.append(Text("两次的题目数据不同", "the data of the two differ"))
    if first.company != second.company:
        out.append(Text("两次的公司声明不同", "the company's declarations differ"))
    for head in (first, second):
        if not head.ended:
            out.append(
                Text(
                    f"{head.id} 没有跑完({head.done}/{head.of})",
                    f"{head.id} is not finished ({head.done}/{head.of})",
                )
            )
    if unmatched:
        out.append(
            Text(f"{unmatched} 道题只有一次有", f"{unmatched} items are in one of them alone")
        )
    return out
