"""Passages as HTML: what is quoted is marked, and nothing in them becomes markup."""

from __future__ import annotations

import re
from html import unescape

import pytest

from dazi.console.passages import passage_html, quoted

EVIL = '<img src=x onerror=alert(1)> <script>x</script> [a](javascript:b) &amp; "q"'


def marks(html: str) -> list[str]:
    return [unescape(m) for m in re.findall(r'<mark class="dz-quoted">(.*?)</mark>', html)]


def test_the_quoted_sentence_is_marked_where_it_stands() -> None:
    text = "出差要审批。\n普通员工住宿每晚 450 元。超出自付。"
    assert marks(passage_html(text, "普通员工住宿每晚 450 元。")) == ["普通员工住宿每晚 450 元。"]
    assert marks(passage_html(text, "别的话。")) == marks(passage_html(text)) == []


def test_a_row_that_is_told_as_its_cells_is_marked() -> None:
    text = "| 职级 | 一线城市 | 其他 |\n| --- | --- | --- |\n| 员工 | 450 | 350 |\n| 经理 | 600 | 450 |"
    html = passage_html(text, "经理 600 450")
    assert marks(html) == ["经理", "600", "450"]
    assert html.count("<tr>") == 3 and html.count("<th>") == 3


@pytest.mark.parametrize("quote", ["", EVIL, "<script>", "x</script>"])
def test_nothing_becomes_markup(quote: str) -> None:
    for text in (EVIL, f"| {EVIL} | b |\n| --- | --- |\n| {EVIL} | c |"):
        html = passage_html(text, quote)
        ours = r"</?(?:p|tr|th|td|table|div|mark)(?: class=\"[a-z -]+\")?(?: tabindex=\"0\")?>"
        assert "<" not in re.sub(ours, "", html)


def test_what_cannot_be_seen_is_shown() -> None:
    assert "U+202E" in passage_html("付给\u202e甲")
    assert "U+200B" in passage_html("付给\u200b甲", "付给\u200b甲")


def test_a_quote_made_of_lines_of_tables_takes_no_time() -> None:
    assert quoted("| " * 20_000, "| " * 1_000 + "x") == (0, 0)
    assert quoted("a " * 20_000, "a " * 900 + "b") == (0, 0)
