"""The ``[mail]`` section of ``dazi.toml``: where mail is handed over, and as whom."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from dazi.connectors.credentials import NO_CREDENTIAL, Credential
from dazi.core.errors import ConfigError

Security = Literal["none", "starttls", "tls"]
PORTS: Mapping[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
KEYS = frozenset(
    {"host", "port", "sender", "security", "user", "password_env", "password_file", "ca_file"}
)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """``security``: in the clear, or encrypted after STARTTLS or from the start. ``user`` signs in
    with ``password`` (AUTH, RFC 4954) where it is not empty, and never in the clear but on this
    machine. ``ca_file``: certificates to trust instead of the system's."""

    host: str
    port: int
    sender: str
    security: Security = "none"
    user: str = ""
    password: Credential = NO_CREDENTIAL
    ca_file: Path | None = None

    @classmethod
    def of(cls, mail: Mapping[str, Any], folder: Path, port: int = 0) -> SmtpServer:
        """From the section; ``port`` is the one the demo's own server got. Raises ``ConfigError``."""
        unknown = sorted(mail.keys() - KEYS)
        security = mail.get("security", "none")
        if unknown or security not in get_args(Security):
            what = f"security = {security}" if not unknown else unknown[0]
            known = ", ".join(get_args(Security) if not unknown else sorted(KEYS))
            en = f"[mail] does not know {what}; known: {known}"
            raise _wrong(folder, f"[mail] 不认识 {what},可用:{known}", en)
        host, user = str(mail.get("host", "127.0.0.1")), str(mail.get("user", ""))
        if user and security == "none" and host not in ("127.0.0.1", "localhost", "::1"):
            raise _wrong(
                folder,
                '[mail] 用密码登录要加密:写 security = "starttls" 或 "tls"',
                '[mail] signs in with a password: write security = "starttls" or "tls"',
            )
        given = mail.get("port", PORTS[security])
        if not isinstance(given, int) or not 0 <= given <= 65_535:
            en = f"[mail] port = {given} is no port"
            raise _wrong(folder, f"[mail] port = {given} 不是端口号", en)
        password = Credential.read(mail, folder, "password_env", "password_file")
        if bool(user) != (password != NO_CREDENTIAL):
            raise _wrong(
                folder,
                "[mail] user 要和 password_env 或 password_file 一起写",
                "[mail] user goes with password_env or password_file",
            )
        ca = mail.get("ca_file")
        return cls(
            host,
            given or port,
            str(mail.get("sender", "")),
            security,
            user,
            password,
            folder / str(ca) if ca else None,
        )

    def context(self) -> ssl.SSLContext:
        """Checks the server's certificate and name. Raises ``OSError`` for an unreadable file."""
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)


def _wrong(folder: Path, zh: str, en: str) -> ConfigError:
    return ConfigError(folder / "dazi.toml", None, zh, en)
