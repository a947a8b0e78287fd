"""What an answer rests on: under it, and where it stands."""

from __future__ import annotations

from itertools import count

import pytest

from tests.console.browser import Browser
from tests.console.conftest import Site
from tests.fakes.engine import call

NUMBERS = count(1)
HOTEL = "去北京出差住宿标准每晚多少钱"


def asked(browser: Browser, site: Site, query: str, said: str) -> str:
    """The question, answered in the model's own words."""
    question = f"{query}?第{next(NUMBERS)}次"
    site.says(question, call("search_knowledge", query=query), said)
    browser.ask(question)
    browser.one(".dz-answer", said)
    browser.answered()
    return question


def test_the_quoted_passage_stands_first_and_opens(browser: Browser, site: Site) -> None:
    browser.sign_in("staff")
    asked(browser, site, HOTEL, "请看出处。")
    first = browser.one(".dz-sources > .dz-source")
    assert first.text.startswith("[") and "差旅" in first.text
    assert "看过的其他段落" in browser.one(".dz-others summary").text
    browser.press(".dz-sources > .dz-source")
    dialog = browser.one(".dz-passage-dialog")
    marked = browser.said("mark.dz-quoted")
    assert "500" in marked and marked in browser.said(".dz-passage-current")
    assert len(browser.all(".dz-passage")) >= 2, "its neighbours stand around it"
    browser.press(".dz-close")
    browser.gone(".dz-passage-dialog")
    assert dialog


def test_a_statement_leads_to_its_passage(browser: Browser, site: Site) -> None:
    browser.sign_in("staff")
    said = "按规定,去北京出差,住宿标准是每晚最多 500 元。"
    asked(browser, site, HOTEL, said)
    assert said in browser.said(".dz-based li")
    browser.press(".dz-cite")
    assert "500" in browser.said(".dz-passage-current")


def test_a_page_of_a_pdf_is_drawn_beside_its_passage(browser: Browser, site: Site) -> None:
    browser.sign_in("staff")
    staff = site.runtime.directory.principal("staff", "web")
    documents = site.runtime.documents
    assert documents is not None and documents.people is not None
    readable = site.run(documents.library.readable(staff))
    pdf = next(d for d in readable if d.place.endswith(".pdf") and not d.place.endswith(".en.pdf"))
    asked(browser, site, pdf.title, "请看出处。")
    browser.js("document.querySelectorAll('.dz-others').forEach(e => e.open = true)")
    browser.press(".dz-source", ".pdf")
    image = browser.one(".dz-picture img")
    browser._wait(lambda: browser.js("return arguments[0].naturalWidth > 500", image))
    height = browser.js("return arguments[0].parentElement.offsetHeight", image)
    assert height > 300
    source = image.get_attribute("src") or ""
    assert "/knowledge/picture/d_" in source and "passage=" in source


@pytest.mark.parametrize("user", ["customer", ""])
def test_a_picture_is_for_whoever_may_read_the_document(
    browser: Browser, site: Site, user: str
) -> None:
    documents = site.runtime.documents
    assert documents is not None
    every = site.run(documents.library.records.documents("default"))
    secret = next(d for d in every if d.place.endswith(".pdf") and "all" not in d.readers)
    path = f"/knowledge/picture/{secret.id}/1"
    status = "return fetch(arguments[0]).then(r => r.status)"
    browser.sign_in(user) if user else browser.open("/login")
    assert browser.js(status, path) == (404 if user else 401)
    if user:
        assert browser.js(status, "/knowledge/picture/d_none/1") == 404
        assert browser.js(status, path + "?passage=x") == 422


def test_what_became_unreadable_says_so(browser: Browser, site: Site) -> None:
    """Between the answer and the click somebody took the right away."""
    browser.sign_in("staff")
    asked(browser, site, HOTEL, "请看出处。")
    documents = site.runtime.documents
    assert documents is not None
    library = documents.library
    staff = site.runtime.directory.principal("staff", "web")
    readable = [d.id for d in site.run(library.readable(staff))]
    try:
        for number in readable:
            site.run(library.set_readers(number, "default", frozenset({"user:nobody"})))
        browser.press(".dz-sources > .dz-source")
        assert "不能再看" in browser.said(".dz-passage-dialog")
        assert not browser.all(".dz-passage")
    finally:
        for number in readable:
            site.run(library.set_readers(number, "default", None))
        site.run(library.look())


def test_everything_in_a_document_is_text(browser: Browser, site: Site) -> None:
    """A document that was written by somebody who wants more."""
    documents = site.runtime.documents
    assert documents is not None
    library = documents.library
    admin = site.runtime.directory.principal("admin", "web")
    evil = "<img src=x onerror=window.evil=1> <script>window.evil=1</script>"
    text = f"# 蓝莓报销 {evil}\n\n蓝莓报销单七日内提交,{evil}超期的不予受理。\n"
    document = site.run(
        library.add_upload("蓝莓.md", text.encode(), principal=admin, readers=frozenset({"all"}))
    )
    site.run(library.index_now())
    try:
        browser.sign_in("staff")
        asked(browser, site, "蓝莓报销单几日内提交", "请看出处。")
        browser.press(".dz-sources > .dz-source", "蓝莓")
        assert "onerror=window.evil" in browser.said(".dz-passage-current")
        assert browser.js("return window.evil") is None
        assert not browser.all(".dz-passage img, .dz-passage script, .dz-sources img")
    finally:
        site.run(library.remove(document.id, "default"))
        site.run(library.index_now())


def test_a_kept_thread_shows_its_sources(browser: Browser, site: Site) -> None:
    browser.sign_in("staff")
    said = "按规定,去北京出差,住宿标准是每晚最多 500 元。"
    asked(browser, site, HOTEL, said)
    browser._wait(lambda: "/t/" in browser.driver.current_url)
    browser.driver.refresh()
    assert said in browser.said(".dz-based li")
    browser.press(".dz-cite")
    browser.one(".dz-passage-current")
