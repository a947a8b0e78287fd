"""A person's conversations in the sidebar, and what they want remembered, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.memory.facts import FactStore
from dazi.memory.threads import Kept, ThreadStore
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST

FETCHED = """
    return fetch(arguments[0]).then(async r => [
        r.status, r.headers.get('content-disposition'), await r.text()])
"""


def store(site: Site) -> ThreadStore:
    return site.runtime.service.threads


def facts(site: Site) -> FactStore:
    return site.runtime.service.remembering.facts


def person(site: Site, user: str = "staff") -> Principal:
    return site.runtime.directory.principal(user, "web")


def say(site: Site, thread: str, said: str, answer: str = "好的。", user: str = "staff") -> None:
    turn = [Kept(Message("user", said)), Kept(Message("assistant", answer))]
    site.run(store(site).append(thread, person(site, user), turn))


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Iterator[None]:
    def wipe() -> None:
        for user in ("staff", "customer"):
            site.run(store(site).forget(user))
            site.run(facts(site).forget(user))

    wipe()
    yield
    wipe()


def titles(browser: Browser) -> list[str]:
    return [e.text.split("\n")[0] for e in browser.all("a.dz-thread")]


def search(browser: Browser, words: str) -> None:
    box = browser.one(".dz-thread-search input")
    box.clear()
    box.send_keys(words, Keys.ENTER)


def test_ones_own_conversations_are_found_again(browser: Browser, site: Site) -> None:
    say(site, "a", "订单 ORD12345 发货了吗?", "蓝莓已发货。")
    say(site, "b", "退货怎么办")
    say(site, "c", "别人的蓝莓", user="customer")
    site.run(store(site).archive("a", person(site)))
    browser.sign_in("staff")
    browser.one("a.dz-thread", "退货怎么办")
    assert titles(browser) == ["退货怎么办"]
    search(browser, "蓝莓")
    browser.one("a.dz-thread .dz-snippet", "蓝莓已发货。")
    assert titles(browser) == ["订单 ORD12345 发货了吗?"]
    assert "别人的" not in browser.text()
    browser.press("a.dz-thread", "ORD12345")
    browser.one(".dz-bubble", "ORD12345")
    search(browser, "火星")
    browser.one(".dz-none", "没有找到")


def test_a_search_goes_further_back_on_demand(
    browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(25):
        say(site, f"t{n:02}", f"蓝莓 {n}")
    browser.sign_in("staff")
    search(browser, "蓝莓")
    until(lambda: len(titles(browser)) == 20)
    browser.press(".dz-switch", "再往前找")
    until(lambda: len(titles(browser)) == 25)
    browser.gone(".dz-switch")


def test_archiving_and_putting_back(browser: Browser, site: Site) -> None:
    say(site, "a", "订单的事")
    browser.sign_in("staff")
    browser.open("/t/a")
    browser.ready()
    browser.press(".dz-thread-menu")
    browser.press(".dz-archive")
    browser.one(".dz-none", "还没有会话")
    browser.press(".dz-archived-link")
    browser.one("a.dz-thread", "订单的事")
    browser.press(".dz-thread-menu")
    browser.press(".dz-unarchive")
    browser.one(".dz-none", "没有归档的会话")
    browser.press(".dz-switch", "回到会话列表")
    browser.one("a.dz-thread", "订单的事")


def test_a_new_title(browser: Browser, site: Site) -> None:
    say(site, "a", "订单的事")
    browser.sign_in("staff")
    assert not browser.all(".dz-thread-menu:not(.hidden)")  # nothing to rename yet
    browser.open("/t/a")
    browser.ready()
    browser.press(".dz-thread-menu")
    browser.press(".dz-rename")
    box = browser.one(".dz-rename-dialog input")
    assert box.get_property("value") == "订单的事"
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys("<b>三月</b>", Keys.ENTER)
    browser.one("a.dz-thread", "<b>三月</b>")
    assert [t.title for t in site.run(store(site).list(person(site)))] == ["<b>三月</b>"]


def test_deleting_asks_first(browser: Browser, site: Site) -> None:
    say(site, "a", "订单的事")
    browser.sign_in("staff")
    browser.open("/t/a")
    browser.ready()
    browser.press(".dz-thread-menu")
    browser.press(".dz-delete-chat")
    browser.press(".dz-confirm-delete .dz-button-quiet")
    browser.gone(".dz-confirm-delete")
    assert site.run(store(site).list(person(site)))
    browser.press(".dz-thread-menu")
    browser.press(".dz-delete-chat")
    browser.press(".dz-delete-now")
    browser.one(".dz-welcome")
    assert not site.run(store(site).list(person(site)))


def test_conversations_as_files_for_their_owner_only(browser: Browser, site: Site) -> None:
    say(site, "a", "订单的事", "已发货。")
    site.run(facts(site).keep(person(site), "我喜欢蓝莓"))
    browser.open("/login")
    assert browser.js(FETCHED, "/export/markdown/a")[0] == 401
    assert browser.js(FETCHED, "/export/all")[0] == 401
    browser.sign_in("staff")
    browser.open("/t/a")
    browser.ready()
    browser.press(".dz-thread-menu")
    links = {name: browser.one(f".dz-export-{name}") for name in ("markdown", "json")}
    status, named, text = browser.js(FETCHED, links["markdown"].get_property("href"))
    assert status == 200 and "attachment" in named and text.startswith("# 订单的事\n")
    status, _, text = browser.js(FETCHED, links["json"].get_property("href"))
    assert [m["content"] for m in json.loads(text)["messages"]] == ["订单的事", "已发货。"]
    status, _, text = browser.js(FETCHED, "/export/all")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [x.get("fact") or x["id"] for x in lines] == ["我喜欢蓝莓", "a"]
    assert browser.js(FETCHED, "/export/pdf/a")[0] == 422
    browser.sign_in("customer")
    assert browser.js(FETCHED, "/export/json/a")[0] == 404
    assert browser.js(FETCHED, "/export/all")[2] == ""


def test_what_is_remembered_is_the_persons_to_change(browser: Browser, site: Site) -> None:
    by = person(site)
    site.run(facts(site).propose(by, ["我喜欢靠窗"], "a"))
    site.run(facts(site).keep(person(site, "customer"), "别人的"))
    browser.sign_in("staff")
    browser.press(".dz-account")
    browser.press(".dz-menu-item", "记住的事")
    browser.one(".dz-fact-proposed", "我喜欢靠窗")
    assert "别人的" not in browser.text()
    browser.press(".dz-keep-fact")
    browser.one(".dz-fact-confirmed", "我喜欢靠窗")
    browser.one(".dz-search input").send_keys("发票抬头是云杉商贸", Keys.ENTER)
    browser.one(".dz-fact-confirmed", "云杉商贸")
    browser.press(".dz-fact-confirmed button[aria-label=修改]")
    box = browser.one(".dz-fact-dialog textarea")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys("我喜欢过道")
    browser.press(".dz-save-fact")
    browser.one(".dz-fact-confirmed", "我喜欢过道")
    until(lambda: "我喜欢靠窗" not in browser.text())
    browser.press(".dz-fact-confirmed button[aria-label=删除]")
    browser.press(".dz-delete-now")
    until(lambda: len(site.run(facts(site).list(by))) == 1)
    browser.one(".dz-search input").send_keys(" ", Keys.ENTER)
    browser.one(".q-notification", "没有写要记住什么")


def test_on_a_phone(browser: Browser, site: Site) -> None:
    say(site, "a", "订单的事" * 10)
    site.run(facts(site).keep(person(site), "我" * 400))
    browser.be_a_phone()
    browser.sign_in("staff")
    for path in ("/t/a", "/memory"):
        browser.open(path)
        browser.one(".dz-bubble, .dz-fact")
        assert browser.js(WIDEST) <= PHONE[0], path
