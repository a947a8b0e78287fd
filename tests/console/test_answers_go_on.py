"""An answer goes on when the page was closed, and a reload loses nothing of it."""

from __future__ import annotations

from dazi.console.visits import COOKIE
from tests.console.browser import Browser
from tests.console.conftest import Gate, Site, until
from tests.fakes.engine import Until, call

QUESTION = "订单 ORD12345 现在怎么样?"


def script(site: Site, gate: Gate) -> None:
    site.says(
        QUESTION,
        ["我来查一下。", call("get_order_status", order_id="ORD12345")],
        ["订单已打包。", Until(gate.event), "预计明天发出。"],
    )


def test_a_reload_in_the_middle_shows_all_of_it(browser: Browser, site: Site, gate: Gate) -> None:
    script(site, gate)
    browser.sign_in("customer")
    browser.ask(QUESTION)
    browser.one(".dz-answer", "订单已打包。")
    assert "/t/web_" in browser.driver.current_url
    browser.driver.refresh()
    browser.one(".dz-bubble", QUESTION)
    browser.one(".dz-answer", "订单已打包。")
    assert "完成" in browser.one(".dz-card", "get_order_status").text
    assert browser.all(".dz-stop")
    gate.open()
    browser.one(".dz-answer", "预计明天发出。")
    browser.answered()
    assert len(browser.all(".dz-turn")) == 1


def test_it_is_whole_although_nobody_looked_on(browser: Browser, site: Site, gate: Gate) -> None:
    script(site, gate)
    browser.sign_in("customer")
    browser.ask(QUESTION)
    browser.one(".dz-answer", "订单已打包。")
    path = browser.driver.current_url.removeprefix(site.url)
    browser.open("/memory")
    browser.one(".dz-page")
    gate.open()

    def whole() -> bool:
        bodies = [r.body for r in site.audit("answer", "get_order_status")]
        return any("预计明天发出" in b and '"reason":"answer"' in b for b in bodies[-1:])

    until(whole)
    browser.open(path)
    browser.one(".dz-answer", "预计明天发出。")


def test_it_ends_with_the_session(browser: Browser, site: Site, gate: Gate) -> None:
    script(site, gate)
    browser.sign_in("customer")
    browser.ask(QUESTION)
    browser.one(".dz-answer", "订单已打包。")
    browser.open("/memory")  # the conversation's page is closed
    browser.one(".dz-page")
    token = browser.driver.get_cookie(COOKIE)["value"]
    site.run(site.runtime.access.sign_in.end(token))
    until(lambda: '"reason":"cancelled"' in site.audit("answer", "get_order_status")[-1].body)


def test_somebody_else_sees_nothing_of_it(browser: Browser, site: Site, gate: Gate) -> None:
    script(site, gate)
    browser.sign_in("customer")
    browser.ask(QUESTION)
    browser.one(".dz-answer", "订单已打包。")
    path = browser.driver.current_url.removeprefix(site.url)
    browser.begin(site.url)
    browser.sign_in("customer2")
    browser.open(path)
    browser.one(".dz-empty")
    gate.open()
