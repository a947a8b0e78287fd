"""Stage 2: answers that stand in the passage, calls that the company's own door would let through."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import pytest

from dazi.lab.tuning.data.by_model import Writer, held, written
from dazi.lab.tuning.data.calls import CallCheck, as_offered
from dazi.lab.tuning.data.knowledge import Maker
from dazi.lab.tuning.data.pairs import Pair, Passage, leads_back, proposed
from dazi.lab.tuning.data.recipe import Knowledge
from dazi.lab.tuning.data.samples import Call, Draft, Origin, Said, Sample, identified
from dazi.lab.tuning.data.work import Refusing
from tests.fakes.engine import ScriptedEngine
from tests.lab.tuning_data.making_kit import ORDER, TODAY, TOOLS, draft

STAY = Passage(
    "一线城市(北京、上海)出差住宿标准为每晚500元。\n其他城市出差住宿标准为每晚350元,超出部分需事先批准。",
    "差旅管理办法",
    ("住宿",),
)
TABLE = Passage(
    "| 仓库 | 覆盖地区 | 截单时间 |\n| --- | --- | --- |\n| 上海一号仓 | 江苏、浙江 | 16:00 |\n"
    "| 深圳二号仓 | 广东 | 15:30 |",
    "配送细则",
    ("仓库",),
)
FAQ = Passage(
    "问:发票丢了怎么办?\n答:到开票方复印记账联并盖章。\n问:可以现金报销吗?\n答:不可以。", "报销问答"
)
ENGLISH = Passage(
    "The hotel limit in first-tier cities is 500 yuan a night. Receipts are handed in within a month.",
    "Travel policy",
    ("Hotels",),
)


def test_an_answer_stands_in_its_passage_word_for_word() -> None:
    for passage in (STAY, TABLE, FAQ, ENGLISH):
        found = list(proposed(passage))
        assert found
        for pair in found:
            assert pair.answer in passage.text[pair.start : pair.end]


def test_questions_of_each_rule() -> None:
    all_ = (STAY, TABLE, FAQ, ENGLISH)
    asked = {p.question: p.answer for passage in all_ for p in proposed(passage)}
    assert asked["一线城市出差住宿标准是多少?"].endswith("每晚500元。")
    assert asked["上海一号仓的截单时间是什么?"] == "16:00"
    assert asked["发票丢了怎么办?"] == "到开票方复印记账联并盖章。"
    assert asked["可以现金报销吗?"] == "不可以。"
    assert asked["《差旅管理办法》里关于住宿是怎么规定的?"] == STAY.text
    assert asked["What is the hotel limit in first-tier cities?"].startswith("The hotel limit")


def test_a_question_must_lead_back() -> None:
    pair = next(p for p in proposed(STAY) if p.question.startswith("一线"))
    assert leads_back(pair, STAY, [TABLE])
    other = Passage(
        "一线城市出差住宿标准是每晚500元,这就是一线城市出差住宿标准。", "别的", ("一线",)
    )
    assert not leads_back(pair, STAY, [other])
    wrong = Pair("年假有多少天?", pair.answer, pair.sentence, 0, 1, "how_much")
    assert not leads_back(wrong, STAY)


def passages(*of: Passage, ref: str = "document:travel.md") -> list[Draft]:
    out = []
    for n, p in enumerate(of):
        origin = Origin("document", f"{ref}#{n}", licence="internal")
        sample = Sample("", ref, "text", "zh", [Said("assistant", p.text)], origin)
        out.append(identified(Draft(sample, title=p.title, path=list(p.path), passage=True)))
    return out


def made(maker: Maker, drafts: list[Draft]) -> tuple[list[Draft], dict[str, int]]:
    refusing = Refusing("knowledge", lambda line: None)

    async def run() -> list[Draft]:
        return [d async for d in maker.step()(lambda: iter(drafts), refusing)]

    return asyncio.run(run()), dict(refusing.counts)


def test_passages_become_pairs_with_their_span() -> None:
    out, counts = made(Maker(Knowledge(per_passage=2), None, None), passages(STAY, TABLE))
    assert out and all(d.sample.kind == "qa" and not d.passage for d in out)
    assert counts == {"passage": 2}
    first = out[0].sample
    assert first.source.ref == "document:travel.md#0" and first.source.licence == "internal"
    start, end = first.source.span or (0, 0)
    assert STAY.text[start:end] == first.messages[1].content
    by_passage = [d.sample.source.ref for d in out]
    assert max(map(by_passage.count, by_passage)) <= 2


def test_texts_may_stay_and_an_empty_passage_is_told() -> None:
    plain = Passage("这里什么数字也没有,只是说了几句话而已。", "随笔")
    out, counts = made(Maker(Knowledge(texts=True), None, None), passages(plain))
    assert [d.sample.kind for d in out] == ["text"] and not counts
    out, counts = made(Maker(Knowledge(), None, None), passages(plain))
    assert not out and counts == {"no_sample": 1}


def reply(*pairs: tuple[str, str]) -> str:
    return "\n".join(json.dumps({"question": q, "answer": a}, ensure_ascii=False) for q, a in pairs)


def test_what_a_model_writes_is_held_to_the_passage() -> None:
    told = reply(
        ("在一线城市出差,一晚住宿标准是多少?", "一线城市(北京、上海)出差住宿标准为每晚500元。"),
        ("其他城市出差住宿标准呢?", "其他城市出差住宿标准为每晚400元"),
        ("打车能报销吗?", "可以的,凭发票,由您的直属上级批准之后就可以报销。"),
        ("年假有多少天?", "其他城市出差住宿标准为每晚350元"),
    )
    engine = ScriptedEngine([f"好的,下面是问答:\n{told}\n```"])
    maker = Maker(Knowledge(pairs=False), None, Writer(engine, "big", "big", 5, TODAY))
    out, counts = made(maker, passages(STAY))
    assert [d.sample.messages[0].content for d in out] == ["在一线城市出差,一晚住宿标准是多少?"]
    assert out[0].sample.source.by == "big"
    assert counts == {"not_in_passage": 2, "not_found_again": 1, "passage": 1}
    request = engine.requests[0]
    assert request.model == "big" and STAY.text in request.messages[1].content


def test_the_order_of_passages_is_kept_and_a_failure_is_told() -> None:
    engine = ScriptedEngine([reply(("a?", "b")), RuntimeError("gone")])
    writer = Writer(engine, "", "big", 1, TODAY)

    async def run() -> list[int]:
        return [n async for n, _ in written(writer, [STAY, TABLE], at_once=1)]

    with pytest.raises(RuntimeError, match="gone"):
        asyncio.run(run())
    assert held("每晚500元", STAY.text) == 1 and held("每晚八百元整", STAY.text) < 0.5


def called(arguments: dict[str, Any], *before: Said, name: str = "get_order_status") -> Sample:
    messages = [*before, Said("assistant", "", [Call(name, arguments)])]
    return Sample("", "c", "call", "zh", messages, Origin("file", "f:1"), today="2026-11-30")


SAID = Said("user", "订单 ORD12345 到哪了?")
FOUND = Said("tool", '{"rows": [{"order_id": "ORD55555"}]}', name="list_orders")


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        (called({"order_id": "ORD12345"}, SAID), ""),
        (called({"order_id": "ord 12345"}, SAID), ""),
        (called({"order_id": "ORD99999"}, SAID), "not_grounded:get_order_status"),
        (
            called({"order_id": "ORD12345"}, Said("assistant", "ORD12345")),
            "not_grounded:get_order_status",
        ),
        (called({"order_id": "ORD7"}, Said("user", "ORD7")), "not_grounded:get_order_status"),
        (called({}, SAID), "bad_arguments:get_order_status"),
        (called({"order_id": "ORD12345", "x": 1}, SAID), "bad_arguments:get_order_status"),
        (called({"order_id": 5}, SAID), "bad_arguments:get_order_status"),
        (called({"order_id": "ORD12345"}, SAID, name="drop_table"), "unknown_tool:drop_table"),
        (
            called(
                {"room": "A301", "date": "下周三"}, Said("user", "订 A301 下周三"), name="book_room"
            ),
            "",
        ),
        (
            called(
                {"room": "A301", "date": "某天"}, Said("user", "订 A301 某天"), name="book_room"
            ),
            "bad_arguments:book_room",
        ),
        (called({"order_id": "ORD55555"}, Said("user", "我最近的订单到哪了?"), FOUND), ""),
    ],
)
def test_calls_are_held_against_the_tools(sample: Sample, why: str) -> None:
    assert CallCheck(TOOLS, date(2026, 11, 30)).fault(sample) == why


def test_offered_tools_must_exist_too() -> None:
    sample = called({"order_id": "ORD12345"}, SAID)
    sample.tools = ["get_order_status", "gone_tool"]
    assert CallCheck(TOOLS, TODAY).fault(sample) == "unknown_tool:gone_tool"
    assert as_offered(ORDER, "zh")["parameters"]["required"] == ["order_id"]


def test_the_step_refuses_bad_calls_and_hands_on_the_rest() -> None:
    good, bad = draft("你好呀", "您好。"), draft("到哪了", "", ref="f:2")
    bad.sample.messages[1].tool_calls = [Call("drop_table", {})]
    out, counts = made(Maker(Knowledge(), CallCheck(TOOLS, TODAY), None), [good, bad])
    assert out == [good] and counts == {"unknown_tool:drop_table": 1}
