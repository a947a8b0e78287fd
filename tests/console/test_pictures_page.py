"""Sending a picture along."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dazi.core.messages import Image
from tests.console.browser import Browser
from tests.console.conftest import Site

QUESTION = "这张单子上的订单到哪了?"


class Reader:
    def __init__(self) -> None:
        self.seen: list[Image] = []

    async def read(self, image: Image) -> str:
        self.seen.append(image)
        return "订单 ORD12345"


@pytest.fixture
def reading(site: Site) -> Iterator[Reader]:
    reader = Reader()
    site.runtime.service.pictures.reader = reader
    yield reader
    site.runtime.service.pictures.reader = None


def png(path: Path, width: int, height: int) -> Path:
    """A grey picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    made = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + made)
    return path


def test_a_picture_is_shown_sent_and_read(
    browser: Browser, site: Site, reading: Reader, tmp_path: Path
) -> None:
    # What is read of the picture stands behind the question as a call with its result.
    site.says(QUESTION, "", "单子上是 ORD12345。")
    browser.sign_in("customer")
    browser.one(".dz-add-picture")
    chooser = browser.driver.find_element("css selector", "input[type=file]")
    chooser.send_keys(str(png(tmp_path / "a.png", 3000, 1000)))
    browser.one(".dz-picture img")
    chooser.send_keys(str(png(tmp_path / "b.png", 20, 20)))
    browser.driver.find_elements("css selector", ".dz-picture button")[-1].click()
    browser.ask(QUESTION)
    browser.one(".dz-answer", "单子上是 ORD12345。")
    browser.answered()
    assert browser.one(".dz-bubble", QUESTION).find_elements("css selector", "img")
    assert not browser.all(".dz-picture")
    (image,) = reading.seen
    assert image.media_type == "image/jpeg" and len(image.data) < 200_000
    told = site.engine.requests[-1].messages[-1]
    assert told.role == "tool" and "ORD12345" in told.content
    browser.driver.refresh()
    browser.ready()
    browser.one(".dz-answer", "单子上是 ORD12345。")


def test_what_is_no_picture_is_told_and_too_many_are(
    browser: Browser, site: Site, reading: Reader, tmp_path: Path
) -> None:
    browser.sign_in("customer")
    browser.one(".dz-add-picture")
    chooser = browser.driver.find_element("css selector", "input[type=file]")
    (tmp_path / "wrong.png").write_bytes(b"no picture")
    chooser.send_keys(str(tmp_path / "wrong.png"))
    browser.one(".dz-composer-hint", "打不开 wrong.png。")
    for n in range(4):
        chooser.send_keys(str(png(tmp_path / f"{n}.png", 10, 10)))
    browser.one(".dz-composer-hint", "一条消息最多 3 张图片。")
    assert len(browser.all(".dz-picture")) == 3


def test_without_a_use_for_it_there_is_no_button(browser: Browser, site: Site) -> None:
    browser.sign_in("customer")
    browser.one(".dz-send")
    assert not browser.all(".dz-add-picture")
