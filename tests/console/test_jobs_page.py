"""Background jobs on their page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dazi.core.principal import Principal
from dazi.store.jobs.model import NewJob
from dazi.store.jobs.service import JobService
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Gate, Site, until
from tests.console.test_phone_page import WIDEST
from tests.fakes.engine import Until, call

QUESTION = "我三天前下的订单 ORD12345 还没发货,怎么回事?"


def jobs(site: Site) -> JobService:
    assert site.runtime.jobs is not None
    return site.runtime.jobs


def person(site: Site, user: str = "customer") -> Principal:
    return site.runtime.directory.principal(user, "web")


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Iterator[None]:
    def wipe() -> None:
        for user in ("customer", "staff"):
            site.run(jobs(site).store.forget(user))
            site.run(jobs(site).schedules.forget(user))

    wipe()
    yield
    wipe()


def test_a_job_is_begun_seen_and_its_file_saved(browser: Browser, site: Site) -> None:
    browser.sign_in("customer")
    browser.open("/jobs")
    browser.one(".dz-none", "还没有任务")
    browser.press(".dz-export-all")
    browser.one(".dz-job-done .dz-job-title", "导出自己的全部会话")
    link = browser.one(".dz-job-link", ".jsonl").get_attribute("href")
    status = browser.js("return fetch(arguments[0]).then(r => r.status)", link)
    assert status == 200
    (job,) = site.run(jobs(site).store.list(person(site)))
    foreign = site.run(jobs(site).begin(person(site, "staff"), "export", {}))
    assert (
        browser.js(
            "return fetch(arguments[0]).then(r => r.status)", str(link).replace(job.id, foreign.id)
        )
        == 404
    )


def test_progress_goes_on_by_itself_and_can_be_stopped(
    browser: Browser, site: Site, gate: Gate
) -> None:
    site.says(
        QUESTION, call("get_order_status", order_id="ORD12345"), [Until(gate.event), "已打包。"]
    )
    browser.sign_in("customer")
    browser.open("/jobs")
    site.run(jobs(site).begin(person(site), "ask", {"question": QUESTION}, "每天看看订单"))
    browser.one(".dz-job-running .dz-job-step", "已查询:get_order_status")
    assert browser.one(".dz-job-running .dz-job-bar").is_displayed()
    browser.press(".dz-job-running .dz-icon-button")
    browser.one(".dz-job-cancelled .dz-job-title", "每天看看订单")
    gate.open()
    site.says(QUESTION, call("get_order_status", order_id="ORD12345"), "已打包。")
    browser.press(".dz-job-cancelled .dz-icon-button[aria-label=重试]")
    browser.one(".dz-job-done .dz-job-answer")
    browser.press(".dz-job-link", "打开会话")
    until(lambda: QUESTION in browser.text())


def test_a_schedule_is_made_switched_and_deleted(browser: Browser, site: Site) -> None:
    site.says(QUESTION, call("get_order_status", order_id="ORD12345"), "已打包。")
    browser.sign_in("customer")
    site.run(jobs(site).begin(person(site), "ask", {"question": QUESTION}, "订单 ORD12345"))
    site.run(jobs(site).store.put(person(site), NewJob("export", "排队的", {}, due=4e9)))
    browser.open("/jobs")
    browser.one(".dz-job-done .dz-job-answer")
    browser.one(".dz-schedule-question input").send_keys("上周的订单发货了吗?")
    browser.press(".dz-add-schedule")
    browser.one(".dz-schedule .dz-job-title", "上周的订单发货了吗")
    (rule,) = site.run(jobs(site).schedules.list(person(site)))
    assert rule.cron == "0 8 * * 1" and rule.arguments == {"question": "上周的订单发货了吗?"}
    browser.picture("jobs")
    browser.press(".dz-schedule .q-toggle")
    browser.one(".dz-schedule", "已停用")
    browser.press(".dz-schedule .dz-icon-button")
    browser.press(".dz-delete-now")
    browser.gone(".dz-schedule")
    assert site.run(jobs(site).schedules.list(person(site))) == []


def test_a_phone_shows_all_of_it(browser: Browser, site: Site) -> None:
    site.run(jobs(site).begin(person(site), "export", {}, "一个很长的名字" * 8))
    browser.sign_in("customer")
    browser.be_a_phone()
    browser.open("/jobs")
    browser.one(".dz-job-done")
    assert browser.js(WIDEST) <= PHONE[0]


def test_nobody_gets_in_unasked(browser: Browser, site: Site) -> None:
    browser.open("/jobs")
    until(lambda: "/login" in browser.driver.current_url)
