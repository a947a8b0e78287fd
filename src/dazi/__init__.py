"""Dazi (搭子): an AI workmate that a company runs on its own machines.

``Assistant``, ``tool`` and ``Arg`` are loaded when first used: importing ``dazi`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dazi.main.library import Answer, Arg, Assistant, tool

__all__ = ["Answer", "Arg", "Assistant", "tool"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__:
        from dazi.main import library

        return getattr(library, name)
    raise AttributeError(f"module 'dazi' has no attribute {name!r}")
