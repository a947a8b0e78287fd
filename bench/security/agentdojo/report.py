"""What was tried and what came of it, as figures and as Markdown tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bench.security.agentdojo.drive import Attack, Combination, Done

HELD = ("policies, attentive", "policies, careless", "policies, outright")
"""The settings under which nothing may be executed."""


@dataclass(slots=True)
class Attacks:
    """``combinations``: those whose text the task shows while nothing is guarded. ``read``: those
    where the model still read it. ``which``: what was executed."""

    suite: str
    setting: str
    combinations: int = 0
    read: int = 0
    executed: int = 0
    by_person: int = 0
    which: Counter[str] = field(default_factory=Counter)

    @property
    def by_rule(self) -> int:
        return self.read - self.executed - self.by_person

    def add(self, over: Combination, attack: Attack) -> None:
        self.combinations += 1
        self.read += attack.read
        self.executed += attack.executed
        self.by_person += attack.asked and not attack.executed
        if attack.executed:
            self.which[f"{over.injection.id} in {over.task.id}"] += 1


@dataclass(slots=True)
class Benign:
    """``alone``: tasks done without a person; ``confirmed``: with somebody's approval; ``answered``:
    with a value that the person was asked for, too. ``refused``: which call, and why."""

    suite: str
    setting: str
    tasks: int = 0
    alone: int = 0
    confirmed: int = 0
    answered: int = 0
    refused: list[str] = field(default_factory=list)
    calls: int = 0
    confirmations: int = 0
    questions: int = 0

    @property
    def possible(self) -> float:
        """The share of the tasks that can be done."""
        return 1 - len(self.refused) / self.tasks

    def add(self, done: Done) -> None:
        self.tasks += 1
        self.calls += done.calls
        self.confirmations += done.confirmations
        self.questions += done.questions
        if done.refused:
            self.refused.append(done.refused)
        elif done.questions:
            self.answered += 1
        elif done.confirmations:
            self.confirmed += 1
        else:
            self.alone += 1


@dataclass(slots=True)
class Report:
    """A row a suite and setting. ``words_only``: attacks that want words and are not counted."""

    attacks: list[Attacks] = field(default_factory=list)
    benign: list[Benign] = field(default_factory=list)
    words_only: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def tried(self) -> int:
        """Attacks that a model read and obeyed, over all settings."""
        return sum(a.read for a in self.attacks)

    @property
    def violations(self) -> Counter[str]:
        """Attacks executed where nothing may be."""
        out: Counter[str] = Counter()
        for a in self.attacks:
            if a.setting in HELD:
                out.update({f"{a.suite} ({a.setting}): {w}": n for w, n in a.which.items()})
        return out


LEGEND = (
    "Attentive people approve what the task needs, careless ones whatever they are shown. Where a "
    "policy wants a second person, that one is attentive, but for `both careless`; under `outright` "
    "they refuse everything, as if the policy forbade it."
)


def markdown(report: Report) -> str:
    """The tables, and a line for each thing that somebody should look at."""
    return "\n".join(
        [
            LEGEND,
            "",
            "| suite | guards | combinations | read | executed | stopped by a rule | by a person |",
            "|---|---|---|---|---|---|---|",
            *map(_attack_row, [*report.attacks, *_all_attacks(report.attacks)]),
            "",
            "| suite | guards | tasks | alone | confirmed | with an answer | refused | possible "
            "| calls | confirmations | questions |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
            *map(_benign_row, [*report.benign, *_all_benign(report.benign)]),
            "",
            *_lines(report),
        ]
    )


def _attack_row(a: Attacks) -> str:
    return (
        f"| {a.suite} | {a.setting} | {a.combinations:,} | {a.read:,} | {a.executed:,} "
        f"| {a.by_rule:,} | {a.by_person:,} |"
    )


def _benign_row(b: Benign) -> str:
    return (
        f"| {b.suite} | {b.setting} | {b.tasks} | {b.alone} | {b.confirmed} | {b.answered} "
        f"| {len(b.refused)} | {b.possible:.1%} | {b.calls} "
        f"| {b.confirmations} ({b.confirmations / b.calls:.1%}) | {b.questions} |"
    )


def _all_attacks(rows: Iterable[Attacks]) -> list[Attacks]:
    sums: dict[str, Attacks] = {}
    for a in rows:
        total = sums.setdefault(a.setting, Attacks("all", a.setting))
        total.combinations += a.combinations
        total.read += a.read
        total.executed += a.executed
        total.by_person += a.by_person
    return list(sums.values())


def _all_benign(rows: Iterable[Benign]) -> list[Benign]:
    sums: dict[str, Benign] = {}
    for b in rows:
        total = sums.setdefault(b.setting, Benign("all", b.setting))
        total.tasks += b.tasks
        total.alone += b.alone
        total.confirmed += b.confirmed
        total.answered += b.answered
        total.refused += b.refused
        total.calls += b.calls
        total.confirmations += b.confirmations
        total.questions += b.questions
    return list(sums.values())


def _lines(report: Report) -> Iterator[str]:
    for b in report.benign:
        if b.refused:
            yield f"refused, {b.suite}, {b.setting}: {'; '.join(b.refused)}"
    for what, times in report.violations.most_common():
        yield f"executed, {what}: {times}"
    yield f"words only, not counted: {', '.join(report.words_only) or 'none'}"
    yield f"{report.seconds:.0f} seconds"
