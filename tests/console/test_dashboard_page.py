"""``/dashboards``: figures of turns that really were, for those who run the service."""

from __future__ import annotations

import time

from dazi.agent.asking import Ask
from tests.console.browser import Browser
from tests.console.conftest import Site, until
from tests.fakes.engine import call

QUESTIONS = {
    "订单 ORD12345 现在到哪一步了?": (
        call("get_order_status", order_id="ORD12345"),
        "订单已打包。",
    ),
    "ORD99999 呢?": (call("get_order_status", order_id="ORD99999"), "没有找到。"),
    "你好呀": ("您好。",),
    "财务部的预算是多少?": (call("fetch_department_budget", dept="finance"), "不行。"),
}


STEPS = 120


def an_hour(site: Site) -> int:
    """Turns that really are, written into the history as of the hour up to now."""
    principal = site.runtime.directory.principal("customer", "web")
    turns = 0

    async def ask(question: str, thread: str) -> None:
        async for _ in site.runtime.service.ask(Ask(principal, thread, question, "zh")):
            pass

    for question, replies in QUESTIONS.items():
        site.says(question, *replies)
    now = time.time()
    for step in range(STEPS + 1):
        for n, question in enumerate(QUESTIONS):
            if (step * 7 + n * 3) % (n + 2) == 0:
                site.run(ask(question, f"dashboard-{step}-{n}"))
                turns += 1
        site.history.take(site.runtime.observer.registry, now - (STEPS - step) * 29)
    return turns


def test_it_shows_what_was(browser: Browser, site: Site) -> None:
    turns = an_hour(site)
    browser.sign_in("admin")
    browser.press(".dz-places > summary")
    browser.press(".dz-place", "运行状况")
    browser.one(".dz-dashboard-turns canvas")
    tile = browser.one(".dz-dashboard-tile-turns .dz-figure-value").text
    assert int(tile.replace(",", "")) >= turns > 60
    row = browser.one(".dz-dashboard-tools tbody tr", "get_order_status").text
    assert 0 < float(row.split()[-2].rstrip("%")) < 100  # one order there is, one there is not
    browser.picture("dashboards")
    browser.press(".dz-dashboard-span")
    browser.press(".q-item", "15 分钟")
    until(lambda: "span=900" in browser.driver.current_url)
    browser.open(browser.driver.current_url.removeprefix(site.url))
    browser.one(".dz-dashboard-span", "15 分钟")


def test_it_is_not_for_everybody(browser: Browser) -> None:
    browser.sign_in("staff")
    browser.open("/dashboards")
    browser.one(".dz-dashboard-refused", "没有权限")
    browser.open("/")
    browser.press(".dz-places > summary")
    assert not any("运行状况" in e.text for e in browser.all(".dz-place"))
