"""The files say what the report says, safely."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook

from dazi.apps.reports import html as html_module
from dazi.apps.reports import words
from dazi.apps.reports.charts import svg
from dazi.apps.reports.excel import excel, safe
from dazi.apps.reports.numerals import scan
from dazi.apps.reports.rendering import file_name, format_of, rendered
from dazi.apps.reports.result import Run, Table
from dazi.apps.reports.typesetting import pngs
from dazi.apps.reports.word import word
from dazi.core.errors import CallerError, ConfigError


def keys(text: str) -> list[str]:
    return [n.key for n in scan(text)]


def renamed(run: Run, table: str, name: str) -> Run:
    """The first row's name made ``name``."""

    def other(t: Table) -> Table:
        if t.id != table:
            return t
        return replace(t, rows=({**t.rows[0], t.columns[0].name: name}, *t.rows[1:]))

    return replace(run, tables=tuple(map(other, run.tables)))


def test_a_page_holds_everything_and_fetches_nothing(costs: Run) -> None:
    page = html_module.html(costs)
    for section in costs.sections:
        for p in section.paragraphs:
            assert p.text in page
    assert "turn_" in page and "fetch_department_budget" in page and "自动生成" in page
    assert page.count("<svg") == len(costs.charts)
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_markup_in_data_stays_text(costs: Run) -> None:
    page = html_module.html(renamed(costs, "overview", "<script>alert(1)</script>"))
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_word_says_the_same_numbers(costs: Run) -> None:
    from docx import Document

    document = Document(BytesIO(word(costs)))
    texts = [p.text for p in document.paragraphs]
    for section in costs.sections:
        for p in section.paragraphs:
            (there,) = [t for t in texts if t == p.text]
            assert keys(there) == keys(p.text)
    assert len(document.inline_shapes) == len(costs.charts)
    assert document.tables[0].rows[1].cells[0].text == "市场部"


def test_words_template_keeps_its_header_and_styles(costs: Run, tmp_path: Path) -> None:
    from docx import Document
    from docx.shared import RGBColor

    template = Document()
    template.sections[0].header.paragraphs[0].text = "云杉商贸 内部资料"
    template.styles["Heading 1"].font.color.rgb = RGBColor(1, 2, 3)
    template.add_paragraph("这里写正文")
    (tmp_path / "templates").mkdir()
    template.save(str(tmp_path / "templates" / "report.docx"))
    made = Document(BytesIO(rendered(costs, "docx", tmp_path).data))
    assert made.sections[0].header.paragraphs[0].text == "云杉商贸 内部资料"
    assert made.styles["Heading 1"].font.color.rgb == RGBColor(1, 2, 3)
    assert made.paragraphs[0].style is not None and made.paragraphs[0].style.name == "Heading 1"
    assert "这里写正文" not in [p.text for p in made.paragraphs]
    (tmp_path / "templates" / "report.docx").write_bytes(b"no document")
    with pytest.raises(ConfigError):
        rendered(costs, "docx", tmp_path)


def test_a_workbook_has_numbers_formulas_and_a_chart(costs: Run) -> None:
    book = load_workbook(BytesIO(excel(costs)))
    sheet = book["费用对比"]
    assert (sheet["D2"].value, sheet["D2"].number_format) == (920_000, "#,##0.00")
    assert sheet["D4"].value == "=SUM(D2:D3)"
    assert sheet["D2"].font.color.rgb.endswith("C8402F")  # abnormal
    assert len(sheet._charts) == 1
    assert {"说明", "附录"} <= set(book.sheetnames)


@pytest.mark.parametrize("text", ["=1+1", "+86", "-cmd|x", "@SUM(A1)", "\t=1", "=HYPERLINK(1)"])
def test_text_is_no_formula(costs: Run, text: str) -> None:
    assert safe(text).startswith("'")
    book = load_workbook(BytesIO(excel(renamed(costs, "overview", text))))
    cell = book["费用对比"]["A2"]
    assert cell.data_type == "s" and str(cell.value).startswith("'")


def test_a_pdf_has_pages_with_the_text(costs: Run) -> None:
    import pypdfium2

    document = pypdfium2.PdfDocument(rendered(costs, "pdf").data)
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    assert "费用对比" in text and "206.00" in text and "审计编号" in text


def test_charts_mark_what_stands_out_in_more_than_colour(sales: Run) -> None:
    for chart in sales.charts:
        drawn = svg(sales, chart)
        ET.fromstring(drawn)
        marked = any(m.column in chart.y for m in sales.table(chart.table).marks)
        assert ("▲ 异常" in drawn) == marked
    by_month = svg(sales, sales.chart("by_month"))
    assert by_month.count("▲") == 1 + len(sales.table("months").marks)
    pictures = pngs([by_month, by_month], ppi=36)
    assert [p[:4] for p in pictures] == [b"\x89PNG"] * 2


def test_a_chart_without_rows_or_with_negative_values_can_be_drawn(sales: Run) -> None:
    table = sales.table("months")
    for rows in ((), tuple({**r, "amount": -r["amount"]} for r in table.rows)):  # type: ignore[operator]
        changed = replace(table, rows=rows, marks=())
        run = replace(sales, tables=(*(t for t in sales.tables if t.id != "months"), changed))
        ET.fromstring(svg(run, run.chart("by_month")))


def test_names_of_files_and_formats(sales: Run) -> None:
    assert file_name(sales, "pdf") == "月度销售报告 2025年3月.pdf"
    assert file_name(replace(sales, title="a/b\\c:*"), "docx").startswith("a b c")
    with pytest.raises(CallerError):
        format_of("exe")


def test_a_failed_check_stands_at_the_top(sales: Run) -> None:
    failed = replace(sales, checks=(replace(sales.checks[0], ok=False),))
    assert words.failed(failed)
    page = html_module.html(failed)
    assert page.index("核对未通过") < page.index("<h2>")
