"""Highlights on the words of a PDF, made in the worker; its pages stay as they are."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as raw
import pytest
import typst

from dazi.core.errors import CallerError
from dazi.knowledge.parsing import process
from dazi.knowledge.parsing.messages import Highlight
from dazi.knowledge.parsing.process import highlighted

SOURCE = (
    "#set page(width: 300pt, height: 200pt, margin: 20pt)\nThe fee is paid within ninety days.\n"
    "#pagebreak()\nA sentence that is long enough to go on in the line below it, as it does here."
)
RED = (200, 0, 0)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("highlights") / "a.pdf"
    path.write_bytes(typst.compile(SOURCE.encode()))
    return path


def on(page: int, words: str, text: str = "注意", box: Any = None) -> Highlight:
    return Highlight(page, words, text, "搭子", RED, box)


def notes(data: bytes) -> list[tuple[int, int, str, int, tuple[int, ...]]]:
    """Of each annotation its page, kind, note, number of lines, and area in points."""
    out = []
    for number, page in enumerate(pypdfium2.PdfDocument(data), 1):
        for n in range(raw.FPDFPage_GetAnnotCount(page.raw)):
            annotation = raw.FPDFPage_GetAnnot(page.raw, n)
            buffer = ctypes.create_string_buffer(2_000)
            wide = ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR))
            length = raw.FPDFAnnot_GetStringValue(annotation, b"Contents", wide, 2_000)
            area = raw.FS_RECTF()
            raw.FPDFAnnot_GetRect(annotation, area)
            out.append((
                number, raw.FPDFAnnot_GetSubtype(annotation),
                buffer.raw[: length - 2].decode("utf-16-le"),
                raw.FPDFAnnot_CountAttachmentPoints(annotation),
                (round(area.left), round(area.bottom), round(area.right), round(area.top)),
            ))  # fmt: skip
    return out


def text(file: bytes | Path) -> list[str]:
    return [p.get_textpage().get_text_range() for p in pypdfium2.PdfDocument(file)]


async def test_words_are_highlighted_where_they_are(file: Path) -> None:
    wanted = [
        on(1, "paid within  ninety days", "第一"),
        on(2, "enough to go on in the line below it"),
    ]
    made = await highlighted(file, wanted)
    (first, second) = notes(made)
    assert first[:4] == (1, raw.FPDF_ANNOT_HIGHLIGHT, "第一", 1)
    left, bottom, right, top = first[4]
    assert 60 < left < right < 230 and 160 < bottom < top < 185
    assert second[:4] == (2, raw.FPDF_ANNOT_HIGHLIGHT, "注意", 2)  # two lines
    assert text(made) == text(file)


async def test_words_that_are_not_there(file: Path) -> None:
    boxed = on(1, "nothing like it", box=(20.0, 20.0, 100.0, 40.0))
    made = await highlighted(file, [boxed, on(1, ""), on(9, "no such page")])
    assert [n[1] for n in notes(made)] == [raw.FPDF_ANNOT_HIGHLIGHT, raw.FPDF_ANNOT_TEXT]
    assert notes(made)[0][4] == (20, 160, 100, 180)


async def test_more_than_an_order_holds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ORDER_BYTES", 400)
    made = await highlighted(file, [on(1, "paid within", f"n{n}") for n in range(9)])
    assert 1 < len(notes(made)) < 9 and notes(made)[0][2] == "n0"


async def test_what_is_no_pdf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7 broken")
    with pytest.raises(CallerError):
        await highlighted(path, [on(1, "x")])
