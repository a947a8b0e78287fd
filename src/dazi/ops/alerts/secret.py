"""Keys and tokens of routes: in the environment or a file, never in ``alerts.yaml``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class NoSecret(Exception):
    """It is not where it should be; says where that is."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Read each time it is used. Neither: there is none."""

    env: str = ""
    file: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.env or self.file)

    def read(self) -> str:
        """Raises ``NoSecret``."""
        if self.file is not None:
            try:
                found, where = self.file.read_text("utf-8").strip(), str(self.file)
            except (OSError, UnicodeDecodeError):
                raise NoSecret(str(self.file)) from None
        elif self.env:
            found, where = os.environ.get(self.env, "").strip(), self.env
        else:
            return ""
        if not found:
            raise NoSecret(where)
        return found


NO_SECRET = Secret()
