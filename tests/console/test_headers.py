"""What pages may load and run: a number on each of their own scripts, and on nobody else's."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from dazi.console.headers import PageHeaders
from tests.console.browser import Browser
from tests.console.conftest import Site, until

PAGE = "<html><script>a()</script><script type='module' src='/b.js'></script><p>&lt;script&gt;</p></html>"


def whole(_: object) -> HTMLResponse:
    return HTMLResponse(PAGE)


def pieces(_: object) -> StreamingResponse:
    return StreamingResponse(
        iter(["<html><scr", "ipt>a()</script></html>"]), media_type="text/html"
    )


def own(_: object) -> HTMLResponse:
    return HTMLResponse(PAGE, headers={"content-security-policy": "default-src 'none'"})


def data(_: object) -> JSONResponse:
    return JSONResponse({"page": PAGE})


@pytest.fixture
def client() -> TestClient:
    routes = [
        Route("/whole", whole),
        Route("/pieces", pieces),
        Route("/own", own),
        Route("/data", data),
    ]
    app = Starlette(routes=routes)
    app.add_middleware(PageHeaders)
    app.add_middleware(GZipMiddleware, minimum_size=1)
    return TestClient(app)


@pytest.mark.parametrize(("path", "scripts"), [("/whole", 2), ("/pieces", 1)])
def test_each_script_of_a_page_has_the_number_of_this_answer(
    client: TestClient, path: str, scripts: int
) -> None:
    numbers = set()
    for _ in range(2):
        answer = client.get(path)
        found = re.findall(r'<script nonce="([^"]+)"', answer.text)
        assert len(found) == scripts == answer.text.count("<script")
        policy = answer.headers["content-security-policy"]
        (sources,) = re.findall(r"script-src ([^;]+)", policy)
        assert f"'nonce-{found[0]}'" in sources and "unsafe-inline" not in sources
        assert answer.headers["x-frame-options"] == "DENY"
        numbers |= set(found)
    assert len(numbers) == 2


def test_what_brings_its_own_policy_or_is_no_page_stays_as_it_is(client: TestClient) -> None:
    answer = client.get("/own")
    assert answer.text == PAGE and answer.headers["content-security-policy"] == "default-src 'none'"
    answer = client.get("/data")
    assert answer.json() == {"page": PAGE} and "content-security-policy" not in answer.headers


def test_markup_that_got_into_a_page_runs_nothing(browser: Browser, site: Site) -> None:
    browser.visit("/tools", "customer")
    browser.driver.get_log("browser")
    browser.js(
        """
        document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.ran = 1">');
        const made = document.createElement('script');
        made.textContent = 'window.ran = 2';
        document.body.append(made);
        """
    )
    told: list[str] = []

    def refused() -> bool:
        told.extend(e["message"] for e in browser.driver.get_log("browser"))
        return sum("Content Security Policy" in line for line in told) >= 2

    until(refused)
    assert browser.js("return window.ran") is None


def test_pages_themselves_break_no_rule(browser: Browser, site: Site) -> None:
    browser.driver.get_log("browser")
    for path, user in (
        ("/login", ""),
        ("/", "customer"),
        ("/plan", "admin"),
        ("/risk/model", "risk"),
    ):
        if user:
            browser.sign_in(user)
        browser.open(path)
        browser.connected()
    told = [e["message"] for e in browser.driver.get_log("browser")]
    assert not [line for line in told if "Content Security Policy" in line]
