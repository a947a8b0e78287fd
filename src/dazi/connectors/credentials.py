"""Where a system's credential comes from: the environment or a file, never a declaration."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.connectors.context import ConnectorContext
from dazi.core.errors import ConfigError

KEYS = ("token_env", "token_file")
LONGEST = 16_384

log = logging.getLogger("dazi.connectors")


class NoCredential(Exception):
    """It is not where it should be; the log says where that is."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer token, read each time it is used: what rotates it need not restart us.

    ``env`` names an environment variable, ``file`` a file; neither: no token is sent.
    """

    env: str = ""
    file: Path | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any], context: ConnectorContext) -> Credential:
        """From a ``connector:`` entry. Raises ``ConfigError`` for both, or for what is no text."""
        given = {key: config[key] for key in KEYS if key in config}
        if len(given) > 1 or not all(isinstance(v, str) and v for v in given.values()):
            zh = "token_env 和 token_file 只写一个,值是变量名或文件名"
            en = "give one of token_env and token_file: the name of a variable or of a file"
            raise ConfigError(context.folder, None, zh, en)
        file = given.get("token_file")
        return cls(given.get("token_env", ""), context.folder / file if file else None)

    def token(self) -> str:
        """Raises ``NoCredential`` where a token was declared and is not there."""
        if self.file is not None:
            try:
                found = self.file.read_text(encoding="utf-8")[:LONGEST].strip()
            except (OSError, UnicodeDecodeError):
                found = ""
            where = str(self.file)
        elif self.env:
            found, where = os.environ.get(self.env, "").strip(), self.env
        else:
            return ""
        if not found or any(c < " " or c > "~" for c in found):
            log.error("no usable token in %s", where)
            raise NoCredential
        return found


NO_CREDENTIAL = Credential()
