"""Signing in at an OpenID provider: Authorization Code with PKCE (RFC 7636, S256).

What one sign-in needs is kept in the database under its state, for one use and ten minutes; the
browser that began it proves so by a secret of its own.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Column, Float, String, Table, delete, insert, select
from sqlalchemy import Text as LongText

from dazi.access.identity import Identity, mapped
from dazi.access.provider import ProviderClient
from dazi.access.tokens import BadToken, Expected, read, verify
from dazi.core.errors import AccessError, NotFound
from dazi.store.database import Database, metadata

LIFETIME_S = 600.0
MOST_GROUPS = 1000

oidc_states = Table(
    "oidc_states",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kept", String(64), nullable=False),
    Column("provider", String(60), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("redirect", LongText, nullable=False),
    Column("expires", Float, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Started:
    """``url``: where the browser goes. ``keep``: what it keeps meanwhile, in a cookie."""

    url: str
    keep: str = field(repr=False)


class Oidc:
    """Sign-in at any of some providers. ``clock``: seconds since the epoch."""

    def __init__(
        self,
        database: Database,
        providers: Iterable[ProviderClient],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._providers = {p.config.name: p for p in providers}
        self._clock = clock

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._providers)

    async def start(self, provider: str, redirect: str) -> Started:
        """``redirect``: our own address that the provider sends the browser back to. Raises
        ``NotFound`` and ``OperatorError``."""
        client = self._providers.get(provider)
        if client is None:
            raise NotFound("oidc", "没有这个身份提供方", "no such identity provider")
        endpoints = await client.endpoints()
        state, keep, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        verifier = secrets.token_urlsafe(48)
        now = self._clock()
        async with self._database.write() as connection:
            await connection.execute(delete(oidc_states).where(oidc_states.c.expires < now))
            await connection.execute(
                insert(oidc_states).values(
                    hash=_hash(state),
                    kept=_hash(keep),
                    provider=provider,
                    nonce=nonce,
                    verifier=verifier,
                    redirect=redirect,
                    expires=now + LIFETIME_S,
                )
            )
        query = {
            "response_type": "code",
            "client_id": client.config.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(client.config.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        join = "&" if "?" in endpoints.authorization else "?"
        return Started(f"{endpoints.authorization}{join}{urlencode(query)}", keep)

    async def finish(self, given: Mapping[str, str], keep: str) -> Identity:
        """``given``: what the provider's redirect brought. Raises ``AccessError`` (``BadToken`` for
        what is wrong with the token) and ``OperatorError``."""
        began = await self._take(given.get("state", ""), keep)
        client = self._providers.get(began["provider"])
        if client is None or "error" in given:
            raise _refused("provider")
        # A provider that names itself must be the one that was asked (RFC 9207).
        if given.get("iss", client.config.issuer) != client.config.issuer:
            raise _refused("issuer")
        answer = await client.exchange(
            {
                "grant_type": "authorization_code",
                "code": given.get("code", ""),
                "redirect_uri": began["redirect"],
                "code_verifier": began["verifier"],
            }
        )
        token = read(str(answer.get("id_token") or ""))
        expected = Expected(
            client.config.issuer,
            client.config.client_id,
            began["nonce"],
            self._clock(),
            str(answer.get("access_token") or ""),
        )
        claims = verify(token, await client.key(token), expected)
        return identity(client, claims)

    async def _take(self, state: str, keep: str) -> Any:
        """What belongs to ``state``, for the first who comes with it in time."""
        here = oidc_states.c.hash == _hash(state)
        async with self._database.write() as connection:
            found = await connection.execute(select(oidc_states).where(here))
            row = found.mappings().one_or_none()
            done = await connection.execute(delete(oidc_states).where(here))
        if row is None or done.rowcount != 1 or row["expires"] <= self._clock():
            raise _refused("state")
        if not compare_digest(row["kept"], _hash(keep)):
            raise _refused("browser")
        return row


def challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def identity(client: ProviderClient, claims: Mapping[str, Any]) -> Identity:
    """What verified claims say of a person. Raises ``BadToken``."""
    config = client.config
    user = claims.get(config.user_claim)
    if not isinstance(user, str) or not user:
        raise BadToken(f"no {config.user_claim}")
    groups = claims.get(config.role_claim)
    values = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    methods = claims.get("amr")
    attributes = {
        name: str(claims[claim])
        for claim, name in config.attributes.items()
        if isinstance(claims.get(claim), (str, int))
    }
    return Identity(
        f"oidc:{config.name}",
        claims["sub"],
        user.lower(),
        str(claims.get("name") or user)[:200],
        mapped([v for v in values[:MOST_GROUPS] if isinstance(v, str)], config.roles),
        MappingProxyType(attributes),
        str(claims.get(config.department_claim) or "")[:200],
        isinstance(methods, list) and not config.second_factor.isdisjoint(map(str, methods)),
    )


def _refused(why: str) -> AccessError:
    return AccessError(
        "oidc",
        f"登录没有完成({why}),请重新登录",
        f"signing in did not complete ({why}); try again",
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
