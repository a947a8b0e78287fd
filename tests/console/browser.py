"""What the page tests do in a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import JavascriptException, StaleElementReferenceException
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
WITHIN_S = 10
PHONE = (390, 844)


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

    def begin(self, url: str, language: str = "zh") -> None:
        self.url = url
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get(f"{url}/login")
        self.driver.execute_script("sessionStorage.clear()")
        self.driver.delete_all_cookies()
        self.set_language(language)

    def set_language(self, language: str) -> None:
        self.driver.add_cookie({"name": "dazi_language", "value": language})

    def close_tabs(self) -> None:
        first, *others = self.driver.window_handles
        for handle in others:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

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

        def found(_: Any) -> WebElement | None:
            try:
                shown = [e for e in self.all(css) if e.is_displayed() and text in e.text]
            except StaleElementReferenceException:
                return None
            return shown[-1] if shown else None

        waiting = WebDriverWait(self.driver, within_s, poll_frequency=0.05)
        element: WebElement = waiting.until(found, f"no {css} with {text!r}: {self.text()[-600:]}")
        return element

    def gone(self, css: str, within_s: float = WITHIN_S) -> None:
        waiting = WebDriverWait(self.driver, within_s, poll_frequency=0.05)
        waiting.until(
            lambda _: not [e for e in self.all(css) if _displayed(e)], f"{css} still is there"
        )

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def js(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    # --- doing -----------------------------------------------------------------------------------

    def sign_in(self, user: str, path: str = "/") -> None:
        self.open("/login" if path == "/" else path)
        self.js("arguments[0].click()", self.one(f"button[value={user}]"))
        self.ready()

    def ready(self) -> None:
        """The page is connected: its message box takes text."""
        self.one(".dz-composer textarea")
        waiting = WebDriverWait(self.driver, WITHIN_S, poll_frequency=0.05)
        waiting.until(lambda _: self._connected(), "the page did not connect")

    def _connected(self) -> bool:
        try:
            return bool(self.js("return window.did_handshake && window.socket.connected"))
        except JavascriptException:
            return False

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


def _displayed(element: WebElement) -> bool:
    try:
        return element.is_displayed()
    except StaleElementReferenceException:
        return False
