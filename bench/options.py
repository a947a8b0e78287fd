"""What a run was asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """``quick``: a few requests of everything, only to see that it works; its figures mean
    nothing. ``peers``: measure others beside Dazi, installing them if need be."""

    quick: bool = False
    peers: bool = True

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 3
