"""Which faults a contract gets, and in which order its clauses stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bench.contracts.texts import Clause, Inserted, Kind, Paragraph, Plant


@dataclass(frozen=True, slots=True)
class Option:
    """One possible fault. ``takes`` are the paragraphs (``clause.paragraph``) that no other fault
    may touch then, ``needs`` the clauses that must stand."""

    kind: str
    topic: str
    severity: str
    clause: Clause
    takes: frozenset[str]
    needs: frozenset[str]
    paragraph: Paragraph | None = None
    plant: Plant | None = None
    inserted: Inserted | None = None

    def bars(self, other: Option) -> bool:
        removed = {self.clause.id} if self.whole_clause else set()
        removed_there = {other.clause.id} if other.whole_clause else set()
        return bool(
            self.takes & other.takes
            or removed & other.needs
            or removed_there & self.needs
            or (self.kind, self.topic) == (other.kind, other.topic)
        )

    @property
    def whole_clause(self) -> bool:
        return self.kind == "missing" and self.paragraph is None


def options(kind: Kind) -> list[Option]:
    out: list[Option] = []
    clauses = {clause.id: clause for clause in kind.clauses}
    for clause in kind.clauses:
        stands = frozenset({clause.id})
        all_of_it = frozenset(f"{clause.id}.{paragraph.id}" for paragraph in clause.paragraphs)
        if clause.removable:
            topic = f"no_{clause.id}"
            out.append(Option("missing", topic, clause.removable, clause, all_of_it, frozenset()))
        for paragraph in clause.paragraphs:
            taken = frozenset({f"{clause.id}.{paragraph.id}"})
            if paragraph.removable:
                topic = f"no_{clause.id}_{paragraph.id}"
                out.append(
                    Option("missing", topic, paragraph.removable, clause, taken, stands, paragraph)
                )
            out += [
                Option(p.kind, p.topic, p.severity, clause, taken, stands, paragraph, p)
                for p in paragraph.plants
            ]
    for one in kind.inserted:
        into = clauses.get(one.into, kind.clauses[-1])
        contrary = {one.contrary} if one.contrary else set()
        stands = frozenset({into.id} | {name.split(".")[0] for name in contrary})
        out.append(
            Option(
                one.kind, one.topic, one.severity, into, frozenset(contrary), stands, inserted=one
            )
        )
    return out


def choose(kind: Kind, count: int, used: Counter[str], rng: Random) -> list[Option]:
    """``count`` faults that don't get in each other's way, of at least two kinds where there are
    two or more; those seldom ``used`` so far come first, so that all get their turn."""
    chosen: list[Option] = []
    left = options(kind)
    rng.shuffle(left)
    while left and len(chosen) < count:
        met = {option.kind for option in chosen}
        best = min(
            left,
            key=lambda o: (_uses(used, kind, o), len(met) < 2 and o.kind in met, o.kind in met),
        )
        chosen.append(best)
        used[_key(kind, best)] += 1
        left = [option for option in left if not option.bars(best)]
    return chosen


def _uses(used: Counter[str], kind: Kind, option: Option) -> int:
    return used[_key(kind, option)]


def _key(kind: Kind, option: Option) -> str:
    return f"{kind.language} {kind.kind} {option.kind} {option.topic}"


def arranged(kind: Kind, chosen: Sequence[Option], rng: Random | None) -> list[Clause]:
    """The clauses that stand, the movable ones among them in another order; without ``rng`` in the
    template's."""
    gone = {option.clause.id for option in chosen if option.whole_clause}
    standing = [clause for clause in kind.clauses if clause.id not in gone]
    if rng is None:
        return standing
    movable = [clause for clause in standing if clause.movable]
    rng.shuffle(movable)
    return [movable.pop() if clause.movable else clause for clause in standing]
