"""Every page of the code, looked over by axe-core: by those who see it, light and dark, wide and narrow.

A page that is added is covered by itself; one whose address names something needs a line in ``named``,
without which this fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from unittest.mock import MagicMock

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from dazi.apps.desk.service import NewTicket
from dazi.console.pages import own_pages
from dazi.ops.feedback.model import Given
from tests.console import test_contracts_page as contracts
from tests.console import test_experiments_page as experiments
from tests.console import test_review_page as review
from tests.console.administrators import accounts, enter
from tests.console.axe import CONTRAST, Violation, violations
from tests.console.browser import Browser
from tests.console.conftest import Site, until
from tests.fakes.engine import call

PATHS = [page.path for page in own_pages(MagicMock(), MagicMock())]
SEEN_BY: dict[str, tuple[str, ...]] = {
    "/": ("customer", "admin"),
    "/account": ("lihua", "customer"),
    "/audit": ("zhou",),
    "/audit/turn/{turn}": ("zhou",),
    "/keys": ("chen",),
    "/approvals": ("manager",),
    "/contracts": ("manager",),
    "/contracts/{job}": ("manager",),
    "/desk": ("agent", "customer"),
    "/desk/t/{number}": ("agent",),
    "/jobs": ("customer",),
    "/knowledge": ("admin", "staff"),
    "/memory": ("customer",),
    "/people": ("wang",),
    "/people/requests": ("chen",),
    "/people/u/{user}": ("wang", "chen"),
    "/reports": ("manager",),
    "/risk": ("risk",),
    "/risk/model": ("risk",),
    "/risk/t/{transaction}": ("risk",),
    "/t/{thread:path}": ("customer",),
    "/tools": ("customer", "admin"),
    "/tools/{name}": ("finance", "admin"),
    "/why/{turn}": ("customer",),
}
"""Who looks; the administrator at pages that are not here."""
OFFICES = {"wang": "sysadmin", "chen": "secadmin", "zhou": "auditadmin", "lihua": "staff"}
"""Those of them who have accounts."""
ALLOWED: dict[str, str] = {}
"""Rules that may be broken, each with the reason: there are none."""
SKIP_TOP = "return document.querySelector('.dz-skip').getBoundingClientRect().top"
QUESTION = "无障碍:订单 ORD12345 到哪了?"


@pytest.fixture(scope="module")
def offices(site: Site) -> Iterator[None]:
    with accounts(site, **OFFICES):
        roles = site.runtime.access.roles
        by = site.runtime.access.people.principal("wang", "web")
        site.run(roles.change(by, "lihua", frozenset({"finance"}), give=True))
        yield


@pytest.fixture(scope="module")
def named(site: Site) -> Callable[[str], str]:
    """The address of something, for each page whose address names it."""
    made: dict[str, str] = {}

    def conversation() -> str:
        return made.setdefault("thread", f"/t/{_asked(site)}")

    def turn() -> str:
        thread = conversation().removeprefix("/t/")
        who = site.runtime.directory.principal("customer", "web")
        return f"/why/{site.run(site.system.turns(who, thread))[-1].turn}"

    def ticket() -> str:
        desk, who = site.runtime.desk, site.runtime.directory.principal("customer", "web")
        assert desk is not None
        return (
            f"/desk/t/{site.run(desk.service.open(who, NewTicket('坏了'), desk.clock())).card.id}"
        )

    def document() -> str:
        assert site.runtime.documents is not None
        who = site.runtime.directory.principal("admin", "web")
        found = site.run(site.runtime.documents.library.readable(who))
        return f"/knowledge/d/{found[0].id}"

    examples: dict[str, Callable[[], str]] = {
        "/t/{thread:path}": conversation,
        "/why/{turn}": turn,
        "/audit/turn/{turn}": lambda: turn().replace("/why/", "/audit/turn/"),
        "/people/u/{user}": lambda: "/people/u/lihua",
        "/tools/{name}": lambda: "/tools/request_refund",
        "/knowledge/d/{number}": document,
        "/risk/t/{transaction}": lambda: "/risk/t/TX204913",
        "/desk/t/{number}": ticket,
        "/experiments/{name}": lambda: f"/experiments/{experiments.made(site)}",
        "/contracts/{job}": lambda: f"/contracts/{contracts.done(site).id}",
        "/review/e/{entry}": lambda: f"/review/e/{review.given(site, Given('up', consent=True))}",
    }

    def address(path: str) -> str:
        if "{" not in path:
            return path
        assert path in examples, f"name something that {path} can show, in this fixture"
        return examples[path]()

    return address


def _asked(site: Site) -> str:
    from dazi.agent.asking import Ask

    site.says(QUESTION, call("get_order_status", order_id="ORD12345"), "订单 ORD12345 还在处理。")
    who, thread = site.runtime.directory.principal("customer", "web"), "axe-thread"

    async def ask() -> None:
        async for _ in site.runtime.service.ask(Ask(who, thread, QUESTION)):
            pass

    site.run(ask())
    return thread


@pytest.fixture
def still(browser: Browser) -> Iterator[Browser]:
    """Nothing fades in: colours are those that stay."""
    calm = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", calm)
    yield browser
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def wrong(found: list[Violation], where: str) -> list[str]:
    return [f"{where}: {v}" for v in found if v.rule not in ALLOWED]


def dark(browser: Browser, on: bool) -> None:
    def is_set() -> bool:  # a page that has just connected may set its own once more
        browser.js("Quasar.Dark.set(arguments[0])", on)
        return bool(browser.js("return document.body.classList.contains('body--dark')")) == on

    until(is_set)


@pytest.mark.usefixtures("offices")
@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_wrong_with_a_page(
    still: Browser, site: Site, named: Callable[[str], str], path: str
) -> None:
    found: list[str] = []
    address = named(path)
    for user in SEEN_BY.get(path, ("admin",)):
        if user in OFFICES:
            enter(still, site, user, address)
        else:
            still.visit(address, user)
        until(lambda: still.js("return document.readyState") == "complete")
        assert not still.all(".dz-refused, .dz-plan-refused"), f"{user} may not see {path}"
        found += wrong(violations(still), f"{path} {user}")
        dark(still, True)
        found += wrong(violations(still, CONTRAST, "rule"), f"{path} {user} dark")
        dark(still, False)
        still.be_a_phone()
        found += wrong(violations(still), f"{path} {user} phone")
        still.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", ["/login", "/t/none", "/pool"])
def test_nor_with_what_one_sees_before_and_without_a_right(
    still: Browser, site: Site, path: str
) -> None:
    if path != "/login":
        still.sign_in("customer")
    still.open(path)
    still.connected()
    found = wrong(violations(still), path)
    dark(still, True)
    assert not found + wrong(violations(still, CONTRAST, "rule"), f"{path} dark")


def test_nor_with_what_opens(still: Browser, site: Site, named: Callable[[str], str]) -> None:
    still.visit(named("/t/{thread:path}"), "customer")
    still.press(".dz-places > summary")
    found = wrong(violations(still), "menu of places")
    still.press(".dz-places > summary")
    still.press(".dz-why")
    still.one(".dz-why-dialog", "scripted-1")
    found += wrong(violations(still), "why")
    dark(still, True)
    assert not found + wrong(violations(still, CONTRAST, "rule"), "why, dark")


def test_each_page_begins_with_a_way_to_its_content(still: Browser, site: Site) -> None:
    still.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    still.visit("/tools", "customer")
    keys = ActionChains(still.driver)
    keys.send_keys(Keys.TAB).perform()
    until(lambda: still.js(SKIP_TOP) > 0)
    keys.send_keys(Keys.ENTER).perform()
    inside = "return document.activeElement.classList.contains('nicegui-content')"
    until(lambda: still.js(inside))
    assert still.js("return document.documentElement.lang") == "zh-CN"
    assert still.js("return document.querySelectorAll('h1, main').length") == 2


def test_a_page_that_names_something_is_not_forgotten(named: Callable[[str], str]) -> None:
    assert [p for p in PATHS if re.search(r"\{", p)]
    with pytest.raises(AssertionError, match="name something"):
        named("/a/new/{page}")


def test_axe_sees_what_is_wrong(still: Browser, site: Site) -> None:
    """Broken on purpose: a picture and a box that nobody can name, and words too faint to read."""
    still.visit("/tools", "customer")
    still.js(
        "document.querySelector('.dz-tools').insertAdjacentHTML('beforeend', "
        '\'<img src="/favicon.ico"><input><p style="color:#ccc;background:#fff">faint</p>\')'
    )
    assert {"image-alt", "label", "color-contrast"} <= {v.rule for v in violations(still)}
