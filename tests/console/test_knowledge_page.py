"""The pages about documents: search, read, and what managers do, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from dazi.knowledge.library import Library
from dazi.knowledge.service import INCOMING
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST

HOTEL = "去北京出差住宿标准每晚多少钱"
TEXT = "# 蓝莓\n\n蓝莓报销单要在七日内提交,超期的不予受理。\n"


def library(site: Site) -> Library:
    assert site.runtime.documents is not None
    return site.runtime.documents.library


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Iterator[None]:
    """What a test uploads or adds is gone afterwards."""
    yield
    for source in site.run(library(site).records.sources()):
        if not source.declared:
            site.run(library(site).remove_source(source.id, source.tenant))
    site.run(library(site).index_now())


def opened(browser: Browser, user: str, path: str = "/knowledge") -> None:
    browser.sign_in(user)
    browser.open(path)
    browser._wait(lambda: browser.js("return window.did_handshake && window.socket.connected"))


def search(browser: Browser, text: str) -> None:
    browser.press(".dz-search input[type=search]")
    box = browser.one(".dz-search input[type=search]")
    box.clear()
    box.send_keys(text, Keys.ENTER)


def put(site: Site, name: str = "蓝莓.md", readers: tuple[str, ...] = ("all",)) -> str:
    admin = site.runtime.directory.principal("admin", "web")
    made = site.run(
        library(site).add_upload(name, TEXT.encode(), principal=admin, readers=frozenset(readers))
    )
    site.run(library(site).index_now())
    return made.id


def acts(site: Site) -> list[dict[str, Any]]:
    site.run(site.runtime.ledger.flush())
    rows = site.run(site.runtime.audit.rows(limit=100_000))
    return [json.loads(r.body) for r in rows if r.kind == "admin"]


def test_search_open_and_the_quoted_sentence(browser: Browser, site: Site) -> None:
    browser.sign_in("staff")
    browser.press(".dz-documents-link", "公司文档")
    until(lambda: browser.driver.current_url.endswith("/knowledge"))
    browser.one(".dz-document")
    assert not browser.all(".dz-tabs")
    search(browser, HOTEL)
    assert "500" in browser.said(".dz-quote")
    browser.js("arguments[0].click()", browser.all(".dz-found .dz-source")[0])
    assert "500" in browser.said("mark.dz-quoted")
    link = browser.one(".dz-open-document").get_attribute("href") or ""
    browser.driver.get(link)
    assert "500" in browser.said(".dz-passage-current")


def test_a_document_is_found_by_its_name_and_its_pages_are_pictures(
    browser: Browser, site: Site
) -> None:
    opened(browser, "staff")
    before = len(browser.all(".dz-document"))
    browser.one(".dz-filter input").send_keys("contract-lease.pdf")
    until(lambda: len(browser.all(".dz-document")) == 1 < before)
    browser.press(".dz-document")
    browser.one(".dz-passage")
    image = browser.one(".dz-picture img")
    until(lambda: browser.js("return arguments[0].naturalWidth > 500", image))


def test_a_customer_sees_no_tab_and_no_document_of_the_staff(browser: Browser, site: Site) -> None:
    put(site, "蓝莓.md", ("role:employee",))
    secret = put(site, "紫薯.md", ("role:employee",))
    opened(browser, "customer")
    browser.one(".dz-document")
    assert not browser.all(".dz-tabs, .dz-upload, .dz-managed")
    assert "蓝莓" not in browser.text()
    search(browser, "蓝莓报销单几日内提交")
    until(lambda: browser.said(".dz-found"))
    assert "七日内" not in browser.text()
    browser.open(f"/knowledge/d/{secret}")
    browser.one(".dz-h1", "没有这份文档")
    assert "蓝莓" not in browser.text()
    status = "return fetch(arguments[0], {method: 'POST', body: 'x'}).then(r => r.status)"
    assert browser.js(status, "/_nicegui/client/any/upload/1") == 403


def test_what_a_manager_uploads_becomes_searchable(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    files = [tmp_path / "蓝莓.md", tmp_path / "坏的.pdf"]
    files[0].write_text(TEXT, "utf-8")
    files[1].write_bytes(b"%PDF-1.7 broken")
    opened(browser, "admin")
    browser.press(".q-tab", "全部文档")
    browser.one(".dz-upload")
    chooser = browser.all(".dz-upload input[type=file]")[0]
    chooser.send_keys("\n".join(map(str, files)))
    browser.one(".dz-managed-row", "坏的.pdf")
    browser.one(".dz-managed-row", "蓝莓.md")
    site.run(library(site).index_now())
    browser.one(".dz-managed-row", "可查")
    error = browser.one(".dz-managed-error").text
    assert "损坏" in error
    incoming = library(site).files / INCOMING
    assert not incoming.exists() or not list(incoming.iterdir())
    browser.press(".q-tab", "查阅")
    search(browser, "蓝莓报销单几日内提交")
    browser.one(".dz-quote", "蓝莓报销单要在七日内提交")
    added = [a["what"] for a in acts(site) if a["act"] == "knowledge_add"]
    assert {"蓝莓.md", "坏的.pdf"} <= set(added)


def test_readers_are_set_and_a_document_is_deleted(browser: Browser, site: Site) -> None:
    number = put(site)
    opened(browser, "admin")
    browser.press(".q-tab", "全部文档")
    browser.one(".dz-managed .dz-managed-row")
    browser.all(".dz-filter input")[-1].send_keys("蓝莓")
    until(lambda: len(browser.all(".dz-managed .dz-managed-acts")) >= 1)
    browser.one(".dz-managed-row", "所有人")
    browser.press(".dz-managed-acts button", "谁可以看")
    browser.one(".dz-users input").send_keys("li, wang")
    browser.press(".dz-save")
    row = "所有人, li, wang"
    browser.one(".dz-managed-row", row)
    readers = site.run(library(site).records.document(number, "default")).readers
    assert readers == {"all", "user:li", "user:wang"}
    browser.press(".dz-managed-acts .dz-delete")
    browser.one(".dz-confirm-delete", "蓝莓")
    assert site.run(library(site).records.document(number, "default")).state != "gone"
    browser.press(".dz-delete-now")
    until(lambda: "蓝莓.md" not in browser.text())
    staff = site.runtime.directory.principal("staff", "web")
    assert number not in [d.id for d in site.run(library(site).readable(staff))]


def test_a_url_is_added_and_says_why_it_cannot_be_read(browser: Browser, site: Site) -> None:
    opened(browser, "admin")
    browser.press(".q-tab", "来源")
    browser.one(".dz-managed-row", "dazi.toml")
    box = browser.one(".dz-search input:not([type=search])")
    box.send_keys("http://127.0.0.1:1/rules", Keys.ENTER)
    browser.one(".dz-managed-row", "http://127.0.0.1:1/rules")
    until(lambda: "127.0.0.1:1" in browser.one(".dz-managed-error").text)


def test_it_fits_on_a_phone(browser: Browser, site: Site) -> None:
    put(site, f"{'蓝莓' * 40}.md")
    browser.be_a_phone()
    opened(browser, "admin")
    browser.one(".dz-document")
    assert browser.js(WIDEST) <= PHONE[0]
    browser.press(".q-tab", "全部文档")
    browser.one(".dz-managed-row", "蓝莓")
    assert browser.js(WIDEST) <= PHONE[0]
    browser.press(".q-tab", "来源")
    browser.one(".dz-managed-row", "dazi.toml")
    assert browser.js(WIDEST) <= PHONE[0]
    browser.open("/knowledge")
    search(browser, HOTEL)
    browser.one(".dz-quote")
    browser.js("arguments[0].click()", browser.all(".dz-found .dz-source")[0])
    browser.one(".dz-passage-dialog")
    assert browser.js(WIDEST) <= PHONE[0]


def test_whoever_signs_in_comes_back_and_it_is_there_in_english(
    browser: Browser, site: Site
) -> None:
    number = put(site)
    browser.open(f"/knowledge/d/{number}")
    until(lambda: "next=%2Fknowledge%2Fd%2F" in browser.driver.current_url)
    browser.set_cookie("dazi_language", "en")
    opened(browser, "admin")
    browser.one(".dz-h1", "Documents")
    browser.one(".q-tab", "All documents")
    assert browser.one(".dz-search input[type=search]").get_attribute("aria-label")
