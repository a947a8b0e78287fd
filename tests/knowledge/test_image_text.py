"""The text of images: what is taken, what is refused before and in the worker, and rows as people read them."""

from __future__ import annotations

import importlib.util
import struct
import zlib

import pytest
import typst

from dazi.core.errors import CallerError, OperatorError
from dazi.knowledge.parsing.failures import TOO_LARGE, TOO_SLOW, UNREADABLE, UNSUPPORTED
from dazi.knowledge.parsing.image import is_image, rows
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.process import text_of_image

OCR = importlib.util.find_spec("rapidocr") is not None
needs_ocr = pytest.mark.skipif(not OCR, reason="no rapidocr here: reading images was not tried")
SAID = b"#set page(width: 12cm, height: auto)\n#set text(size: 16pt)\n"


def drawn(words: str, settings: str = "") -> bytes:
    made = typst.compile(SAID + settings.encode() + words.encode(), format="png", ppi=144)
    assert isinstance(made, bytes)
    return made


def png(width: int, height: int, packed: bytes) -> bytes:
    """With a header that says so, whatever is in it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", UNREADABLE),
        (b"GIF89a" + b"\0" * 20, UNSUPPORTED),
        (b"II*\0" + b"\0" * 20, UNSUPPORTED),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UNSUPPORTED),
        (b"%PDF-1.7", UNSUPPORTED),
        (b"\xff\xd8\xff" + b"\0" * 2_000, TOO_LARGE),
    ],
)
async def test_what_is_no_image_never_reaches_a_decoder(data: bytes, code: str) -> None:
    with pytest.raises(CallerError) as caught:
        await text_of_image(data, ParseLimits(file_bytes=1_000), "a.png")
    assert caught.value.code == code
    assert caught.value.text.zh.startswith("a.png：")


def test_formats_are_told_by_their_first_bytes() -> None:
    assert is_image(drawn("x")[:12])
    assert is_image(b"RIFF\0\0\0\0WEBP")
    assert not is_image(b"RIFF\0\0\0\0WAVE")


def test_rows_are_read_as_people_do() -> None:
    found = [
        ("¥ 1,280.00", (300.0, 52.0, 400.0, 72.0)),
        ("合计", (10.0, 50.0, 60.0, 75.0)),
        ("发票", (100.0, 10.0, 200.0, 40.0)),
        (" ", (0.0, 200.0, 5.0, 210.0)),
        ("谢谢惠顾", (10.0, 90.0, 120.0, 110.0)),
    ]
    assert rows(found) == ["发票", "合计  ¥ 1,280.00", "谢谢惠顾"]
    assert rows([]) == []


@pytest.mark.skipif(OCR, reason="rapidocr is installed")
async def test_ocr_that_is_not_installed_is_said_to_be_so() -> None:
    with pytest.raises(OperatorError) as caught:
        await text_of_image(drawn("x"))
    assert caught.value.code == "no_ocr" and "dazi[ocr]" in caught.value.text.zh


@needs_ocr
async def test_text_is_read_in_rows() -> None:
    found = await text_of_image(drawn("Invoice 20250403\n\nTotal #h(4cm) 1280.00"))
    assert [line.replace(" ", "") for line in found.splitlines()] == [
        "Invoice20250403",
        "Total1280.00",
    ]


@needs_ocr
async def test_what_is_transparent_lies_on_white() -> None:
    found = await text_of_image(drawn("Invoice 20250403", "#set page(fill: none)\n"))
    assert "20250403" in found


@needs_ocr
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (png(60_000, 60_000, zlib.compress(b"\0" * 100_000)), TOO_LARGE),
        (png(200, 200, b"no deflate at all"), UNREADABLE),
        (b"\xff\xd8\xff\xe0" + b"\0" * 200, UNREADABLE),
        (b"BM" + b"\xff" * 200, UNREADABLE),
    ],
)
async def test_bombs_and_broken_images_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(CallerError) as caught:
        await text_of_image(data)
    assert caught.value.code == code


@needs_ocr
async def test_time_and_text_are_bounded() -> None:
    image = drawn("\n\n".join(f"Line {n} of many that take a while" for n in range(8)))
    with pytest.raises(CallerError) as slow:
        await text_of_image(image, ParseLimits(seconds=0.01))
    assert slow.value.code == TOO_SLOW
    with pytest.raises(CallerError) as large:
        await text_of_image(image, ParseLimits(characters=20))
    assert large.value.code == TOO_LARGE
