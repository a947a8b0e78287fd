"""Prompt versions and experiments in a real browser."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from dazi.access.accounts import Account
from dazi.console.visits import COOKIE
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.ops.experiments.plan import Arm, Guardrail, Plan, Step
from dazi.ops.experiments.service import ExperimentService
from dazi.ops.experiments.store import Seen
from dazi.ops.prompts.model import Content
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.ops.experiments.filling import fill

SYS = Principal("chen", frozenset({"sysadmin"}), channel="test")
ZH = "你是{company}的同事。\n今天是{today}。\n先说结论,再说依据。"


def service(site: Site) -> ExperimentService:
    assert site.runtime.experiments is not None
    return site.runtime.experiments.service


@pytest.fixture(autouse=True)
def as_shipped(site: Site) -> Iterator[None]:
    """Other tests of this site are answered as ever."""
    yield
    found = service(site)

    async def back() -> None:
        for experiment in await found.store.all("running", "paused"):
            await found.stop(SYS, experiment.name)
        if await found.prompts.store.active():
            await found.prompts.activate(SYS, 0)

    site.run(back())


def sign_in_as_chen(browser: Browser, site: Site) -> None:
    """A system administrator, by a session of the browser's own."""
    stores = site.runtime.access.stores

    async def begin() -> str:
        if site.runtime.access.people.account("default", "chen") is None:
            name = Text("陈", "Chen")
            await stores.accounts.create(Account("chen", name, frozenset({"sysadmin"})))
        return (await stores.sessions.begin(("default", "chen"), "web", "127.0.0.1")).token

    browser.set_cookie(COOKIE, site.run(begin()))


def opened(browser: Browser, path: str) -> None:
    browser.open(path)
    browser._wait(lambda: browser.js("return window.did_handshake && window.socket.connected"))


def typed(browser: Browser, css: str, text: str) -> None:
    field = browser.one(css)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text)


def shown_lines(browser: Browser, tag: str) -> list[str]:
    """Of the difference; taken at once, for it may be drawn anew."""
    code = f"return [...document.querySelectorAll('.dz-diff {tag}')].map(e => e.innerText)"
    found: list[str] = browser.js(code)
    return found


def agreed(browser: Browser) -> None:
    browser.press(".dz-act-now")


def test_a_version_is_written_compared_used_and_taken_back(browser: Browser, site: Site) -> None:
    sign_in_as_chen(browser, site)
    opened(browser, "/prompts")
    typed(browser, ".dz-editor-zh textarea", "你是{firma}的同事。")
    until(lambda: "{firma}" in browser.text() and "没有 {today}" in browser.text())
    assert browser.one(".dz-save-prompt").get_attribute("disabled")
    typed(browser, ".dz-editor-zh textarea", ZH)
    browser.one(".dz-editor-good")
    assert "先说结论" in browser.one(".dz-preview-text", "先说结论").text
    typed(browser, ".dz-editor-note input", "先说结论")
    browser.press(".dz-save-prompt")
    browser.one("[data-version='1'] .dz-version-note", "先说结论")
    # The difference is told by signs and elements, not by colour alone.
    until(lambda: any("先说结论" in line for line in shown_lines(browser, "ins")))
    assert all(line.startswith("+") for line in shown_lines(browser, "ins"))
    assert len(gone := shown_lines(browser, "del")) > 2
    assert all(line.startswith("-") for line in gone)
    browser.gone(".q-notification")
    browser.js("window.scrollTo(0, 0)")
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1240, "height": 1_150, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.picture("prompts")
    browser.press("[data-version='1'] .dz-use")
    agreed(browser)
    browser.one("[data-version='1'] .dz-chip", "在用")
    site.says("早", "早。")
    service_ = site.runtime.service.agent.variants
    assert service_ is not None and service_.of(SYS, "t", "zh").texts["zh"] == ZH
    browser.press("[data-version='0'] .dz-use")
    agreed(browser)
    browser.one("[data-version='0'] .dz-chip", "在用")
    assert site.runtime.service.agent.variants is None


def running(site: Site, name: str, *, better: float = 0.15, subjects: int = 1_600) -> None:
    """An experiment on tone, and what came of it: of the new one more are answered."""
    found = service(site)

    async def make() -> None:
        texts = Content(zh=ZH + f"\n{name}")
        version = await found.prompts.add(SYS, texts, name)
        plan = Plan(
            name,
            (Arm("now", 0), Arm("new", version.number)),
            (Step(0, {"new": 0.5}),),
            why="先说结论,会不会更常答成?",
            metrics=("latency",),
            guardrails=(Guardrail("success", 0.05), Guardrail("latency", 2_000)),
            window_hours=0,
        )
        await found.create(SYS, plan)
        await found.start(SYS, name)
        rng, now = random.Random(7), time.time()
        seen = []
        for i in range(subjects):
            arm = rng.choice(("now", "new"))
            ok = rng.random() < (0.7 + better if arm == "new" else 0.7)
            values = {"success": float(ok), "latency": rng.lognormvariate(7.2, 0.5)}
            at = now - subjects + i
            seen.append(Seen(name, f"{i:064x}", "default", "", arm, 0, values, at, 0.0))
        await fill(found.store.database, seen)

    site.run(make())


def made(site: Site) -> str:
    """An experiment that has something to show; its name."""
    if not any(e.name == "axe" for e in site.run(service(site).store.all())):
        running(site, "axe", subjects=600)
        site.run(service(site).stop(SYS, "axe"))
    return "axe"


def test_an_experiment_tells_what_may_be_concluded(browser: Browser, site: Site) -> None:
    running(site, "tone")
    sign_in_as_chen(browser, site)
    opened(browser, "/experiments")
    browser.press("a.dz-trial", "tone")
    assert "可以下结论,更好" in browser.one(".dz-decision").text
    until(lambda: len(browser.all(".dz-trial-charts canvas")) == 2)
    assert browser.one("[data-arm='new']").text.startswith("new")
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1240, "height": 1_150, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.picture("experiment")
    browser.press(".dz-do-pause")
    agreed(browser)
    browser.one(".dz-state", "暂停")
    browser.press(".dz-do-promote")
    agreed(browser)
    browser.one(".dz-state", "已推广")
    assert site.run(service(site).prompts.store.active()) > 0
    assert "推广" in browser.one(".dz-trial-log").text


def test_too_little_is_said_to_be_too_little(browser: Browser, site: Site) -> None:
    running(site, "early", subjects=60)
    browser.sign_in("admin")
    opened(browser, "/experiments/early")
    assert "还不能下结论" in browser.one(".dz-decision").text
    assert browser.one(".dz-not-yet").text
    assert not browser.all(".dz-do-stop")  # the company's administrator may look


def test_phones_english_and_those_who_may_not(browser: Browser, site: Site) -> None:
    with pytest.raises(CallerError):  # one at a time varies the prompt
        running(site, "first")
        running(site, "second")
    browser.sign_in("admin")
    browser.be_a_phone()
    browser.set_cookie("dazi_language", "en")
    for path in ("/prompts", "/experiments", "/experiments/first"):
        opened(browser, path)
        assert browser.js("return document.documentElement.scrollWidth") <= PHONE[0], path
        assert not browser.all(".dz-save-prompt")
    assert "Nothing" not in browser.one(".dz-h1").text
    opened(browser, "/experiments/none")
    assert browser.one(".dz-none").text == "There is no such experiment."


def test_others_are_turned_away(browser: Browser, site: Site) -> None:
    browser.sign_in("customer")
    for path in ("/prompts", "/experiments", "/experiments/none"):
        opened(browser, path)
        assert "管理员" in browser.one(".dz-none").text
        assert not browser.all(".dz-version") and not browser.all(".dz-trial")
