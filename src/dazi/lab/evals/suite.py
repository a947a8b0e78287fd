"""What an evaluation is made of: a suite has items, asks each of them, and says what is right."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from dazi.core.engine import Engine, Usage
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.lab.evals.runner import Runner
from dazi.lab.evals.runs import DataOf, digest
from dazi.packs.layers import layers_of


@dataclass(frozen=True, slots=True)
class Item:
    """``asked`` is what the suite needs to ask it. ``conversation``: as in ``ItemRecord``."""

    id: str
    group: str
    language: str
    asked: Any
    conversation: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """``notes``: what was left out, and what the figures do not say."""

    items: tuple[Item, ...]
    data: DataOf
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item; as ``ItemRecord``."""

    scores: Mapping[str, float | None]
    right: bool
    why: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)
    ms: float = 0.0
    error: str = ""
    trace: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """Where data may lie. ``given``: ``--data``, else ``DAZI_EVALDATA``; ``company``: the company's
    folder, whose ``evals/`` holds its own cases. ``bfcl_python``: the Python of an environment with
    ``bfcl-eval``, whose simulated systems some of BFCL is asked of."""

    company: Path
    given: Path | None = None
    bfcl_python: str = ""

    def public(self, name: str) -> Path:
        """The folder of public data of this name: inside of the given one, or that one itself. Raises
        ``CallerError``."""
        if self.given is None:
            raise CallerError(
                "no_data",
                f"这个评测要数据 {name}:用 --data 或 DAZI_EVALDATA 指明放在哪里",
                f"this suite needs the data {name}: say with --data or DAZI_EVALDATA where it lies",
            )
        inside = self.given / name
        folder = inside if inside.is_dir() else self.given
        if not folder.is_dir():
            raise CallerError("no_data", f"没有目录 {folder}", f"there is no folder {folder}")
        return folder

    def own(self, pattern: str) -> list[Path]:
        """The company's own files of this name and those of the packs that it extends, or those that
        were given. Raises ``CallerError`` where there are none."""
        if self.given is not None and self.given.is_file():
            return [self.given]
        given = sorted(self.given.glob(pattern)) if self.given is not None else []
        if found := given or layers_of(self.company).glob(f"evals/{pattern}"):
            return found
        raise CallerError(
            "no_data",
            f"{self.company / 'evals'} 里没有 {pattern};把用例放在那里,或用 --data 指明",
            f"there is no {pattern} in {self.company / 'evals'}: put cases there, or name them with --data",
        )


class Live(Protocol):
    """A company at work: its assistant with effects on, and what its systems hold."""

    @property
    def runner(self) -> Runner: ...

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Of the company's own database."""
        ...

    async def recorded(self) -> list[Mapping[str, Any]]:
        """The ledger's records of tools: ``{"kind", "user", ...}``."""
        ...

    def mails(self) -> int:
        """How many were sent."""
        ...

    def seen(self) -> list[str]:
        """The prompts that the model was given, as texts."""
        ...


class Bench(Protocol):
    """What suites ask with; ``dazi.main.eval_bench`` makes one."""

    @property
    def engine(self) -> Engine: ...

    @property
    def thinking(self) -> bool: ...

    async def still(self) -> Runner:
        """The company's assistant with effects off: tools answer with their declared examples. One for
        all items."""
        ...

    def planted(
        self, examples: Mapping[str, Any], today: date | None = None
    ) -> AbstractAsyncContextManager[Live]:
        """As ``still``, these tools answer so, and nobody was there before."""
        ...

    def live(self, today: date | None = None) -> AbstractAsyncContextManager[Live]:
        """A company of its own, freshly filled, whose tools do what they say."""
        ...

    async def reading(self, documents: Mapping[str, str] | None) -> Runner:
        """A company at work with its documents read, or with these (name of a file -> text) in their place.
        One for all items."""
        ...


class Suite(Protocol):
    """``shared``: its items may be asked at the same time."""

    @property
    def name(self) -> str: ...
    @property
    def about(self) -> Text: ...
    @property
    def shared(self) -> bool: ...

    def load(self, source: Source) -> Loaded:
        """Raises ``CallerError`` where the data is not there or not of its format."""
        ...

    async def ask(self, item: Item, bench: Bench) -> Outcome: ...


def data_of(name: str, parts: Sequence[Path], licence: str = "") -> DataOf:
    """Raises ``CallerError`` for what cannot be read."""
    try:
        return DataOf(name, digest(parts), licence)
    except OSError as e:
        raise CallerError("no_data", f"读不了:{e}", f"cannot read: {e}") from None


def once(loaded: Loaded) -> Loaded:
    """``loaded`` with the first of the items that have one id: a run knows items by it."""
    items: dict[str, Item] = {}
    for item in loaded.items:
        items.setdefault(item.id, item)
    if not (twins := len(loaded.items) - len(items)):
        return loaded
    note = Text(
        f"{twins} 道题的编号前面用过了,没有评",
        f"{twins} items have the id of one before and were left out",
    )
    return replace(loaded, items=tuple(items.values()), notes=(*loaded.notes, note))


def drawn(items: Sequence[Item], limit: int, seed: int) -> list[Item]:
    """At most ``limit`` of them, as evenly from all groups as there are; all with 0. The same seed draws
    the same, in the order in which they stand."""
    if not limit or limit >= len(items):
        return list(items)
    groups: dict[str, list[int]] = {}
    for at, item in enumerate(items):
        groups.setdefault(item.group, []).append(at)
    for name, places in groups.items():
        random.Random(f"{seed} {name}").shuffle(places)
    taken: list[int] = []
    while len(taken) < limit:
        for places in groups.values():
            if places and len(taken) < limit:
                taken.append(places.pop())
    return [items[at] for at in sorted(taken)]
