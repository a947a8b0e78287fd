"""The simulator's page in a real browser, and the process that simulates for it."""

from __future__ import annotations

import asyncio

import pytest
from selenium.webdriver.common.keys import Keys

from dazi.console import plan_fields, simulate_form, simulate_page
from dazi.console.simulate_page import NotSimulated, simulated
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until

ASKED = "/plan/simulate?users=2000&policy=utilisation&gpu=L20&most=6"


def opened(browser: Browser, path: str, user: str = "admin") -> None:
    browser.sign_in(user)
    browser.open(path)
    browser._wait(lambda: browser.js("return window.did_handshake && window.socket.connected"))


def drawn(browser: Browser) -> bool:
    return len(browser.all(".dz-plan-chart canvas")) == 4 and bool(browser.all(".dz-plan-command"))


def told(browser: Browser, name: str) -> str:
    # Taken at once: every run draws them anew.
    code = f"return document.querySelector('.dz-sim-tile-{name} .dz-figure-value')?.innerText"
    return str(browser.js(code))


def test_a_day_is_simulated_and_another_with_other_figures(browser: Browser, site: Site) -> None:
    opened(browser, ASKED)
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1240, "height": 1_240, "deviceScaleFactor": 1, "mobile": False},
    )
    until(lambda: drawn(browser), 60)
    command = browser.one(".dz-plan-command").text
    assert command.split()[:3] == ["dazi", "plan", "simulate"]
    assert "--policy utilisation" in command and "--users 2000" in command
    assert browser.one(".dz-plan-tab[aria-current=page]").text == "模拟"
    before = told(browser, "cost")
    browser.picture("simulate")
    field = browser.one(".dz-plan-users input")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("many")
    assert "整数" in browser.one(".dz-plan-users .q-field__messages", "整数").text
    until(lambda: browser.one(".dz-sim-go").get_attribute("disabled") is not None)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("200")
    until(lambda: browser.one(".dz-sim-go").get_attribute("disabled") is None)
    field.send_keys(Keys.ENTER)  # the keyboard alone
    until(lambda: told(browser, "cost") != before, 60)
    until(lambda: "users=200" in browser.driver.current_url)
    assert browser.hosts() == {browser.url.removeprefix("http://")}


def test_both_languages_and_a_phone(browser: Browser, site: Site) -> None:
    browser.be_a_phone()
    browser.set_cookie("dazi_language", "en")
    opened(browser, "/plan/simulate?users=100&kind=embedded")
    until(lambda: drawn(browser), 60)
    assert browser.one(".dz-sim-go").text == "Simulate"
    assert "answered / refused" in browser.one(".dz-plan-lines").text
    assert browser.js("return document.documentElement.scrollWidth") <= PHONE[0]
    browser.open("/plan")
    assert browser.one(".dz-plan-tab[aria-current=page]").text == "Sizes and cost"


def test_others_are_turned_away(browser: Browser, site: Site) -> None:
    opened(browser, "/plan/simulate", "customer")
    assert browser.one(".dz-plan-refused").text == "规划是给管理员用的。"
    assert not browser.all(".dz-plan-form")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"users": "0"}, "users"), ({"users": "2000000"}, "users"), ({"turns": "x"}, "turns"),
        ({"bursts": "0.99"}, "bursts"), ({"cards": "0"}, "cards"), ({"target": "2"}, "target"),
        ({"first": "0"}, "first"), ({"replicas": "1.5"}, "replicas"),
    ],
)  # fmt: skip
def test_each_wrong_field_is_named(given: dict[str, str], field: str) -> None:
    found = simulate_form.read(simulate_form.filled(given))
    assert found.parts is None and list(found.wrong) == [field]


def test_an_address_may_say_anything() -> None:
    odd = {"policy": "luck", "gpu": "<script>", "kind": "abacus", "schedule": "x" * 99, "a": "b"}
    found = simulate_form.filled(odd)
    assert found["policy"] == "queue" and len(found["schedule"]) == plan_fields.LONGEST
    assert simulate_form.read(found).parts is not None


def question(**traffic: object) -> dict[str, object]:
    found = simulate_form.read(simulate_form.filled({}))
    assert found.parts is not None
    made = simulate_form.question(found.parts, "zh")
    return made | {"traffic": {**found.parts["traffic"], **traffic}}


async def test_what_takes_too_long_is_ended_and_one_at_a_time() -> None:
    first = asyncio.create_task(simulated(question(users=50)))
    await asyncio.sleep(0.05)
    with pytest.raises(NotSimulated, match="somebody else"):
        await simulated(question())
    assert (await first)["summary"]["turns"] > 0
    with pytest.raises(NotSimulated, match="too long"):
        await simulated(question(), within_s=0.02)
    with pytest.raises(NotSimulated, match="failed"):
        await simulated(question(users=-1))
    assert not simulate_page._ONE.locked()
