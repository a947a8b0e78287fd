"""At 390 pixels nothing sticks out and everything can be reached."""

from __future__ import annotations

from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site
from tests.fakes.engine import call

WIDEST = """
    return Math.max(document.documentElement.scrollWidth,
        ...[...document.querySelectorAll('.q-dialog .dz-dialog, .dz-composer, .dz-header')]
            .map(e => e.getBoundingClientRect().right))
"""


def test_every_page_fits(browser: Browser, site: Site) -> None:
    question = "对比市场部和研发部一季度预算,画个图"
    site.says(
        question,
        [
            call("fetch_department_budget", dept="marketing", quarter="Q1"),
            call("fetch_department_budget", dept="rd", quarter="Q1"),
        ],
        call("generate_comparison_chart", kind="line"),
        f"见下。\n\n`{'x' * 120}`\n\n| {' | '.join('列' * 12)} |\n{'| --- ' * 12}|\n",
    )
    refund = "给 ORD12346 退款,原因是" + "很长" * 60
    site.says(refund, call("request_refund", order_id="ORD12346", reason="很长" * 60))
    browser.be_a_phone()
    browser.open("/login")
    browser.one(".dz-person")
    fits(browser)
    browser.click_sign_in("finance")
    fits(browser)
    for ask, css in ((question, ".dz-chart canvas"), (refund, ".dz-dialog")):
        browser.box.send_keys(ask)
        browser.press(".dz-send")
        browser.one(css)
        browser.answered()
        fits(browser)
    for button in (".dz-approve", ".dz-reject", ".dz-later"):
        assert browser.one(button).rect["width"] > 80


def test_the_list_of_threads_opens_over_the_page(browser: Browser, site: Site) -> None:
    site.says("手机上问", "好的。")
    browser.be_a_phone()
    browser.sign_in("customer")
    browser.box.send_keys("手机上问")
    browser.press(".dz-send")
    browser.one(".dz-answer", "好的。")
    assert (
        browser.js("return document.querySelector('.q-drawer').getBoundingClientRect().right") <= 0
    )
    browser.press(".dz-menu-button")
    browser.one(".dz-thread", "手机上问")


def fits(browser: Browser) -> None:
    assert browser.js(WIDEST) <= PHONE[0]
