"""API keys, one's own account and limits in a browser."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from dazi.access.keys import Draft, Scope
from dazi.access.limits.limiter import Limiter
from dazi.access.limits.rules import LimitRule, Price
from dazi.access.totp import STEP_S, code_at
from dazi.core.engine import Usage
from tests.console.administrators import accounts, enter, go, gone, make
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_audit_page import get, turned

OLD, NEW = "Kx7-mauerwerk-2", "Vt4-ziegelstein-9"


@pytest.fixture
def people(site: Site) -> Iterator[None]:
    with accounts(site, chen="secadmin", lihua="finance", zhou="auditadmin"):
        site.run(make(site, "robot", "staff", kind="service"))
        yield
        site.run(gone(site, "robot"))


def write(browser: Browser, **fields: str) -> None:
    for name, text in fields.items():
        field = browser.one(f".dz-key-form .dz-key-{name} input")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)


def choose(browser: Browser, select: str, option: str) -> None:
    browser.press(f".dz-key-form .dz-key-{select}")
    browser.press(".q-menu .q-item", option)
    browser.one(".dz-key-form .dz-dialog-title").click()
    browser.gone(".q-menu")


def names(browser: Browser) -> list[str]:
    return [e.text for e in browser.all(".dz-key .dz-people-name")]


@pytest.mark.usefixtures("people")
def test_a_key_is_made_narrow_shown_once_and_revoked(browser: Browser, site: Site) -> None:
    enter(browser, site, "lihua", "/keys")
    assert browser.one(".dz-key-list .dz-none").text == "还没有密钥"
    browser.press(".dz-new-key")
    write(browser, name="夜间报表", networks="127.0.0.1,10.1.0.0/16", days="400")
    choose(browser, "tools", "get_order_status")
    browser.press(".dz-key-save")
    browser.one(".q-notification", "不超过 365 天")
    write(browser, days="30")
    browser.press(".dz-key-save")
    key = browser.said(".dz-once-secret")
    browser.press(".dz-once-copy")
    browser.one(".dz-once-copy", "已复制")
    browser.press(".dz-once-close")
    browser.gone(".dz-once")
    assert names(browser) == ["夜间报表"]
    assert key.startswith("dz_") and key not in str(
        browser.js("return document.documentElement.outerHTML")
    )
    go(browser, "/keys")
    assert "没有用过" in browser.text() and "10.1.0.0/16" in browser.text()
    ring = site.runtime.access.keyring
    grant = ring.grant(key, "api", "10.1.2.3")
    assert grant is not None and grant.principal.user == "lihua"
    assert grant.tools == {"get_order_status"} and ring.grant(key, "api", "10.2.0.1") is None
    browser.press(".dz-key-revoke")
    browser.press(".dz-act-now")
    browser.one(".dz-chip-bad", "由 lihua 吊销")
    assert ring.grant(key, "api", "10.1.2.3") is None


@pytest.mark.usefixtures("people")
def test_all_keys_are_for_the_security_administrator(browser: Browser, site: Site) -> None:
    keys = site.runtime.access.stores.keys
    for n in range(55):
        scope = Scope(frozenset({"finance"}))
        site.run(keys.create(Draft("default", "lihua", f"key {n}", scope, 10), "lihua"))
    enter(browser, site, "zhou", "/keys")
    browser.one(".dz-muted", "您的角色不能做密钥")
    assert not browser.all(".dz-new-key") and not browser.all(".dz-filter")
    assert get(site, browser, "/keys?show=all").status == 403
    enter(browser, site, "chen", "/keys?show=all")
    assert len(names(browser)) == 50 and names(browser)[0] == "key 54"
    browser.press(".dz-keys-next")
    until(lambda: "after=" in browser.driver.current_url)
    browser.one(".dz-keys-first")
    assert names(browser) == [f"key {n}" for n in (4, 3, 2, 1, 0)]
    go(browser, "/keys?show=all")
    browser.press(".dz-new-key")
    write(browser, name="同步")
    assert "robot" in browser.one(".dz-key-owner").text
    browser.press(".dz-key-save")
    assert browser.said(".dz-once-secret").startswith("dz_")
    browser.press(".dz-once-close")
    until(lambda: names(browser)[:1] == ["同步"])
    assert "chen 做的" in browser.one(".dz-key .dz-muted", "robot").text
    browser.be_a_phone()
    go(browser, "/keys?show=all")
    assert browser.js("return document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.usefixtures("people")
def test_a_person_changes_the_password_and_ends_what_is_elsewhere(
    browser: Browser, site: Site
) -> None:
    access = site.runtime.access
    site.run(access.stores.passwords.set("default", "lihua", OLD))
    other = site.run(access.sessions.begin(("default", "lihua"), "web", "10.9.9.9")).token
    enter(browser, site, "lihua", "/account")
    assert "10.9.9.9" in browser.text() and browser.one(".dz-chip-good", "就是这里")
    browser.press(".dz-end-others")
    browser.gone(".dz-end-others")
    assert site.run(access.sessions.find(other)) is None
    other = site.run(access.sessions.begin(("default", "lihua"), "web", "10.9.9.9")).token
    for fields, told in (
        ((OLD, NEW, NEW + "x"), "不一样"),
        (("wrong", NEW, NEW), "用户名或密码不对"),
        ((OLD, OLD, OLD), "不能用最近"),
    ):
        password(browser, *fields)
        browser.one(".dz-error", told)
    password(browser, OLD, NEW, NEW)
    browser.one(".dz-verdict-good", "密码改好了")
    assert site.run(access.sessions.find(other)) is None
    assert site.run(access.stores.passwords.verify("default", "lihua", NEW)) == "right"
    go(browser, "/account")
    browser.one(".dz-own-sessions .dz-session", "就是这里")


def password(browser: Browser, *fields: str) -> None:
    form = "form[action='/account/password']"
    for name, text in zip(("old", "password", "again"), fields, strict=True):
        browser.one(f"{form} input[name={name}]").send_keys(text)
    browser.press(f"{form} .dz-submit")


@pytest.mark.usefixtures("people")
def test_a_second_factor_is_set_up_and_users_of_the_file_have_none(
    browser: Browser, site: Site
) -> None:
    enter(browser, site, "lihua", "/account")
    browser.press(".dz-enrol-begin")
    assert browser.one("img.dz-qr").size["width"] > 100
    secret = base64.b32decode(browser.one(".dz-secret").text.replace(" ", ""))
    browser.one("input[name=code]").send_keys(code_at(secret, int(time.time() // STEP_S)))
    browser.press("form[action='/account/code'] .dz-submit")
    browser.one(".dz-verdict-good", "绑定好了")
    browser.one(".dz-has-factor")
    assert site.run(site.runtime.access.stores.second_factor.enrolled("default", "lihua"))
    enter(browser, site, "customer", "/account")
    assert "写在 dazi.toml" in browser.text()
    assert not browser.all("form[action='/account/password']") and not browser.all(
        ".dz-enrol-begin"
    )


@pytest.mark.usefixtures("people")
def test_limits_show_what_is_used_and_by_whom(
    browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned(site)
    enter(browser, site, "admin", "/limits")
    browser.one(".dz-no-limits")
    rules = (
        LimitRule("user", requests_per_minute=10, tokens_per_minute=1000),
        LimitRule("tenant", micros_per_month=5_000_000),
    )
    limiter = Limiter(rules, {"scripted-1": Price(1_000_000, 1_000_000)})
    monkeypatch.setattr(site.runtime.service, "limiter", limiter)
    who = site.runtime.access.people.principal("finance", "web")
    site.run(limiter.admit(who, "scripted-1", Usage(900, 0)))
    go(browser, "/limits?user=finance")
    bars = {
        e.get_attribute("aria-label"): e.get_attribute("aria-valuenow")
        for e in browser.all("[role=meter]")
    }
    assert bars["每个用户 · 每分钟请求"] == "1" and bars["每个用户 · 每分钟词元"] == "900"
    assert browser.all(".dz-limit-high") and len(browser.all(".dz-limit-rules tbody tr")) == 2
    row = browser.one(".dz-today tr", "finance").text.split()
    assert row[1] == "scripted-1" and int(row[2]) >= 1
    go(browser, "/limits?user=nobody")
    browser.one(".dz-none", "没有用户 nobody")
    enter(browser, site, "finance", "/account")
    assert len(browser.all("[role=meter]")) == 2  # not what the company has spent
    assert get(site, browser, "/limits").status == 403
    enter(browser, site, "zhou", "/limits")
    browser.one(".dz-refused", "管理员")
