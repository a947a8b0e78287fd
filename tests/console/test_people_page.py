"""Accounts in a browser: who sees what, what each duty may do, and that roles take two people."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from dazi.access.accounts import Account
from dazi.access.lockout import Subject
from dazi.console.people_list import Asked, part
from dazi.core.language import Text
from tests.console.administrators import accounts, enter, go, gone
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_audit_page import get


@pytest.fixture
def three(site: Site) -> Iterator[None]:
    with accounts(site, wang="sysadmin", chen="secadmin", zhou="auditadmin", lihua="staff"):
        yield
        site.run(gone(site, "newbie"))


def acts(browser: Browser) -> list[str]:
    return [e.text for e in browser.all(".dz-person-acts button")]


def account_of(site: Site, user: str) -> Account:
    found = site.runtime.access.people.account("default", user)
    assert found is not None
    return found


def recorded(site: Site, user: str) -> list[dict[str, object]]:
    site.run(site.runtime.ledger.flush())
    rows = site.run(site.runtime.audit.rows(limit=100_000))
    return [json.loads(r.body) for r in rows if r.user == user and r.kind == "admin"]


def choose(browser: Browser, box: str) -> None:
    browser.press(f".dz-role-{box}")


@pytest.mark.usefixtures("three")
def test_each_duty_sees_what_is_its_own(browser: Browser, site: Site) -> None:
    for user in ("zhou", "lihua", "admin"):
        enter(browser, site, user, "/people")
        assert "系统管理员和安全管理员" in browser.one(".dz-refused").text
        assert not browser.all("a[href='/people']") and not browser.all(".dz-people-row")
        for path in ("/people", "/people/u/lihua", "/people/requests"):
            assert get(site, browser, path).status == 403
    enter(browser, site, "wang", "/people/u/lihua")
    assert acts(browser) == ["修改", "重置密码", "停用", "删除账号"]
    enter(browser, site, "chen", "/people/u/lihua")
    assert acts(browser) == ["停用"] and browser.all(".dz-person-change-roles")
    browser.js("document.querySelector('.dz-person-tools').open = true")
    tools = [e.text for e in browser.all(".dz-tools-of .dz-code")]
    assert "get_order_status" in tools and "request_refund" not in tools
    go(browser, "/people/u/customer")
    lines = (site.runtime.company.folder / "dazi.toml").read_text("utf-8").splitlines()
    number = len(lines) - lines[::-1].index('user = "customer"')
    place = f"yunshan/dazi.toml:{number}"
    assert place in browser.one(".dz-of-file").text
    assert not acts(browser) and not browser.all(".dz-person-change-roles")
    assert get(site, browser, "/people/u/nobody").status == 404


@pytest.mark.usefixtures("three")
def test_users_are_looked_for_sorted_and_paged(browser: Browser, site: Site) -> None:
    many = [f"p{n:03}" for n in range(60)]

    async def fill() -> None:
        for n, user in enumerate(many):
            name = Text(f"测试{n}", f"Test {n}")
            await site.runtime.access.stores.accounts.create(Account(user, name, department="D7"))

    site.run(fill())
    try:
        enter(browser, site, "wang", "/people")
        browser.one("input[name=q]").send_keys("d7")
        browser.one("input[name=q]").send_keys(Keys.ENTER)
        until(lambda: "q=d7" in browser.driver.current_url)
        assert browser.one(".dz-people-total").text == "60 个用户"
        first = [e.text for e in browser.all(".dz-people-row .dz-muted")]
        assert len(first) == 50 and first[0] == "p000 · D7"
        browser.press(".dz-people-next")
        until(lambda: "after=p049" in browser.driver.current_url)
        until(lambda: len(browser.all(".dz-people-row")) == 10)
        assert not browser.all(".dz-people-next")
        go(browser, "/people?role=secadmin")
        assert [e.text for e in browser.all(".dz-people-name")] == ["chen先生"]
        go(browser, "/people?state=file&sort=name")
        assert len(browser.all(".dz-people-row")) == len(site.runtime.company.users)
        assert {e.text for e in browser.all(".dz-people-row .dz-chip")} == {"写在 dazi.toml 里"}
        go(browser, "/people?sort=newest")
        assert browser.all(".dz-people-row .dz-muted")[0].text == "p059 · D7"
        go(browser, "/people")
        browser.picture("people")
    finally:
        site.run(gone(site, *many))


@pytest.mark.usefixtures("three")
def test_an_account_is_made_edited_and_ended_by_a_system_administrator(
    browser: Browser, site: Site
) -> None:
    enter(browser, site, "wang", "/people")
    browser.press(".dz-new-account")
    for name, text in (("user", "newbie"), ("name", "新来的"), ("attributes", "employee_id=E9\nx")):
        browser.one(
            f".dz-account-{name} {'textarea' if name == 'attributes' else 'input'}"
        ).send_keys(text)
    browser.press(".dz-account-save")
    browser.one(".q-notification", "键=值")
    browser.one(".dz-account-attributes textarea").send_keys(Keys.BACK_SPACE)
    browser.press(".dz-account-save")
    word = browser.said(".dz-once-secret")
    browser.press(".dz-once-copy")
    browser.one(".dz-once-copy", "已复制")
    browser.press(".dz-once-close")
    browser.gone(".dz-once")
    assert word not in str(browser.js("return document.documentElement.outerHTML"))
    assert (
        site.run(site.runtime.access.stores.passwords.verify("default", "newbie", word))
        == "must_change"
    )
    assert dict(account_of(site, "newbie").attributes) == {"employee_id": "E9"}
    go(browser, "/people/u/newbie")
    browser.press(".dz-person-edit")
    browser.one(".dz-account-department input").send_keys("人事部")
    browser.press(".dz-account-save")
    until(lambda: account_of(site, "newbie").department == "人事部")
    browser.press(".dz-person-disable")
    browser.press(".dz-act-now")
    browser.one(".dz-person-enable")
    assert account_of(site, "newbie").disabled
    browser.press(".dz-person-enable")
    browser.one(".dz-person-disable")

    async def lock() -> None:
        for _ in range(5):
            subject = Subject("account", "default/newbie")
            await site.runtime.access.stores.lockout.begin(subject)
            await site.runtime.access.stores.lockout.failed(subject)

    site.run(lock())
    go(browser, "/people/u/newbie")
    browser.one(".dz-locked", "密码错得太多")
    browser.press(".dz-person-unlock")
    browser.gone(".dz-locked")
    browser.press(".dz-person-reset")
    browser.press(".dz-act-now")
    assert browser.said(".dz-once-secret") not in ("", word)
    browser.press(".dz-once-close")
    browser.gone(".dz-once")
    browser.press(".dz-person-delete")
    browser.press(".dz-act-now")
    until(lambda: browser.driver.current_url.endswith("/people"))
    assert site.runtime.access.people.account("default", "newbie") is None
    done = [b["act"] for b in recorded(site, "wang")]
    assert done[-7:] == [
        "user.create", "user.edit", "user.disable", "user.enable", "user.unlock", "user.password",
        "user.delete",
    ]  # fmt: skip


@pytest.mark.usefixtures("three")
def test_what_is_asked_for_another_person_confirms(browser: Browser, site: Site) -> None:
    enter(browser, site, "wang", "/people/u/lihua")
    browser.press(".dz-person-change-roles")
    choose(browser, "finance")
    assert "request_refund" in browser.one(".dz-gains").text
    browser.press(".dz-role-save")
    browser.one(".q-notification", "等另一位管理员确认")
    assert account_of(site, "lihua").roles == {"staff"}
    go(browser, "/people/requests")
    browser.one(".dz-not-you")
    assert not browser.all(".dz-confirm") and browser.all(".dz-take-back")
    session = site.run(site.runtime.access.sessions.begin(("default", "lihua"), "web", ""))
    enter(browser, site, "chen", "/people")
    assert browser.one(".dz-requests-link").text == "角色申请(1)"
    browser.press(".dz-requests-link")
    said = browser.one(".dz-request").text
    assert "wang 要给 lihua:财务 (finance)" in said and "request_refund" in said
    browser.press(".dz-confirm")
    browser.one(".dz-none", "没有等待确认的申请")
    assert account_of(site, "lihua").roles == {"staff", "finance"}
    assert site.run(site.runtime.access.sessions.find(session.token)) is None
    # An ordinary role at once, an administrative one only with a second person.
    go(browser, "/people/u/lihua")
    browser.press(".dz-person-change-roles")
    for box in ("staff", "finance", "auditadmin"):
        choose(browser, box)
    browser.press(".dz-role-save")
    browser.one(".q-notification", "等另一位管理员确认")
    assert account_of(site, "lihua").roles == set()
    go(browser, "/people/requests")
    browser.one(".dz-not-you")
    browser.press(".dz-take-back")
    browser.one(".dz-none", "没有等待确认的申请")


@pytest.mark.usefixtures("three")
def test_sessions_are_seen_and_ended_and_a_phone_is_enough(browser: Browser, site: Site) -> None:
    tokens = [
        site.run(
            site.runtime.access.sessions.begin(("default", "lihua"), "web", f"10.0.0.{n}")
        ).token
        for n in (1, 2)
    ]
    browser.be_a_phone()
    browser.set_cookie("dazi_language", "en")
    browser.set_cookie("dazi_dark", "1")
    enter(browser, site, "chen", "/people/u/lihua")
    assert len(browser.all(".dz-session")) == 2 and "10.0.0.2" in browser.text()
    for path in ("/people", "/people/requests", "/people/u/lihua"):
        go(browser, path)
        assert browser.js("return document.documentElement.scrollWidth") <= PHONE[0]
    browser.press(".dz-session-end")
    until(lambda: len(browser.all(".dz-session")) == 1)
    browser.press(".dz-person-end-all")
    browser.one(".dz-muted", "No sessions")
    assert [site.run(site.runtime.access.sessions.find(t)) for t in tokens] == [None, None]


def test_pages_of_users_follow_each_other_in_every_order() -> None:
    made = [
        Account(f"u{n:03}", Text(f"名{n % 7}", "x"), department=f"d{n % 3}", created=float(n % 5))
        for n in range(137)
    ]
    for sort in ("user", "name", "department", "newest"):
        got: list[str] = []
        after = ""
        while True:
            shown = part(made, Asked(sort=sort, after=after), lambda r: r, 10)
            got += [a.user for a in shown.accounts]
            after = shown.after
            if not after:
                break
        assert len(got) == 137 == len(set(got)), sort
