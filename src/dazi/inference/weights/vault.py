"""Encrypted models, laid open for as long as it takes to load them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dazi.inference.weights.held import sweep
from dazi.inference.weights.keys import KeySource
from dazi.inference.weights.manifest import is_sealed, read_manifest
from dazi.inference.weights.memory import PREFIX, SHARED, in_memory
from dazi.inference.weights.sealing import opened, unseal_into, unwatched

_CONVERTED = 2
"""A GGUF file and what is made of it lie there together."""


@dataclass(frozen=True, slots=True)
class LaidOpen:
    """``path``: what to load; ``scratch``: where to put what is made of it, in place of the disk."""

    path: Path
    scratch: Path | None = None


@dataclass(frozen=True, slots=True)
class Vault:
    """Where the key is, and where plain text may lie; by default in shared memory."""

    keys: KeySource = field(default_factory=KeySource)
    folder: Path | None = None

    def tidy(self) -> None:
        """Remove what killed processes left in plain."""
        sweep(self.folder or SHARED, PREFIX)

    @contextmanager
    def laid_open(self, path: Path) -> Iterator[LaidOpen]:
        """``path`` itself where it is not encrypted. Raises ``OperatorError`` for a key that is not
        there or not the right one, for what was changed, and where there is no memory for it."""
        if not is_sealed(path):
            yield LaidOpen(path)
            return
        size = read_manifest(path).size
        manifest, data_key = opened(path, self.keys.read())
        needed = size * _CONVERTED if manifest.kind == "gguf" else size
        with in_memory(needed, self.folder) as place:
            # Some names are told by the folder's: it has the one that it had.
            plain = place / "model" / _safe(manifest.name)
            plain.mkdir(parents=True)
            unseal_into(path, manifest, data_key, plain, unwatched)
            made = place / "made"
            made.mkdir()
            yield LaidOpen(plain / manifest.entry if manifest.entry else plain, made)


def _safe(name: str) -> str:
    return name.replace("/", "-").replace("\0", "").strip(".") or "model"
