"""The pages about risk: from the queue to a decision, the model, and who is turned away."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By

from dazi.apps.risk.service import RiskService
from tests.console.browser import Browser
from tests.console.conftest import Site, until

DAY = "2025-03-31"


def service(site: Site) -> RiskService:
    assert site.runtime.risk is not None
    return site.runtime.risk.service


@pytest.fixture
def scored(site: Site) -> Iterator[Site]:
    by = site.runtime.directory.principal("risk", "web")
    site.run(service(site).batch(by, DAY))
    yield site


def opened(browser: Browser, user: str, path: str) -> None:
    browser.sign_in(user)
    browser.open(path)
    browser._wait(lambda: browser.js("return window.did_handshake && window.socket.connected"))


def texts(browser: Browser, css: str) -> list[str]:
    return [e.text for e in browser.driver.find_elements(By.CSS_SELECTOR, css)]


def test_from_the_queue_to_a_decision(browser: Browser, scored: Site) -> None:
    opened(browser, "risk", "/risk")
    assert browser.one(".dz-h1").text == "风险复核"
    row = next(t for t in texts(browser, ".dz-risk-row") if "TX204913" in t)
    assert "28,600.00" in row and "新设备" in row
    browser.press(".dz-risk-row[href='/risk/t/TX204913']")
    words = browser.one(".dz-risk-words").text
    assert "28,600.00" in words and "由人决定" in words
    until(lambda: len(browser.driver.find_elements(By.CSS_SELECTOR, ".dz-chart canvas")) == 2)
    picture(browser)
    browser._wait(lambda: browser.js("return window.did_handshake && window.socket.connected"))
    browser.one(".dz-risk-note input").send_keys("客户说不是他")
    browser.press(".dz-fraud")
    said = until(lambda: texts(browser, ".dz-risk-decision"))
    assert said == ["刘洋:欺诈 (客户说不是他)"]
    scored.run(scored.runtime.ledger.flush())
    rows = scored.run(scored.runtime.audit.rows(limit=100_000))
    bodies = [json.loads(r.body) for r in rows if r.kind == "admin" and r.user == "risk"]
    assert [b for b in bodies if b.get("act") == "risk.decide"]
    browser.open("/risk")
    browser.one(".dz-risk-list")
    assert not [t for t in texts(browser, ".dz-risk-row") if "TX204913" in t]


def picture(browser: Browser) -> None:
    """What the documents show of it."""
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 980, "height": 1_180, "deviceScaleFactor": 1, "mobile": False},
    )
    until(lambda: browser.js("return document.querySelectorAll('.dz-chart canvas').length") == 2)
    browser.picture("risk")
    browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_model_page(browser: Browser, site: Site) -> None:
    opened(browser, "admin", "/risk/model")
    shown = browser.one(".dz-risk").text
    assert all(word in shown for word in ("模型卡", "阈值报告", "漂移报告", "精确率"))
    until(lambda: browser.driver.find_elements(By.CSS_SELECTOR, ".dz-risk-curve canvas"))
    links = [a.get_attribute("href") for a in
             browser.driver.find_elements(By.CSS_SELECTOR, ".dz-risk-downloads a")]  # fmt: skip
    assert [str(link).rpartition("/")[2] for link in links] == [
        "card.pdf", "thresholds.pdf", "drift.pdf",
    ]  # fmt: skip
    status = "return (await fetch(arguments[0])).status"
    assert browser.js(status, links[0]) == 200


@pytest.mark.parametrize("path", ["/risk", "/risk/t/TX204913", "/risk/model"])
def test_others_are_turned_away(browser: Browser, site: Site, path: str) -> None:
    opened(browser, "manager", path)
    assert browser.one(".dz-risk-refused").text == "您没有权限看风险评估。"
    assert "28,600" not in browser.one("body").text
    status = "return (await fetch('/risk/report/card.pdf')).status"
    assert browser.js(status) == 403


def test_a_transaction_that_there_is_not(browser: Browser, site: Site) -> None:
    opened(browser, "risk", "/risk/t/TX000000")
    assert "没有这笔交易" in browser.one(".dz-none").text
