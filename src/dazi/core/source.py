"""A declaration file that knows its lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from dazi.core.errors import ConfigError


class Source(Protocol):
    """What a file holds, and where in it."""

    data: Any

    def error(self, path: Sequence[str | int], zh: str, en: str) -> ConfigError: ...
