"""One OpenID provider over HTTP: its discovery document, its keys and its token endpoint.

Requests go to the issuer's origin and those that the configuration names, through ``dazi.net``.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from dazi.access.tokens import PublicKey, Token, suits, usable
from dazi.core.errors import AccessError, OperatorError
from dazi.net import Egress, Rule, fetch

LARGEST_ANSWER = 1 << 20
WITHIN_S = 10.0
REFETCH_S = 60.0
"""At most so often the keys are fetched again, however many tokens name unknown ones."""
DOCUMENT_S = 3600.0
MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """``roles``: what values of ``role_claim`` stand for. ``user_claim``: what people are called by.
    ``attributes``: identity attributes by the claim they come from. ``origins``: URLs of other
    hosts that the provider's endpoints are on. ``second_factor``: values of ``amr`` that say that
    the provider has asked for one."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    user_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    department_claim: str = "department"
    origins: tuple[str, ...] = ()
    second_factor: frozenset[str] = frozenset({"mfa"})


@dataclass(frozen=True, slots=True)
class Endpoints:
    authorization: str
    token: str
    jwks: str
    basic: bool


class ProviderClient:
    """``clock``: monotonic seconds."""

    def __init__(self, config: ProviderConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self.config = config
        self.rule = Rule.to(config.issuer, *config.origins)
        self._clock = clock
        self._endpoints: Endpoints | None = None
        self._read_at = 0.0
        self._keys: dict[str, PublicKey] = {}
        self._keys_at = float("-inf")
        self._one = asyncio.Lock()

    async def endpoints(self) -> Endpoints:
        """From the discovery document (OpenID Connect Discovery 1.0, 4). Raises
        ``OperatorError``."""
        known = self._endpoints
        if known is not None and self._clock() - self._read_at < DOCUMENT_S:
            return known
        issuer = self.config.issuer
        document = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise self._broken(f"issuer is {str(document.get('issuer'))[:200]}, not {issuer}")
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        try:
            found = Endpoints(
                self._url(document, "authorization_endpoint"),
                self._url(document, "token_endpoint"),
                self._url(document, "jwks_uri"),
                "client_secret_basic" in methods,
            )
        except (OSError, TypeError) as e:
            raise self._broken(str(e)) from e
        self._endpoints, self._read_at = found, self._clock()
        return found

    async def key(self, token: Token) -> PublicKey | None:
        """The provider's key with the token's ``kid``; without one, its only one that fits."""
        kid = token.header.get("kid")
        if kid is not None and not isinstance(kid, str):
            return None
        found = self._find(kid, token)
        if found is None:
            async with self._one:
                found = self._find(kid, token)
                if found is None and self._clock() - self._keys_at >= REFETCH_S:
                    await self._fetch_keys()
                    found = self._find(kid, token)
        return found

    async def exchange(self, form: Mapping[str, str]) -> dict[str, Any]:
        """What the token endpoint gives for a code. Raises ``AccessError`` for a code that it
        refuses, and ``OperatorError``."""
        endpoints, config = await self.endpoints(), self.config
        headers, body = {"Accept": "application/json"}, dict(form)
        if config.client_secret and endpoints.basic:
            pair = f"{quote(config.client_id, safe='')}:{quote(config.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            body["client_id"] = config.client_id
            if config.client_secret:
                body["client_secret"] = config.client_secret
        egress = Egress(self.rule, timeout=aiohttp.ClientTimeout(total=WITHIN_S))
        try:
            async with egress.request(
                "POST", endpoints.token, data=body, headers=headers
            ) as answer:
                raw = bytearray()
                async for piece in answer.content.iter_chunked(1 << 16):
                    raw += piece
                    if len(raw) > LARGEST_ANSWER:
                        raise self._broken("the token endpoint's answer is too long")
                if answer.status == 400:  # the code is wrong, used or too old (RFC 6749, 5.2)
                    raise AccessError(
                        "oidc",
                        "登录没有完成(code),请重新登录",
                        "signing in did not complete (code); try again",
                    )
                if answer.status != 200:
                    raise self._broken(f"the token endpoint answered {answer.status}")
        except (aiohttp.ClientError, OSError) as e:
            raise self._broken(type(e).__name__) from e
        finally:
            await egress.close()
        return self._object(bytes(raw))

    async def _fetch_keys(self) -> None:
        self._keys_at = self._clock()
        document = await self._get((await self.endpoints()).jwks)
        listed = document.get("keys")
        keys: dict[str, PublicKey] = {}
        for entry in listed[:MOST_KEYS] if isinstance(listed, list) else ():
            try:
                key = usable(import_key(entry))
            except (JoseError, ValueError, TypeError, KeyError, AttributeError):
                continue
            if key is not None:
                keys[str(entry.get("kid") or "")] = key
        self._keys = keys

    def _find(self, kid: str | None, token: Token) -> PublicKey | None:
        if kid:
            key = self._keys.get(kid)
            return key if key is not None and suits(key, token.header) else None
        fitting = [k for k in self._keys.values() if suits(k, token.header)]
        return fitting[0] if len(fitting) == 1 else None

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            found = await fetch(url, self.rule, limit=LARGEST_ANSWER, seconds=WITHIN_S)
        except OSError as e:
            raise self._broken(f"{type(e).__name__} at {urlsplit(url).path}") from e
        if found.status != 200:
            raise self._broken(f"{urlsplit(url).path} answered {found.status}")
        return self._object(found.body)

    def _url(self, document: Mapping[str, Any], name: str) -> str:
        """Raises ``OSError`` for one where no request may go."""
        url = str(document.get(name) or "")
        self.rule.check_url(url)
        return url

    def _object(self, raw: bytes) -> dict[str, Any]:
        try:
            found = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            raise self._broken("what came is no JSON object")
        return found

    def _broken(self, why: str) -> OperatorError:
        name = self.config.name
        return OperatorError(
            "oidc_provider",
            f"身份提供方 {name} 暂不可用:{why}。检查它的地址和配置",
            f"the identity provider {name} cannot be used: {why}. Check its address and settings",
        )
