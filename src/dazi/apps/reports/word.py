"""A report as a Word document; with the company's template, in its styles and under its header."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from dazi.apps.reports import words
from dazi.apps.reports.charts import svg
from dazi.apps.reports.result import Paragraph, Run, Table
from dazi.apps.reports.typesetting import pngs
from dazi.core.errors import ConfigError

if TYPE_CHECKING:
    from docx.document import Document

ODD = (0xC8, 0x40, 0x2F)
GREY = (0x66, 0x66, 0x66)


def word(run: Run, template: Path | None = None) -> bytes:
    """``template``: its styles, header, footer and logo stay, its text goes. Raises ``ConfigError`` for
    one that cannot be opened."""
    with ThreadPoolExecutor(1) as beside:  # charts are set on another core meanwhile
        pictures = beside.submit(_pictures, run)
        return _Writer(run, _opened(template), pictures).whole()


def _pictures(run: Run) -> dict[str, bytes]:
    """By the charts' ids."""
    shown = list(dict.fromkeys(id for s in run.sections for id in s.charts))
    drawn = pngs([svg(run, run.chart(id)) for id in shown])
    return dict(zip(shown, drawn, strict=True))


def _opened(template: Path | None) -> Document:
    from docx import Document
    from docx.opc.exceptions import PackageNotFoundError

    if template is None:
        return Document()
    try:
        document = Document(str(template))
    except (PackageNotFoundError, BadZipFile, KeyError, ValueError) as e:
        raise ConfigError(template, None, f"打不开这个模板:{e}", f"cannot open it: {e}") from None
    body = document.element.body
    for child in list(body):
        if not child.tag.endswith("}sectPr"):
            body.remove(child)
    return document


class _Writer:
    def __init__(self, run: Run, document: Document, pictures: Future[dict[str, bytes]]) -> None:
        self.run, self.document = run, document
        self.styles = {s.name for s in document.styles}
        self.pictures = pictures

    def whole(self) -> bytes:
        run, document = self.run, self.document
        about = document.core_properties
        about.title, about.author = words.title(run), run.company
        about.comments = words.label(run)
        self._heading(run.title, 1)
        if run.subject:
            self._line(run.subject, bold=True)
        self._line(f"{run.company} · {words.byline(run)}", size=8, colour=GREY)
        if failed := words.failed(run):
            self._line(failed, bold=True, colour=ODD)
        for section in run.sections:
            self._heading(section.title, 2)
            for p in section.paragraphs:
                self._paragraph(p)
            for id in section.tables:
                self._table(run.table(id))
            for id in section.charts:
                self._chart(id)
        self._appendix()
        self._line(words.label(run), size=8, colour=GREY)
        out = BytesIO()
        document.save(out)
        return out.getvalue()

    def _style(self, *names: str) -> str | None:
        """The first of these that the template has."""
        return next((n for n in names if n in self.styles), None)

    def _heading(self, text: str, level: int) -> None:
        style = self._style(f"Heading {level}")
        made = self.document.add_paragraph(style=style)
        self._run(made, text, bold=style is None)

    def _line(
        self, text: str, *, bold: bool = False, size: float = 0,
        colour: tuple[int, int, int] | None = None, style: str | None = None,
    ) -> None:  # fmt: skip
        made = self.document.add_paragraph(style=style)
        self._run(made, text, bold=bold, size=size, colour=colour)

    @staticmethod
    def _run(
        paragraph: Any, text: str, *, bold: bool = False, size: float = 0,
        colour: tuple[int, int, int] | None = None,
    ) -> None:  # fmt: skip
        from docx.shared import Pt, RGBColor

        made = paragraph.add_run(text)
        made.bold = bold or None
        if size:
            made.font.size = Pt(size)
        if colour is not None:
            made.font.color.rgb = RGBColor(*colour)

    def _paragraph(self, p: Paragraph) -> None:
        style = None
        if p.bullet:
            style = self._style("List Bullet")
        elif p.origin == "document":
            style = self._style("Quote", "Intense Quote")
        made = self.document.add_paragraph(style=style)
        self._run(made, p.text if style or not p.bullet else f"· {p.text}")
        if p.origin == "model":
            self._run(made, f"（{words.GENERATED(self.run.language)}）", size=8, colour=GREY)

    def _table(self, t: Table) -> None:
        run = self.run
        self._line(t.title, bold=True)
        rows = [words.cells(t, n, run.language) for n in range(len(t.rows))]
        totals = words.total_cells(t, run.language)
        right = [words.is_right(t, n) for n in range(len(t.columns))]
        odd = {
            (m.row, next(n for n, c in enumerate(t.columns) if c.name == m.column)) for m in t.marks
        }
        self._grid([c.label for c in t.columns], [*rows, *([totals] if totals else [])], right, odd)
        for note in t.notes:
            self._line(note.text, size=8, colour=GREY)

    def _grid(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
        right: Sequence[bool] = (),
        odd: set[tuple[int, int]] = frozenset(),  # type: ignore[assignment]
        size: float = 9,
    ) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        made = self.document.add_table(len(rows) + 1, len(heads), self._style("Table Grid"))
        # Cells once: each look at ``table.cell`` counts the whole grid again.
        cells = made._cells
        for n, row in enumerate([heads, *rows]):
            for k, text in enumerate(row):
                paragraph = cells[n * len(heads) + k].paragraphs[0]
                marked = (n - 1, k) in odd
                self._run(
                    paragraph,
                    text,
                    bold=n == 0 or marked,
                    size=size,
                    colour=ODD if marked else None,
                )
                if right and right[k]:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        self.document.add_paragraph()

    def _chart(self, id: str) -> None:
        section = self.document.sections[-1]
        width = (section.page_width or 0) - (section.left_margin or 0) - (section.right_margin or 0)
        self.document.add_picture(BytesIO(self.pictures.result()[id]), width=width or None)

    def _appendix(self) -> None:
        language = self.run.language
        self._heading(words.APPENDIX(language), 2)
        for grid in words.appendix(self.run):
            if grid.rows:
                self._line(grid.title, bold=True)
                self._grid(grid.heads, grid.rows, size=7)
        if self.run.notes:
            self._line(words.NOTES(language), bold=True)
            for note in self.run.notes:
                self._line(note, size=8, style=self._style("List Bullet"))
