"""Sensitive calls: the dialog, and that a decision counts once."""

from __future__ import annotations

import json

import pytest

from tests.console.browser import Browser
from tests.console.conftest import Site, until
from tests.fakes.engine import call

DONE = "退款已经提交。"


def ask_for_refund(browser: Browser, site: Site, order: str, reason: str = "不想要了") -> str:
    question = f"给 {order} 退款,原因是{reason}"
    site.says(question, call("request_refund", order_id=order, reason=reason))
    site.says("确认", "", DONE)
    browser.sign_in("finance")
    browser.ask(question)
    browser.one(".dz-dialog")
    return question


def refunds(site: Site, order: str, kind: str = "outcome") -> list[str]:
    bodies = [json.loads(r.body) for r in site.audit(kind, "request_refund")]
    return [b["outcome"] for b in bodies if b["arguments"].get("order_id") == order]


@pytest.fixture
def orders(site: Site) -> list[str]:
    """Orders that can be refunded, each used by one test."""
    return ["ORD12346", "ORD12347", "ORD12348", "ORD12349", "ORD12350", "ORD12351"]


def test_confirming_does_it_once_and_the_turn_goes_on(
    browser: Browser, site: Site, orders: list[str]
) -> None:
    ask_for_refund(browser, site, orders[0])
    dialog = browser.said(".dz-dialog")
    assert "给订单退款" in dialog and f"订单号\n{orders[0]}" in dialog
    assert "未填写\n不填就是全额" in dialog and "原因\n不想要了" in dialog
    assert "赵雪" in dialog and "内有效" in dialog
    assert refunds(site, orders[0]) == []
    # Two clicks in one go: the second finds nothing to do.
    browser.js("const b = document.querySelector('.dz-approve'); b.click(); b.click();")
    browser.one(".dz-answer", DONE)
    browser.gone(".dz-dialog")
    browser.answered()
    assert refunds(site, orders[0]) == ["ok"]
    badges = [e.text.split("\n")[0] for e in browser.all(".dz-card-badge")]
    assert badges == ["已确认", "完成"]
    browser.driver.refresh()
    browser.one(".dz-answer", DONE)
    badges = [e.text.split("\n")[0] for e in browser.all(".dz-card-badge")]
    assert badges == ["已处理或已过期", "完成"]


def test_cancelling_does_nothing(browser: Browser, site: Site, orders: list[str]) -> None:
    ask_for_refund(browser, site, orders[1])
    browser.press(".dz-reject")
    browser.one(".dz-answer", "没有执行")
    browser.gone(".dz-dialog")
    assert refunds(site, orders[1]) == [] and "rejected" in refunds(site, orders[1], "decision")
    assert [e.text.split("\n")[0] for e in browser.all(".dz-card-badge")] == ["已取消", "未执行"]
    assert not any(e.text for e in browser.all(".dz-card-note")), "said twice"


def test_later_leaves_it_open_for_after_a_reload(
    browser: Browser, site: Site, orders: list[str]
) -> None:
    ask_for_refund(browser, site, orders[2])
    browser.press(".dz-later")
    browser.gone(".dz-dialog")
    browser.one(".dz-review")
    until(lambda: "/t/" in browser.driver.current_url)
    browser.driver.refresh()
    browser.ready()
    browser.press(".dz-review")
    assert orders[2] in browser.said(".dz-dialog")
    browser.press(".dz-approve")
    browser.one(".dz-answer", DONE)
    assert refunds(site, orders[2]) == ["ok"]


def test_a_decision_in_words_closes_the_card(
    browser: Browser, site: Site, orders: list[str]
) -> None:
    ask_for_refund(browser, site, orders[3])
    browser.press(".dz-later")
    browser.gone(".dz-dialog")
    browser.ask("确认")
    browser.one(".dz-answer", DONE)
    assert not browser.all(".dz-review") and refunds(site, orders[3]) == ["ok"]


def test_a_second_decision_elsewhere_is_told(
    browser: Browser, site: Site, orders: list[str]
) -> None:
    ask_for_refund(browser, site, orders[4])
    until(lambda: "/t/" in browser.driver.current_url)
    address, first = browser.driver.current_url, browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(address)
    browser.ready()
    browser.press(".dz-review")
    browser.press(".dz-approve")
    browser.one(".dz-answer", DONE)
    browser.driver.switch_to.window(first)
    browser.press(".dz-approve")
    browser.one(".dz-error", "已经处理过了")
    browser.one(".dz-card-badge", "已处理或已过期")
    assert not browser.all(".dz-review")
    assert refunds(site, orders[4]) == ["ok"]


def test_what_cannot_be_seen_is_shown(browser: Browser, site: Site, orders: list[str]) -> None:
    ask_for_refund(browser, site, orders[5], "不想\u202e要\u200b了")
    dialog = browser.said(".dz-dialog")
    assert "U+202E" in dialog and "U+200B" in dialog
    assert "看不见的字符" in dialog
    assert [e.get_property("innerText") for e in browser.all(".dz-dialog .dz-hidden")] == [
        "U+202E",
        "U+200B",
    ]
