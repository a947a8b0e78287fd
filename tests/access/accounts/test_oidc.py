"""Signing in at providers on loopback: a small strict one, and one made by others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from dazi.access.oidc import Oidc, Started
from dazi.access.provider import ProviderClient, ProviderConfig
from dazi.access.tokens import BadToken
from dazi.core.errors import AccessError, NotFound, OperatorError
from dazi.store.database import Database
from tests.access.accounts.conftest import Office
from tests.access.accounts.provider import CLIENT, SECRET, Keys, Provider, sign

BACK = "http://127.0.0.1:8000/oidc/corp"
KEYS = Keys()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider(KEYS)
    await made.start()
    yield made
    await made.stop()


def config(issuer: str, **more: Any) -> ProviderConfig:
    return ProviderConfig(
        "corp", issuer, CLIENT, SECRET, **{"roles": {"sales": ("staff",)}, **more}
    )


@pytest.fixture
def oidc(database: Database, provider: Provider) -> Oidc:
    return Oidc(database, [ProviderClient(config(provider.issuer))])


async def begun(oidc: Oidc, provider: Provider) -> tuple[Started, dict[str, str]]:
    started = await oidc.start("corp", BACK)
    return started, provider.authorize(started.url)


async def test_somebody_signs_in(oidc: Oidc, provider: Provider, office: Office) -> None:
    started, given = await begun(oidc, provider)
    found = await oidc.finish(given, started.keep)
    assert (found.source, found.subject, found.user, found.name) == (
        "oidc:corp", "248", "zhou", "周",
    )  # fmt: skip
    assert (found.roles, found.department, found.second_factor) == ({"staff"}, "销售", False)
    session = await office.access.sign_in.with_identity(found, "web", "10.0.0.1")
    assert session.session.complete and office.as_user("zhou").roles == {"staff"}


async def test_the_url_asks_for_this_very_sign_in(oidc: Oidc, provider: Provider) -> None:
    urls = [(await oidc.start("corp", BACK)).url for _ in range(2)]
    first, second = ({k: v[0] for k, v in parse_qs(urlsplit(u).query).items()} for u in urls)
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43 and first[name] != second[name]
    assert (first["redirect_uri"], first["client_id"], first["scope"]) == (
        BACK, CLIENT, "openid profile email",
    )  # fmt: skip
    with pytest.raises(NotFound):
        await oidc.start("other", BACK)


async def test_a_state_works_once_in_time_and_in_its_browser(
    oidc: Oidc, provider: Provider, database: Database
) -> None:
    started, given = await begun(oidc, provider)
    for wrong in ({**given, "state": "x"}, {"code": given["code"]}, {**given, "state": ""}):
        with pytest.raises(AccessError, match="state"):
            await oidc.finish(wrong, started.keep)
    results = await asyncio.gather(
        *(oidc.finish(given, started.keep) for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(r, BaseException) for r in results) == 1
    started, given = await begun(oidc, provider)
    with pytest.raises(AccessError, match="browser"):
        await oidc.finish(given, "somebody else's")
    with pytest.raises(AccessError, match="state"):
        await oidc.finish(given, started.keep)  # used up by the first try
    started, given = await begun(oidc, provider)
    client = ProviderClient(config(provider.issuer))
    late = Oidc(database, [client], lambda: time.time() + 601)
    with pytest.raises(AccessError, match="state"):
        await late.finish(given, started.keep)


async def test_a_code_is_of_no_use_without_its_verifier(oidc: Oidc, provider: Provider) -> None:
    """A stolen code in another sign-in of ours: PKCE at the provider, the nonce here."""
    _, stolen = await begun(oidc, provider)
    started, given = await begun(oidc, provider)
    with pytest.raises(AccessError, match="code"):
        await oidc.finish({**given, "code": stolen["code"]}, started.keep)
    lax = provider.codes
    started, given = await begun(oidc, provider)
    other, victim = await begun(oidc, provider)
    mine = lax[given["code"]]
    lax[victim["code"]] = {**lax[victim["code"]], "code_challenge": mine["code_challenge"]}
    with pytest.raises(BadToken) as caught:
        await oidc.finish({**given, "code": victim["code"]}, started.keep)
    assert caught.value.why == "nonce" and other.keep


async def test_errors_and_other_issuers_are_refused(oidc: Oidc, provider: Provider) -> None:
    started, given = await begun(oidc, provider)
    with pytest.raises(AccessError, match="provider"):
        await oidc.finish({**given, "error": "access_denied"}, started.keep)
    started, given = await begun(oidc, provider)
    with pytest.raises(AccessError, match="issuer"):
        await oidc.finish({**given, "iss": "https://evil.example"}, started.keep)
    started, given = await begun(oidc, provider)
    assert await oidc.finish({**given, "iss": provider.issuer}, started.keep)


BENT: dict[str, Callable[[dict[str, Any]], None]] = {
    "audience": lambda c: c.update(aud="other"),
    "issuer": lambda c: c.update(iss="https://evil.example"),
    "nonce": lambda c: c.update(nonce="x"),
    "expires": lambda c: c.update(exp=1),
    "access_token": lambda c: c.update(at_hash="x"),
    "no preferred_username": lambda c: c.pop("preferred_username"),
}


@pytest.mark.parametrize("why", BENT)
async def test_claims_that_do_not_fit(oidc: Oidc, provider: Provider, why: str) -> None:
    provider.bend = BENT[why]
    started, given = await begun(oidc, provider)
    with pytest.raises(BadToken) as caught:
        await oidc.finish(given, started.keep)
    assert caught.value.why == why


async def test_an_unknown_kid_fetches_the_keys_once_a_minute(
    database: Database, provider: Provider
) -> None:
    now = [1000.0]
    client = ProviderClient(config(provider.issuer), lambda: now[0])
    oidc = Oidc(database, [client])
    new = Keys()
    provider.mint = lambda claims: sign({"alg": "ES256", "kid": "new"}, claims, new.ec)
    for _ in range(4):
        started, given = await begun(oidc, provider)
        with pytest.raises(BadToken):
            await oidc.finish(given, started.keep)
    assert provider.seen.count("jwks") == 1
    provider.published = [{**new.ec.as_dict(private=False), "kid": "new"}]
    now[0] += 60
    started, given = await begun(oidc, provider)
    assert await oidc.finish(given, started.keep)
    assert provider.seen.count("jwks") == 2
    # A key that the provider has withdrawn is gone with the next fetch.
    provider.mint = lambda claims: sign({"alg": "RS256", "kid": "r1"}, claims, KEYS.rsa)
    now[0] += 60
    started, given = await begun(oidc, provider)
    with pytest.raises(BadToken):
        await oidc.finish(given, started.keep)


async def test_a_document_of_somebody_else_is_not_believed(
    database: Database, provider: Provider
) -> None:
    good = dict(provider.document)
    for bent in (
        {"issuer": "https://evil.example"},
        {"issuer": provider.issuer + "/"},
        {"token_endpoint": "https://evil.example/token"},
        {"jwks_uri": "http://169.254.169.254/jwks"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://evil.example/authorize"},
    ):
        provider.document = {**good, **bent}
        with pytest.raises(OperatorError):
            await Oidc(database, [ProviderClient(config(provider.issuer))]).start("corp", BACK)


async def test_a_provider_that_is_down_says_so(database: Database, provider: Provider) -> None:
    await provider.stop()
    with pytest.raises(OperatorError, match="cannot be used") as caught:
        await Oidc(database, [ProviderClient(config(provider.issuer))]).start("corp", BACK)
    assert SECRET not in str(caught.value)


async def test_a_second_factor_there_counts_if_it_is_said(oidc: Oidc, provider: Provider) -> None:
    for methods, counts in ((["pwd", "mfa"], True), (["pwd"], False), ("mfa", False)):
        provider.claims["amr"] = methods
        started, given = await begun(oidc, provider)
        assert (await oidc.finish(given, started.keep)).second_factor is counts


# --- a provider that we did not write -------------------------------------------------------------


async def test_against_a_packaged_provider(database: Database) -> None:
    """The package ``oidc-provider-mock``, on Authlib: RS256, discovery, JWKS, the code grant."""
    mock = pytest.importorskip("oidc_provider_mock", reason="no oidc-provider-mock here")
    claims = {"preferred_username": "wei", "name": "魏", "groups": ["sales"]}
    user = mock.User(sub="wei", claims=claims)
    with mock.run_server_in_thread(user_claims=[user], require_nonce=True) as server:
        issuer = f"http://localhost:{server.server_port}"
        oidc = Oidc(database, [ProviderClient(config(issuer))])
        started = await oidc.start("corp", BACK)
        async with (
            aiohttp.ClientSession() as browser,
            browser.post(started.url, data={"sub": "wei"}, allow_redirects=False) as answer,
        ):
            back = urlsplit(answer.headers["Location"])
        given = {k: v[0] for k, v in parse_qs(back.query).items()}
        assert given["state"] in started.url
        found = await oidc.finish(given, started.keep)
    assert (found.subject, found.user, found.name) == ("wei", "wei", "魏")
