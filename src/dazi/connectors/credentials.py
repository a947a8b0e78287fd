"""Where a system's credential comes from: the environment or a file, never a declaration."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dazi.core.errors import ConfigError
from dazi.core.principal import Principal

KEYS = ("token_env", "token_file")
USER = "{user}"
"""In ``token_file``, the name of whoever asks: everybody's own token in a file of its own."""
LONGEST = 16_384

log = logging.getLogger("dazi.connectors")


class NoCredential(Exception):
    """It is not where it should be; the log says where that is."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret, read each time it is used: what rotates it need not restart us.

    ``env`` names an environment variable, ``file`` a file, in which ``{user}`` stands for the
    caller's name; neither: no secret is sent.
    """

    env: str = ""
    file: Path | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any], folder: Path) -> Credential:
        """The token of a ``connector:`` entry. Raises ``ConfigError``."""
        return cls.read(config, folder, *KEYS)

    @classmethod
    def read(cls, config: Mapping[str, Any], folder: Path, env: str, file: str) -> Credential:
        """From the keys ``env`` and ``file``. Raises ``ConfigError`` for both, or for what is no
        text."""
        given = {key: config[key] for key in (env, file) if key in config}
        if len(given) > 1 or not all(isinstance(v, str) and v for v in given.values()):
            zh = f"{env} 和 {file} 只写一个,值是变量名或文件名"
            en = f"give one of {env} and {file}: the name of a variable or of a file"
            raise ConfigError(folder, None, zh, en)
        path = given.get(file)
        return cls(given.get(env, ""), folder / path if path else None)

    @property
    def of_each_user(self) -> bool:
        return self.file is not None and USER in str(self.file)

    def token(self, principal: Principal | None = None) -> str:
        """Raises ``NoCredential`` where one was declared and is not there."""
        if self.file is not None:
            file = self._file_of(principal)
            try:
                found = file.read_text(encoding="utf-8")[:LONGEST].strip()
            except (OSError, UnicodeDecodeError):
                found = ""
            where = str(file)
        elif self.env:
            found, where = os.environ.get(self.env, "").strip(), self.env
        else:
            return ""
        if not found or any(c < " " or c > "~" for c in found):
            log.error("no usable token in %s", where)
            raise NoCredential
        return found

    def _file_of(self, principal: Principal | None) -> Path:
        assert self.file is not None
        if not self.of_each_user:
            return self.file
        if principal is None:
            log.error("nobody in particular asks, and %s is for each user", self.file)
            raise NoCredential
        # A name is one part of a path, whatever it holds.
        name = quote(principal.user, safe="").replace(".", "%2E")
        return Path(str(self.file).replace(USER, name))


NO_CREDENTIAL = Credential()
