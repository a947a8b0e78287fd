"""The page of planning in a real browser: the command's own figures, anew with every change."""

from __future__ import annotations

import json

import pytest
from selenium.webdriver.common.keys import Keys
from typer.testing import CliRunner

from dazi.console import plan_form
from dazi.main.cli import complete
from dazi.ops.plan.planning import as_plain
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until

ASKED = "/plan?gpu=H20&precision=fp8&concurrency=32&context=8192&requests=200000&gpu_hour=12&half_cache=1"


def opened(browser: Browser, path: str, user: str = "admin") -> None:
    browser.sign_in(user)
    browser.open(path)
    browser._wait(lambda: browser.js("return window.did_handshake && window.socket.connected"))


def drawn(browser: Browser) -> bool:
    return len(browser.all(".dz-plan-chart canvas")) == 4


def lines(browser: Browser) -> list[str]:
    """Taken at once: every change draws them anew."""
    code = """return [...document.querySelectorAll('.dz-plan-lines dt')].map(
        e => e.innerText + ': ' + e.nextElementSibling.innerText)"""
    found: list[str] = browser.js(code)
    return found


def typed(browser: Browser, name: str, text: str) -> None:
    browser.one(f".dz-plan-{name} input").send_keys(Keys.CONTROL, "a")
    browser.one(f".dz-plan-{name} input").send_keys(text)


def commanded(*given: str) -> str:
    """What the command prints."""
    done = CliRunner().invoke(complete(), ["plan", *given], env={"DAZI_LANG": "zh"})
    assert done.exit_code == 0
    return str(done.output)


def shown_command(browser: Browser) -> list[str]:
    code = "return document.querySelector('.dz-plan-command').innerText"
    return str(browser.js(code)).split()[2:]


def test_the_figures_are_those_of_the_command(browser: Browser, site: Site) -> None:
    opened(browser, ASKED)
    until(lambda: drawn(browser))
    given = shown_command(browser)
    assert "--half-cache" in given and len(given) == 13
    assert lines(browser) == commanded(*given).splitlines()
    plain = json.loads(commanded(*given, "--json"))
    tile = ".dz-plan-tile-{} .dz-figure-value"
    assert browser.one(tile.format("gpus")).text == f"{plain['gpus']:,}"
    assert browser.one(tile.format("thousand")).text == f"{plain['cost']['thousand']:,.2f}"
    assert browser.hosts() == {browser.url.removeprefix("http://")}  # nothing from elsewhere


def test_a_change_is_reckoned_at_once_and_a_slip_is_told_beside_its_field(
    browser: Browser, site: Site
) -> None:
    opened(browser, "/plan")
    assert lines(browser) == commanded().splitlines()
    typed(browser, "requests", "１00,000")
    until(lambda: shown_command(browser) == ["--requests", "100000"])
    assert lines(browser) == commanded("--requests", "100000").splitlines()
    until(lambda: "requests=100000" in browser.driver.current_url)
    for wrong, told in (("many", "整数"), ("999999", "131072")):
        typed(browser, "context", wrong)
        assert told in browser.one(".dz-plan-context .q-field__messages", told).text
        browser.one(".dz-plan-stale")
        assert lines(browser) == commanded("--requests", "100000").splitlines()
    typed(browser, "context", "4096")
    browser.gone(".dz-plan-stale")
    # The keyboard alone chooses a card.
    card = browser.one(".dz-plan-gpu input")
    card.send_keys(Keys.ENTER)
    browser.one(".q-menu .q-item", "H20")
    card.send_keys(Keys.ARROW_DOWN)
    card.send_keys(Keys.ENTER)
    until(lambda: shown_command(browser)[:2] == ["--gpu", "A800-80GB"])


def test_both_languages_and_a_phone(browser: Browser, site: Site) -> None:
    opened(browser, "/plan?api_read=20&api_written=60&requests=40000")
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 1240, "height": 1_240, "deviceScaleFactor": 1, "mobile": False},
    )
    until(lambda: drawn(browser))
    assert "个月持平" in browser.one(".dz-plan-course-note").text
    browser.picture("plan")
    browser.be_a_phone()
    browser.set_cookie("dazi_language", "en")
    browser.driver.refresh()
    until(lambda: drawn(browser))
    assert "even after" in browser.one(".dz-plan-course-note").text
    assert browser.one(".dz-plan-api_read input").get_attribute("value") == "20"
    assert browser.js("return document.documentElement.scrollWidth") <= PHONE[0]


def test_others_are_turned_away(browser: Browser, site: Site) -> None:
    opened(browser, "/plan", "customer")
    assert browser.one(".dz-plan-refused").text == "规划是给管理员用的。"
    assert not browser.all(".dz-plan-form")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"context": "0"}, "context"),
        ({"concurrency": "1.5"}, "concurrency"),
        ({"kwh": ""}, "kwh"),
        ({"kwh": "nan"}, "kwh"),
        ({"gpu_price": "-1"}, "gpu_price"),
        ({"gpu_hour": "9999999999"}, "gpu_hour"),
        ({"written": "-3"}, "written"),
    ],
)
def test_each_wrong_field_is_named(given: dict[str, str], field: str) -> None:
    found = plan_form.read(plan_form.filled({}) | given)
    assert found.plan is None
    assert list(found.wrong) == [field]
    assert plan_form.filled(given) == plan_form.filled({})  # an address is mended


def test_an_address_may_say_anything() -> None:
    odd = {
        "model": "<script>",
        "gpu": "abacus",
        "precision": "x" * 99,
        "half_cache": "yes",
        "a": "b",
    }
    found = plan_form.read(plan_form.filled(odd))
    assert found.plan is not None
    assert as_plain(found.plan) == json.loads(commanded("--json"))
