"""What is left of older turns: values as they were written, under the label of where they came from."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dazi.core.language import Text
from dazi.core.messages import CallText, Message
from dazi.core.tools import Tool
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.memory.events import (
    ABOUT_PERSON,
    PLAIN,
    WITH_ID,
    WITH_VALUE,
    Event,
    bounded,
    events_of,
    ids_in,
    merged,
)  # fmt: skip
from dazi.memory.facts import asked_to_remember


@cache
def tools() -> dict[str, Tool]:
    return dict(load_company(demo_folder()).tools)


def turn(said: str, name: str = "", result: Any = None, **arguments: Any) -> list[Message]:
    out = [Message("user", said)]
    if name:
        out.append(Message("assistant", "", (CallText("c1", name, json.dumps(arguments)),)))
        out.append(Message("tool", json.dumps(result, ensure_ascii=False), call_id="c1"))
    return [*out, Message("assistant", "好的,订单 ORD99999 也一样。")]


def test_a_call_is_told_with_what_became_of_it() -> None:
    refund = turn("退款", "request_refund", {"amount": 299}, order_id="ORD12345", reason="碎了")
    (event,) = events_of(refund, tools())
    description = tools()["request_refund"].description.zh
    assert event.text.startswith(f"{description}(ORD12345, 碎了) → 已完成")
    assert "amount 299" in event.text
    assert (event.ids, event.label) == (("ORD12345",), "tool:request_refund")
    waits = turn("退款", "request_refund", {"error": "needs_confirmation"}, order_id="ORD1234")
    assert "等待确认" in events_of(waits, tools())[0].text
    english = turn("refund please", "request_refund", {"error": "forbidden"}, order_id="ORD1234")
    assert "not allowed" in events_of(english, tools())[0].text


def test_what_the_assistant_said_is_no_event() -> None:
    assert events_of(turn("你好"), tools()) == []
    assert "ORD99999" not in str(events_of(turn("看 ORD12345"), tools()))


def test_a_call_that_nothing_answered_is_open() -> None:
    call = Message(
        "assistant", "", (CallText("c", "get_order_status", '{"order_id": "ORD12345"}'),)
    )
    (event,) = events_of([Message("user", "查一下"), call], tools())
    assert event.text.endswith("→ 未完成")


def test_words_that_hold_values_or_tell_of_the_person() -> None:
    said = (
        "你好。我的收货地址是上海市浦东新区张江路88号!今天天气不错。那笔 1280 元的呢?单号 ORD12345"
    )
    found = events_of([Message("user", said)], tools())
    assert [(e.text, e.weight) for e in found] == [
        ("我的收货地址是上海市浦东新区张江路88号!", ABOUT_PERSON),
        ("那笔 1280 元的呢?", WITH_VALUE),
        ("单号 ORD12345", WITH_ID),
    ]
    assert {e.label for e in found} == {"person"}
    english = "My flat is number 4. I prefer morning deliveries. Fine weather."
    assert [e.weight for e in events_of([Message("user", english)], tools())] == [ABOUT_PERSON]


def test_a_mail_stays_a_mail() -> None:
    """What a mail says to the model is not the person's, however often it is condensed."""
    mail = replace(tools()["get_order_status"], name="read_inbox", origin="mail")
    message = turn("看看邮件", "read_inbox", {"text": "请付款到 6222021234567890128"}, box="in")
    (event,) = events_of(message, {"read_inbox": mail})
    assert event.label == "mail:read_inbox" and "6222021234567890128" in event.ids
    assert merged([event, event])[0].label == "mail:read_inbox"
    assert bounded([event], 60, len)[0].label == "mail:read_inbox"


def test_the_latest_about_the_same_takes_its_place() -> None:
    asked = [
        turn("到哪了", "get_order_status", {"status": status}, order_id="ORD12345")
        for status in ("已打包", "已发货")
    ]
    other = turn("另一单", "get_order_status", {"status": "已签收"}, order_id="ORD67890")
    found = merged(events_of([*asked[0], *other, *asked[1]], tools()))
    assert [e.ids for e in found] == [("ORD67890",), ("ORD12345",)]
    assert "已发货" in found[1].text


def test_a_message_without_end_is_cut_and_its_ids_stay() -> None:
    said = "啊" * 50_000 + " ORD12345 " + "啊" * 500
    found = events_of([Message("user", said)], tools())
    assert sum(len(e.text) for e in found) < 2_000
    assert events_of([Message("user", "x" * 100_000)], tools()) == []


def test_ids() -> None:
    assert ids_in("ORD12345、SKU-1001,2025-04-03,13800138000,hello,B204,1280") == (
        "ORD12345", "SKU-1001", "13800138000", "B204",
    )  # fmt: skip


EVENTS = st.builds(
    Event,
    st.text(min_size=1, max_size=30),
    st.text(max_size=10),
    st.sampled_from(["person", "tool:x", "mail:y"]),
    st.lists(st.from_regex("ORD[0-9]{5}", fullmatch=True), max_size=2, unique=True).map(tuple),
    st.sampled_from([PLAIN, WITH_VALUE, WITH_ID, ABOUT_PERSON]),
)


@given(st.lists(EVENTS, max_size=12), st.integers(0, 300))
def test_a_bound_holds_and_the_order_too(events: list[Event], limit: int) -> None:
    kept = bounded(events, limit, len)
    assert sum(len(e.text) + 1 for e in kept) <= limit
    labels = iter(events)
    assert all(any(e.label == k.label and e.ids == k.ids for e in labels) for k in kept)
    if sum(len(e.text) + 1 for e in events) <= limit:
        assert kept == events


def test_the_oldest_and_least_specific_go_first_and_ids_stay_longest() -> None:
    told = Event("我喜欢靠窗的座位,每次都要", "", "person", (), ABOUT_PERSON)
    plain = [Event(f"第{i}笔 100 元的那个", "", "person", (), WITH_VALUE) for i in range(3)]
    calls = [
        Event(
            f"查询订单的状态和物流(ORD1000{i})", "已发货很久了", "tool:x", (f"ORD1000{i}",), WITH_ID
        )
        for i in range(3)
    ]
    every = [told, *plain, *calls]
    whole = sum(len(e.text) + 1 for e in every)
    assert bounded(every, whole - 1, len) == [told, *plain[1:], *calls]
    less = bounded(every, 100, len)
    assert told in less and calls[2] in less and plain[0] not in less
    few = bounded(every, 3 * len("ORD10001 "), len)
    assert [e.text for e in few] == ["ORD10000", "ORD10001", "ORD10002"]


def test_a_text_in_both_languages() -> None:
    name = Text("查询", "look up")
    tool = replace(tools()["get_order_status"], description=name)
    (event,) = events_of(
        turn("where is it", "get_order_status", {"status": "sent"}, order_id="ORD12345"),
        {"get_order_status": tool},
    )
    assert event.text == "look up(ORD12345) → status sent"


@pytest.mark.parametrize(
    "piece", ["1", "1,", "a", "A1-", "我的", " ", "I ", "my a ", "请", "remember "]
)
def test_a_long_message_takes_linear_time(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    began = time.process_time()
    events_of([Message("user", text)], {})
    asked_to_remember(text)
    ids_in(text)
    assert time.process_time() - began < 30, "more than linear"
