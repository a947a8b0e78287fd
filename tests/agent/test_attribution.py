"""Which passage a statement rests on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from dazi.agent.attribution import attributed
from dazi.core.turn import Attachment
from tests import documents
from tests.agent.conftest import Start

PASSAGES = (
    "普通员工出差住宿标准:一线城市每晚 450 元,其他城市每晚 350 元。超出部分自付。",
    "年假:工作满一年的员工每年有五天年假,满十年的有十天,满二十年的有十五天。",
    "客户收到货后七天内可以退货,运费由客户承担;质量问题由公司承担运费。",
    "Employees may work from home two days a week once their manager has agreed in writing.",
)


QUESTION = "去北京出差住宿标准每晚多少钱"
Asked = Callable[[str, str], Awaitable[Attachment]]


@pytest.fixture
def asked(house: Start, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """The sources under what a model says to a question that it has looked up."""
    documents.give(documents.made(tmp_path_factory), tmp_path / "data0")

    async def ask(question: str, said: str) -> Attachment:
        h = await house([("search_knowledge", {"query": question}), said])
        events = (await h.ask("staff", f"{question}?")).events
        (found,) = [e for e in events if isinstance(e, Attachment)]
        return found

    return ask


def sources(*texts: str, quote: str = "") -> Attachment:
    passages = [{"number": n, "title": f"T{n}", "text": t} for n, t in enumerate(texts, 1)]
    return Attachment("sources", "出处", {"cited": [], "quote": quote, "passages": passages})


def rests(answer: str, *texts: str) -> list[tuple[str, int]]:
    (found,) = attributed([sources(*(texts or PASSAGES))], answer)
    return [(s["text"], s["passage"]) for s in found.data.get("statements", ())]


def test_each_sentence_gets_its_passage() -> None:
    answer = (
        "您好!年假方面,员工工作满十年有十天年假。另外,一线城市的住宿标准是每晚 450 元。祝您愉快。"
    )
    assert rests(answer) == [
        ("年假方面,员工工作满十年有十天年假。", 2),
        ("另外,一线城市的住宿标准是每晚 450 元。", 1),
    ]
    english = "You may work from home two days a week, if your manager agrees in writing."
    assert rests(english) == [(english, 4)]


@pytest.mark.parametrize(
    "answer",
    [
        "今天上海天气晴朗,适合户外活动。",
        "一线城市的住宿标准是每晚 900 元。",
        "年假满十年的有十二天,满二十年的有十五天。",
        "好的。",
        "",
    ],
)
def test_what_no_passage_holds_rests_on_none(answer: str) -> None:
    assert rests(answer) == []


def test_a_number_may_be_written_either_way_and_grouped() -> None:
    assert rests("收到货后 7 天内可以退货。") == [("收到货后 7 天内可以退货。", 3)]
    assert rests("每年采购上限是 1,200 元。", "每年采购上限是 1200 元。", "采购另见附件。")
    assert not rests("满 10 年的年假是十五天。", "满二十年的年假是十五天。", "年假。")


def test_marks_of_a_list_are_no_part_of_a_statement() -> None:
    assert rests("- **年假**:满十年的有十天年假。\n1. 客户七天内可以退货。") == [
        ("年假:满十年的有十天年假。", 2),
        ("客户七天内可以退货。", 3),
    ]


def test_an_answer_that_is_the_quote_needs_none() -> None:
    quote = "客户收到货后七天内可以退货,运费由客户承担;质量问题由公司承担运费。"
    (found,) = attributed([sources(*PASSAGES, quote=quote)], quote)
    assert "statements" not in found.data


def test_of_two_searches_each_sentence_has_one() -> None:
    table = Attachment("table", "t", {"columns": [], "rows": []})
    first, drawn, second = attributed(
        [sources(*PASSAGES[:2]), table, sources(*PASSAGES[2:])],
        "满十年的员工有十天年假。客户收到货七天内可以退货。",
    )
    assert drawn is table
    assert [s["passage"] for s in first.data["statements"]] == [2]
    assert [s["passage"] for s in second.data["statements"]] == [1]


async def test_a_model_s_own_words_are_told_with_what_they_rest_on(asked: Asked) -> None:
    said = "按公司规定,去北京出差,住宿标准是每晚最多 500 元。"
    data = (await asked(QUESTION, said)).data
    assert data["passages"] and [s["text"] for s in data["statements"]] == [said]
    text = {p["number"]: p["text"] for p in data["passages"]}[data["statements"][0]["passage"]]
    assert "500" in text


async def test_a_sentence_that_was_copied_stands_for_itself(asked: Asked) -> None:
    found = await asked(QUESTION, "一线城市（北京、上海、广州、深圳）出差住宿标准为每晚500元。")
    assert found.data["quote"] in found.data["passages"][0]["text"].replace("\n", "")
    assert "statements" not in found.data
