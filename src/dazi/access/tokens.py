"""ID tokens: a signature by a key of the provider's, and claims that are about this very sign-in.

OpenID Connect Core 1.0, 3.1.3.7; RFC 8725 for what JWT libraries got wrong. Nothing in a token says
how it is to be checked: the algorithms are a fixed list, the key is the provider's, by its id.
Every check has a name and stands in one list; all of them must pass.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from dazi.core.errors import AccessError

LONGEST_TOKEN = 16_384
SKEW_S = 60
"""How far the provider's clock may be off."""
OLDEST_S = 600
"""A token is made for a sign-in, so it is new."""
SMALLEST_RSA = 2048
ALGORITHMS: Mapping[str, str] = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
"""Which kinds of signature are read, and with what kind of key."""
FORBIDDEN = ("crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc")
"""Header members by which a token would say how to check it."""
_PART = re.compile(r"[A-Za-z0-9_-]+")

PublicKey = RSAKey | ECKey | OKPKey


@dataclass(frozen=True, slots=True)
class Expected:
    """``nonce`` is that of this sign-in; ``access_token`` came with the token, empty for none;
    ``now`` in seconds since the epoch."""

    issuer: str
    client_id: str
    nonce: str
    now: float
    access_token: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    text: str


class BadToken(AccessError):
    """``why`` names the check that failed; it is for the record, not for the caller."""

    def __init__(self, why: str) -> None:
        super().__init__("bad_token", "登录凭证无效", "the sign-in token is not valid")
        self.why = why


Check = Callable[[Token, Expected], bool]


def read(text: str) -> Token:
    """The parts of a compact JWS, not believed yet. Raises ``BadToken``."""
    parts = text.split(".") if len(text) <= LONGEST_TOKEN else []
    if len(parts) != 3 or not all(_PART.fullmatch(p) for p in parts):
        raise BadToken("shape")
    return Token(_members(parts[0]), _members(parts[1]), text)


def verify(token: Token, key: PublicKey | None, expected: Expected) -> Mapping[str, Any]:
    """The claims, once every check has passed. ``key``: the provider's with the token's ``kid``.
    Raises ``BadToken``."""
    for name, check in HEADER_CHECKS.items():
        if not check(token, expected):
            raise BadToken(name)
    if key is None or not signed(token, key):
        raise BadToken("signature")
    for name, check in CLAIM_CHECKS.items():
        if not check(token, expected):
            raise BadToken(name)
    return token.claims


def signed(token: Token, key: PublicKey) -> bool:
    algorithm = str(token.header.get("alg"))
    try:
        jws.deserialize_compact(token.text, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def usable(key: Any) -> PublicKey | None:
    """A key of the provider's that a signature may be checked with: none that is weak, symmetric or
    for encryption."""
    if isinstance(key, RSAKey):
        strong = key.public_key.key_size >= SMALLEST_RSA
    elif isinstance(key, ECKey):
        strong = key.curve_name == "P-256"
    elif isinstance(key, OKPKey):
        strong = key.curve_name == "Ed25519"
    else:
        return None
    use = key.get("use")
    return key if strong and use in (None, "sig") and not key.is_private else None


def suits(key: PublicKey, header: Mapping[str, Any]) -> bool:
    """Of the kind that the token's algorithm takes, and not meant for another one."""
    algorithm = str(header.get("alg"))
    return ALGORITHMS.get(algorithm) == key.key_type and key.get("alg") in (None, algorithm)


def _algorithm(token: Token, _: Expected) -> bool:
    algorithm = token.header.get("alg")
    return isinstance(algorithm, str) and algorithm in ALGORITHMS


def _no_instructions(token: Token, _: Expected) -> bool:
    return not any(name in token.header for name in FORBIDDEN)


def _type(token: Token, _: Expected) -> bool:
    """An access token or a logout token of the same provider is no ID token (RFC 8725, 3.11)."""
    kind = token.header.get("typ", "JWT")
    return isinstance(kind, str) and kind.upper() == "JWT"


def _issuer(token: Token, expected: Expected) -> bool:
    return token.claims.get("iss") == expected.issuer


def _audience(token: Token, expected: Expected) -> bool:
    """Exactly this client, and no other besides."""
    return token.claims.get("aud") in (expected.client_id, [expected.client_id])


def _authorised_party(token: Token, expected: Expected) -> bool:
    return bool(token.claims.get("azp", expected.client_id) == expected.client_id)


def _expires(token: Token, expected: Expected) -> bool:
    at = _seconds(token.claims.get("exp"))
    return at is not None and at > expected.now - SKEW_S


def _issued(token: Token, expected: Expected) -> bool:
    at = _seconds(token.claims.get("iat"))
    return at is not None and expected.now - OLDEST_S - SKEW_S <= at <= expected.now + SKEW_S


def _not_before(token: Token, expected: Expected) -> bool:
    at = _seconds(token.claims.get("nbf", 0))
    return at is not None and at <= expected.now + SKEW_S


def _nonce(token: Token, expected: Expected) -> bool:
    return bool(expected.nonce) and token.claims.get("nonce") == expected.nonce


def _subject(token: Token, _: Expected) -> bool:
    subject = token.claims.get("sub")
    return isinstance(subject, str) and 0 < len(subject) <= 255 and subject.isprintable()


def _access_token(token: Token, expected: Expected) -> bool:
    """``at_hash`` (3.1.3.6): the access token that came along is the one that was meant."""
    said = token.claims.get("at_hash")
    if said is None:
        return True
    digest = hashlib.sha512 if token.header.get("alg") == "EdDSA" else hashlib.sha256
    whole = digest(expected.access_token.encode()).digest()
    half = base64.urlsafe_b64encode(whole[: len(whole) // 2]).decode().rstrip("=")
    return bool(said == half)


HEADER_CHECKS: dict[str, Check] = {
    "algorithm": _algorithm,
    "instructions": _no_instructions,
    "type": _type,
}
CLAIM_CHECKS: dict[str, Check] = {
    "issuer": _issuer,
    "audience": _audience,
    "authorised_party": _authorised_party,
    "expires": _expires,
    "issued": _issued,
    "not_before": _not_before,
    "nonce": _nonce,
    "subject": _subject,
    "access_token": _access_token,
}


def _seconds(value: Any) -> float | None:
    """A NumericDate (RFC 7519, 2), and no text or boolean that Python would take for one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e12 else None


def _members(part: str) -> dict[str, Any]:
    """A JSON object without members that come twice: two readers would see two tokens."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        found = json.loads(raw, object_pairs_hook=_unique, parse_constant=_constant)
    except (binascii.Error, ValueError, RecursionError):
        raise BadToken("shape") from None
    if not isinstance(found, dict):
        raise BadToken("shape")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a member comes twice")
    return made


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
