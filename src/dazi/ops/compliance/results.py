"""What a check saw, and what that means for whoever has to answer for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from dazi.core.language import Text

SHOWN = 5
"""Names and records that are told one by one; of more, only how many there are."""


class Status(StrEnum):
    """``ORGANISATIONAL``: not software's to show. ``NOT_SUPPORTED``: the product does not do it."""

    PASS = "pass"
    FAIL = "fail"
    NOT_SUPPORTED = "not_supported"
    ORGANISATIONAL = "organisational"


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was looked at; not ``ok``: it is what a check fails for."""

    text: Text
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """``mend``: what to do about each failure. ``records``: numbers of audit records spoken of."""

    status: Status
    evidence: tuple[Seen, ...] = ()
    mend: tuple[Text, ...] = ()
    records: tuple[int, ...] = ()


@dataclass(slots=True)
class Notes:
    """Gathers what a check sees, in order."""

    evidence: list[Seen] = field(default_factory=list)
    mend: list[Text] = field(default_factory=list)
    records: list[int] = field(default_factory=list)

    def saw(self, zh: str, en: str) -> None:
        self.evidence.append(Seen(Text(zh, en)))

    def wrong(self, zh: str, en: str, mend: Text) -> None:
        self.evidence.append(Seen(Text(zh, en), ok=False))
        if mend not in self.mend:
            self.mend.append(mend)

    def expect(self, holds: bool, said: Text, otherwise: Text, mend: Text) -> None:
        if holds:
            self.saw(said.zh, said.en)
        else:
            self.wrong(otherwise.zh, otherwise.en, mend)

    def result(self, otherwise: Status = Status.PASS) -> Result:
        """``FAIL`` if anything was wrong, else ``otherwise``."""
        failed = any(not seen.ok for seen in self.evidence)
        status = Status.FAIL if failed else otherwise
        return Result(status, tuple(self.evidence), tuple(self.mend), tuple(self.records[:SHOWN]))


def worst(statuses: Iterable[Status]) -> Status:
    """One failed part fails the whole; an organisational part of it leaves it as it is."""
    found = set(statuses)
    order = (Status.FAIL, Status.NOT_SUPPORTED, Status.PASS)
    return next((s for s in order if s in found), Status.ORGANISATIONAL)


def some(names: Sequence[object]) -> str:
    """The first of them, and how many there are beyond."""
    told = ", ".join(map(str, names[:SHOWN]))
    return f"{told} (+{len(names) - SHOWN})" if len(names) > SHOWN else told


BUG = Text(
    "这是产品的缺陷:请升级,或带着这份报告报告给维护者",
    "this is a fault of the product: update it, or send this report to its maintainers",
)
"""The mend where a mechanism does not do what it is there for."""
