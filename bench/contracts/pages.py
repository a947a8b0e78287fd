"""Contracts as PDF (typst) and as Word files."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pypdfium2
import typst

from bench.contracts.blocks import Block
from bench.contracts.figures import Language

FONTS = ("Noto Sans CJK SC", "Libertinus Serif")


@dataclass(frozen=True, slots=True)
class Look:
    """``watermark`` may be empty; ``size`` of the letters in points."""

    title: str
    header: str
    language: Language
    watermark: str = ""
    size: float = 10.5


def pdf(blocks: Sequence[Block], look: Look) -> bytes:
    found = find_spec("manimgx_fonts_cjk")
    assert found is not None and found.submodule_search_locations
    fonts = [Path(found.submodule_search_locations[0])]
    source = "\n".join([*_set_up(look), *map(_typst, blocks)])
    made = typst.compile(  # type: ignore[misc]
        source.encode(), font_paths=fonts, ignore_system_fonts=True
    )
    assert isinstance(made, bytes)
    return made


def _set_up(look: Look) -> list[str]:
    footer = (
        '"第 " + n + " 页 共 " + all + " 页"'
        if look.language == "zh"
        else '"Page " + n + " of " + all'
    )
    fonts = FONTS if look.language == "zh" else FONTS[::-1]
    behind = (
        f"rotate(-40deg, text(64pt, fill: luma(225), {_quoted(look.watermark)}))"
        if look.watermark
        else "none"
    )
    return [
        f"#set document(title: {_quoted(look.title)}, date: none)",
        "#let foot = context { let n = counter(page).display(); "
        "let all = str(counter(page).final().first()); "
        f"align(center, text(8pt, {footer})) }}",
        f'#set page(paper: "a4", margin: 2.3cm, background: {behind}, '
        f"header: text(8pt, {_quoted(look.header)}), footer: foot)",
        f"#set text(font: ({', '.join(map(_quoted, fonts))}), size: {look.size}pt, hyphenate: false)",
        f"#set text(lang: {_quoted(look.language)})",
        "#set par(leading: 0.75em, justify: true)",
        "#set block(spacing: 1.05em)",
        "#set table(stroke: 0.5pt, inset: 4.5pt)",
        "#show table: set par(justify: false)",
    ]


def _typst(block: Block) -> str:
    """Every text is a string of its own, so that nothing in it can be markup."""
    if block.kind == "title":
        return f"#align(center, text(17pt, weight: 700, {_quoted(block.text)}))"
    if block.kind == "break":
        return "#pagebreak()"
    if block.kind == "annex":
        return f"#pagebreak()\n#align(center, text(14pt, weight: 700, {_quoted(block.text)}))"
    if block.kind == "heading":
        return f"#block(sticky: true, strong({_quoted(block.text)}))"
    if block.kind == "list":
        return "\n".join(f"#pad(left: 1.6em, {_quoted(item)})" for (item,) in block.rows)
    if block.kind == "table":
        head, *rows = block.rows
        cells = [f"table.header({', '.join(map(_quoted, head))})"]
        cells += [_quoted(cell) for row in rows for cell in row]
        return f"#table(columns: {len(head)}, {', '.join(cells)})"
    whole = "false" if block.whole else "true"
    return f"#block(breakable: {whole}, {_quoted(block.text)})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def word(blocks: Sequence[Block], look: Look) -> bytes:
    from docx import Document
    from docx.oxml.ns import qn

    document = Document()
    document.core_properties.title, document.core_properties.author = look.title, ""
    normal = document.styles["Normal"]
    normal.font.name = "Noto Sans CJK SC"
    normal.element.rPr.rFonts.set(qn("w:eastAsia"), "Noto Sans CJK SC")
    document.sections[0].header.paragraphs[0].text = look.header
    for block in blocks:
        if block.kind == "title":
            document.add_heading(block.text, 0)
        elif block.kind == "break":
            document.add_page_break()  # type: ignore[no-untyped-call]
        elif block.kind == "annex":
            document.add_page_break()  # type: ignore[no-untyped-call]
            document.add_heading(block.text, 1)
        elif block.kind == "heading":
            document.add_heading(block.text, 2)
        elif block.kind == "list":
            for (item,) in block.rows:
                document.add_paragraph(item)
        elif block.kind == "table":
            table = document.add_table(len(block.rows), len(block.rows[0]), "Table Grid")
            cells = iter(table._cells)
            for row in block.rows:
                for text in row:
                    next(cells).text = text
            document.add_paragraph()
        else:
            document.add_paragraph(block.text)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def count(data: bytes) -> int:
    return len(pypdfium2.PdfDocument(data))


def texts_of(data: bytes) -> list[str]:
    """What a reader gets out of each page of a PDF."""
    document = pypdfium2.PdfDocument(data)
    return [page.get_textpage().get_text_range() for page in document]


def bare(text: str) -> str:
    """Without anything that noise, line ends and the width of letters change: for comparing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum() or letter in "%.")
