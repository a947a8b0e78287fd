"""Signing in against LDAP or Active Directory: find the user, then bind as them.

The password goes to the directory over TLS and nowhere else. Work runs in threads of its own, for
the client blocks.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from ldap3 import NONE, SAFE_SYNC, SIMPLE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import parse_dn

from dazi.access.identity import Identity, mapped
from dazi.access.ldap_config import LdapConfig
from dazi.core.errors import AccessError, ConfigError, OperatorError, OverloadError
from dazi.net import EgressForbidden, Origin, Rule

CONNECT_S = 5
ANSWER_S = 10
WHOLE_S = 30.0
WORKERS = 4
MOST_WAITING = 64
LONGEST_PASSWORD = 1024
MOST_GROUPS = 1000
INVALID_CREDENTIALS = 49


class _CheckedTls(Tls):  # type: ignore[misc, unused-ignore]
    """OpenSSL's own check of chain and host name in place of the library's."""

    def __init__(self, ca_file: str) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = ssl.create_default_context(cafile=ca_file or None)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


class _CheckedServer(Server):  # type: ignore[misc, unused-ignore]
    """Connects only where the rule for configured servers allows, at the address itself."""

    def candidate_addresses(self) -> Any:
        rule = Rule(frozenset({Origin("", self.host.lower(), self.port)}))
        found = super().candidate_addresses()  # type: ignore[no-untyped-call]
        for address in found:
            rule.check_address(str(address[4][0]))
        return found


class Ldap:
    """One directory. Raises ``ConfigError`` for what would send passwords in the clear."""

    def __init__(self, config: LdapConfig) -> None:
        url = urlsplit(config.url)
        host = url.hostname or ""
        if url.scheme not in ("ldap", "ldaps") or not host:
            raise ConfigError(
                f"ldap {config.name}",
                None,
                "地址应为 ldaps://主机 或 ldap://主机",
                "the URL must be ldaps://HOST or ldap://HOST",
            )
        if config.plain and not Origin("", host, 0).local:
            raise ConfigError(
                f"ldap {config.name}",
                None,
                "不加密的连接只能用于本机;去掉 plain,用 ldaps:// 或 StartTLS",
                "only this machine may be spoken to without TLS; remove plain",
            )
        self.config = config
        self._secure = url.scheme == "ldaps"
        self._tls = None if config.plain else _CheckedTls(config.ca_file)
        self._host = host
        self._port = url.port or (636 if self._secure else 389)
        self._groups = {_dn(group): roles for group, roles in config.roles.items()}
        self._threads = ThreadPoolExecutor(WORKERS, "ldap")
        self._waiting = 0

    async def sign_in(self, user: str, password: str) -> Identity:
        """Raises ``AccessError`` for a wrong name or password and ``OperatorError`` where the
        directory cannot be asked."""
        # A bind with an empty password succeeds at many servers, as nobody (RFC 4513, 5.1.2).
        if not user or not 0 < len(password) <= LONGEST_PASSWORD or "\0" in user + password:
            raise _wrong()
        if self._waiting >= MOST_WAITING:
            raise OverloadError(
                "busy", "登录的人太多,请稍后再试", "too many people are signing in; try again soon"
            )
        self._waiting += 1
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._sign_in, user, password)
        work.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(work), WHOLE_S)
        except EgressForbidden as e:
            raise self._broken(e.text.en) from e
        except (LDAPException, OSError) as e:
            raise self._broken(type(e).__name__) from e

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _done(self, work: asyncio.Future[Identity]) -> None:
        self._waiting -= 1
        if not work.cancelled():
            work.exception()  # seen, even where whoever asked has left

    def _sign_in(self, user: str, password: str) -> Identity:
        config = self.config
        service = self._connect(config.bind_dn, config.bind_password)
        if service is None:
            raise self._broken("the service account cannot bind")
        try:
            entry = self._find(service, user)
            # Whoever is not there is bound to as well, so that both take a bind.
            dn = entry["dn"] if entry else f"cn={secrets.token_hex(8)},{config.base}"
            theirs = self._connect(dn, password)
            if theirs is not None:
                theirs.unbind()
            if entry is None or theirs is None:
                raise _wrong()
            return self._identity(entry, self._groups_of(service, entry))
        finally:
            service.unbind()

    def _connect(self, dn: str, password: str) -> Any:
        """Bound as ``dn``, or ``None`` where the password is wrong. Raises ``LDAPException``."""
        server = _CheckedServer(
            self._host,
            self._port,
            use_ssl=self._secure,
            tls=self._tls,
            get_info=NONE,
            connect_timeout=CONNECT_S,
        )
        connection = Connection(
            server,
            dn,
            password,
            authentication=SIMPLE,
            client_strategy=SAFE_SYNC,
            auto_referrals=False,
            check_names=False,
            raise_exceptions=False,
            receive_timeout=ANSWER_S,
        )
        try:
            connection.open(read_server_info=False)
            if self._tls is not None and not self._secure and not connection.start_tls(False):
                raise OSError("StartTLS was refused")
            bound, result, _, _ = connection.bind(read_server_info=False)
        except BaseException:
            _leave(connection)
            raise
        if bound:
            return connection
        _leave(connection)
        if result["result"] != INVALID_CREDENTIALS:
            raise OSError(str(result["description"]))
        return None

    def _find(self, service: Any, user: str) -> Any:
        """The one entry that ``user`` means; none where there are several."""
        config = self.config
        wanted = [
            config.user_attribute, config.subject_attribute, config.name_attribute,
            config.department_attribute, "memberOf", *config.attributes,
        ]  # fmt: skip
        text = config.user_filter.replace("{user}", escape_filter_chars(user))
        found = self._search(service, config.base, text, wanted, 2)
        return found[0] if len(found) == 1 else None

    def _groups_of(self, service: Any, entry: Any) -> list[str]:
        config = self.config
        if not config.group_base:
            return _values(entry, "memberOf")
        text = config.group_filter.replace("{dn}", escape_filter_chars(entry["dn"]))
        found = self._search(service, config.group_base, text, ["1.1"], MOST_GROUPS)
        return [e["dn"] for e in found]

    def _search(self, service: Any, base: str, text: str, wanted: list[str], most: int) -> Any:
        ok, result, entries, _ = service.search(
            base, text, SUBTREE, attributes=wanted, size_limit=most, time_limit=ANSWER_S
        )
        if not ok and result["result"] not in (0, 4):  # 4: more than were asked for
            raise OSError(str(result["description"]))
        return [e for e in entries or () if e.get("type") == "searchResEntry"]

    def _identity(self, entry: Any, groups: list[str]) -> Identity:
        config = self.config
        user = _first(entry, config.user_attribute)
        subject = _first(entry, config.subject_attribute)
        if not user or not subject:
            raise self._broken(f"the entry has no {config.user_attribute} or subject")
        attributes = {
            name: value for key, name in config.attributes.items() if (value := _first(entry, key))
        }
        return Identity(
            f"ldap:{config.name}",
            subject,
            user.lower(),
            _first(entry, config.name_attribute) or user,
            mapped([_dn(g) for g in groups[:MOST_GROUPS]], self._groups),
            MappingProxyType(attributes),
            _first(entry, config.department_attribute),
        )

    def _broken(self, why: str) -> OperatorError:
        return OperatorError(
            "ldap",
            f"目录 {self.config.name} 暂不可用:{why}。检查地址、证书和服务账号",
            f"the directory {self.config.name} cannot be used: {why}. "
            "Check its address, certificate and service account",
        )


def _wrong() -> AccessError:
    return AccessError("sign_in", "用户名或密码不对", "wrong user name or password")


def _leave(connection: Any) -> None:
    try:
        connection.unbind()
    except (LDAPException, OSError):
        return


def _values(entry: Any, name: str) -> list[str]:
    """An attribute's values as text; binary ones (``objectGUID``) in hex."""
    raw = entry["raw_attributes"].get(name, [])
    return [_text(v) for v in raw]


def _text(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()
    return text if text.isprintable() else value.hex()


def _first(entry: Any, name: str) -> str:
    values = _values(entry, name)
    return values[0][:200] if values else ""


def _dn(text: str) -> str:
    """A DN as it is compared: without regard to case and spaces between its parts."""
    try:
        return ",".join(f"{k.lower()}={v.lower()}" for k, v, _ in parse_dn(text, strip=True))
    except LDAPException:
        return text.lower()
