"""Models in the data folder: each under the hash of what it is, and which one is in use."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dazi.apps.risk.lifecycle import Made
from dazi.apps.risk.model import load
from dazi.apps.risk.quality import Quality
from dazi.apps.risk.thresholds import Thresholds
from dazi.core.errors import NotFound, OperatorError

CURRENT = "current"
VERSION = 16
"""Hex digits of a model's digest that name it."""


@dataclass(frozen=True, slots=True)
class _Report:
    digest: str
    quality: Quality
    thresholds: Thresholds
    gain: float | None


class Shelf:
    """One folder. A model that was put is never changed: another one is another version."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: tuple[str, Made] | None = None

    def put(self, made: Made) -> str:
        """Keep it and use it from now on; its version."""
        version = version_of(made)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made.model.save(self._folder / f"{version}.json")
        report = _Report(made.model.digest, made.quality, made.thresholds, made.gain)
        self._write(f"{version}.report.json", msgspec.json.encode(report))
        self._write(CURRENT, version.encode())
        return version

    def current(self) -> Made | None:
        """The one in use, also where another process has put it; ``None`` before there is one.
        Raises ``OperatorError`` for a file that is damaged."""
        try:
            version = (self._folder / CURRENT).read_text("ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as e:
            raise _broken(CURRENT, e) from e
        if self._read is None or self._read[0] != version:
            self._read = version, self.get(version)
        return self._read[1]

    def get(self, version: str) -> Made:
        """Raises ``NotFound`` and ``OperatorError``."""
        if version not in self.versions():
            raise NotFound("risk_version", "没有这个版本的模型", "there is no such model version")
        path = self._folder / f"{version}.report.json"
        try:
            report = msgspec.json.decode(path.read_bytes(), type=_Report)
        except (OSError, msgspec.MsgspecError) as e:
            raise _broken(path.name, e) from e
        model = load(self._folder / f"{version}.json", report.digest)
        return Made(model, report.quality, report.thresholds, report.gain)

    def use(self, version: str) -> Made:
        """Go back, or on, to a version that is there. Raises as ``get``."""
        made = self.get(version)
        self._write(CURRENT, version.encode())
        return made

    def versions(self) -> tuple[str, ...]:
        """The latest first."""
        if not self._folder.is_dir():
            return ()
        found = sorted(self._folder.glob("*.report.json"), key=lambda p: -p.stat().st_mtime)
        return tuple(p.name.removesuffix(".report.json") for p in found)

    def _write(self, name: str, data: bytes) -> None:
        """Whole or not at all."""
        beside = self._folder / f".{name}.{secrets.token_hex(4)}"
        beside.write_bytes(data)
        os.replace(beside, self._folder / name)


def version_of(made: Made) -> str:
    return made.model.digest[:VERSION]


def _broken(name: str, why: Exception) -> OperatorError:
    return OperatorError(
        "risk_model",
        f"{name} 读不出({why});用 dazi risk train 重新训练",
        f"{name} cannot be read ({why}); train again with dazi risk train",
    )
