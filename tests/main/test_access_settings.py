"""``[access]`` of ``dazi.toml``, and what is made of it: rules, a directory, a provider."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import sys
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from bench.processes import free_port
from dazi.access.sign_in import Attempt
from dazi.access.users import Directory
from dazi.audit.ledger import Ledger, MemorySink
from dazi.core.errors import AccessError, ConfigError
from dazi.main.access_settings import access_settings
from dazi.main.admission import make_access
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.store.database import Database
from tests.access.accounts.provider import CLIENT, SECRET, Keys, Provider
from tests.access.accounts.test_ldap import (
    GROUPS,
    PEOPLE,
    SALES,
    SERVICE,
    WORD,
    Server,
    slapd,
)
from tests.main.test_serving import CODE, until_ready

__all__ = ["slapd"]


def folder(tmp_path: Path, section: str, *, users: bool = True) -> Path:
    made = tmp_path / "company"
    shutil.copytree(demo_folder(), made, ignore=shutil.ignore_patterns(".dazi"))
    toml = made / "dazi.toml"
    toml.write_text(f"{toml.read_text('utf-8')}\n{section}\n", "utf-8")
    return made


def test_every_number_reaches_its_rule(tmp_path: Path) -> None:
    made = folder(
        tmp_path,
        """
        [access]
        issuer = "Yunshan"
        create_accounts = false
        second_factor_roles = ["finance"]
        key_days = 30
        [access.passwords]
        min_length = 14
        classes = 4
        max_age_days = 60
        remembered = 9
        initial_days = 2
        [access.lockout]
        failures = 3
        address_failures = 20
        lock_minutes = 30
        longest_lock_minutes = 600
        forget_minutes = 10
        [access.sessions]
        idle_minutes = 10
        longest_hours = 8
        """,
    )
    rules = access_settings(load_company(made)).rules
    assert (rules.passwords.min_length, rules.passwords.classes) == (14, 4)
    assert (rules.passwords.max_age_days, rules.passwords.remembered) == (60, 9)
    assert rules.passwords.initial_days == 2
    assert (rules.lockout.failures, rules.lockout.address_failures) == (3, 20)
    assert (rules.lockout.lock_s, rules.lockout.longest_s) == (1800, 36_000)
    assert rules.lockout.window_s == 600
    assert (rules.sessions.idle_s, rules.sessions.absolute_s) == (600, 28_800)
    assert rules.sign_in.issuer == "Yunshan" and not rules.sign_in.create
    assert rules.sign_in.second_factor_roles >= {"finance", "sysadmin", "secadmin", "auditadmin"}
    assert rules.key_days == 30


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("[access]\nsesions = 1", "access.sesions"),
        ("[access.passwords]\nmin_length = 4", "access.passwords.min_length"),
        ("[access.lockout]\nfailures = '5'", "access.lockout.failures"),
        ("[access]\nsecond_factor_roles = ['nobody']", "nobody"),
        (
            "[[access.oidc]]\nname = 'a'\nissuer = 'http://127.0.0.1'\nclient_id = 'x'\n"
            "roles = { g = ['sysadmin'] }",
            "sysadmin",
        ),
        (
            "[[access.oidc]]\nname = 'a'\nissuer = 'http://127.0.0.1'\nclient_id = 'x'\n"
            "client_secret_env = 'NO_SUCH_THING'",
            "NO_SUCH_THING",
        ),
        (
            "[[access.oidc]]\nname = 'a'\nissuer = 'http://127.0.0.1'\nclient_id = 'x'\n" * 2,
            "[[access.oidc]]",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, section: str, told: str) -> None:
    with pytest.raises(ConfigError) as e:
        access_settings(load_company(folder(tmp_path, section)))
    assert told in e.value.text.en and told in e.value.text.zh


async def test_a_directory_by_settings(tmp_path: Path, slapd: Server) -> None:
    (tmp_path / "word").write_text("service-word")
    made = folder(
        tmp_path,
        f"""
        [access.ldap]
        url = "ldaps://localhost:{slapd.secure}"
        base = "{PEOPLE}"
        bind_dn = "{SERVICE}"
        bind_password_file = "{tmp_path / "word"}"
        ca_file = "{slapd.ca}"
        group_base = "{GROUPS}"
        roles = {{ "{SALES}" = ["employee"] }}
        attributes = {{ employeeNumber = "employee_id" }}
        """,
    )
    company = load_company(made)
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    ledger = Ledger(MemorySink())
    await ledger.open()
    access = make_access(company, database, ledger, Directory(company, "127.0.0.1"), tmp_path)
    await access.open(watch=False)
    try:
        begun = await access.sign_in.with_password(Attempt("zhou", WORD, "web", "127.0.0.1"))
        found = await access.sign_in.principal(begun.token, "web")
        assert found is not None and found[0].attributes["employee_id"] == "E77"
        assert "employee" in found[0].roles
        with pytest.raises(AccessError):
            await access.sign_in.with_password(Attempt("zhou", "wrong", "web", "127.0.0.1"))
    finally:
        await access.close()
        await database.close()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    made = Provider(Keys())
    await made.start()
    yield made
    await made.stop()


def get(port: int, path: str, cookies: SimpleCookie, host: str = "127.0.0.1") -> tuple[int, str]:
    """Status and where to; cookies are kept as a browser keeps them. ``host``: what we call it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    sent = "; ".join(f"{k}={m.value}" for k, m in cookies.items() if m.value)
    connection.request("GET", path, headers={"Host": f"{host}:{port}", "Cookie": sent})
    answer = connection.getresponse()
    for line in answer.headers.get_all("Set-Cookie") or []:
        cookies.load(line)
    return answer.status, answer.headers.get("Location", "")


async def test_signing_in_at_a_provider(tmp_path: Path, provider: Provider) -> None:
    made = folder(
        tmp_path,
        f"""
        [[access.oidc]]
        name = "corp"
        issuer = "{provider.issuer}"
        client_id = "{CLIENT}"
        client_secret_env = "CORP_SECRET"
        roles = {{ sales = ["employee"] }}
        """,
    )
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", CODE, "serve", "--port", str(port), "--no-check"),
        env={
            **os.environ,
            "DAZI_COMPANY": str(made),
            "DAZI_DATA": str(tmp_path / "data"),
            "CORP_SECRET": SECRET,
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.to_thread(until_ready, f"http://127.0.0.1:{port}/readyz")
        cookies: SimpleCookie = SimpleCookie()
        asked = await asyncio.to_thread(get, port, "/login/oidc/corp?next=/approvals", cookies)
        assert asked[0] == 303 and asked[1].startswith(f"{provider.issuer}/authorize?")
        back = provider.authorize(asked[1])
        query = f"code={back['code']}&state={back['state']}"
        # Whoever has the link and not the cookie of the browser that began is not let in.
        stolen = await asyncio.to_thread(get, port, f"/login/oidc/callback?{query}", SimpleCookie())
        assert stolen == (303, "/login?error=oidc")
        cookies = SimpleCookie()
        asked = await asyncio.to_thread(get, port, "/login/oidc/corp?next=/approvals", cookies)
        back = provider.authorize(asked[1])
        query = f"code={back['code']}&state={back['state']}"
        done = await asyncio.to_thread(get, port, f"/login/oidc/callback?{query}", cookies)
        assert done == (303, "/approvals")
        assert (await asyncio.to_thread(get, port, "/approvals", cookies))[0] == 200
        again = await asyncio.to_thread(get, port, f"/login/oidc/callback?{query}", cookies)
        assert again == (303, "/login?error=oidc")
        elsewhere = await asyncio.to_thread(
            get, port, "/login/oidc/corp", SimpleCookie(), "evil.example"
        )
        assert elsewhere == (303, "/login?error=public_url")
        assert (await asyncio.to_thread(get, port, "/login/oidc/none", cookies))[1] == (
            "/login?error=oidc"
        )
    finally:
        process.terminate()
        await process.wait()
