"""Signing in with an account: one-time password, second factor, lockout, and being sent away."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator

import pytest

from dazi.access.accounts import Account
from dazi.access.totp import STEP_S, code_at
from dazi.core.language import Text
from tests.console.browser import Browser
from tests.console.conftest import Site
from tests.console.test_signing_in import get, location, post

CHOSEN = "Kx7-mauerwerk-2"


@pytest.fixture
def person(site: Site) -> Iterator[tuple[str, str]]:
    """An account and its one-time password."""
    yield made(site, "lihua", "employee")
    site.run(forget(site, "lihua"))


def made(site: Site, user: str, *roles: str) -> tuple[str, str]:
    async def make() -> str:
        stores = site.runtime.access.stores
        name = Text("李华", "Li Hua")
        attributes = {"employee_id": "E1007"}
        await stores.accounts.create(Account(user, name, frozenset(roles), attributes=attributes))
        return await stores.passwords.make_initial("default", user)

    return user, site.run(make())


async def forget(site: Site, user: str) -> None:
    stores = site.runtime.access.stores
    await stores.accounts.delete("default", user)
    await stores.passwords.forget("default", user)
    async with site.runtime.database.write() as connection:
        for table in ("accounts", "access_attempts"):
            await connection.exec_driver_sql(f"DELETE FROM {table}")
    stores.people._by_name.clear()


def sign_in(browser: Browser, user: str, password: str) -> None:
    browser.open("/login")
    browser.js("document.querySelector('.dz-login-form').open = true")
    fill(browser, user=user, password=password)


def fill(browser: Browser, **values: str) -> None:
    for name, value in values.items():
        field = browser.one(f"input[name={name}]")
        field.clear()
        field.send_keys(value)
    browser.press(".dz-submit")


def test_a_one_time_password_is_replaced_before_anything_else(
    browser: Browser, site: Site, person: tuple[str, str]
) -> None:
    sign_in(browser, *person)
    browser.one(".dz-h1", "设置新密码")
    cookie = "dazi_session=" + browser.driver.get_cookie("dazi_session")["value"]  # type: ignore[index]
    assert location(get(site, "/", cookie)) == "/login"  # not signed in yet
    fill(browser, password="lihua-2026-A", again="lihua-2026-A")
    browser.one(".dz-error", "密码里不能有用户名")
    fill(browser, password=CHOSEN, again=CHOSEN + "x")
    browser.one(".dz-error", "不一样")
    fill(browser, password=CHOSEN, again=CHOSEN)
    browser.ready()
    assert "李华" in browser.text()
    assert location(get(site, "/", cookie)).startswith("/login")  # the step's token is used up
    browser.driver.delete_cookie("dazi_session")
    sign_in(browser, person[0], CHOSEN)
    browser.ready()


def test_an_administrator_sets_up_a_second_factor(browser: Browser, site: Site) -> None:
    user, word = made(site, "wangfang", "sysadmin")
    try:
        sign_in(browser, user, word)
        browser.one(".dz-h1", "绑定两步验证")
        assert browser.one("img.dz-qr").size["width"] > 100
        secret = base64.b32decode(browser.one(".dz-secret").text.replace(" ", ""))
        recovery = [e.text for e in browser.all(".dz-recovery .dz-code")]
        assert len(recovery) == 10
        fill(browser, code="000000")
        browser.one(".dz-error", "验证码不对")
        secret = base64.b32decode(browser.one(".dz-secret").text.replace(" ", ""))
        recovery = [e.text for e in browser.all(".dz-recovery .dz-code")]
        fill(browser, code=code_at(secret, int(time.time() // STEP_S)))
        browser.one(".dz-h1", "设置新密码")
        fill(browser, password=CHOSEN, again=CHOSEN)
        browser.ready()
        browser.driver.delete_cookie("dazi_session")
        sign_in(browser, user, CHOSEN)
        browser.one(".dz-h1", "两步验证")
        fill(browser, code=recovery[0])
        browser.ready()
    finally:
        site.run(site.runtime.access.stores.second_factor.forget("default", user))
        site.run(forget(site, user))


def test_a_page_is_left_when_the_account_is_disabled(
    browser: Browser, site: Site, person: tuple[str, str]
) -> None:
    sign_in(browser, *person)
    fill(browser, password=CHOSEN, again=CHOSEN)
    browser.ready()
    site.run(site.runtime.access.stores.accounts.set_disabled("default", person[0], True))
    browser.one(".dz-error", "登录已失效")


def test_guessing_ends_in_a_pause(site: Site, person: tuple[str, str]) -> None:
    user, word = person
    for _ in range(5):
        wrong = post(site, "/login", {"user": user, "password": "wrong"})
        assert "error=sign_in" in location(wrong)
    right = post(site, "/login", {"user": user, "password": word})
    assert location(right) == f"/login?error=locked&user={user}&minutes=15"
    assert "Set-Cookie" not in right.headers


def test_a_session_outlives_the_page_that_made_it_only_as_long_as_it_stands(
    browser: Browser, site: Site
) -> None:
    browser.sign_in("customer")
    token = browser.driver.get_cookie("dazi_session")["value"]  # type: ignore[index]
    session = site.run(site.runtime.access.sessions.find(token))
    assert session is not None and session.user == "customer"
    assert site.run(site.runtime.access.sessions.end_all("default", "customer")) >= 1
    browser.one(".dz-error", "登录已失效")
