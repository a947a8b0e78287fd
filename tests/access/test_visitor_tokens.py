"""Tokens of sites: with each algorithm the right key alone, and no key in another's place."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from dazi.access.sites import Algorithm, Signing, Site
from dazi.access.tokens import BadToken
from dazi.access.visitor_tokens import vouched
from dazi.core.errors import OperatorError
from dazi.core.language import Text

NOW = 1_770_000_000.0
SECRET = OctKey.generate_key(256)
KEYS: dict[str, Any] = {
    "HS256": SECRET,
    "RS256": RSAKey.generate_key(2048),
    "ES256": ECKey.generate_key("P-256"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}


def public(algorithm: str) -> bytes:
    key = KEYS[algorithm]
    if algorithm == "HS256":
        return bytes(key.raw_value)
    return bytes(key.as_pem(private=False))


def site(algorithm: Algorithm, key: bytes | None = None) -> Site:
    read: Callable[[], bytes] = lambda: public(algorithm) if key is None else key  # noqa: E731
    words = Text("店", "shop")
    return Site(
        "shop", frozenset(), words, words, signing=Signing(algorithm, read),
        attributes=frozenset(("customer_id",)),
    )  # fmt: skip


def token(algorithm: str, **more: Any) -> str:
    claims = {"aud": "shop", "sub": "li", "iat": NOW, "exp": NOW + 600} | more
    return jwt.encode({"alg": algorithm}, claims, KEYS[algorithm], algorithms=[algorithm])


def by_hand(secret: bytes, **header: Any) -> str:
    """What no library would make."""
    claims = {"aud": "shop", "sub": "li", "iat": NOW, "exp": NOW + 600}
    parts = [_encoded(json.dumps(p).encode()) for p in ({"alg": "HS256"} | header, claims)]
    return ".".join([*parts, _encoded(hmac.digest(secret, ".".join(parts).encode(), "sha256"))])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", KEYS)
def test_the_right_key_opens(algorithm: Algorithm) -> None:
    told = token(algorithm, attributes={"customer_id": 7}, name="李")
    found = vouched(told, site(algorithm), NOW)
    assert (found.subject, found.name, found.until) == ("li", "李", NOW + 600)
    assert dict(found.attributes) == {"customer_id": "7"}


@pytest.mark.parametrize("mine", KEYS)
@pytest.mark.parametrize("theirs", KEYS)
def test_an_algorithm_is_the_sites_alone(mine: Algorithm, theirs: Algorithm) -> None:
    if mine != theirs:
        with pytest.raises(BadToken) as refused:
            vouched(token(theirs), site(mine), NOW)
        assert refused.value.why == "algorithm"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_is_no_secret(algorithm: Algorithm) -> None:
    """Somebody signs with what everybody may read (RFC 8725, 2.1)."""
    for told in ("HS256", algorithm):
        with pytest.raises(BadToken):
            vouched(by_hand(public(algorithm), alg=told), site(algorithm), NOW)


def test_a_private_or_weak_key_is_refused() -> None:
    private = bytes(KEYS["RS256"].as_pem(private=True))
    for algorithm, key in (
        ("RS256", private),
        ("HS256", b"short"),
        ("ES256", public("RS256")),
        ("EdDSA", b"?"),
    ):
        with pytest.raises(OperatorError):
            vouched(token(algorithm), site(algorithm, key), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_token_does_not_say_how_to_check_it(name: str) -> None:
    assert vouched(by_hand(public("HS256")), site("HS256"), NOW)
    with pytest.raises(BadToken) as refused:
        vouched(by_hand(public("HS256"), **{name: "https://evil.example/key"}), site("HS256"), NOW)
    assert refused.value.why == "instructions"


@pytest.mark.parametrize(
    "claims, why",
    [
        ({"exp": NOW}, "expires"),
        ({"exp": NOW + 3_601}, "expires"),
        ({"exp": "1800000000"}, "expires"),
        ({"exp": True}, "expires"),
        ({"iat": NOW + 90, "exp": NOW + 600}, "issued"),
        ({"nbf": NOW + 90}, "not_before"),
        ({"sub": "a\u202eb"}, "subject"),
        ({"sub": "x" * 101}, "subject"),
        ({"name": 7}, "name"),
        ({"attributes": ["customer_id"]}, "attributes"),
        ({"attributes": {"customer_id": True}}, "attributes"),
        ({"attributes": {"customer_id": ""}}, "attributes"),
    ],
)
def test_each_claim_is_looked_at(claims: dict[str, Any], why: str) -> None:
    with pytest.raises(BadToken) as refused:
        vouched(token("HS256", **claims), site("HS256"), NOW)
    assert refused.value.why == why


def test_the_last_moment() -> None:
    assert vouched(token("HS256", exp=NOW + 3_600), site("HS256"), NOW + 3_599)
