"""The widget in a real Chromium, on pages of other origins with strict policies."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from dazi.core.engine import GenerateRequest
from dazi.core.turn import Attachment
from dazi.gateway.widget.script import joined
from dazi.gateway.widget.views import attachment
from tests.console.browser import Browser, chromium
from tests.fakes.engine import Reply, Until, call
from tests.gateway.conftest import Site, Threaded, threaded
from tests.gateway.widget.conftest import secret, signed

CAPTURE = """
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    window.asked = options.mode;
    return (window.root = attach.call(this, options));
  };
"""
FIND = """
  const shown = e => e.getClientRects().length && getComputedStyle(e).visibility !== 'hidden';
  const found = window.root ? [...window.root.querySelectorAll(arguments[0])] : [];
  return found.filter(e => shown(e) && (e.innerText || '').includes(arguments[1])).at(-1) || null;
"""
NASTY = (
    "看这里:<img src=x onerror=alert(1)> **重点** [好](https://yunshan.example/a) "
    "[坏](javascript:alert(1)) ![图](https://evil.example/p.png)\n\n- 一\n- 二\n\n`<b>码</b>`"
)


@dataclass
class Shop:
    """The gateway, the demo's shop, and a page of a third origin whose policy allows only Dazi."""

    served: Threaded
    strict: str
    html: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, tuple[Reply, ...]] = field(default_factory=dict)

    @property
    def site(self) -> Site:
        return self.served.site

    @property
    def shop(self) -> str:
        return f"{shop_origin_of(self.site)}/shop/?dazi={self.site.url}"

    def says(self, question: str, *replies: Reply) -> None:
        self.scripts[question] = replies

    def reply(self, request: GenerateRequest) -> Reply:
        asked = [i for i, m in enumerate(request.messages) if m.role == "user"][-1]
        since = sum(m.role == "assistant" for m in request.messages[asked + 1 :])
        return self.scripts[request.messages[asked].content][since]

    def page(self, **data: str) -> str:
        """An address of a page with the script tag."""
        told = "".join(f' data-{k}="{v}"' for k, v in data.items())
        name = f"/{len(self.html)}"
        self.html[name] = (
            f'<!doctype html><html lang="{data.get("language", "zh")}"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Shop</title>'
            f'<h1>Shop</h1><script src="{self.site.url}/widget.js" data-site="shop"{told} defer></script>'
        )
        return self.strict + name


def shop_origin_of(site: Site) -> str:
    assert site.runtime.widget is not None
    return min(site.runtime.widget.sites["shop"].origins)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, made_once: Path) -> Iterator[Shop]:
    made: list[Shop] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = made[0].site.url
            body = made[0].html.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            policy = f"default-src 'none'; script-src {url}; connect-src {url}"
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    data = tmp_path_factory.mktemp("widget") / "data"
    with threaded(data, made_once, lambda request: made[0].reply(request)) as served:
        # By another name of this machine, so that the demo's own origin stays recognisable.
        made.append(Shop(served, f"http://localhost:{server.server_address[1]}"))
        runtime = served.site.runtime
        known = runtime.visitors.sites["shop"]
        origins = known.origins | {made[0].strict}
        runtime.visitors.sites = {"shop": replace(known, origins=origins, per_visitor=500)}
        yield made[0]
    server.shutdown()


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    paths = chromium(shutil.which)
    if paths is None:
        line = "no Chromium here: install chromium and chromium-driver to run the page tests"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    browser = Browser.start(*paths, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


class Visit:
    """What a visitor does with the widget."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        browser.driver.get(url)
        self.one(".launcher")

    def one(self, css: str, text: str = "") -> Any:
        found: Any = None

        def look() -> bool:
            nonlocal found
            found = self.browser.js(FIND, css, text)
            return found is not None

        try:
            self.browser._wait(look)
        except Exception:
            seen = self.browser.js("return window.root ? window.root.textContent : 'no widget'")
            raise AssertionError(f"no {css} with {text!r} in: {str(seen)[-800:]}") from None
        return found

    def gone(self, css: str) -> None:
        self.browser._wait(lambda: self.browser.js(FIND, css, "") is None)

    def press(self, css: str, text: str = "") -> None:
        self.one(css, text).click()

    def open(self) -> None:
        self.press(".launcher")
        self.one(".said.assistant, .said.visitor")

    def say(self, text: str) -> None:
        self.browser.js("arguments[0].focus()", self.one("textarea"))
        self.keys(text, Keys.ENTER)

    def keys(self, *keys: str) -> None:
        ActionChains(self.browser.driver).send_keys(*keys).perform()

    @property
    def focused(self) -> str:
        return str(self.browser.js("return window.root.activeElement?.className || ''"))


@pytest.fixture
def browser(chrome: Browser, shop: Shop) -> Iterator[Browser]:
    chrome.begin(shop.site.url)
    made = chrome.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": CAPTURE}
    )
    chrome.driver.get_log("browser")
    yield chrome
    chrome.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)
    chrome.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def complaints(browser: Browser) -> list[str]:
    """What the browser says against the page, less that it has no icon."""
    said = [str(e["message"]) for e in browser.driver.get_log("browser")]
    return [s for s in said if "favicon" not in s]


def test_a_stranger_under_the_strictest_policy_reloads_in_mid_answer(
    browser: Browser, shop: Shop
) -> None:
    gate = asyncio.Event()
    shop.says("退货要几天?", ["一般三天。\n\n", Until(gate), "具体看商品。"])
    visit = Visit(browser, shop.page(color="#5b3fa0"))
    visit.open()
    visit.say("退货要几天?")
    visit.one(".said.assistant", "一般三天")
    browser.driver.refresh()
    visit.open()
    visit.one(".said.visitor", "退货要几天?")
    visit.one(".said.assistant", "一般三天")
    visit.one(".send.running")
    shop.served.loop.call_soon_threadsafe(gate.set)
    visit.one(".said.assistant", "具体看商品。")
    visit.gone(".send.running")
    assert "由 AI 生成" in visit.one(".said.assistant .label").text
    browser.driver.refresh()
    visit.open()
    visit.one(".said.assistant", "具体看商品。")
    launcher = visit.one(".close")
    assert browser.js(
        "return getComputedStyle(window.root.querySelector('header')).backgroundColor"
    ) == ("rgb(91, 63, 160)"), "styled, and in the site's colour"
    assert launcher and browser.js("return window.asked") == "closed"
    assert browser.js("return document.querySelector('dazi-widget').shadowRoot") is None
    assert browser.js("return document.cookie") == ""
    assert complaints(browser) == []


def test_a_customer_of_the_shop_asks_for_their_own_order(browser: Browser, shop: Shop) -> None:
    shop.says(
        "ORD12345 到哪了?", call("get_order_status", order_id="ORD12345"), "已打包,预计明天发出。"
    )
    visit = Visit(browser, shop.shop + "&user=customer")
    visit.open()
    visit.say("ORD12345 到哪了?")
    visit.one(".call", "完成")
    visit.one(".said.assistant", "已打包")
    visit.gone(".send.running")
    browser.picture("widget")
    assert complaints(browser) == []


def test_markdown_draws_nothing_but_words_and_links_to_the_web(
    browser: Browser, shop: Shop
) -> None:
    Visit(browser, shop.page())
    web = files("dazi.gateway.widget").joinpath("web")
    parts = [web.joinpath(f"{name}.js").read_text("utf-8") for name in ("dom", "markdown")]
    code = "\n".join(parts) + "\nconst out = make('div', {}, ...markdown(arguments[0])); return "
    html = browser.js(code + "out.innerHTML", NASTY)
    link = '<a href="https://yunshan.example/a" target="_blank" rel="noopener noreferrer nofollow">好</a>'
    assert html == (
        "<p>看这里:&lt;img src=x onerror=alert(1)&gt; <strong>重点</strong> "
        f"{link} [坏](javascript:alert(1)) 图</p><ul><li>一</li><li>二</li></ul><p><code>&lt;b&gt;码&lt;/b&gt;</code></p>"
    )
    for address in (
        "JAVASCRIPT:alert`1`",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "java\tscript:x",
    ):
        assert "href" not in browser.js(code + "out.innerHTML", f"[x]({address})"), address
    cells = "[...out.querySelectorAll('th, td, li')].map(e => e.textContent)"
    table = browser.js(code + cells, "| a | b |\n|---|---|\n| 1 | 2 |\n\n1. x\n2. y")
    assert table == ["a", "b", "1", "2", "x", "y"]
    turned = browser.js(code + "out.innerText", "pay \u202e001 to me")
    assert turned == "pay ⟦U+202E⟧001 to me"
    for hostile in ("*" * 5_000, "[" * 5_000, "`" * 5_001, "**a" * 2_000, "|" * 3_000):
        browser.js(code + "out.innerText.length", hostile)


CHART = """
  const element = chart(WORDS[arguments[1]], arguments[0]);
  const host = document.createElement('div');
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(arguments[2]);
  host.attachShadow({mode: 'open'}).adoptedStyleSheets = [sheet];
  host.shadowRoot.append(...element);
  document.body.append(host);
  const svg = element[0], box = svg.viewBox.baseVal;
  const inside = (e) => { const b = e.getBBox(); return b.x >= 0 && b.y >= 0
    && b.x + b.width <= box.width + 0.5 && b.y + b.height <= box.height + 0.5; };
  const numbers = (names) => [...svg.querySelectorAll('rect, circle')]
    .map(e => names.map(n => Math.round(e.getAttribute(n))));
  return {
    role: svg.getAttribute('role'), title: svg.firstChild.textContent,
    desc: svg.querySelector('desc').textContent, outside: [...svg.children].filter(e => e.getBBox && !inside(e)).map(e => e.outerHTML),
    rects: numbers(['y', 'height']), circles: svg.querySelectorAll('circle').length,
    lines: [...svg.querySelectorAll('.line')].map(e => e.getAttribute('d')),
    tips: [...svg.querySelectorAll('rect title, circle title')].map(e => e.textContent),
    cells: element.flatMap(e => [...e.querySelectorAll('td')].map(c => c.textContent)),
    markup: svg.querySelectorAll('script, image, a, foreignObject').length,
  };
"""
SALES: dict[str, Any] = {
    "title": "销量 <script>x</script>",
    "columns": ["", "一月", "二月"],
    "rows": [["甲", "10", "-5"], ["乙", "20", ""]],
    "chart": {"kind": "bar", "unit": "件", "values": [[10, 20], [-5, None]]},
}


def charted(browser: Browser, event: dict[str, Any], language: str = "zh") -> dict[str, Any]:
    web = files("dazi.gateway.widget").joinpath("web")
    names = ("texts", "dom", "markdown", "chart")
    parts = [web.joinpath(f"{name}.js").read_text("utf-8") for name in names]
    style = web.joinpath("widget.css").read_text("utf-8")
    found: dict[str, Any] = browser.js("\n".join(parts) + CHART, event, language, style)
    return found


def test_a_chart_is_drawn_with_its_numbers_beside_it(browser: Browser, shop: Shop) -> None:
    Visit(browser, shop.page())
    bars = charted(browser, SALES)
    assert bars["role"] == "img" and bars["title"] == "销量 <script>x</script>"
    assert bars["desc"] == "一月: 10 – 20 件; 二月: -5 – -5 件"
    assert bars["outside"] == [] and bars["markup"] == 0
    (zero, ten), (_, twenty), (below, five) = bars["rects"]
    assert twenty == pytest.approx(2 * ten, abs=1) and five == pytest.approx(ten / 2, abs=1)
    assert below == zero + ten, "what is below zero hangs from it"
    assert bars["tips"] == ["甲 一月: 10", "乙 一月: 20", "甲 二月: -5"]
    assert bars["cells"] == ["甲", "10", "-5", "乙", "20", ""]
    rows = [[f"{n} 月", str(n)] for n in range(40)]
    values = [[float(n) if n != 20 else None for n in range(40)]]
    chart = {"kind": "line", "unit": "", "values": values}
    lines = charted(
        browser, {"title": "t", "columns": ["", "a"], "rows": rows, "chart": chart}, "en"
    )
    assert lines["circles"] == 39 and lines["outside"] == []
    assert lines["lines"][0].count("M") == 2, "a gap where there is no number"
    long = SALES | {
        "rows": [["很长很长很长的名字" * 3, "1", "2"], ["an even longer name " * 3, "1", "2"]]
    }
    assert charted(browser, long)["outside"] == []
    flat = {"kind": "bar", "unit": "", "values": [[0, 0]]}
    assert charted(browser, SALES | {"columns": ["", "a"], "chart": flat})["outside"] == []


def test_a_visitor_sees_a_chart_of_the_shops_own_numbers(browser: Browser, shop: Shop) -> None:
    data = {"kind": "bar", "unit": "件", "categories": ["甲", "乙"], "series": [
        {"name": "quantity", "field": "quantity", "labels": {"zh": "库存", "en": "in stock"},
         "data": [3, 9]},
    ]}  # fmt: skip
    told = attachment(Attachment("chart", "库存", data), "zh")
    assert told == {
        "type": "table", "title": "库存", "columns": ["", "库存"], "rows": [["甲", "3"], ["乙", "9"]],
        "chart": {"kind": "bar", "unit": "件", "values": [[3, 9]]},
    }  # fmt: skip
    Visit(browser, shop.page())
    assert charted(browser, told)["desc"] == "库存: 3 – 9 件"


@pytest.mark.parametrize(
    ("points", "series", "value", "drawn"),
    [(40, 6, 1, True), (41, 1, 1, False), (2, 7, 1, False), (2, 1, "x", False),
     (2, 1, float("nan"), False), (2, 1, True, False)],
)  # fmt: skip
def test_only_few_and_real_numbers_are_drawn(
    points: int, series: int, value: Any, drawn: bool
) -> None:
    one = {"name": "n", "data": [value] * points}
    data = {"categories": [str(n) for n in range(points)], "series": [one] * series}
    told = attachment(Attachment("chart", "t", data), "en")
    assert told is not None and ("chart" in told) == drawn
    assert len(told["rows"]) == points


def test_the_script_is_small() -> None:
    size = len(gzip.compress(joined(), 9))
    assert size < 12_000, size
    assert b"// " not in joined()


def test_a_forged_token_and_a_foreign_page_get_no_chat(browser: Browser, shop: Shop) -> None:
    visit = Visit(browser, shop.page(token=signed("x" * 64)))
    visit.press(".launcher")
    visit.one(".alert", "无效或已过期")
    good = signed(secret(shop.site))
    browser.js("window.Dazi.setToken(arguments[0])", good)
    visit.one(".said.assistant", "您好!可以问商品")
    shop.says("你好", "您好,林先生。")
    visit.say("你好")
    visit.one(".said.assistant", "您好,林先生。")
    visit.gone(".send.running")
    # Whoever signs out leaves nothing to read, whether or not somebody else may begin.
    browser.js("window.Dazi.setToken('not.a.token')")
    visit.one(".alert", "无效或已过期")
    assert browser.js("return window.root.querySelectorAll('.said').length") == 0
    foreign = shop.page().replace("localhost", "127.0.0.1")
    visit = Visit(browser, foreign)
    visit.press(".launcher")
    visit.one(".alert", "没有发出去")
    assert browser.js("return window.root.querySelectorAll('.said').length") == 0


def test_to_a_person_and_back_and_rated(browser: Browser, shop: Shop) -> None:
    served, runtime = shop.served, shop.site.runtime
    desk = runtime.desk
    assert desk is not None
    shop.says("你好", "您好!")
    visit = Visit(browser, shop.page())
    visit.open()
    visit.say("你好")
    visit.one(".said.assistant", "您好!")
    visit.gone(".send.running")
    visit.press(".person-wanted")
    told = visit.one(".banner", "已转人工").text
    ticket = told.split("工单 ")[1].split("。")[0]
    agent = runtime.access.people.principal("agent", "web")

    def act(name: Any, text: str = "") -> None:
        served.run(desk.service.act(agent, ticket, name, desk.clock(), text))

    act("reply", "我是周敏,请说。")
    visit.one(".said.person", "我是周敏,请说。")
    visit.say("包裹破了")
    visit.one(".said.assistant", "您的话已转给")
    seen = served.run(desk.service.view(agent, ticket, desk.clock()))
    assert "包裹破了" in [e.text for e in seen.events]
    act("reply", "马上补发。")
    visit.one(".said.person", "马上补发。")
    act("hand_back", "补发")
    visit.gone(".banner")
    act("resolve")
    browser.driver.refresh()
    visit.open()
    visit.press(".feedback button", "5")
    visit.one(".status", "谢谢您的评价")
    seen = served.run(desk.service.view(agent, ticket, desk.clock()))
    assert [r.stars for r in seen.ticket.ratings] == [5]


def test_with_the_keyboard_alone_on_a_phone_in_english(browser: Browser, shop: Shop) -> None:
    shop.says("Where is my parcel?", "It is **packed**.")
    browser.be_a_phone()
    visit = Visit(browser, shop.page(language="en", title="Help"))
    visit.keys(Keys.TAB)
    assert visit.focused == "launcher"
    visit.keys(Keys.ENTER)
    visit.one(".said.assistant", "Hello! Ask about")
    box = browser.js("return window.root.querySelector('.panel').getBoundingClientRect().toJSON()")
    assert (round(box["width"]), round(box["x"])) == (390, 0)
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")
    assert browser.js("return window.root.activeElement.localName") == "textarea"
    visit.keys("Where is my parcel?", Keys.ENTER)
    visit.one(".said.assistant", "It is packed.")
    visit.one(".label", "Made by AI")
    visit.gone(".send.running")
    log = visit.one("[role=log]")
    assert log.get_attribute("aria-live") == "polite" and log.get_attribute("aria-busy") == "false"
    names = browser.js(
        "return [...window.root.querySelectorAll('button, textarea')].filter(e => e.offsetParent)"
        ".map(e => e.getAttribute('aria-label') || e.innerText.trim())"
    )
    assert all(names), names
    visit.keys(Keys.ESCAPE)
    visit.gone(".panel")
    assert visit.focused == "launcher"


def test_a_visitor_confirms_in_place(browser: Browser, shop: Shop) -> None:
    runtime = shop.site.runtime
    known = runtime.visitors.sites["shop"]
    roles = runtime.company.roles["finance"]
    said = "给订单 ORD12345 退款 10 元,原因是漏发"
    arguments = {"order_id": "ORD12345", "amount": 10, "reason": "漏发"}
    shop.says(said, call("request_refund", **arguments))
    shop.says("确认", "已退款。", "已退款。")
    runtime.visitors.sites = {"shop": replace(known, roles=roles)}
    try:
        visit = Visit(browser, shop.page(token=signed(secret(shop.site), sub="zhao")))
        visit.open()
        visit.say(said)
        card = visit.one(".question", "ORD12345")
        assert "漏发" in card.text and "10" in card.text
        browser.driver.refresh()
        visit.open()
        # What did not get through may be pressed again.
        runtime.visitors.sites = {"shop": replace(known, roles=roles, origins=frozenset())}
        visit.press(".question .yes")
        visit.one(".alert", "没有发出去")
        runtime.visitors.sites = {"shop": replace(known, roles=roles)}
        visit.press(".question .yes")
        visit.one(".said.assistant", "已退款。")
        visit.gone(".question")
    finally:
        runtime.visitors.sites = {"shop": known}
