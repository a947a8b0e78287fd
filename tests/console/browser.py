"""What the page tests do in a browser."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,860",
    "--lang=zh-CN",
)
WITHIN_S = 90
PHONE = (390, 844)
FIND = """
    const shown = e => e.getClientRects().length && getComputedStyle(e).visibility !== 'hidden';
    const found = [...document.querySelectorAll(arguments[0])];
    return found.filter(e => shown(e) && (e.innerText || '').includes(arguments[1])).at(-1) || null;
"""


PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"


def chromium(which: Callable[[str], str | None]) -> tuple[str, str] | None:
    """Where the browser and its driver are."""
    browser = which("chromium") or which("chromium-browser") or which("google-chrome")
    driver = which("chromedriver")
    return (browser, driver) if browser and driver else None


@dataclass
class Browser:
    driver: webdriver.Chrome
    url: str = ""

    @classmethod
    def start(cls, browser: str, driver: str, profile: Path) -> Browser:
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        made = webdriver.Chrome(options=options, service=Service(driver))
        made.set_page_load_timeout(30)
        return cls(made)

    def begin(self, url: str) -> None:
        """A fresh tab, nobody signed in, pages in Chinese."""
        self.url = url
        self.driver.switch_to.new_window("tab")
        fresh = self.driver.current_window_handle
        for handle in self.driver.window_handles:
            if handle != fresh:
                self.driver.switch_to.window(handle)
                self.driver.close()
        self.driver.switch_to.window(fresh)
        self.driver.get_log("performance")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.set_cookie("dazi_language", "zh")

    def set_cookie(self, name: str, value: str, **more: Any) -> None:
        cookie = {"name": name, "value": value, "url": self.url, **more}
        self.driver.execute_cdp_cmd("Network.setCookie", cookie)

    def be_a_phone(self) -> None:
        width, height = PHONE
        screen = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    # --- finding ---------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str, text: str = "", within_s: float = WITHIN_S) -> WebElement:
        """The last visible element that holds ``text``, once there is one."""
        try:
            element: WebElement = self._wait(lambda: self.js(FIND, css, text), within_s)
        except TimeoutException:
            raise AssertionError(f"no {css} with {text!r}: {self.text()[-600:]}") from None
        return element

    def gone(self, css: str, within_s: float = WITHIN_S) -> None:
        try:
            self._wait(lambda: self.js(FIND, css, "") is None, within_s)
        except TimeoutException:
            raise AssertionError(f"{css} still is there") from None

    def _wait(self, condition: Callable[[], Any], within_s: float = WITHIN_S) -> Any:
        def met(_: Any) -> Any:
            try:
                return condition()
            except (JavascriptException, StaleElementReferenceException):
                return None  # between two pages

        return WebDriverWait(self.driver, within_s, poll_frequency=0.05).until(met)

    def said(self, css: str) -> str:
        """What the last such element says, faded in or not."""
        return str(self.js("return arguments[0].innerText", self.one(css)))

    def text(self) -> str:
        return str(self.js("return document.body.innerText"))

    def js(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def press(self, css: str, text: str = "") -> None:
        """Click for real, once the thing has stopped moving and nothing covers it."""
        self.one(css, text)

        def clicked() -> bool:
            element = self.one(css, text)
            before = element.rect
            time.sleep(0.05)
            if element.rect != before:
                return False
            try:
                element.click()
            except (ElementNotInteractableException, ElementClickInterceptedException):
                return False
            return True

        self._wait(clicked)

    def picture(self, name: str) -> None:
        """What the window shows, for the documentation: with ``DAZI_PICTURES=1`` it is written anew,
        else it must be there. Hours and ids differ from run to run, so it is not compared."""
        path = PICTURES / f"{name}.webp"
        if os.environ.get("DAZI_PICTURES"):
            PICTURES.mkdir(exist_ok=True)
            asked = {"format": "webp", "quality": 80}
            taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", asked)
            path.write_bytes(base64.b64decode(taken["data"]))
        assert path.is_file(), f"{path.name} is missing: run this test with DAZI_PICTURES=1"

    # --- doing -----------------------------------------------------------------------------------

    def click_sign_in(self, user: str) -> None:
        """By the user's card on the page that is open."""
        self.js("arguments[0].click()", self.one(f"button[value={user}]"))
        self.ready()

    def sign_in(self, user: str) -> None:
        """As the card does, without drawing the page it is on."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/login", f"demo={user}", form)
        name, _, value = connection.getresponse().headers["Set-Cookie"].split(";")[0].partition("=")
        self.set_cookie(name, value, httpOnly=True, sameSite="Lax")
        self.open("/")
        self.ready()

    def visit(self, path: str, user: str) -> None:
        """A page as that person, once it is connected."""
        self.sign_in(user)
        self.open(path)
        self.connected()

    def connected(self) -> None:
        self._wait(lambda: self.js("return window.did_handshake && window.socket.connected"))

    def status(self, path: str) -> int:
        """What the server answers whoever is signed in."""
        return int(self.js("return fetch(arguments[0]).then(r => r.status)", path))

    def wide(self, height: int = 900, width: int = 1240) -> None:
        """A window of that size, for a picture."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def ready(self) -> None:
        """The page is connected: its message box takes text."""
        self.one(".dz-composer textarea")
        self._wait(lambda: self.js("return window.did_handshake && window.socket.connected"))

    @property
    def box(self) -> WebElement:
        return self.one(".dz-composer textarea")

    def typed(self) -> str:
        return str(self.box.get_property("value"))

    def ask(self, text: str) -> None:
        self.box.send_keys(text)
        self.box.send_keys(Keys.ENTER)

    def paste(self, text: str) -> None:
        self.js(
            "arguments[0].value = arguments[1];"
            "arguments[0].dispatchEvent(new Event('input', {bubbles: true}))",
            self.box,
            text,
        )

    def answered(self) -> None:
        """Wait until nothing is being answered any more."""
        self.one(".dz-send")

    # --- the network -----------------------------------------------------------------------------

    def hosts(self) -> set[str]:
        """Every host that a request was made to since the log was last read."""
        found: set[str] = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                parts = urlsplit(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                parts = urlsplit(message["params"]["url"])
            else:
                continue
            if parts.scheme in ("http", "https", "ws", "wss"):
                found.add(parts.netloc)
        return found
