"""What a site's own server says of a visitor: a signed token (RFC 7519), for an hour at the most.

As with ID tokens (see ``tokens``) nothing in it says how it is to be checked: the algorithm and the
key are the site's, by its name in our settings. So a public key is never taken for a secret, and one
site's tokens are nothing on another. Every check has a name; all of them must pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from dazi.access.sites import Signing, Site
from dazi.access.tokens import FORBIDDEN, SKEW_S, BadToken, Token, read, usable
from dazi.core.errors import OperatorError

LONGEST_S = 3600
"""A token is for one visit; its server makes another."""
SHORTEST_SECRET = 32
"""Bytes of a shared secret (RFC 7518, 3.2: no shorter than the hash)."""
LONGEST_SUBJECT, LONGEST_VALUE = 100, 200
MOST_ATTRIBUTES = 20


@dataclass(frozen=True, slots=True)
class Vouched:
    """``until``: seconds since the epoch."""

    subject: str
    name: str
    attributes: Mapping[str, str] = field(repr=False)
    until: float


@dataclass(frozen=True, slots=True)
class _Seen:
    token: Token
    site: Site
    now: float


Check = Callable[[_Seen], bool]


def vouched(text: str, site: Site, now: float) -> Vouched:
    """Whom ``text`` speaks of. Raises ``BadToken`` that names the check that failed, and
    ``OperatorError`` where the site's key cannot be read."""
    seen = _Seen(read(text), site, now)
    signing = site.signing
    if signing is None:
        raise BadToken("unsigned_site")
    for name, check in HEADER_CHECKS.items():
        if not check(seen):
            raise BadToken(name)
    if not _signed(text, signing):
        raise BadToken("signature")
    for name, check in CLAIM_CHECKS.items():
        if not check(seen):
            raise BadToken(name)
    claims = seen.token.claims
    told = {name: str(value) for name, value in claims.get("attributes", {}).items()}
    until = float(claims["exp"])
    return Vouched(claims["sub"], claims.get("name", ""), MappingProxyType(told), until)


def key_of(signing: Signing) -> OctKey | RSAKey | ECKey | OKPKey:
    """Raises ``OperatorError`` for what is no key of that kind, or a weak one."""
    data = signing.key()
    try:
        match signing.algorithm:
            case "HS256":
                if len(data) < SHORTEST_SECRET:
                    raise _unusable(signing)
                return OctKey.import_key(data)
            case "RS256":
                found = usable(RSAKey.import_key(data))
            case "ES256":
                found = usable(ECKey.import_key(data))
            case "EdDSA":
                found = usable(OKPKey.import_key(data))
    except (JoseError, ValueError, TypeError):
        found = None
    if found is None:
        raise _unusable(signing)
    return found


def _unusable(signing: Signing) -> OperatorError:
    if signing.algorithm == "HS256":
        zh = f"密钥太短,至少 {SHORTEST_SECRET} 字节;例如 openssl rand -hex 32"
        en = f"the secret is too short: {SHORTEST_SECRET} bytes at least, such as openssl rand -hex 32"
    else:
        zh = f"不是 {signing.algorithm} 的 PEM 公钥(RSA 至少 2048 位,EC 用 P-256,OKP 用 Ed25519)"
        en = f"no public key in PEM for {signing.algorithm} (RSA of 2048 bits, P-256, Ed25519)"
    return OperatorError("site_key", zh, en)


def _signed(text: str, signing: Signing) -> bool:
    key = key_of(signing)
    try:
        jws.deserialize_compact(text, key, algorithms=[signing.algorithm])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _algorithm(seen: _Seen) -> bool:
    return seen.site.signing is not None and (
        seen.token.header.get("alg") == seen.site.signing.algorithm
    )


def _no_instructions(seen: _Seen) -> bool:
    return not any(name in seen.token.header for name in FORBIDDEN)


def _type(seen: _Seen) -> bool:
    kind = seen.token.header.get("typ", "JWT")
    return isinstance(kind, str) and kind.upper() == "JWT"


def _audience(seen: _Seen) -> bool:
    return seen.token.claims.get("aud") in (seen.site.name, [seen.site.name])


def _expires(seen: _Seen) -> bool:
    until, since = _seconds(seen.token.claims.get("exp")), _seconds(seen.token.claims.get("iat"))
    if until is None or since is None:
        return False
    return until > seen.now and 0 < until - since <= LONGEST_S


def _issued(seen: _Seen) -> bool:
    at = _seconds(seen.token.claims.get("iat"))
    return at is not None and at <= seen.now + SKEW_S


def _not_before(seen: _Seen) -> bool:
    at = _seconds(seen.token.claims.get("nbf", 0))
    return at is not None and at <= seen.now + SKEW_S


def _subject(seen: _Seen) -> bool:
    return _plain(seen.token.claims.get("sub"), LONGEST_SUBJECT)


def _name(seen: _Seen) -> bool:
    name = seen.token.claims.get("name", "")
    return name == "" or _plain(name, LONGEST_SUBJECT)


def _attributes(seen: _Seen) -> bool:
    """Nothing but what the site may tell: a member too many is a mistake that should be seen."""
    told = seen.token.claims.get("attributes", {})
    if not isinstance(told, dict) or len(told) > MOST_ATTRIBUTES:
        return False
    return all(name in seen.site.attributes and _value(value) for name, value in told.items())


def _value(value: Any) -> bool:
    number = isinstance(value, int) and not isinstance(value, bool)
    return number or _plain(value, LONGEST_VALUE)


def _plain(value: Any, longest: int) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= longest
        and value.isprintable()
        and value == value.strip()
    )


def _seconds(value: Any) -> float | None:
    """A NumericDate (RFC 7519, 2), and no text or boolean that Python would take for one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e12 else None


HEADER_CHECKS: dict[str, Check] = {
    "algorithm": _algorithm,
    "instructions": _no_instructions,
    "type": _type,
}
CLAIM_CHECKS: dict[str, Check] = {
    "audience": _audience,
    "expires": _expires,
    "issued": _issued,
    "not_before": _not_before,
    "subject": _subject,
    "name": _name,
    "attributes": _attributes,
}
