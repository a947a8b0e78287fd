"""Chunks stay under one heading, hold whole sentences, and lose nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from dazi.knowledge.blocks import Block
from dazi.knowledge.chunks import LONGEST, Chunk, Chunker, clause_of, sentences
from dazi.knowledge.terms import pairs, words


def chunked(blocks: Iterable[Block]) -> Iterator[Chunk]:
    """The chunks of a document, in order; headings are in their paths and not in their texts."""
    chunker = Chunker()
    for block in blocks:
        yield from chunker.add(block)
    yield from chunker.close()


def text_of(blocks: list[Block]) -> str:
    return re.sub(r"\s", "", "".join(b.text for b in blocks if b.kind != "heading"))


def test_headings_are_the_path_and_end_a_chunk() -> None:
    blocks = [
        Block("heading", "员工手册", 1), Block("text", "总则一句。", page=1),
        Block("heading", "休假", 2), Block("text", "年假五天。", page=2, box=(1, 2, 3, 4)),
        Block("heading", "病假", 3), Block("text", "需要证明。"),
        Block("heading", "差旅", 2), Block("text", "住宿标准。"),
    ]  # fmt: skip
    found = list(chunked(blocks))
    assert [(c.path, c.text) for c in found] == [
        (("员工手册",), "总则一句。"),
        (("员工手册", "休假"), "年假五天。"),
        (("员工手册", "休假", "病假"), "需要证明。"),
        (("员工手册", "差旅"), "住宿标准。"),
    ]
    assert (found[1].page, found[1].box) == (2, (1, 2, 3, 4))
    assert [c.ordinal for c in found] == [0, 1, 2, 3]


def test_long_texts_are_cut_between_sentences() -> None:
    said = [f"第{i}句话说的是同一件事情的第{i}个方面。" for i in range(100)]
    found = list(chunked([Block("text", "".join(said))]))
    assert len(found) > 3 and all(len(c.text) <= LONGEST for c in found)
    assert "".join(c.text for c in found) == "".join(said)
    assert all(c.text.endswith("。") for c in found)
    english = " ".join(f"Sentence {i} says one thing. Is it so?" for i in range(60))
    found = list(chunked([Block("text", english)]))
    assert " ".join(c.text for c in found) == english
    assert all(c.text[0].isupper() and c.text[-1] in ".?" for c in found)


def test_a_table_is_cut_between_rows_under_its_header() -> None:
    head = "| 等级 | 折扣 |\n| --- | --- |"
    rows = [f"| 等级{i} | {i} 折,另有说明若干文字 |" for i in range(80)]
    found = list(chunked([Block("table", "\n".join([head, *rows]))]))
    assert len(found) > 2
    kept = []
    for chunk in found:
        assert chunk.text.startswith(head + "\n") and len(chunk.text) <= LONGEST
        kept += chunk.text.splitlines()[2:]
    assert kept == rows


def test_clauses_are_told_and_begin_chunks() -> None:
    for text, clause in (
        ("第十二条 违约责任", "第十二条"), ("3.2 付款", "3.2"), ("1. 总则", "1."), ("（二）交付", "（二）"),
        ("Article 5 Term", "Article 5"), ("2024 年", ""), ("没有编号", ""),
    ):  # fmt: skip
        assert clause_of(text) == clause
    clauses = [Block("text", f"第{n}条 " + "内容" * 70 + "。") for n in "一二三四"]
    found = list(chunked(clauses))
    assert [c.clause for c in found] == ["第一条", "第三条"] or all(c.clause for c in found)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["text", "list", "code", "heading"]),
            st.text("甲乙丙。！? .\nabC1", max_size=700),
            st.integers(1, 3),
        ),
        max_size=12,
    )
)
def test_nothing_is_lost_and_nothing_is_too_long(given: list[tuple[str, str, int]]) -> None:
    blocks = [Block(kind, text, level) for kind, text, level in given]  # type: ignore[arg-type]
    found = list(chunked(blocks))
    assert re.sub(r"\s", "", "".join(c.text for c in found)) == text_of(blocks)
    assert all(c.text.strip() and len(c.text) <= 2 * LONGEST for c in found)
    assert [c.ordinal for c in found] == list(range(len(found)))


def test_sentences() -> None:
    assert sentences("你好！请问\n几点?") == ["你好！", "请问", "几点?"]
    assert sentences("It is. No, Mr. smith. Yes") == ["It is.", "No, Mr. smith.", "Yes"]


def test_terms() -> None:
    assert words("ＩＰＨＯＮＥ 15 的价格") == ["iphone", "iphon", "15", "的", "价格"]
    assert "sku-1001" in words("SKU-1001") and "1001" in words("SKU-1001")
    assert pairs("退货期,货") == ["退货", "货期", "货"]
    assert words("!!。") == pairs("!!。abc") == []
