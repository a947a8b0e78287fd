"""What a turn is given of a long thread, and what of that it may use."""

from __future__ import annotations

import json

import pytest

from dazi.core.engine import GenerateRequest, Usage
from dazi.core.errors import OperatorError
from dazi.core.messages import Message
from dazi.core.turn import ConfirmationNeeded
from dazi.memory.digests import DigestStore
from dazi.router.grounding import MEMORY
from tests.agent.conftest import House, Start
from tests.fakes.engine import Reply

SUMMARISES = "把下面的对话压缩"


def is_summary(request: GenerateRequest) -> bool:
    return request.messages[0].content.startswith(SUMMARISES)


def memory_of(request: GenerateRequest) -> str:
    """What stands behind the system message, where notes are."""
    noted = [m.content for m in request.messages[1:2] if m.content.startswith("[系统附上的备忘")]
    return noted[0] if noted else ""


class Talk:
    """Answers everything with ``好的。``, and what ``next`` says once; keeps what it was asked."""

    def __init__(self, summary: Reply = "用户在问订单。") -> None:
        self.summary = summary
        self.next: list[Reply] = []
        self.turns: list[GenerateRequest] = []
        self.summaries: list[GenerateRequest] = []

    def __call__(self, request: GenerateRequest) -> Reply:
        if is_summary(request):
            self.summaries.append(request)
            return self.summary
        self.turns.append(request)
        return self.next.pop(0) if self.next else "好的。"


async def begun(house: Start, talk: Talk, **options: object) -> House:
    h = await house([], **options)
    h.engine.script = talk
    h.engine.__post_init__()
    return h


async def chat(h: House, user: str, *said: str) -> None:
    for text in said:
        await h.ask(user, text, "t")
        await h.runtime.service.remembering.settle()


async def test_older_turns_are_told_in_a_message_behind_an_unchanged_system_text(
    house: Start,
) -> None:
    talk = Talk()
    h = await begun(house, talk)
    await chat(h, "customer", "我的订单号是 ORD12345", *(f"第{n}句闲聊" for n in range(12)))
    first, last = talk.turns[0], talk.turns[-1]
    assert last.messages[0] == first.messages[0] and last.messages[0].role == "system"
    assert "ORD12345" in memory_of(last) and "用户在问订单。" in memory_of(last)
    said = [m.content for m in last.messages[2:] if m.role == "user"]
    assert said == [f"第{n}句闲聊" for n in range(6, 12)], "five turns and the message"
    # Only every fourth turn asks the model for a summary.
    assert len(talk.summaries) == 1 or len(talk.summaries) == 2


async def test_a_summary_is_on_record_and_counts(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk)
    await chat(h, "customer", *(f"第{n}句闲聊" for n in range(9)))
    (begin,) = [b for k, b in await h.audit("turn") if b.get("summary")]
    (end,) = [b for k, b in await h.audit("answer") if b.get("summary")]
    assert begin["model"] == "scripted-1" and begin["thread"] == "t"
    assert end["answer"] == "用户在问订单。" and end["tokens"][0] > 0 and end["tokens"][1] > 0


async def test_a_summary_states_only_what_was_said(house: Start) -> None:
    talk = Talk("用户问了订单ORD12345。另有订单ORD77777,金额500元。他在等快递。")
    h = await begun(house, talk)
    await chat(h, "customer", "ORD12345 呢", *(f"第{n}句闲聊" for n in range(9)))
    assert "用户问了订单ORD12345。他在等快递。" in memory_of(talk.turns[-1])
    assert "ORD77777" not in memory_of(talk.turns[-1])


@pytest.mark.parametrize("failing", [OperatorError("gone", "坏了", "broken"), RuntimeError("odd")])
async def test_no_summary_breaks_no_turn_and_loses_nothing(
    house: Start, failing: Exception
) -> None:
    talk = Talk(failing)
    h = await begun(house, talk)
    await chat(h, "customer", "我的订单号是 ORD12345", *(f"第{n}句闲聊" for n in range(12)))
    assert "ORD12345" in memory_of(talk.turns[-1])
    assert (await h.ask("customer", "还在吗", "t")).end.answer == "好的。"


async def test_where_a_limit_is_reached_events_do(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk)
    limiter, admit = h.runtime.service.limiter, h.runtime.service.limiter.admit
    settled: list[Usage] = []

    async def refuses(principal, model, most, key=""):  # type: ignore[no-untyped-def]
        if most.prompt > 400 and most.prompt != 4_000:
            raise OperatorError("limit", "满了", "full")
        return await admit(principal, model, most, key)

    limiter.admit = refuses  # type: ignore[method-assign]
    await chat(h, "customer", "我的订单号是 ORD12345", *(f"第{n}句闲聊" for n in range(9)))
    assert talk.summaries == [] and settled == []
    assert "ORD12345" in memory_of(talk.turns[-1])


async def test_an_id_of_long_ago_can_be_used_and_is_known_to_be_remembered(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk)
    await chat(h, "customer", "我的订单号是 ORD12345", *(f"第{n}句闲聊" for n in range(20)))
    from tests.fakes.engine import call

    talk.next = [call("get_order_status", order_id="ORD12345"), "已打包。"]
    said = await h.ask("customer", "我最早说的那个订单到哪了", "t")
    assert said.record.outcome == "ok"
    sources = [b["sources"] for _, b in await h.audit("call")]
    assert sources == [{"order_id": [MEMORY]}]


async def test_an_address_of_long_ago_needs_a_word(house: Start) -> None:
    """What is remembered is no longer the person's own word: where mail goes, they confirm."""
    talk = Talk()
    h = await begun(house, talk)
    told = "我的邮箱是 zhang@example.com"
    await chat(h, "finance", told, *(f"第{n}句闲聊" for n in range(20)))
    from tests.fakes.engine import call

    mail = call("send_email", to="zhang@example.com", subject="你好", body="你好")
    talk.next = [mail]
    said = await h.ask("finance", "发一封邮件给我,标题你好,正文你好", "t")
    assert said.record.outcome == "needs_confirmation"
    (waits,) = [e for e in said.events if isinstance(e, ConfirmationNeeded)]
    assert waits.sources["to"] == (MEMORY,)


async def test_a_digest_is_in_the_database_and_goes_with_the_thread(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk)
    await chat(h, "customer", *(f"ORD1000{n} 呢" for n in range(10)))
    threads = h.runtime.service.threads
    digests = DigestStore(threads.database, threads.private)
    assert (await digests.get("t")).through > 0
    principal = h.runtime.directory.principal("customer", "test")
    await h.runtime.service.delete_thread(principal, "t")
    assert (await digests.get("t")).through == 0


async def test_closing_waits_for_what_is_being_folded(house: Start) -> None:
    import asyncio

    from tests.fakes.engine import Until

    talk = Talk()
    h = await begun(house, talk)
    release = asyncio.Event()
    talk.summary = [Until(release), "用户在聊天。"]
    for n in range(9):
        await h.ask("customer", f"第{n}句闲聊", "t")
    settling = asyncio.create_task(h.runtime.service.remembering.settle())
    while not talk.summaries:
        assert not settling.done()
        await asyncio.sleep(0.01)
    assert not settling.done()
    release.set()
    await settling
    threads = h.runtime.service.threads
    assert (await DigestStore(threads.database, threads.private).get("t")).summary == "用户在聊天。"


async def test_a_copying_model_is_reminded_only_where_it_leans(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk, concise=True, copies_text=True)
    await chat(h, "customer", "我的订单号是 ORD12345", *(f"第{n}句闲聊" for n in range(12)))
    assert not any("ORD12345" in m.content for m in talk.turns[-1].messages)
    await chat(h, "customer", "刚才那个订单发货了吗")
    request = talk.turns[-1]
    assert request.messages[1] == Message("user", "我的订单号是 ORD12345")
    offered = {t.name: t.candidates for t in request.tools}
    assert offered["get_order_status"]["order_id"] == ("ORD12345",)
    assert talk.summaries == [], "nobody taught it to condense"


async def test_the_budget_holds_in_every_round(house: Start) -> None:
    """Results of many calls add up; what does not fit is cut or folded, and a call keeps its result."""
    from tests.fakes.engine import call

    talk = Talk()
    h = await begun(house, talk, context_tokens=3_000)
    await chat(h, "customer", *(f"第{n}句" + "闲聊" * 60 for n in range(8)))
    talk.turns.clear()
    talk.next = [call("list_orders"), call("get_order_status", order_id="ORD12345")] * 2
    await h.ask("customer", "ORD12345 和我最近的订单怎么样了", "t")
    assert len(talk.turns) > 4
    for request in talk.turns:
        size = sum(len(m.content) for m in request.messages)
        assert size <= 3_000 - request.sampling.max_tokens
        ids = {c.id for m in request.messages for c in m.calls}
        assert all(m.call_id in ids for m in request.messages if m.role == "tool")
        assert any(m.content == "ORD12345 和我最近的订单怎么样了" for m in request.messages)


async def test_what_a_caller_brings_along_is_word_for_word_while_it_fits(house: Start) -> None:
    from dazi.memory.threads import Kept

    talk = Talk()
    h = await begun(house, talk)
    brought = [Kept(Message("user", f"第{n}句")) for n in range(30)]
    await h.ask("customer", "好", history=tuple(brought))
    assert [m.content for m in talk.turns[-1].messages[1:-1]] == [
        k.message.content for k in brought
    ]
    long = [Kept(Message("user", f"单号 ORD{n:05},{'很' * 200}")) for n in range(60)]
    await h.ask("customer", "好", history=tuple(long))
    request = talk.turns[-1]
    assert "ORD0000" in memory_of(request) and long[-1].message.content in str(request.messages)
    assert sum(len(m.content) for m in request.messages) <= 5_120 - 1_024


async def test_json_of_a_turn_holds_the_report(house: Start) -> None:
    from dazi.main.terminal import as_json

    talk = Talk()
    h = await begun(house, talk)
    said = await h.ask("customer", "你好", show_context=True)
    report = said.end.context
    assert report is not None
    assert report.tokens == h.engine.count_tokens(talk.turns[-1])
    json.dumps(as_json(said.events), default=str)


async def test_the_ledger_keeps_what_the_model_was_given_and_not_a_word_of_it(
    house: Start,
) -> None:
    talk = Talk()
    h = await begun(house, talk)
    principal = h.runtime.directory.principal("customer", "test")
    facts = h.runtime.service.remembering.facts
    fact = await facts.keep(principal, "我的收货地址是上海市张江路88号")
    await chat(h, "customer", "我的订单号是 ORD12345", *(f"第{n}句闲聊" for n in range(12)))
    kept = [b for _, b in await h.audit("answer") if not b.get("summary")][-1]["context"]
    layers = {name: numbers for name, *numbers in kept["layers"]}
    assert layers["short"][2] == 5 and layers["message"][2] == 1 and layers["long"][2] == 1
    assert kept["facts"] == [fact.id]
    messages = await h.runtime.service.threads.latest("t", principal, 100)
    since = next(m.seq for m in messages if m.kept.message.content == "第7句闲聊")
    assert kept["since"] in (since, since - 2) and 0 < kept["through"] < kept["since"]
    for word in ("闲聊", "张江路", "ORD12345", "在问订单"):
        assert word not in json.dumps(kept, ensure_ascii=False)
    assert not kept["counted"], "there was no doubt that all fits, so nothing was counted"
    exact = h.engine.count_tokens(talk.turns[-1])
    assert exact <= kept["tokens"] <= kept["limit"]


async def test_layers_are_counted_where_not_all_fitted(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk, context_tokens=2_200)
    principal = h.runtime.directory.principal("customer", "test")
    facts = h.runtime.service.remembering.facts
    ids = {}
    for n in range(60):
        kept = await facts.keep(principal, f"第{n}件毫不相干的小事情")
        ids[kept.id] = kept.text
    said = await h.ask("customer", "开发票")
    (record,) = [b["context"] for _, b in await h.audit("answer")]
    report = said.end.context
    assert report is not None and record["counted"]
    assert (record["tokens"], record["limit"]) == (report.tokens, report.limit)
    long = next(u for u in report.layers if u.layer == "long")
    assert ["long", long.tokens, long.limit, long.taken, long.left_out, "limit"] in record["layers"]
    assert len(record["facts"]) == long.taken > 0
    given = memory_of(talk.turns[-1])
    assert all(ids[i] in given for i in record["facts"]), "those that are in it, and no others"


async def test_what_a_person_wants_remembered_is_there_in_every_thread(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk)
    said = await h.ask("customer", "请记住我的收货地址是上海市张江路88号")
    assert said.end.answer == "记住了:我的收货地址是上海市张江路88号" and talk.turns == []
    await h.ask("customer", "寄到我的收货地址")
    assert "上海市张江路88号" in memory_of(talk.turns[-1])
    await h.ask("customer", "你好", history=())
    assert "上海市张江路88号" in memory_of(talk.turns[-1])
    await h.ask("customer2", "寄到我的收货地址")
    assert "张江路" not in str(talk.turns[-1].messages)


async def test_what_was_told_in_passing_is_only_proposed(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk)
    await h.ask("customer", "我喜欢靠窗的座位")
    remembering = h.runtime.service.remembering
    await remembering.settle()
    await h.ask("customer", "订个座位")
    assert "靠窗" not in str(talk.turns[-1].messages)
    principal = h.runtime.directory.principal("customer", "test")
    (proposed,) = await remembering.facts.list(principal)
    await remembering.facts.change(principal, proposed.id, confirm=True)
    await h.ask("customer", "订个座位")
    assert "我喜欢靠窗的座位" in memory_of(talk.turns[-1])


async def test_facts_that_the_message_is_about_come_first(house: Start) -> None:
    talk = Talk()
    h = await begun(house, talk, context_tokens=2_200)
    principal = h.runtime.directory.principal("customer", "test")
    facts = h.runtime.service.remembering.facts
    await facts.keep(principal, "我的发票抬头是云杉商贸有限公司")
    for n in range(60):
        await facts.keep(principal, f"第{n}件毫不相干的小事情")
    said = await h.ask("customer", "开发票,抬头用我的", show_context=True)
    assert "云杉商贸有限公司" in memory_of(talk.turns[-1])
    assert said.end.context is not None
    use = next(u for u in said.end.context.layers if u.layer == "long")
    assert use.tokens <= use.limit and use.left_out and use.why == ("limit",)


async def test_when_all_is_full_it_is_told(house: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dazi.memory.facts.MOST_FACTS", 1)
    h = await begun(house, Talk())
    await h.ask("customer", "记住我叫小李")
    assert "记满了" in (await h.ask("customer", "记住我住在上海")).end.answer


async def test_large_tools_of_a_caller_leave_room_for_results(house: Start) -> None:
    from dazi.core.engine import OfferedTool

    talk = Talk()
    h = await begun(house, talk)
    h.engine.count_tokens = lambda request: (  # type: ignore[method-assign]
        sum(len(m.content) for m in request.messages)
        + sum(len(str(t.parameters)) for t in request.tools)
    )
    from tests.fakes.engine import call

    large = OfferedTool("theirs", "", {"type": "object", "description": "长" * 4_500})
    talk.next = [call("get_order_status", order_id="ORD12345"), "已打包。"]
    said = await h.ask("customer", "ORD12345 到哪了", client_tools=(large,))
    assert said.end.answer == "已打包。"
    assert any(m.role == "tool" and "ORD12345" in m.content for m in talk.turns[-1].messages)
    assert h.engine.count_tokens(talk.turns[-1]) + 1_024 <= 8_192
