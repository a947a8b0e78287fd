"""Makes the company's documents out of their sources in ``knowledge/``: PDF, Word, Excel, web pages,
Markdown and text. Equal sources give equal files, byte for byte.

A source is a front matter (title, language, format, roles, department, effective) and Markdown of
one line a paragraph: headings, paragraphs, lists, numbered steps and tables. Without ``roles``
everybody may read it. ``documents.json`` beside the files says what they are.
``knowledge/questions.jsonl`` asks about them: each question with its document, a passage of it word
for word, and the answer; where there is no document, none answers.

Run it alone: ``python documents.py FOLDER``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from html import escape
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import yaml

HERE = Path(__file__).resolve().parent
LIST = "documents.json"
COMPANY = {"zh": "云杉商贸", "en": "Yunshan Trading"}
ABOUT = {"zh": "{} · 生效日期 {}", "en": "{} · effective {}"}
FONTS = ("Noto Sans CJK SC", "Libertinus Serif")
_ITEM = re.compile(r"(?:-|\d+\.) (.+)")
_NUMBER = re.compile(r"\d{1,9}(\.\d+)?")
_NO_SHEET = re.compile(r"[\[\]:*?/\\]")
_CHANGED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")

Kind = Literal["heading", "text", "list", "table"]


@dataclass(frozen=True)
class Block:
    """``rows``: of a table its cells, of a list its items, one a row."""

    kind: Kind
    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Source:
    """``name`` is the document's id: the source's file name without ``.md``."""

    name: str
    title: str
    language: Literal["zh", "en"]
    format: str
    roles: tuple[str, ...]
    department: str
    effective: date
    body: str

    @property
    def file(self) -> str:
        return f"{self.name}.{self.format}"

    @property
    def about(self) -> str:
        return ABOUT[self.language].format(self.department, self.effective)

    def blocks(self) -> list[Block]:
        """What it says, and below its title who issued it and since when it holds."""
        title, *rest = _blocks(self.body)
        return [title, Block("text", self.about), *rest]


def sources(folder: Path = HERE) -> list[Source]:
    return [_source(path) for path in sorted((folder / "knowledge").rglob("*.md"))]


def make(target: Path, folder: Path = HERE) -> list[str]:
    """Make in ``target`` what is new or whose source has changed, take away what has no source any
    more, and name the files that were made. What else lies there stays."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    there, entries, made = _listed(target), [], []
    for source in sources(folder):
        entry = _entry(source)
        if there.pop(source.file, None) != entry or not (target / source.file).is_file():
            _put(target / source.file, MAKERS[source.format](source))
            made.append(source.file)
        entries.append(entry)
    for gone in there:
        (target / gone).unlink(missing_ok=True)
    if made or there:
        listing = json.dumps(entries, ensure_ascii=False, indent=1)
        _put(target / LIST, f"{listing}\n".encode())
    return made


def _put(path: Path, data: bytes) -> None:
    """Whole or not at all: another process may be making or reading the same file."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(data)
    part.replace(path)


def _listed(target: Path) -> dict[str, dict[str, Any]]:
    path = target / LIST
    entries = json.loads(path.read_text("utf-8")) if path.is_file() else []
    return {entry["file"]: entry for entry in entries}


def _entry(source: Source) -> dict[str, Any]:
    """``made_from`` changes with the source and with this module."""
    made_from = hashlib.sha256(repr(source).encode() + Path(__file__).read_bytes())
    return {
        "file": source.file,
        "id": source.name,
        "title": source.title,
        "language": source.language,
        "roles": list(source.roles),
        "department": source.department,
        "effective": source.effective.isoformat(),
        "made_from": made_from.hexdigest(),
    }


def _source(path: Path) -> Source:
    _, front, body = path.read_text("utf-8").split("---\n", 2)
    about = yaml.safe_load(front)
    about["roles"] = tuple(about.get("roles", ("all",)))
    return Source(name=path.name.removesuffix(".md"), body=body.strip(), **about)


def _blocks(body: str) -> Iterator[Block]:
    """Neighbouring rows are a table, neighbouring items a list, every other line a paragraph."""
    gathered: list[tuple[str, ...]] = []
    kind: Kind = "text"
    for line in [*map(str.strip, body.splitlines()), ""]:
        item = _ITEM.fullmatch(line)
        now: Kind = "table" if line.startswith("|") else "list" if item else "text"
        if gathered and now != kind:
            yield Block(kind, rows=tuple(gathered))
            gathered = []
        kind = now
        if now == "table":
            cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
            if not all(set(cell) <= {"-"} for cell in cells):
                gathered.append(cells)
        elif item:
            gathered.append((item[1],))
        elif line.startswith("#"):
            mark, _, text = line.partition(" ")
            yield Block("heading", text, len(mark))
        elif line:
            yield Block("text", line)


# --- text and web pages -----------------------------------------------------------------------


def _markdown(source: Source) -> bytes:
    return f"{source.body}\n".encode()


def _text(source: Source) -> bytes:
    lines: list[str] = []
    for block in source.blocks():
        if block.kind == "table":
            lines += ["\t".join(row) for row in block.rows]
        elif block.kind == "list":
            lines += [f"- {item}" for (item,) in block.rows]
        else:
            lines.append(block.text)
        lines.append("")
    return "\n".join(lines).encode()


def _page(source: Source) -> bytes:
    parts = [
        f'<!doctype html>\n<html lang="{source.language}">\n<head><meta charset="utf-8">'
        f"<title>{escape(source.title)}</title></head>\n<body>"
    ]
    for block in source.blocks():
        if block.kind == "heading":
            parts.append(f"<h{block.level}>{escape(block.text)}</h{block.level}>")
        elif block.kind == "text":
            parts.append(f"<p>{escape(block.text)}</p>")
        elif block.kind == "list":
            items = "".join(f"<li>{escape(item)}</li>" for (item,) in block.rows)
            parts.append(f"<ul>{items}</ul>")
        else:
            head, *rows = block.rows
            parts += ["<table>", _row(head, "th"), *(_row(row, "td") for row in rows), "</table>"]
    return "\n".join([*parts, "</body>\n</html>\n"]).encode()


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


# --- Word and Excel ---------------------------------------------------------------------------


def _word(source: Source) -> bytes:
    from docx import Document

    document = Document()
    about = document.core_properties
    about.title, about.author = source.title, COMPANY[source.language]
    about.created = about.modified = datetime.combine(source.effective, time(9))
    for block in source.blocks():
        if block.kind == "heading":
            document.add_heading(block.text, block.level)
        elif block.kind == "text":
            document.add_paragraph(block.text)
        elif block.kind == "list":
            for (item,) in block.rows:
                document.add_paragraph(item, "List Bullet")
        else:
            table = document.add_table(0, len(block.rows[0]), "Table Grid")
            for row in block.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
            document.add_paragraph()
    out = BytesIO()
    document.save(out)
    return _undated(out.getvalue(), source)


def _workbook(source: Source) -> bytes:
    """A sheet for each heading below the title."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    book.remove(book.active)
    book.properties.title, book.properties.creator = source.title, COMPANY[source.language]
    book.properties.created = datetime.combine(source.effective, time(9))
    title, about, *rest = source.blocks()
    for block in rest:
        if block.kind == "heading":
            sheet = book.create_sheet(_NO_SHEET.sub(" ", block.text)[:31])
            sheet.append([f"{title.text}: {block.text}"])
            sheet["A1"].font = Font(bold=True)
            sheet.append([about.text])
        elif block.kind == "table":
            for row in block.rows:
                sheet.append([_cell(text) for text in row])
        else:
            sheet.append([block.text])
    out = BytesIO()
    book.save(out)
    return _undated(out.getvalue(), source)


def _cell(text: str) -> str | int | float:
    found = _NUMBER.fullmatch(text)
    return text if found is None else float(text) if found[1] else int(text)


def _undated(data: bytes, source: Source) -> bytes:
    """The same archive without the time at which it was written."""
    day = source.effective
    out = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _CHANGED.sub(rb"\g<1>%sT09:00:00Z" % day.isoformat().encode(), content)
            entry = ZipInfo(name, (day.year, day.month, day.day, 9, 0, 0))
            new.writestr(entry, content, ZIP_DEFLATED)
    return out.getvalue()


# --- PDF --------------------------------------------------------------------------------------


def _pdf(source: Source) -> bytes:
    from typst import compile

    made = compile(_typst(source).encode(), font_paths=[_fonts()], ignore_system_fonts=True)
    assert isinstance(made, bytes)
    return made


def _fonts() -> Path:
    found = find_spec("manimgx_fonts_cjk")
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def _typst(source: Source) -> str:
    """Every text is a string of its own, so that nothing in it can be markup; none is torn apart by
    the end of a page."""
    name = COMPANY[source.language]
    lines = [
        f"#set document(title: {_quoted(source.title)}, author: {_quoted(name)}, date: none)",
        f"#let running = text(8pt, {_quoted(f'{name} · {source.title}')})",
        '#set page(paper: "a4", margin: 2.2cm, numbering: "1 / 1", header: running)',
        f"#set text(font: ({', '.join(map(_quoted, FONTS))}), size: 10.5pt, hyphenate: false)",
        f"#set text(lang: {_quoted(source.language)})",
        "#set par(leading: 0.8em)",
        "#set block(spacing: 1.1em)",
        "#set table(stroke: 0.5pt, inset: 5pt)",
        "#set table.cell(breakable: false)",
    ]
    for block in source.blocks():
        if block.kind == "heading":
            lines.append(f"#heading(level: {block.level}, {_quoted(block.text)})")
        elif block.kind == "text":
            lines.append(f"#block(breakable: false, {_quoted(block.text)})")
        elif block.kind == "list":
            lines.append(f"#list({', '.join(_quoted(item) for (item,) in block.rows)})")
        else:
            head, *rows = block.rows
            cells = [f"table.header({', '.join(map(_quoted, head))})"]
            cells += [_quoted(cell) for row in rows for cell in row]
            lines.append(f"#table(columns: {len(head)}, {', '.join(cells)})")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


MAKERS: dict[str, Callable[[Source], bytes]] = {
    "md": _markdown,
    "txt": _text,
    "html": _page,
    "docx": _word,
    "xlsx": _workbook,
    "pdf": _pdf,
}

if __name__ == "__main__":
    for name in make(Path(sys.argv[1])):
        print(name)
