"""The page about models and servers: one engine, and a pool whose servers change while one looks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dazi.access.limits.counters import ProcessCounters
from dazi.console.pool_page import conditions
from dazi.core.engine import ModelProfile, Usage
from dazi.core.errors import OperatorError
from dazi.inference.pool.config import (
    BackendSpec,
    Conditions,
    PoolConfig,
    PoolRules,
    Price,
    RouteSpec,
)
from dazi.inference.pool.engine import PoolEngine, PoolParts
from dazi.inference.pool.spending import Counted
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST
from tests.fakes.engine import ScriptedEngine

ROUTES = (
    RouteSpec(
        name="身份证不出门", when=Conditions(labels=("id_card",)), to=("private",), leaving="refuse"
    ),
    RouteSpec(name="忙时上云", when=Conditions(load=0.8), to=("private", "cloud")),
)


@pytest.fixture
def pool(site: Site) -> Iterator[PoolEngine]:
    """In the place of the site's engine, for the page only."""
    specs = {
        "h20-a": BackendSpec(url="http://a.example:8000", at_once=8),
        "cloud": BackendSpec(url="https://c.example", place="cloud", tier=1, at_once=4),
    }

    def opened(name: str, spec: BackendSpec, key: str) -> ScriptedEngine:
        return ScriptedEngine((), ModelProfile("Qwen3-14B", 32_768))

    made = PoolEngine(
        PoolConfig(PoolRules(), specs, ROUTES, 50.0), PoolParts(opened, site.runtime.router.guard)
    )
    states = [p for p in site.states if p.system is not None]
    before = [s.engine for s in states]
    for s in states:
        object.__setattr__(s, "engine", made)
    yield made
    for s, engine in zip(states, before, strict=True):
        object.__setattr__(s, "engine", engine)


def cell(browser: Browser, server: str, column: int) -> str:
    code = "return document.querySelectorAll(`tr[data-server='${arguments[0]}'] td`)[arguments[1]].innerText"
    return str(browser.js(code, server, column))


def test_one_model_and_what_works_beside_it(browser: Browser, site: Site) -> None:
    browser.visit("/pool", "admin")
    said = browser.one(".dz-pool").text
    assert "scripted-1" in said and "8,192 词元" in said
    assert browser.one(".dz-pool-alone") and not browser.all(".dz-pool-table")
    assert "护栏" in said and "重排" in said
    rows = browser.one(".dz-models").text
    assert "选用" in rows


def test_servers_are_renewed_in_place(browser: Browser, site: Site, pool: PoolEngine) -> None:
    browser.wide(1150)
    browser.visit("/pool", "admin")
    assert cell(browser, "h20-a", 1) == "还没查过"
    row = browser.one("tr[data-server=h20-a]")

    async def change() -> None:
        a, cloud = pool.backends
        a.found(True)
        a.counts.served, a.counts.prompt_tokens, a.counts.cached_tokens = 1_204, 1000, 610
        a.latency_ms, a.under_way = 181.0, 3
        cloud.found(False, OperatorError("model_unreachable", "连不上 c.example", "no c.example"))

    site.run(change())
    until(lambda: cell(browser, "h20-a", 1) == "正常")
    assert cell(browser, "h20-a", 5) == "3 / 8" and cell(browser, "h20-a", 11) == "61%"
    assert cell(browser, "cloud", 1) == "不通" and "连不上" in cell(browser, "cloud", 12)
    assert row.is_displayed()  # the very row that was there: nothing was drawn anew
    routes = browser.one(".dz-routes").text
    assert "内容里有 id_card" in routes and "公司内 → 云" in routes
    browser.picture("pool")
    browser.be_a_phone()
    assert browser.js(WIDEST) <= PHONE[0]


@pytest.mark.parametrize("user", ["customer", "manager"])
def test_others_are_turned_away(browser: Browser, site: Site, user: str) -> None:
    browser.sign_in(user)
    for path in ("/pool", "/settings", "/compliance"):
        assert browser.status(path) == 403
    assert browser.status("/compliance/report.json") == 403
    browser.open("/pool")
    browser.one(".dz-refused", "只有管理员")
    assert not browser.all(".dz-models, a[href='/settings']")


def test_conditions_in_words() -> None:
    assert conditions(RouteSpec(name="x"), "zh") == "总是"
    both = RouteSpec(name="x", when=Conditions(roles=("risk",), tokens=9000))
    assert conditions(both, "en") == "role is risk; at least 9000 tokens"


async def test_what_clouds_have_cost_today() -> None:
    spending = Counted(ProcessCounters())
    assert spending.spent() == 0
    reserved = await spending.reserve(Price(read=10, written=30), Usage(100_000, 100_000), 50)
    assert reserved is not None and spending.spent() == pytest.approx(4.0)
    await reserved.settle(Usage(10_000, 0))
    assert spending.spent() == pytest.approx(0.1)
