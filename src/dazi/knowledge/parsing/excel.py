"""Excel workbooks: a table a sheet, in groups of rows that repeat the header."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any, BinaryIO

from openpyxl import load_workbook

from dazi.knowledge.blocks import Block, Progress
from dazi.knowledge.parsing import tables
from dazi.knowledge.parsing.archive import opened
from dazi.knowledge.parsing.refusals import Refused
from dazi.knowledge.parsing.request import Item, Request

MOST_ROWS = 1_048_576
"""Of a sheet, by Excel's own limit."""
_TITLE_ROWS = 10


def read(file: BinaryIO, request: Request) -> Iterator[Item]:
    with opened(file) as archive:
        names = archive.namelist()
        if not any(n.startswith("xl/") for n in names):
            raise Refused("not_excel")
    file.seek(0)
    warnings.simplefilter("ignore")
    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    sheets = book.worksheets
    for page, sheet in enumerate(sheets, 1):
        if not request.wants(page):
            continue
        sheet.reset_dimensions()  # what a file says of its size need not be true
        yield Block("heading", sheet.title, 1, page)
        rows = _rows(sheet)
        titles, rows = _titles(rows)
        yield from (Block("text", t, page=page) for t in titles)
        yield from (Block("table", t, page=page) for t in tables.pieces(rows))
        yield Progress(page, len(sheets))


def _rows(sheet: Any) -> Iterator[list[str]]:
    for at, row in enumerate(sheet.iter_rows(values_only=True)):
        if at >= MOST_ROWS:
            raise Refused("damaged")
        if any(v is not None for v in row):
            yield [_written(v) for v in row]


def _titles(rows: Iterator[list[str]]) -> tuple[list[str], Iterator[list[str]]]:
    """Lines above the header, which have a single cell each; and the rest."""
    kept: list[list[str]] = []
    for row in rows:
        kept.append(row)
        if sum(1 for c in row if c) != 1 or len(kept) > _TITLE_ROWS:
            break
    else:
        return [], iter(kept)
    titles = kept[:-1] if len(kept) <= _TITLE_ROWS else []
    rest = kept[len(titles) :]

    def all_rows() -> Iterator[list[str]]:
        yield from rest
        yield from rows

    return ["".join(r) for r in titles], all_rows()


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case float():
            return f"{value:.12g}"
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
    return str(value).strip()
