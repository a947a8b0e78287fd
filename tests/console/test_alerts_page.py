"""``/alerts`` in a real browser, over rules that really were looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from dazi.ops.alerts.measure import Measure, bounds_in
from dazi.ops.alerts.notify import Delivery
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.ops.alerts.world import Kept

GB = 2.0**30
FREE = {"data": 400 * GB}
GPUS = {"0": 62.0, "1": 64.0}


@pytest.fixture(scope="module")
def watched(site: Site) -> Iterator[Kept]:
    """An hour in which a disk filled up and a GPU grew hot, looked at as it went on."""
    registry, evaluator, service = (
        site.runtime.observer.registry, site.alerts.evaluator, site.alerts.service,
    )  # fmt: skip
    gauge = registry.gauge
    gauge("dazi_disk_free_bytes", "", lambda: [((k,), v) for k, v in FREE.items()], "place")
    gauge("dazi_disk_bytes", "", lambda: [((k,), 500 * GB) for k in FREE], "place")
    gauge("dazi_gpu_celsius", "", lambda: [((k,), v) for k, v in GPUS.items()], "gpu")
    evaluator.measure = service.measure = Measure(site.history, bounds_in(registry))
    kept = Kept()
    service.delivery = evaluator.delivery = Delivery({"ops-mail": kept})
    began = time.time() - 3_600
    for minute in range(61):
        FREE["data"] = max(30.0, 400 - minute * 7) * GB
        GPUS["1"] = 64.0 + minute * 0.4
        for part in range(6):
            now = began + minute * 60 + part * 10
            if now > time.time():
                break
            site.history.take(registry, now)
        site.run(evaluator.evaluate(began + minute * 60 + 50))
    yield kept
    FREE["data"], GPUS["1"] = 400 * GB, 60.0
    evaluator.book.alerts.clear()
    evaluator.book.silences.clear()
    evaluator.book.acks.clear()


def test_what_fires_is_handled(browser: Browser, site: Site, watched: Kept) -> None:
    browser.sign_in("admin")
    browser.open("/memory")
    assert browser.one(".dz-bell .dz-count").text == "2"
    browser.press(".dz-bell")
    disk = browser.one(".dz-alert", "数据盘剩余不到一成").text
    assert "place=data" in disk and "当前 6.0%" in disk and "界限 10%" in disk and "怎么办" in disk
    assert len(browser.all(".dz-alerts-now .dz-alert-course svg path")) == 2
    assert "gpu=1" in browser.one(".dz-alert", "GPU 太热").text
    browser.picture("alerts")

    browser.press(".dz-alert:has(.dz-alert-of) .dz-alert-ack")
    browser.one(".dz-alerts-handled .dz-alert", "admin 已确认")
    browser.press(".dz-alerts-now .dz-alert-silence")
    browser.one(".dz-alert-why input").send_keys("换风扇")
    browser.press(".dz-alert-silence-now")
    browser.one(".dz-alert-quiet", "换风扇")
    browser.one(".dz-alerts-now .dz-none", "一切正常")
    browser.gone(".dz-bell")  # nobody needs to look any more
    browser.press(".dz-alert-lift")
    browser.gone(".dz-alert-quiet")
    site.run(site.runtime.ledger.flush())
    acts = [r for r in site.run(site.runtime.audit.rows(limit=100_000)) if "alert." in r.body]
    assert len(acts) == 3


def test_a_route_is_tried(browser: Browser, watched: Kept) -> None:
    browser.sign_in("admin")
    browser.open("/alerts")
    browser.press("[data-route=ops-mail] .dz-button")
    browser.one(".q-notification", "测试送到了")
    assert [m.what for m in watched.got][-1] == "test"
    watched.fails = 1
    browser.press("[data-route=ops-mail] .dz-button")
    browser.one("[data-route=ops-mail] .dz-alert-bad", "坏了")


def test_it_fits_a_phone_in_english(browser: Browser, watched: Kept) -> None:
    browser.be_a_phone()
    browser.set_cookie("dazi_language", "en")
    browser.sign_in("admin")
    browser.open("/alerts")
    browser.one(".dz-alert", "less than a tenth")
    until(lambda: browser.js("return document.documentElement.scrollWidth") <= PHONE[0])


def test_it_is_not_for_everybody(browser: Browser, watched: Kept) -> None:
    browser.sign_in("staff")
    browser.open("/alerts")
    browser.one(".dz-alerts-refused", "只给管理员")
    assert not browser.all(".dz-bell")
