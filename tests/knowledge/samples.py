"""Ordinary files of each format, as their usual writers make them."""

from __future__ import annotations

import io
from datetime import datetime

import docx
import openpyxl
import typst

HEADER = "Yunshan handbook"
_LONG = """#set page(paper: "a4", header: [{header}], footer: context align(center,
  [Page #counter(page).display() of {pages}]))
#set text(size: 11pt)
#set par(justify: true)
#for n in range(1, {pages} + 1) [
  #if n > 1 {{ pagebreak() }}
  = Chapter #n
  Paragraph one of page #n says that the limit of clause #n is #(n * 7) yuan. #lorem({words})

  Paragraph two of page #n. #lorem({words})
]
"""
RULES_TYPST = """#set page(paper: "a4", header: [Yunshan handbook], footer: context align(center,
  counter(page).display("1 / 1", both: true)))
#set text(size: 11pt)
#set heading(numbering: "1.1")
= Leave
== Annual leave
Every employee has ten days of annual leave. Whoever has been with the company for ten years has
fifteen days, and after twenty years it is twenty days in every calendar year.

2.1 A clause whose number is part of its text and which goes on and on for more than one line of the
page so that it has to be put together again.

- first item of a list
- second item of a list

#table(columns: 3, stroke: none, column-gutter: 30pt,
  [Grade], [Days], [Approver],
  [Junior], [10], [Team lead],
  [Senior], [15], [Director],
  [Expert], [20], [Board])

After the table.
#pagebreak()
= Travel
Second page.
#pagebreak()
Third page.
"""
HTML = """<!doctype html><html><head><title>t</title><style>p{color:red}</style></head><body>
<nav><a href=/>home</a></nav><h1>员工 手册</h1>
<p>第十条 年假为十天，<b>工作满十年</b>的为十五天。<br>另起一行</p>
<script>alert('SCRIPT')</script>
<ul><li>甲</li><li>乙<ol start=3><li>丙</li><li>丁</li></ol></li></ul>
<table><tr><th>级别</th><th>天数</th></tr><tr><td>初级</td><td>10 | 11</td></tr>
<tr><td colspan=2>合并</td></tr></table>
<pre>a = 1
  b = 2</pre><div>散落的<span>文字</span><p>下一段</p></div></body></html>
"""
MARKDOWN = """# 手册

第一条 员工应当**遵守**规定，见[这里](x.md)。
第二行

## 1.2 假期

- 甲
- 乙
  1. 丙
  2. 丁

| 级别 | 天数 |
|---|---|
| 初级 | 10 |

```python
x = 1
```

> 引文
"""
TEXT = """员工手册

第一章 总则
第一条 为了规范管理，制定本手册。
第二条 本手册适用于全体员工，
包括试用期员工。

1.2 假期
每年十天。
"""


def pdf(source: str = RULES_TYPST) -> bytes:
    return typst.compile(source.encode(), format="pdf")


def long_pdf(pages: int, words: int = 60) -> bytes:
    return pdf(_LONG.format(header=HEADER, pages=pages, words=words))


def word() -> bytes:
    made = docx.Document()
    made.add_heading("员工手册", 0)
    made.add_heading("第一章 总则", 1)
    made.add_paragraph("第一条 为了规范管理，制定本手册。")
    made.add_paragraph("甲", style="List Bullet")
    made.add_paragraph("乙", style="List Bullet")
    made.add_paragraph("一", style="List Number")
    made.add_paragraph("二", style="List Number")
    table = made.add_table(rows=3, cols=2)
    for r, row in enumerate((("级别", "天数"), ("初级", "10"), ("高级", "15"))):
        for c, text in enumerate(row):
            table.cell(r, c).text = text
    made.add_heading("1.1 假期", 2)
    made.add_paragraph("表格之后。")
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


def excel(rows: int = 120) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "价格"
    sheet.append(["二〇二五年价格表"])
    sheet.append(["型号", "单价", "生效", "在售"])
    for n in range(1, rows + 1):
        sheet.append([f"C{n}", n + 0.5, datetime(2025, 4, 3), True])
    other = book.create_sheet("备注")
    other.append(["项", "说明"])
    other.append(["运费", 12.0])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


SAMPLES = {
    ".pdf": pdf,
    ".docx": word,
    ".xlsx": excel,
    ".html": lambda: HTML.encode(),
    ".md": lambda: MARKDOWN.encode(),
    ".txt": lambda: TEXT.encode(),
}
