"""What each format's reader makes of an ordinary file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from dazi.core.errors import CallerError
from dazi.knowledge.blocks import Block, Progress
from dazi.knowledge.parsing.numbering import begins_clause, heading_level
from dazi.knowledge.parsing.word_numbers import chinese, counted
from tests.knowledge import samples
from tests.knowledge.reading import blocks, blocks_of, items, texts

# --- PDF ------------------------------------------------------------------------------------------


async def test_a_pdf(tmp_path: Path) -> None:
    found = await blocks_of(tmp_path, "rules.pdf", samples.pdf())
    headings = [(b.text, b.level) for b in found if b.kind == "heading"]
    assert [h for h, _ in headings] == ["1 Leave", "1.1 Annual leave", "2 Travel"]
    levels = dict(headings)
    assert levels["1 Leave"] < levels["1.1 Annual leave"]
    whole = "\n".join(texts(found))
    assert "Yunshan handbook" not in whole and "1 / 3" not in whole, "running lines"
    joined = next(b for b in found if b.text.startswith("Every employee"))
    assert joined.text.endswith("in every calendar year.") and "\n" not in joined.text
    clause = next(b for b in found if b.text.startswith("2.1 A clause"))
    assert clause.text.endswith("put together again.")
    (table,) = (b for b in found if b.kind == "table")
    assert table.text.splitlines() == [
        "| Grade | Days | Approver |",
        "| --- | --- | --- |",
        "| Junior | 10 | Team lead |",
        "| Senior | 15 | Director |",
        "| Expert | 20 | Board |",
    ]
    assert [
        b.page for b in found if b.text in ("After the table.", "Second page.", "Third page.")
    ] == [*(1, 2, 3)]


async def test_where_blocks_stand_on_the_page(tmp_path: Path) -> None:
    source = """#set page(width: 400pt, height: 300pt, margin: 0pt)
#place(top + left, dx: 50pt, dy: 100pt)[Placed]
#place(bottom + right, dx: -50pt, dy: -20pt)[Corner]"""
    placed, corner = await blocks_of(tmp_path, "p.pdf", samples.pdf(source))
    assert placed.box is not None and corner.box is not None
    assert placed.box[0] == pytest.approx(50, abs=1) and 90 < placed.box[1] < 102
    assert placed.box[3] > placed.box[1] and placed.box[2] > placed.box[0]
    assert corner.box[2] == pytest.approx(350, abs=1) and 275 < corner.box[3] < 290


async def test_a_turned_page_is_read_as_one_sees_it(tmp_path: Path) -> None:
    upright = await blocks_of(
        tmp_path, "a.pdf", samples.pdf("#set page(width: 300pt, height: 200pt)\nTop")
    )
    made = samples.pdf("#set page(width: 300pt, height: 200pt)\nTop")
    import pypdfium2

    document = pypdfium2.PdfDocument(made)
    document[0].set_rotation(180)
    document.save(tmp_path / "b.pdf")
    document.close()
    turned = await blocks(tmp_path / "b.pdf")
    a, b = upright[0].box, turned[0].box
    assert a is not None and b is not None
    assert b == pytest.approx((300 - a[2], 200 - a[3], 300 - a[0], 200 - a[1]), abs=1)


async def test_two_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    source = """#set page(columns: 2)
#let words(w) = range(400).map(_ => w).join(" ")
#words("left") #colbreak() #words("right")"""
    found = await blocks_of(tmp_path, "c.pdf", samples.pdf(source))
    whole = " ".join(texts(found))
    assert whole.rindex("left") < whole.index("right")
    assert len(found) <= 3


CHINESE = """#set page(paper: "a4", header: [云山公司员工手册],
  footer: context align(center, [第 #counter(page).display() 页 共 2 页]))
#set text(size: 10.5pt, font: ("Noto Sans CJK SC", "Noto Serif CJK SC"), lang: "zh")
#set par(justify: true, first-line-indent: (amount: 2em, all: true), leading: 1em)
#align(center)[#text(size: 14pt, weight: "bold")[第一章 总则]]
第一条 为了规范公司的管理，维护员工的合法权益，根据《中华人民共和国劳动法》《中华人民共和国劳动合同法》和有关法律法规，结合公司实际情况，制定本手册。

（一）事假每月不超过三天；

#table(columns: 3, [级别], [年假天数], [审批人], [初级], [5], [主管], [高级], [15], [总监])
#pagebreak()
#text(weight: "bold")[第三条 加班]

加班应当事先申请。
"""


def has_chinese_font() -> bool:
    listing = shutil.which("fc-list")
    if listing is None:
        return False
    return b"Noto" in subprocess.run([listing, ":lang=zh"], stdout=-1, check=False).stdout


async def test_a_chinese_pdf(tmp_path: Path) -> None:
    if not has_chinese_font():
        pytest.skip("no Chinese font here: the layout of Chinese pages was not tried")
    found = await blocks_of(tmp_path, "zh.pdf", samples.pdf(CHINESE))
    assert [(b.kind, b.text, b.page) for b in found] == [
        ("heading", "第一章 总则", 1),
        (
            "text",
            "第一条 为了规范公司的管理，维护员工的合法权益，根据《中华人民共和国劳动法》"
            "《中华人民共和国劳动合同法》和有关法律法规，结合公司实际情况，制定本手册。",
            1,
        ),
        ("list", "（一）事假每月不超过三天；", 1),
        (
            "table",
            "| 级别 | 年假天数 | 审批人 |\n| --- | --- | --- |\n| 初级 | 5 | 主管 |\n| 高级 | 15 | 总监 |",
            1,
        ),
        ("heading", "第三条 加班", 2),
        ("text", "加班应当事先申请。", 2),
    ]


SCAN = b"q 595 0 0 842 0 0 cm /I Do Q"


def scan(pages: int = 1) -> bytes:
    from tests.knowledge.bombs_pdf import pdf, stream

    image = stream(
        b"\x80" * 300,
        "/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Width 15/Height 20",
    )
    leaf = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>"
    kids = " ".join(f"{n} 0 R" for n in range(6, 6 + pages))
    return pdf(
        {
            1: "<</Type/Catalog/Pages 2 0 R>>",
            2: f"<</Type/Pages/Kids[{kids}]/Count {pages}>>",
            4: stream(SCAN),
            5: image,
            **dict.fromkeys(range(6, 6 + pages), leaf),
        }
    )


async def test_scanned_pages_are_said_to_be_scanned(tmp_path: Path) -> None:
    path = tmp_path / "scan.pdf"
    path.write_bytes(scan(2))
    assert await items(path) == [Progress(1, 2, scanned=True), Progress(2, 2, scanned=True)]
    empty = tmp_path / "empty.pdf"
    empty.write_bytes(samples.pdf("#pagebreak()"))
    assert [i.scanned for i in await items(empty) if isinstance(i, Progress)] == [False, False]


# --- Word -----------------------------------------------------------------------------------------


async def test_a_word_document(tmp_path: Path) -> None:
    found = await blocks_of(tmp_path, "手册.docx", samples.word())
    assert [(b.kind, b.level, b.text.splitlines()[0]) for b in found] == [
        ("heading", 1, "员工手册"),
        ("heading", 1, "第一章 总则"),
        ("text", 0, "第一条 为了规范管理，制定本手册。"),
        ("list", 0, "- 甲"),
        ("table", 0, "| 级别 | 天数 |"),
        ("heading", 2, "1.1 假期"),
        ("text", 0, "表格之后。"),
    ]
    assert found[3].text == "- 甲\n- 乙\n1. 一\n2. 二"
    assert found[4].text.splitlines()[2:] == ["| 初级 | 10 |", "| 高级 | 15 |"]


NUMBERING = f"""<w:abstractNum {nsdecls("w")} w:abstractNumId="77">
<w:lvl w:ilvl="0"><w:start w:val="9"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="第%1条"/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>
</w:abstractNum>"""


async def test_numbers_that_word_computes_stand_before_their_clauses(tmp_path: Path) -> None:
    made = docx.Document()
    part = made.part.numbering_part.element
    part.insert(0, parse_xml(NUMBERING))
    part.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>')
    )
    for text, level in (
        ("员工享有年假。", 0),
        ("十天。", 1),
        ("十五天。", 1),
        ("病假另计。", 0),
        ("五天。", 1),
    ):
        properties = made.add_paragraph(text)._p.get_or_add_pPr()
        properties.append(
            parse_xml(
                f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{level}"/><w:numId w:val="77"/></w:numPr>'
            )
        )
    made.save(str(tmp_path / "n.docx"))
    found = await blocks(tmp_path / "n.docx")
    assert texts(found) == [
        "第九条 员工享有年假。",
        "九.1 十天。",
        "九.2 十五天。",
        "第十条 病假另计。",
        "十.1 五天。",
    ]


async def test_a_word_document_with_large_pictures_fits(tmp_path: Path) -> None:
    """python-docx would hold all 300 MB of it."""
    from tests.knowledge.packing import MIB, Entry, replaced

    picture = Entry("word/media/a.png", b"\x01" * (150 * MIB), 150 * MIB, method=0)
    made = replaced(samples.word(), {"word/media/a.png": picture})
    assert len(await blocks_of(tmp_path, "p.docx", made)) == 7


async def test_a_long_word_table_repeats_its_header(tmp_path: Path) -> None:
    made = docx.Document()
    table = made.add_table(rows=0, cols=2)
    for n in range(131):
        table.add_row().cells[0].text = f"r{n}"
    made.save(str(tmp_path / "t.docx"))
    found = await blocks(tmp_path / "t.docx")
    assert [b.text.splitlines()[0] for b in found] == ["| r0 |"] * 3
    rows = [line for b in found for line in b.text.splitlines()[2:]]
    assert rows == [f"| r{n} |" for n in range(1, 131)]


# --- Excel ----------------------------------------------------------------------------------------


async def test_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    path.write_bytes(samples.excel())
    found = await items(path)
    assert found[:2] == [Block("heading", "价格", 1, 1), Block("text", "二〇二五年价格表", 0, 1)]
    tables = [i for i in found if isinstance(i, Block) and i.kind == "table" and i.page == 1]
    assert len(tables) == 3
    assert {t.text.splitlines()[0] for t in tables} == {"| 型号 | 单价 | 生效 | 在售 |"}
    assert tables[0].text.splitlines()[2] == "| C1 | 1.5 | 2025-04-03 | TRUE |"
    rows = [line for t in tables for line in t.text.splitlines()[2:]]
    assert len(rows) == 120 and rows[-1].startswith("| C120 |")
    assert found[-1] == Progress(2, 2) and Block("heading", "备注", 1, 2) in found
    assert [i.text for i in found if isinstance(i, Block) and i.page == 2][1] == (
        "| 项 | 说明 |\n| --- | --- |\n| 运费 | 12 |"
    )


async def test_only_some_sheets(tmp_path: Path) -> None:
    path = tmp_path / "p.xlsx"
    path.write_bytes(samples.excel())
    assert {i.page for i in await items(path, pages=(2, 9))} == {2}


async def test_values_not_formulas(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, "=A2+1"])
    book.save(tmp_path / "f.xlsx")
    found = await blocks(tmp_path / "f.xlsx")
    assert "=A2" not in "".join(texts(found)), "nothing has computed it"


# --- HTML, Markdown, plain text -------------------------------------------------------------------


async def test_a_page(tmp_path: Path) -> None:
    found = await blocks_of(tmp_path, "p.html", samples.HTML)
    assert [(b.kind, b.text) for b in found] == [
        ("heading", "员工 手册"),
        ("text", "第十条 年假为十天，工作满十年的为十五天。\n另起一行"),
        ("list", "- 甲\n- 乙\n  3. 丙\n  4. 丁"),
        ("table", "| 级别 | 天数 |\n| --- | --- |\n| 初级 | 10 \\| 11 |\n| 合并 |"),
        ("code", "a = 1\n  b = 2"),
        ("text", "散落的文字"),
        ("text", "下一段"),
    ]


async def test_a_page_in_gbk(tmp_path: Path) -> None:
    page = '<meta charset="gb2312"><p>价格</p>'.encode("gb18030")
    assert texts(await blocks_of(tmp_path, "p.htm", page)) == ["价格"]


async def test_markdown(tmp_path: Path) -> None:
    found = await blocks_of(tmp_path, "m.md", samples.MARKDOWN)
    assert [(b.kind, b.text, b.level) for b in found] == [
        ("heading", "手册", 1),
        ("text", "第一条 员工应当遵守规定，见这里。\n第二行", 0),
        ("heading", "1.2 假期", 2),
        ("list", "- 甲\n- 乙\n  1. 丙\n  2. 丁", 0),
        ("table", "| 级别 | 天数 |\n| --- | --- |\n| 初级 | 10 |", 0),
        ("code", "x = 1", 0),
        ("text", "引文", 0),
    ]


async def test_long_markdown_is_cut_at_headings_outside_of_code(tmp_path: Path) -> None:
    section = "## 标题\n\n" + "字" * 30_000 + "\n\n```\n# 不是标题\n```\n\n"
    found = await blocks_of(tmp_path, "m.md", section * 9)
    assert texts(found, "heading") == ["标题"] * 9
    assert texts(found, "code") == ["# 不是标题"] * 9
    assert sum(map(len, texts(found, "text"))) == 9 * 30_000


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-8-sig"])
async def test_plain_text(tmp_path: Path, encoding: str) -> None:
    found = await blocks_of(tmp_path, "t.txt", samples.TEXT.encode(encoding))
    assert [(b.kind, b.text, b.level) for b in found] == [
        ("text", "员工手册", 0),
        ("heading", "第一章 总则", 2),
        ("text", "第一条 为了规范管理，制定本手册。", 0),
        ("text", "第二条 本手册适用于全体员工，\n包括试用期员工。", 0),
        ("heading", "1.2 假期", 2),
        ("text", "每年十天。", 0),
    ]


async def test_control_characters_and_halves_of_characters_go(tmp_path: Path) -> None:
    (block,) = await blocks_of(tmp_path, "t.txt", "a\x07b\u0001" + "c" * 500)
    assert block.text == "ab" + "c" * 500


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("第一编 总则", 1),
        ("第一章 总则", 2),
        ("第十二节 假期", 3),
        ("第十条 年假", 4),
        ("第十条 员工享有年假。", 0),
        ("第一条 为了规范管理，维护员工的合法", 0),
        ("1 总则", 1),
        ("1.2 假期", 2),
        ("1.2.3 年假", 3),
        ("一、总则", 3),
        ("Chapter 3 Leave", 2),
        ("附录A", 2),
        ("3个月", 0),
        ("2025年计划", 0),
        ("1.5", 0),
        ("12.5 30.2 18", 0),
        ("第一章" + "长" * 60, 0),
    ],
)
def test_headings_by_number(text: str, level: int) -> None:
    assert heading_level(text) == level


def test_clauses_by_number() -> None:
    for text in ("第十条 x", "（一）x", "1.2 x", "①x", "• x", "(a) x", "二、x", "Article 5"):
        assert begins_clause(text), text
    for text in ("员工", "2025年", "3个月", "a", "the 第一条"):
        assert not begins_clause(text), text


def test_numbers_as_word_writes_them() -> None:
    assert [chinese(n) for n in (1, 10, 11, 20, 35, 100, 105, 110, 1005, 1234)] == [
        *("一", "十", "十一", "二十", "三十五", "一百", "一百零五", "一百一十", "一千零五"),
        "一千二百三十四",
    ]
    assert counted("upperRoman", 1994) == "MCMXCIV"
    assert counted("lowerLetter", 28) == "bb"
    assert counted("decimalEnclosedCircle", 3) == "③"
    assert counted("something else", 3) == "3"


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"no pdf at all", "document_unsupported"),
        ("a.docx", b"no document", "document_unsupported"),
        ("a.xlsx", samples.word(), "document_unsupported"),
        ("a.docx", samples.excel(1), "document_unsupported"),
        ("a.txt", samples.word(), "document_unsupported"),
        ("a.txt", b"a\x00b", "document_unsupported"),
        ("a.doc", b"x", "document_unsupported"),
        ("a.exe", b"x", "document_unsupported"),
        ("a.txt", b"", "document_unreadable"),
        ("a.pdf", b"%PDF-1.7\n", "document_unreadable"),
    ],
)
async def test_what_is_refused(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    with pytest.raises(CallerError) as caught:
        await blocks_of(tmp_path, name, data)
    assert caught.value.code == code
    assert caught.value.text.zh.startswith(f"{name}：") and caught.value.text.en.startswith(
        f"{name}: "
    )


async def test_a_file_without_extension_is_known_by_its_content(tmp_path: Path) -> None:
    for suffix, make in samples.SAMPLES.items():
        if suffix != ".md":
            assert len(await blocks_of(tmp_path, f"as{suffix[1:]}", make())) > 3


LOCKED = bytearray(9000)
LOCKED[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LOCKED[30:32] = (9).to_bytes(2, "little")
LOCKED[48:52] = (1).to_bytes(4, "little")
LOCKED[1024:1056] = "EncryptedPackage".encode("utf-16-le")


async def test_what_has_a_password(tmp_path: Path) -> None:
    from tests.knowledge.bombs_pdf import pdf_bombs

    locked_pdf = next(make() for name, _, make in pdf_bombs() if name == "pdf encrypted")
    for name, data in (("a.pdf", locked_pdf), ("a.docx", bytes(LOCKED)), ("a.xlsx", bytes(LOCKED))):
        with pytest.raises(CallerError) as caught:
            await blocks_of(tmp_path, name, data)
        assert caught.value.code == "document_encrypted", name
