"""The page of reports in a real browser: asked for in words, run, shown, saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.browser import Browser
from tests.console.conftest import Site, until
from tests.fakes.engine import ScriptedEngine

SAID = "市场部花费 92.00万元,研发部花费 114.00万元。市场部花费 999.00万元。"
WORDS = "请生成Q1市场部与研发部的费用对比表,并标注异常波动项"


@pytest.fixture(autouse=True)
def writing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that words sections, and makes one number up."""
    monkeypatch.setattr(site.runtime.reports, "engine", ScriptedEngine(lambda _: SAID))


def ask(browser: Browser, words: str) -> None:
    browser.one(".dz-report-words input").send_keys(words)
    browser.press(".dz-find-report")


def test_from_a_request_in_words_to_the_marked_table(site: Site, browser: Browser) -> None:
    browser.sign_in("finance")
    browser.open("/reports")
    ask(browser, WORDS)
    browser.one(".dz-report-form", "异常波动")
    assert browser.one(".dz-parameter-quarters input").get_attribute("value") == "2025-Q1"
    before = len(site.audit("outcome", "fetch_department_budget"))
    browser.press(".dz-run-report")
    browser.one(".dz-report h1", "部门费用对比")
    shown = browser.said(".dz-report")
    assert "云服务与设备" in shown and "审计编号" in shown
    assert "研发部花费 114.00万元。AI 生成" in " ".join(shown.split())
    assert browser.one(".dz-report .appendix li", "999.00万元")  # dropped, and told
    assert browser.all(".dz-report td.odd") and browser.all(".dz-report svg")
    made = site.audit("outcome", "fetch_department_budget")[before:]
    assert [r.user for r in made] == ["finance", "finance"]
    _picture(browser)


def _picture(browser: Browser) -> None:
    """For the docs; kept where this test is asked to, else only made."""
    browser.js("document.querySelector('.dz-report').scrollIntoView()")
    browser.picture("reports")


def test_a_mail_waits_and_a_file_is_saved(site: Site, browser: Browser, tmp_path: Path) -> None:
    browser.driver.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    browser.sign_in("finance")
    browser.open("/reports")
    ask(browser, "研发部Q1费用")
    browser.one(".dz-report-mail input").send_keys("boss@yunshan.example")
    browser.press(".dz-run-report")
    browser.one(".dz-report-mailed", "等待您确认")
    browser.press(".dz-save-xlsx")
    saved = until(lambda: list(tmp_path.glob("*.xlsx")))
    assert saved[0].name.startswith("部门费用对比")


def test_what_is_wrong_is_told_and_others_have_none(site: Site, browser: Browser) -> None:
    browser.sign_in("manager")
    browser.open("/reports")
    ask(browser, "写首诗")
    browser.one(".q-notification", "没有认出")
    ask(browser, "")
    browser.driver.refresh()
    ask(browser, "上个月的销售报告")
    browser.one(".dz-parameter-month input").clear()
    browser.one(".dz-parameter-month input").send_keys("什么时候")
    browser.press(".dz-run-report")
    browser.one(".q-notification", "month")
    assert not browser.all(".dz-report")
    browser.sign_in("customer")
    browser.open("/reports")
    browser.one(".dz-none", "没有可以出的报表")
