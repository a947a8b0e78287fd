"""A small OpenID provider on loopback: what tests need to lie with, and to be strict about."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

CLIENT, SECRET = "dazi", "s3cret:with/odd chars"


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def half_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return encode(digest[: len(digest) // 2])


@dataclass
class Keys:
    rsa: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "r1"}))
    ec: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "e1"}))
    ed: OKPKey = field(default_factory=lambda: OKPKey.generate_key("Ed25519", {"kid": "d1"}))

    def public(self) -> list[dict[str, Any]]:
        return [k.as_dict(private=False) for k in (self.rsa, self.ec, self.ed)]


def sign(header: dict[str, Any], claims: Any, key: Any) -> str:
    """Any header, also one that no library would make."""
    algorithm = str(header["alg"])
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    first = f"{encode(json.dumps(header).encode())}.{encode(payload)}"
    if isinstance(key, bytes):  # the library refuses a public key as a secret; a forger does not
        made = hmac.digest(key, first.encode(), "sha256")
    else:
        made = jws.JWSRegistry.algorithms[algorithm].sign(first.encode(), key)
    return f"{first}.{encode(made)}"


class Provider:
    """``bend`` changes the claims of the next token, ``mint`` makes it whole."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.published = keys.public()
        self.issuer = ""
        self.document: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.seen: list[str] = []
        self.bend: Callable[[dict[str, Any]], None] = lambda claims: None
        self.mint: Callable[[dict[str, Any]], str] = self._mint
        self.claims: dict[str, Any] = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/jwks", self._jwks)
        app.router.add_post("/token", self._token)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.issuer = f"http://127.0.0.1:{port}"
        self.document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }
        self.claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "248", "preferred_username": "Zhou",
            "name": "周", "groups": ["sales", "unknown"], "department": "销售",
        }  # fmt: skip

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser brings back once the person has agreed."""
        query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code" and query["code_challenge_method"] == "S256"
        code = secrets.token_hex(8)
        self.codes[code] = query
        return {"code": code, "state": query["state"]}

    def _mint(self, claims: dict[str, Any]) -> str:
        return sign({"alg": "RS256", "kid": "r1"}, claims, self.keys.rsa)

    async def _discovery(self, _: web.Request) -> web.Response:
        self.seen.append("discovery")
        return web.json_response(self.document)

    async def _jwks(self, _: web.Request) -> web.Response:
        self.seen.append("jwks")
        return web.json_response({"keys": self.published})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        began = self.codes.pop(str(form.get("code")), None)
        challenge = encode(hashlib.sha256(str(form.get("code_verifier")).encode()).digest())
        basic = base64.b64encode(b"dazi:s3cret%3Awith%2Fodd%20chars").decode()
        if (
            began is None
            or began["code_challenge"] != challenge
            or form.get("redirect_uri") != began["redirect_uri"]
            or request.headers.get("Authorization") != f"Basic {basic}"
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {**self.claims, "nonce": began["nonce"], "iat": now, "exp": now + 300}
        self.bend(claims)
        return web.json_response({"access_token": "at", "id_token": self.mint(claims)})
