"""Who may sign in, and API keys: the demo's users, and an operator's keys from settings."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from dazi.core.company import Company, DemoUser
from dazi.core.errors import AccessError, ConfigError
from dazi.core.principal import Principal

DEMO_KEY_PREFIX = "dazi-demo-"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Directory:
    """Users by name, and keys by the hash of their text.

    In a demo each user has the key ``dazi-demo-NAME``. Users of a company file and such keys
    refuse to exist on any address but loopback.
    """

    def __init__(self, company: Company, host: str) -> None:
        if company.users and host not in LOOPBACK:
            raise ConfigError(
                company.folder / "dazi.toml",
                None,
                f"演示用户和密钥只能在本机回环地址上使用,不能监听 {host};"
                "去掉 [[users]],或改用 127.0.0.1",
                f"demo users and keys may only be used on loopback, not on {host}; "
                "remove [[users]], or listen on 127.0.0.1",
            )
        self.demo = company.demo
        self._users = {u.user: u for u in company.users}
        self._principals = {u.user: _principal(u, company) for u in company.users}
        self._keys = (
            {_digest(DEMO_KEY_PREFIX + name): name for name in self._users} if company.demo else {}
        )

    @property
    def users(self) -> Iterable[DemoUser]:
        return self._users.values()

    def sign_in(self, user: str, password: str, channel: str) -> Principal:
        known = self._users.get(user)
        expected = known.password if known else ""
        if not hmac.compare_digest(password.encode(), expected.encode()) or known is None:
            raise AccessError("sign_in", "用户名或密码不对", "wrong user name or password")
        return self.principal(user, channel)

    def principal(self, user: str, channel: str) -> Principal:
        """Raises ``AccessError`` for an unknown user."""
        if user not in self._principals:
            names = ", ".join(sorted(self._principals))
            raise AccessError(
                "unknown_user",
                f"没有用户 {user};可用:{names}",
                f"no user {user}; there are: {names}",
            )
        p = self._principals[user]
        return Principal(p.user, p.roles, p.attributes, p.tenant, channel)

    def by_key(self, key: str, channel: str = "api") -> Principal | None:
        user = self._keys.get(_digest(key))
        return self.principal(user, channel) if user else None


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _principal(user: DemoUser, company: Company) -> Principal:
    return Principal(
        user.user, expand(user.roles, company.roles), MappingProxyType(dict(user.attributes))
    )


def expand(roles: Iterable[str], included: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """``roles`` and all that they include."""
    out: set[str] = set()
    for role in roles:
        out |= included.get(role, frozenset({role}))
    return frozenset(out)
