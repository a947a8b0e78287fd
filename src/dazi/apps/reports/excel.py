"""A report as a workbook: tables as numbers with formats, sums as formulas, charts of Excel's own.

Text that a spreadsheet would take for a formula stays text: cells are written as strings, and what
begins with ``= + - @`` or a control character has an apostrophe before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any

from dazi.apps.reports import words
from dazi.apps.reports.charts import MOST
from dazi.apps.reports.formats import FORMATS, is_number
from dazi.apps.reports.result import Chart, Run, Table

_NO_SHEET = re.compile(r"[\[\]:*?/\\]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
ODD_FONT, ODD_FILL = "C8402F", "FDECEA"
SUMMARY = {"zh": "说明", "en": "Summary"}


def excel(run: Run) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.properties.title, book.properties.creator = words.title(run), run.company
    book.properties.description = words.label(run)
    _summary(book.active, run)
    taken = {book.active.title}
    for table in run.tables:
        sheet = book.create_sheet(_sheet_name(table.title, taken))
        first = _table(sheet, table, run)
        row = first
        for chart in run.charts:
            if chart.table == table.id and table.rows:
                row = _chart(sheet, chart, table, row)
    _appendix(book.create_sheet(_sheet_name(words.APPENDIX(run.language), taken)), run)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def safe(text: str) -> str:
    """``text`` as a cell may hold it."""
    clean = _CONTROL.sub("", text)
    return f"'{clean}" if clean.startswith(_FORMULA) else clean


def _put(sheet: Any, row: int, column: int, value: Any, **look: Any) -> Any:
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        cell.value = safe(value)
        cell.data_type = "s"
    else:
        cell.value = value
    for name, given in look.items():
        setattr(cell, name, given)
    return cell


def _summary(sheet: Any, run: Run) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.title = SUMMARY[run.language]
    sheet.column_dimensions["A"].width = 100
    _put(sheet, 1, 1, words.title(run), font=Font(bold=True, size=14))
    _put(sheet, 2, 1, f"{run.company} · {words.byline(run)}", font=Font(color="666666", size=9))
    row = 3
    if failed := words.failed(run):
        _put(sheet, row, 1, failed, font=Font(bold=True, color=ODD_FONT))
        row += 1
    for section in run.sections:
        row += 1
        _put(sheet, row, 1, section.title, font=Font(bold=True))
        for p in section.paragraphs:
            row += 1
            mark = f"（{words.GENERATED(run.language)}）" if p.origin == "model" else ""
            said = f"{'· ' if p.bullet else ''}{p.text}{mark}"
            _put(sheet, row, 1, said, alignment=Alignment(wrap_text=True))
        row += 1
    _put(sheet, row + 1, 1, words.label(run), font=Font(color="666666", size=9))


def _table(sheet: Any, table: Table, run: Run) -> int:
    """The row below it."""
    from openpyxl.styles import Font, PatternFill

    for n, column in enumerate(table.columns, 1):
        _put(sheet, 1, n, column.label, font=Font(bold=True))
        sheet.column_dimensions[_letter(n)].width = 22 if n == 1 else 18
    for r, cells in enumerate(table.rows):
        for n, column in enumerate(table.columns, 1):
            look: dict[str, Any] = {}
            if table.marked(r, column.name):
                look = {
                    "font": Font(bold=True, color=ODD_FONT),
                    "fill": PatternFill("solid", fgColor=ODD_FILL),
                }
            value = cells[column.name]
            if isinstance(value, Decimal) and is_number(column.format):
                look["number_format"] = FORMATS[column.format].excel
            _put(sheet, r + 2, n, value, **look)
    last = len(table.rows) + 1
    if table.totals and table.rows:
        _put(sheet, last + 1, 1, words.TOTAL(run.language), font=Font(bold=True))
        for n, column in enumerate(table.columns, 1):
            if column.name in table.totals:
                letter = _letter(n)
                cell = sheet.cell(last + 1, n, f"=SUM({letter}2:{letter}{last})")
                cell.number_format = FORMATS[column.format].excel
                cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    row = last + 3
    for note in table.notes:
        _put(sheet, row, 1, note.text, font=Font(color="666666", size=9))
        row += 1
    return row + 1


def _chart(sheet: Any, chart: Chart, table: Table, row: int) -> int:
    from openpyxl.chart import BarChart, LineChart, Reference

    made = LineChart() if chart.kind == "line" else BarChart()
    made.title, made.height, made.width = chart.title, 9, 22
    names = [c.name for c in table.columns]
    last = min(len(table.rows), MOST) + 1
    for y in chart.y:
        column = names.index(y) + 1
        data = Reference(sheet, min_col=column, min_row=1, max_row=last)
        made.add_data(data, titles_from_data=True)
    x = names.index(chart.x) + 1
    made.set_categories(Reference(sheet, min_col=x, min_row=2, max_row=last))
    made.x_axis.delete = made.y_axis.delete = False
    made.y_axis.number_format = FORMATS[table.column(chart.y[0]).format].excel or "General"
    _colour_odd(made, chart, table)
    sheet.add_chart(made, f"A{row}")
    return row + 20


def _colour_odd(made: Any, chart: Chart, table: Table) -> None:
    """What stands out, as in the drawn charts."""
    from openpyxl.chart.marker import DataPoint, Marker

    for y, series in zip(chart.y, made.series, strict=True):
        for n in range(min(len(table.rows), MOST)):
            if not table.marked(n, y):
                continue
            point = DataPoint(idx=n)
            if chart.kind == "line":
                point.marker = Marker(symbol="triangle", size=9)
                point.marker.graphicalProperties.solidFill = ODD_FONT
            else:
                point.graphicalProperties.solidFill = ODD_FONT
            series.dPt.append(point)


def _appendix(sheet: Any, run: Run) -> None:
    from openpyxl.styles import Font

    row = 1
    for grid in words.appendix(run):
        if not grid.rows:
            continue
        _put(sheet, row, 1, grid.title, font=Font(bold=True))
        _row(sheet, row + 1, grid.heads, Font(bold=True))
        for n, cells in enumerate(grid.rows):
            _row(sheet, row + 2 + n, cells, None)
        row += len(grid.rows) + 3
    for n, note in enumerate(run.notes):
        _put(sheet, row + n, 1, note)
    for letter in "ABCDEFG":
        sheet.column_dimensions[letter].width = 26


def _row(sheet: Any, row: int, cells: Sequence[str], font: Any) -> None:
    for n, text in enumerate(cells, 1):
        _put(sheet, row, n, text, **({"font": font} if font else {}))


def _letter(n: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(n))


def _sheet_name(title: str, taken: set[str]) -> str:
    name = _NO_SHEET.sub(" ", title).strip("' ")[:28] or "table"
    found, n = name, 2
    while found.casefold() in {t.casefold() for t in taken}:
        found, n = f"{name} {n}", n + 1
    taken.add(found)
    return found
