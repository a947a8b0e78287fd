"""An annual report with a table, sentences and targets."""

from __future__ import annotations

from pathlib import Path

ROWS = (
    ("项目(万元)", "2024年", "2023年"),
    ("营业收入", "123,450.00", "114,094.27"),
    ("净利润", "9,876.54", "10,321.00"),
    ("总资产", "210,000.00", "198,500.00"),
)
SENTENCES = (
    "报告期内,公司营业收入 123,450.00 万元,同比增长 8.2%。研发费用为 6,120.50 万元,同比增长 15.3%,"
    "上年同期为 5,308.33 万元。毛利率为 32.4%。",
    "2024 年的经营目标:营业收入目标 12 亿元,净利润目标为 1.1 亿元。",
)


def write_annual(path: Path) -> Path:
    from docx import Document

    document = Document()
    document.add_heading("云杉商贸 2024 年年度报告", 1)
    table = document.add_table(0, 3)
    for row in ROWS:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    for sentence in SENTENCES:
        document.add_paragraph(sentence)
    document.save(str(path))
    return path
