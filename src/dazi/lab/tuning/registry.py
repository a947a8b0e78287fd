"""The adapters that were tuned here: a folder a version, and which of them is in use.

``adapters/NAME/VERSION/`` holds what PEFT wrote and ``adapter.json``. A version is never changed, but for
two things that come later: what its evaluation said, and that what it was trained on was withdrawn.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.engine import TaughtReply
from dazi.core.errors import CallerError, NotFound
from dazi.inference.adapters import TOLD
from dazi.lab.tuning.datasets import Origin, withdrawn


class Erased(msgspec.Struct, frozen=True):
    """A dataset that an adapter was trained on and that has been withdrawn since."""

    dataset: str
    version: int
    at: str = ""
    why: str = ""

    @property
    def title(self) -> str:
        return f"{self.dataset}@{self.version}"


class AdapterCard(msgspec.Struct, frozen=True, kw_only=True):
    """``adapter.json``. ``base_version``: of the model's profile that it was rendered for. ``loss``: the
    best of the validation. ``evaluated``: the id of the evaluation's run, where there is one; ``gate``:
    whether it passed, and the figures. ``replies``: sentences that it was taught beside its base's."""

    format: int = 1
    name: str
    version: int
    base: str
    base_version: str
    method: str
    made: str
    dazi: str
    datasets: tuple[dict[str, Any], ...] = ()
    recipe: dict[str, Any] = {}
    loss: float | None = None
    trained: dict[str, Any] = {}
    evaluated: str | None = None
    gate: dict[str, Any] = {}
    erased: tuple[Erased, ...] = ()
    replies: tuple[TaughtReply, ...] = ()

    @property
    def passed(self) -> bool | None:
        """``None``: it was not evaluated."""
        found = self.gate.get("passed")
        return found if isinstance(found, bool) else None

    @property
    def title(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Tuned:
    """An adapter and where it lies."""

    card: AdapterCard
    folder: Path


class Registry:
    """Of one data folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.folder = data / "adapters"

    def next_version(self, name: str) -> int:
        return max(self._versions(name), default=0) + 1

    def add(self, made: Path, card: AdapterCard) -> Tuned:
        """Take in what the trainer left in ``made``: the whole folder appears at once."""
        target = self.folder / card.name / str(card.version)
        if target.exists():
            raise CallerError(
                "adapter_exists",
                f"{card.title} 已经有了。",
                f"{card.title} is there already.",
            )
        draft = target.with_name(f".{card.version}.part")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(made, draft)
        _write(draft, card)
        draft.rename(target)
        return Tuned(card, target)

    def all(self) -> tuple[Tuned, ...]:
        """By name, the newest version first, with marks as they are now."""
        return tuple(self._all())

    def get(self, wanted: str) -> Tuned:
        """``NAME@VERSION``, or the newest of ``NAME``. Raises ``NotFound``."""
        name, _, version = wanted.partition("@")
        versions = self._versions(name)
        number = int(version) if version.isdecimal() else max(versions, default=0)
        if number not in versions or (version and not version.isdecimal()):
            known = ", ".join(t.card.title for t in self._all()) or "-"
            raise NotFound(
                "adapter_unknown",
                f"没有适配器 {wanted}。已有:{known}。",
                f"There is no adapter {wanted}. There are: {known}.",
            )
        return self._marked(self.folder / name / str(number))

    def evaluated(self, tuned: Tuned, run: str | None, gate: dict[str, Any]) -> Tuned:
        """Keep what an evaluation said."""
        card = msgspec.structs.replace(tuned.card, evaluated=run, gate=gate)
        _write(tuned.folder, card)
        return Tuned(card, tuned.folder)

    def _all(self) -> Iterator[Tuned]:
        names = sorted(p.name for p in self.folder.glob("*") if p.is_dir())
        for name in names:
            for version in sorted(self._versions(name), reverse=True):
                yield self._marked(self.folder / name / str(version))

    def _versions(self, name: str) -> list[int]:
        folder = self.folder / name
        if not name or "/" in name or not folder.is_dir():
            return []
        return [
            int(p.name) for p in folder.iterdir() if p.name.isdecimal() and (p / TOLD).is_file()
        ]

    def _marked(self, folder: Path) -> Tuned:
        """With a mark for each dataset that was withdrawn since, kept from then on."""
        card = read_card(folder)
        known = {(e.dataset, e.version) for e in card.erased}
        fresh = []
        for told in card.datasets:
            origin = msgspec.convert(told, Origin)
            found = withdrawn(self._data, origin)
            if found is not None and (origin.name, origin.version) not in known:
                fresh.append(Erased(origin.name, origin.version, found.at, found.why))
        if fresh:
            card = msgspec.structs.replace(card, erased=(*card.erased, *fresh))
            _write(folder, card)
        return Tuned(card, folder)

    # --- which of them is in use -------------------------------------------------------------

    @property
    def _history(self) -> Path:
        return self.folder / "deployed.json"

    def deployed(self) -> list[str]:
        """What was in use before, the latest last: models by name, adapters as ``NAME@VERSION``."""
        try:
            found: list[str] = json.loads(self._history.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        return found

    def note(self, history: list[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self._history.with_suffix(".tmp")
        fresh.write_text(json.dumps(history, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        os.replace(fresh, self._history)


def read_card(folder: Path) -> AdapterCard:
    path = folder / TOLD
    try:
        return msgspec.json.decode(path.read_bytes(), type=AdapterCard)
    except (OSError, msgspec.MsgspecError) as e:
        raise CallerError(
            "adapter_unreadable", f"{path} 读不了:{e}", f"{path} cannot be read: {e}"
        ) from e


def _write(folder: Path, card: AdapterCard) -> None:
    fresh = folder / f"{TOLD}.tmp"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=1) + b"\n")
    os.replace(fresh, folder / TOLD)
