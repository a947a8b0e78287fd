"""The page about settings: what is in use and from where, what is secret, and what would not do."""

from __future__ import annotations

import importlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from dazi.core.language import Language
from dazi.main import setting_texts
from dazi.main.setting_views import SECRET, shown, views, wrong
from dazi.main.settings import Settings
from tests.console import setting_table
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST


@pytest.fixture
def broken(site: Site, tmp_path: Path) -> Iterator[Path]:
    """A copy of the company folder with a mistake in it."""
    company = site.runtime.company
    folder = tmp_path / "yunshan"
    shutil.copytree(company.folder, folder, ignore=shutil.ignore_patterns("knowledge", ".dazi"))
    path = folder / "tools" / "zz_broken.yaml"
    path.write_text(
        "system: 坏的\nconnector: {kind: sql, database: bi}\ntools:\n  a_tool: {effect: read}\n"
    )
    site.runtime.company = replace(company, folder=folder)
    yield path
    site.runtime.company = company


def test_values_in_use_and_a_value_tried(browser: Browser, site: Site) -> None:
    browser.wide(1150)
    browser.visit("/settings", "admin")
    assert "2025-04-03" in browser.one("[data-setting=DAZI_TODAY]").text
    limit = browser.one("[data-setting=DAZI_MAX_MESSAGE_CHARS]").text
    assert "2000" in limit and "默认 100000" in limit and "命令行选项" in limit
    assert len(browser.all(".dz-setting")) == len(Settings.model_fields)
    browser.one(".dz-try-name input").send_keys("DAZI_PORT")
    browser.press(".q-menu .q-item", "DAZI_PORT")
    for value, told in (("70000", "65535"), ("many", "integer"), ("9000", "可以")):
        field = browser.one(".dz-try-value input")
        browser.js("arguments[0].select()", field)
        field.send_keys(value)
        browser.press(".dz-try-check")
        until(lambda told=told: told in browser.text())  # type: ignore[misc]
    browser.one(".dz-settings .dz-find input").send_keys("词元")
    until(lambda: 3 < len(browser.all(".dz-setting")) < 20)
    # Where this machine has the folder is nothing for a manual.
    browser.js("document.querySelector('.dz-folder-path').style.display = 'none'")
    browser.picture("settings")
    field = browser.one(".dz-settings .dz-find input")
    browser.js("arguments[0].select()", field)
    field.send_keys(Keys.DELETE)
    until(lambda: len(browser.all(".dz-setting")) == len(Settings.model_fields))
    browser.press(".dz-settings-changed")
    until(lambda: 0 < len(browser.all(".dz-setting")) < 8)
    browser.be_a_phone()
    assert browser.js(WIDEST) <= PHONE[0]


def test_the_folder_is_checked_as_the_command_does(
    browser: Browser, site: Site, broken: Path
) -> None:
    browser.visit("/settings", "admin")
    browser.press(".dz-check-folder")
    assert re.search(r"zz_broken\.yaml:4: ", browser.one(".dz-told-bad", "zz_broken").text)


def test_where_a_value_came_from() -> None:
    settings = Settings(port=9000, model="http://user:pass@model.example/v1")
    found = {v.name: v for v in views(settings, {"DAZI_PORT": "9000", "dazi_model": "other"})}
    assert found["DAZI_PORT"].source == "environment"
    assert found["DAZI_MODEL"].source == "option"  # it won over the variable
    assert found["DAZI_MODEL"].value == "http://…@model.example/v1"
    assert found["DAZI_HOST"].source == "default"


def test_nothing_secret_is_shown() -> None:
    given = dict.fromkeys(SECRET, "s3cret")
    found = list(views(Settings(**given), {f"DAZI_{k.upper()}": v for k, v in given.items()}))
    assert "s3cret" not in repr(found)
    assert {v.name for v in found if v.secret and v.is_set} == {f"DAZI_{n.upper()}" for n in SECRET}
    sounds = re.compile("key|token$|passphrase|password")
    named = {n for n, f in Settings.model_fields.items() if not f.repr or sounds.search(n)}
    assert named - {"tls_key", "weights_key_file", "redis"} <= SECRET  # a key's file is no key
    assert shown(None) == "" and shown("redis://a:b@h") == "redis://…@h"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("DAZI_PORT", "70000", "65535"),
        ("DAZI_AUDIT", "never", "durable"),
        ("DAZI_TODAY", "soon", "date"),
        ("DAZI_AUDIT_DAYS", "3", "184"),
        ("DAZI_NOTHING", "1", "DAZI_NOTHING"),
        ("DAZI_KNOWLEDGE_OCR", "true", ""),
        ("DAZI_TODAY", "2025-04-03", ""),
    ],
)
def test_what_the_start_would_say(name: str, text: str, told: str) -> None:
    found = wrong(name, text)
    assert (told in found.en) if told else found is None


@pytest.mark.parametrize("language", ["zh", "en"])
def test_texts_are_those_of_the_documentation(language: Language) -> None:
    if os.environ.get("DAZI_TEXTS"):
        setting_table.write()
        importlib.reload(setting_texts)
    told = {name: text(language) for name, text in setting_texts.TEXTS.items()}
    assert told == setting_table.documented(language)
