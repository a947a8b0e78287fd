"""An answer to a question back is put to its request; anything else is a message of its own."""

from __future__ import annotations

from datetime import date

import pytest

from dazi.agent.asked import Asked
from dazi.core.engine import TaughtReply
from dazi.core.messages import CallText, Message
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.memory.threads import Kept
from dazi.prompt.choose import ToolChooser
from dazi.router.wording import mend_text
from tests.agent.conftest import Start

TODAY = date(2025, 4, 3)
ASKS = (
    TaughtReply("", "ask:order_id", "请问订单号是多少？"),
    TaughtReply("", "ask:reason", "退款原因是什么？"),
    TaughtReply("", "ask:date", "Which day?"),
    TaughtReply("", "", "不客气。"),
    TaughtReply("get_order_status", "", "查到了。"),
)


@pytest.fixture(scope="module")
def asked() -> Asked:
    return Asked(ToolChooser(load_company(demo_folder()).tools.values()), ASKS)


def shown(asked: Asked, *said: str) -> list[str]:
    """What the model reads of a thread in which person and assistant speak in turns."""
    roles = ("user", "assistant")
    history = [Kept(Message(roles[i % 2], text)) for i, text in enumerate(said[:-1])]
    earlier, last = asked.joined(history, said[-1], TODAY)
    return [*(m.content for m in earlier), last]


def test_an_answer_joins_its_request(asked: Asked) -> None:
    assert shown(asked, "我要退款。", "请问订单号是多少？", "ORD12345") == ["我要退款,ORD12345"]
    english = shown(asked, "book A302", "Which day?", "next Monday")
    assert english == ["book A302, next Monday"]


def test_questions_of_the_host_are_known_too(asked: Asked) -> None:
    tool = load_company(demo_folder()).tools["book_room"]
    question = mend_text(tool, ("date", "start"), "zh")
    assert question == "请告诉我日期、开始时间。"
    assert asked.slots(question) >= {"date", "start"}
    assert shown(asked, "订A302", question, "明天下午两点到三点") == ["订A302,明天下午两点到三点"]


def test_answers_are_joined_one_after_the_other(asked: Asked) -> None:
    thread = ("退了吧", "请问订单号是多少？", "ORD12345", "请告诉我日期。", "明天")
    assert shown(asked, *thread) == ["退了吧,ORD12345,明天"]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("请问订单号是多少？", "算了,不退了"),  # nothing that was asked for
        ("请问订单号是多少？", "那 SKU-1001 还有多少库存"),
        ("请问订单号是多少？", "ORD12345 催一下快递,我的包裹到哪了,什么时候发货"),  # a request
        ("请告诉我部门。", "订单ORD12345到哪了"),  # the RD of an order's number is no department
        ("不客气。", "ORD12345"),  # no question
        ("退款原因是什么？", "屏幕碎了"),  # free text could be anything
    ],
)
def test_anything_else_stays_a_message_of_its_own(asked: Asked, question: str, said: str) -> None:
    assert shown(asked, "我要退款", question, said) == ["我要退款", question, said]


def test_what_a_call_answered_is_not_joined(asked: Asked) -> None:
    history = [
        Kept(Message("user", "查订单")),
        Kept(Message("assistant", "请问订单号是多少？", (CallText("c", "x", "{}"),))),
    ]
    earlier, last = asked.joined(history, "ORD12345", TODAY)
    assert (len(earlier), last) == (2, "ORD12345")


async def test_a_small_model_reads_one_request_and_the_thread_keeps_both(house: Start) -> None:
    question = "请问订单号是多少？"
    call = ("get_order_status", {"order_id": "ORD12345"})
    h = await house([question, [call], "查到了。"], concise=True, copies_text=True, taught=ASKS)
    await h.ask("customer", "我的订单到哪了", "a")
    said = await h.ask("customer", "ORD12345", "a")
    assert said.calls == [("get_order_status", {"order_id": "ORD12345"}, "ok")]
    read = [m.content for m in h.engine.requests[1].messages if m.role == "user"]
    assert read == ["我的订单到哪了,ORD12345"]
    kept = await h.runtime.service.threads.load(
        "a", h.runtime.directory.principal("customer", "test")
    )
    own = [k.message.content for k in kept if k.message.role == "user"]
    assert own == ["我的订单到哪了", "ORD12345"]


async def test_a_large_model_reads_the_thread_as_it_was(house: Start) -> None:
    h = await house(["请告诉我订单号。", "好的。"])
    await h.ask("customer", "我的订单到哪了", "a")
    await h.ask("customer", "ORD12345", "a")
    read = [m.content for m in h.engine.requests[1].messages if m.role != "system"]
    assert read == ["我的订单到哪了", "请告诉我订单号。", "ORD12345"]


NEEDLESS = (
    TaughtReply("", "ask:month", "您要看哪个月？"),
    TaughtReply("", "ask:end", "到几点结束？"),
    TaughtReply("query_sales_data", "", "查到了。"),
)


async def test_a_question_for_what_was_just_said_becomes_the_call(house: Start) -> None:
    call = ("query_sales_data", {"month": "上个月"})
    small = {"concise": True, "copies_text": True, "taught": NEEDLESS}
    h = await house(["您要看哪个月？", [call], "查到了。"], **small)
    said = await h.ask("manager", "上个月销售额")
    assert [(n, o) for n, _, o in said.calls] == [("query_sales_data", "ok")]
    assert "哪个月" not in said.streamed
    assert [r.tool_choice for r in h.engine.requests] == ["auto", "required", "auto"]


async def test_a_question_for_what_was_not_said_is_asked(house: Start) -> None:
    small = {"concise": True, "copies_text": True, "taught": NEEDLESS}
    h = await house(["您要看哪个月？"], **small)
    assert (await h.ask("manager", "看下销售额")).end.answer == "您要看哪个月？"
    h = await house(["到几点结束？"], **small)
    said = await h.ask("staff", "订A301,明天下午两点")  # one time is a beginning
    assert said.end.answer == "到几点结束？"


async def test_what_the_thread_s_latest_call_had_is_not_asked_for_again(house: Start) -> None:
    taught = (
        TaughtReply("", "ask:order_id", "请问订单号是多少？"),
        TaughtReply("get_order_status", "", "查到了。"),
    )
    small = {"concise": True, "copies_text": True, "taught": taught}
    call = ("get_order_status", {"order_id": "ORD12345"})
    h = await house([[call], "查到了。", "请问订单号是多少？", [call], "查到了。"], **small)
    await h.ask("customer", "ORD12345到哪了", "a")
    said = await h.ask("customer", "那这单签收了没", "a")
    assert [(n, o) for n, _, o in said.calls] == [("get_order_status", "ok")]
    assert "请问" not in said.streamed
    h.engine.say("请问订单号是多少？")
    said = await h.ask("customer", "再帮我查个订单", "a")  # leans on nothing: another one
    assert said.end.answer == "请问订单号是多少？"
