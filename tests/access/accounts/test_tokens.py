"""Forged ID tokens: none is accepted, and without any one check some are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key

from dazi.access import tokens
from dazi.access.tokens import (
    CLAIM_CHECKS,
    HEADER_CHECKS,
    BadToken,
    Expected,
    PublicKey,
    read,
    suits,
    usable,
    verify,
)
from tests.access.accounts.provider import Keys, encode, half_hash, sign

NOW = 1_760_000_000
EXPECTED = Expected("https://id.example", "dazi", "n-1", NOW, "at")
CLAIMS = {
    "iss": "https://id.example", "aud": "dazi", "sub": "248", "nonce": "n-1",
    "iat": NOW - 5, "exp": NOW + 300,
}  # fmt: skip
KEYS = Keys()
STRANGER = RSAKey.generate_key(2048, {"kid": "r1"})
PUBLIC = [usable(import_key(k)) for k in KEYS.public()]


def key_of(header: Mapping[str, Any], published: list[PublicKey | None]) -> PublicKey | None:
    """As the provider's client finds it: by its id, and of the kind the algorithm takes."""
    for key in published:
        if key is not None and key.kid == header.get("kid") and suits(key, header):
            return key
    return None


def accepted(text: str, published: list[PublicKey | None] | None = None) -> bool:
    try:
        token = read(text)
        verify(token, key_of(token.header, published or PUBLIC), EXPECTED)
    except BadToken:
        return False
    return True


def good(**changed: Any) -> str:
    claims = {k: v for k, v in {**CLAIMS, **changed}.items() if v is not ...}
    return sign({"alg": "RS256", "kid": "r1"}, claims, KEYS.rsa)


def with_header(**members: Any) -> str:
    return sign({"alg": "RS256", "kid": "r1", **members}, CLAIMS, KEYS.rsa)


def pem(key: RSAKey) -> bytes:
    return key.public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def unsigned(algorithm: str, signature: str = "") -> str:
    header = encode(json.dumps({"alg": algorithm, "kid": "r1"}).encode())
    return f"{header}.{encode(json.dumps(CLAIMS).encode())}.{signature}"


def forged() -> dict[str, str]:
    """Each is a good token but for one thing."""
    whole = good()
    first, payload, signature = whole.split(".")
    attacker = STRANGER.as_dict(private=False)
    other = encode(json.dumps({**CLAIMS, "sub": "1"}).encode())
    twice = b'{"sub": "1", ' + json.dumps(CLAIMS).encode()[1:]

    def headed(header: bytes) -> str:
        return f"{encode(header)}.{payload}.{signature}"

    return {
        # no signature, or none of the provider's
        "alg none": unsigned("none"),
        "alg None": unsigned("None"),
        "alg NONE with a signature": unsigned("NONE", signature),
        "none, signature kept": unsigned("none", signature),
        "no signature": f"{first}.{payload}.",
        "two parts": f"{first}.{payload}",
        "four parts": f"{whole}.x",
        "signature of zeros": f"{first}.{payload}.{encode(bytes(256))}",
        "signature cut": whole[:-4],
        "signature with more": f"{whole}AAAA",
        "payload exchanged": f"{first}.{other}.{signature}",
        "header exchanged": headed(b'{"alg":"RS256","kid":"r1" }'),
        "another's key": sign({"alg": "RS256", "kid": "r1"}, CLAIMS, STRANGER),
        "unknown kid": sign({"alg": "RS256", "kid": "r9"}, CLAIMS, KEYS.rsa),
        "no kid": sign({"alg": "RS256"}, CLAIMS, KEYS.rsa),
        "kid of another key": sign({"alg": "RS256", "kid": "e1"}, CLAIMS, KEYS.rsa),
        "kid a path": sign({"alg": "RS256", "kid": "../../r1"}, CLAIMS, KEYS.rsa),
        "kid a list": sign({"alg": "RS256", "kid": ["r1"]}, CLAIMS, KEYS.rsa),
        # algorithms that are not on the list, or not the key's
        "HS256 with the public key": sign(
            {"alg": "HS256", "kid": "r1"}, CLAIMS, pem(KEYS.rsa)
        ),
        "HS256 with an empty key": sign({"alg": "HS256", "kid": "r1"}, CLAIMS, b"0"),
        "RS384": sign({"alg": "RS384", "kid": "r1"}, CLAIMS, KEYS.rsa),
        "RS512": sign({"alg": "RS512", "kid": "r1"}, CLAIMS, KEYS.rsa),
        "PS256": sign({"alg": "PS256", "kid": "r1"}, CLAIMS, KEYS.rsa),
        "rs256": unsigned("rs256", signature),
        "ES256 said, RS256 signed": unsigned("ES256", signature),
        "alg missing": headed(b'{"kid":"r1"}'),
        "alg a list": headed(b'{"kid":"r1","alg":["RS256"]}'),
        # headers that say how to check
        "jwk": sign({"alg": "RS256", "kid": "r1", "jwk": attacker}, CLAIMS, STRANGER),
        "jwk, well signed": with_header(jwk=attacker),
        "jku": with_header(jku="https://evil.example/jwks"),
        "x5u": with_header(x5u="https://evil.example/c.pem"),
        "x5c": with_header(x5c=["MIIB"]),
        "crit unknown": with_header(crit=["exp2"], exp2=1),
        "crit b64": with_header(crit=["b64"], b64=False),
        "crit empty": with_header(crit=[]),
        "b64": with_header(b64=True),
        "zip": with_header(zip="DEF"),
        "typ of an access token": with_header(typ="at+jwt"),
        "typ of a logout token": with_header(typ="logout+jwt"),
        "typ a number": with_header(typ=1),
        # claims
        "another issuer": good(iss="https://evil.example"),
        "issuer with a slash": good(iss="https://id.example/"),
        "issuer in capitals": good(iss="https://ID.example"),
        "issuer a list": good(iss=["https://id.example"]),
        "no issuer": good(iss=...),
        "another audience": good(aud="other"),
        "audiences": good(aud=["dazi", "other"]),
        "audience twice": good(aud=["dazi", "dazi"]),
        "audience in part": good(aud="dazi2"),
        "audience empty": good(aud=[]),
        "no audience": good(aud=...),
        "another party": good(azp="other"),
        "party null": good(azp=None),
        "expired": good(exp=NOW - 60),
        "expired long ago": good(exp=1),
        "exp a text": good(exp=str(NOW + 300)),
        "exp true": good(exp=True),
        "exp null": good(exp=None),
        "exp without end": good(exp=1e300),
        "no exp": good(exp=...),
        "issued in the future": good(iat=NOW + 61),
        "issued long ago": good(iat=NOW - 700),
        "iat a text": good(iat=str(NOW)),
        "no iat": good(iat=...),
        "not yet": good(nbf=NOW + 61),
        "nbf a text": good(nbf="0"),
        "another nonce": good(nonce="n-2"),
        "nonce a list": good(nonce=["n-1"]),
        "no nonce": good(nonce=...),
        "nonce null": good(nonce=None),
        "no subject": good(sub=...),
        "subject empty": good(sub=""),
        "subject a number": good(sub=248),
        "subject with a line end": good(sub="24\n8"),
        "subject too long": good(sub="x" * 256),
        "of another access token": good(at_hash=half_hash("other")),
        "at_hash whole": good(at_hash="x"),
        # shape
        "a member twice": sign({"alg": "RS256", "kid": "r1"}, twice, KEYS.rsa),
        "NaN": sign({"alg": "RS256", "kid": "r1"}, b'{"exp": NaN}', KEYS.rsa),
        "claims a list": sign({"alg": "RS256", "kid": "r1"}, b"[]", KEYS.rsa),
        "claims no JSON": sign({"alg": "RS256", "kid": "r1"}, b"x", KEYS.rsa),
        "padded": f"{first}=.{payload}.{signature}",
        "with a space": f" {whole}",
        "with a line end": f"{whole}\n",
        "too long": good(more="x" * 20_000),
        "deep": sign({"alg": "RS256", "kid": "r1"}, b"[" * 9_000, KEYS.rsa),
        "empty": "",
        "dots": "..",
    }  # fmt: skip


FORGED = forged()


def test_good_tokens_of_every_kind_are_accepted() -> None:
    """Otherwise the rest of this file would prove nothing."""
    for algorithm, key in (("RS256", KEYS.rsa), ("ES256", KEYS.ec), ("EdDSA", KEYS.ed)):
        assert accepted(sign({"alg": algorithm, "kid": key.kid}, CLAIMS, key))
    for changed in (
        {"aud": ["dazi"]}, {"azp": "dazi"}, {"exp": NOW - 59}, {"iat": NOW + 60}, {"nbf": NOW + 60},
        {"at_hash": half_hash("at")}, {"exp": NOW + 0.5},
    ):  # fmt: skip
        assert accepted(good(**changed)), changed
    assert accepted(with_header(typ="JWT"))


def test_no_forged_token_is_accepted() -> None:
    assert len(FORGED) >= 60
    assert [name for name, text in FORGED.items() if accepted(text)] == []


@pytest.mark.parametrize("check", [*HEADER_CHECKS, *CLAIM_CHECKS])
def test_each_check_is_the_only_one_that_stops_something(
    check: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for checks in (HEADER_CHECKS, CLAIM_CHECKS):
        if check in checks:
            monkeypatch.setitem(checks, check, lambda token, expected: True)
    # What the list of algorithms keeps out would be signed well; suits() is the second lock.
    monkeypatch.setattr(tokens, "ALGORITHMS", {**tokens.ALGORITHMS, **_MORE[check == "algorithm"]})
    assert [name for name, text in FORGED.items() if accepted(text)] != []


_MORE: dict[bool, dict[str, str]] = {
    True: {"PS256": "RSA", "RS384": "RSA", "RS512": "RSA"},
    False: {},
}


def test_without_the_signature_much_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "signed", lambda token, key: True)
    let_through = {name for name, text in FORGED.items() if accepted(text)}
    assert {"another's key", "payload exchanged", "signature of zeros"} <= let_through


def test_without_the_reading_of_shape_a_member_counts_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "_unique", dict)
    assert accepted(FORGED["a member twice"])


def test_a_kid_is_not_taken_for_another_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """With any key that fits instead of the one that is named, tokens of no known key pass."""
    monkeypatch.setattr(
        "tests.access.accounts.test_tokens.key_of",
        lambda header, published: next((k for k in published if k and suits(k, header)), None),
    )
    assert accepted(FORGED["unknown kid"]) and accepted(FORGED["no kid"])


def test_keys_that_no_signature_is_checked_with() -> None:
    weak = [
        RSAKey.generate_key(1024).as_dict(private=False),
        ECKey.generate_key("P-384").as_dict(private=False),
        OKPKey.generate_key("X25519").as_dict(private=False),
        OctKey.generate_key(256).as_dict(),
        {**KEYS.rsa.as_dict(private=False), "use": "enc"},
        KEYS.rsa.as_dict(private=True),
    ]
    assert [usable(import_key(k)) for k in weak] == [None] * len(weak)
    meant_for_another = usable(import_key({**KEYS.rsa.as_dict(private=False), "alg": "PS256"}))
    assert not accepted(good(), [meant_for_another])
