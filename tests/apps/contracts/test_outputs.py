"""What a review is written to: nothing of the document changes, and every finding is where it belongs."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import RGBColor

from dazi.apps.contracts.outputs.comments import with_comments
from dazi.apps.contracts.outputs.marks import marked
from dazi.apps.contracts.outputs.page import page
from dazi.apps.contracts.outputs.summary import summary
from dazi.apps.contracts.review import review
from dazi.apps.contracts.reviewed import (
    Origin,
    Reviewed,
    as_plain,
    from_plain,
    reviewed,
)
from dazi.apps.contracts.rules import load_policy
from dazi.core.errors import CallerError
from tests.apps.contracts.texts import NDA, SERVICE, changed, contract

FAULTY = changed(
    changed(changed(SERVICE, "￥480,000.00", "￥408,000.00"), "发票后30日内", "发票后90日内"),
    "任何一方严重违约，经书面通知后30日内未改正的，对方可以解除合同。",
    "",
)


@pytest.fixture(scope="module")
def done() -> Reviewed:
    found = review(contract(FAULTY), contract(SERVICE), ours=("云杉商贸",))
    return reviewed(found, load_policy(), Origin("<b>合同</b>.docx", "d" * 64, "范本.docx"))


def word(text: str, piece: int = 7) -> bytes:
    """Runs that end in the middle of words, every other one red; a table and a header as well."""
    document = Document()
    document.sections[0].header.paragraphs[0].text = "页眉 2025"
    for n, part in enumerate(text.strip().split("\n\n")):
        paragraph = document.add_paragraph()
        said = part.lstrip("# ")
        for i in range(0, len(said), piece):
            run = paragraph.add_run(said[i : i + piece])
            run.bold = bool(n % 2)
            if i // piece % 2:
                run.font.color.rgb = RGBColor(200, 0, 0)
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "违约金", "每日30%，不设上限"
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def dressed(data: bytes) -> list[tuple[str, str]]:
    """Every character of the body with the properties of its run."""
    out: list[tuple[str, str]] = []
    for run in Document(BytesIO(data)).element.body.iter(qn("w:r")):
        said = "".join(t.text or "" for t in run.iter(qn("w:t")))
        properties = run.find(qn("w:rPr"))
        look = "" if properties is None else properties.xml
        out += [(c, re.sub(r' xmlns:\w+="[^"]*"', "", look)) for c in said]
    return out


def commented(data: bytes) -> dict[str, str]:
    """By the text of each comment the words that it is on."""
    document = Document(BytesIO(data))
    open_now: set[str] = set()
    words: dict[str, str] = {}
    for element in document.element.body.iter():
        id = element.get(qn("w:id"))
        if element.tag == qn("w:commentRangeStart"):
            open_now.add(id)
        elif element.tag == qn("w:commentRangeEnd"):
            open_now.discard(id)
        elif element.tag == qn("w:t"):
            for i in open_now:
                words[i] = words.get(i, "") + (element.text or "")
    return {c.text: words[str(c.comment_id)] for c in document.comments}


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_comments_on_the_words_and_nothing_else_changes(done: Reviewed, piece: int) -> None:
    before = word(FAULTY, piece)
    after = with_comments(before, done.remarks, "zh")
    assert dressed(after) == dressed(before)
    assert Document(BytesIO(after)).sections[0].header.paragraphs[0].text == "页眉 2025"
    found = commented(after)
    assert len(found) == len(done.remarks)
    for remark in done.remarks:
        (words,) = [w for t, w in found.items() if remark.message.zh in t and remark.kind]
        assert words == (remark.quote or "信息系统运维服务合同"), remark.rule
    (sums,) = [t for t in found if "大写金额" in t]
    assert sums.startswith("[高 · 矛盾] ") and "建议: 核对金额" in sums
    assert {c.author for c in Document(BytesIO(after)).comments} == {"搭子"}


def test_words_in_a_cell_a_link_and_over_paragraphs(done: Reviewed) -> None:
    document = Document(BytesIO(word(FAULTY)))
    link = document.paragraphs[5]._p.makeelement(qn("w:hyperlink"), {})
    for run in list(document.paragraphs[5]._p.iter(qn("w:r"))):
        link.append(run)
    document.paragraphs[5]._p.append(link)
    linked, following = document.paragraphs[5].text, document.paragraphs[6].text
    out = BytesIO()
    document.save(out)
    one = done.remarks[0]
    quotes = ["每日30%，不设上限", linked[3:9], linked[-4:] + following[:4]]
    remarks = [msg(one, n, q) for n, q in enumerate(quotes)]
    after = with_comments(out.getvalue(), remarks, "en")
    assert [w for t, w in sorted(commented(after).items())] == quotes
    assert dressed(after) == dressed(out.getvalue())


def msg(remark: Any, n: int, quote: str) -> Any:
    from dataclasses import replace

    from dazi.core.language import Text

    return replace(remark, quote=quote, message=Text(f"m{n}", f"m{n}"), suggestion=Text("", ""))


def test_what_is_deleted_is_passed_over(done: Reviewed) -> None:
    document = Document()
    paragraph = document.add_paragraph("甲方应当")
    gone = paragraph._p.makeelement(qn("w:del"), {qn("w:id"): "9", qn("w:author"): "x"})
    gone.append(document.add_paragraph().add_run("在收到发票后30日内")._r)
    paragraph._p.append(gone)
    paragraph.add_run("付款。")
    out = BytesIO()
    document.save(out)
    after = with_comments(out.getvalue(), [msg(done.remarks[0], 0, "应当付款")], "zh")
    assert dressed(after) == dressed(out.getvalue())
    body = Document(BytesIO(after)).element.body.xml
    assert body.index("commentRangeStart") < body.index("commentRangeEnd")
    assert ">应当<" in body and ">付款<" in body


def test_what_is_no_word_file_is_refused(done: Reviewed) -> None:
    for data in (b"", b"%PDF-1.7", word(FAULTY)[:200]):
        with pytest.raises(CallerError, match="docx"):
            with_comments(data, done.remarks, "zh")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("合同审查摘要", "云杉商贸有限公司", "CNY408,000", "付款期限90天", "核对过、没有发现的",
                "争议在境外解决", "缺1条", "任何一方严重违约", "高2·中2·低1")),
        ("en", ("Contractreview:summary", "paymentin90days", "Checked,andnotfound",
                "1missing", "high2·medium2·low1")),
    ],
)  # fmt: skip
def test_a_summary(done: Reviewed, language: Any, words: tuple[str, ...]) -> None:
    document = pypdfium2.PdfDocument(summary(done, language))
    text = "".join(p.get_textpage().get_text_range() for p in document)
    said = re.sub(r"\s", "", text).replace("⾼", "高").replace("・", "·")
    for word in words:
        assert word in said, word
    assert "#" not in said  # no markup has come through


def test_nothing_in_a_contract_is_markup() -> None:
    text = changed(SERVICE, "信息系统运维服务合同", '"#read(x)" $ \\ <script>alert(1)</script>')
    found = review(contract(changed(text, "发票后30日内", "发票后90日内*_`")))
    made = reviewed(found, load_policy(), Origin('a"#b.docx', "d"))
    summary(made, "zh")  # typst refuses what is wrong
    html = page(made, "zh")
    assert "<script" not in html and "&lt;script&gt;" in html


class Reading(HTMLParser):
    """Ids, links, and the text of the document."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [str(given["id"])] if "id" in given else []
        self.links += [str(given["href"])] if "href" in given else []
        self.sources += [str(given[k]) for k in ("src", "action") if k in given]


def test_a_page_that_fetches_nothing_and_leads_everywhere(done: Reviewed) -> None:
    html = page(done, "zh")
    reading = Reading()
    reading.feed(html)
    assert not reading.sources and "script" not in reading.tags and "url(" not in html
    assert len(set(reading.ids)) == len(reading.ids)
    assert {link[1:] for link in reading.links if link.startswith("#")} <= set(reading.ids)
    assert all(link.startswith("#") for link in reading.links)
    assert sum(i.startswith("f-") for i in reading.ids) == len(done.remarks) + 3
    assert "&lt;b&gt;合同&lt;/b&gt;.docx" in html


def test_marks_are_the_text_in_pieces(done: Reviewed) -> None:
    for passage, marks in zip(done.passages, marked(done), strict=True):
        assert "".join(m.text for m in marks) == passage.text
    by_id = {r.id: r for r in done.remarks}
    shown = {
        id: "".join(m.text for marks in marked(done) for m in marks if id in m.remarks)
        for id in by_id
    }
    assert {id for id, text in shown.items() if text} == {r.id for r in done.remarks if r.spot}
    assert all(by_id[id].quote == text for id, text in shown.items() if text)


def test_a_review_is_kept_as_plain_data(done: Reviewed) -> None:
    assert from_plain(as_plain(done)) == done
    again = review(contract(FAULTY), contract(SERVICE), ours=("云杉商贸",))
    assert [r.id for r in reviewed(again, load_policy(), Origin("b", "c")).remarks] == [
        r.id for r in done.remarks
    ]
    assert len({r.id for r in done.remarks}) == len(done.remarks)
    assert done.remarks[1].under == "三 服务费用及支付"


def test_an_english_contract() -> None:
    text = changed(NDA, "arbitration in Shanghai", "arbitration in Singapore")
    made = reviewed(review(contract(text), contract(NDA)), load_policy(), Origin("nda.docx", "d"))
    assert any(r.spot for r in made.remarks)
    after = with_comments(word(text), made.remarks, "en")
    assert dressed(after) == dressed(word(text))
    assert any("Singapore" in w for w in commented(after).values())
    assert "Singapore" in page(made, "en")
