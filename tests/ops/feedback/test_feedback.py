"""What people say becomes a sample only by a person's word, on a ground, and without personal data."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.learning import Right
from dazi.ops.feedback.model import Given, Wanted
from tests.fakes.engine import call
from tests.ops.feedback.conftest import ASKED, TOLD, Start, turn_of

AGREED = Given("up", consent=True)


async def test_a_good_answer_becomes_a_sample_with_its_calls_and_results(world: Start) -> None:
    w = await world()
    said = await w.answered()
    entry = await w.give(said, AGREED)
    found = await w.learning.feedback.decide(w.who("admin"), entry.id, "accept")
    sample = found.sample
    assert sample is not None and found.entry.state == "accepted"
    assert [m.role for m in sample.messages] == ["user", "assistant", "tool", "assistant"]
    asked, called, result, told = sample.messages
    assert (asked.content, told.content) == (ASKED, TOLD)
    assert [(c.name, c.arguments) for c in called.tool_calls] == [
        ("get_order_status", {"order_id": "ORD12345"})
    ]
    assert result.name == "get_order_status" and json.loads(result.content)["status"] == "packed"
    assert (sample.kind, sample.language, sample.role) == ("call", "zh", "customer")
    assert sample.today == "2025-04-03" and "get_order_status" in sample.tools
    assert sample.source["consent"] == "given" and sample.source["kind"] == "feedback"
    assert "customer" not in sample.source["user"] and len(sample.source["user"]) == 32
    (given,) = await w.ledger("feedback.answer")
    assert (given["of"], given["thumb"], given["consent"]) == (turn_of(said), "up", True)
    assert [b["of"] for b in await w.ledger("feedback.accept")] == [entry.id]


async def test_what_is_personal_has_stand_ins_for_reviewers_and_in_samples(world: Start) -> None:
    w = await world()
    w.says("好的,已记下 13812345678。")
    said = await w.ask("customer", "我的手机号是 13812345678,邮箱 lin@example.com")
    entry = await w.give(said, AGREED)
    async with w.runtime.database.read() as connection:
        (row,) = (await connection.execute(text("SELECT * FROM feedback"))).mappings().all()
    assert "13812345678" not in repr(dict(row))
    found = await w.learning.feedback.decide(w.who("admin"), entry.id, "accept")
    shown = repr(found)
    assert "13812345678" not in shown and "lin@example.com" not in shown
    assert found.sample is not None
    assert found.sample.messages[0].content == "我的手机号是 [手机1],邮箱 [邮箱1]"
    assert found.sample.messages[-1].content == "好的,已记下 [手机1]。"


async def test_without_what_would_have_been_right_a_reviewer_must_write_it(world: Start) -> None:
    w = await world()
    entry = await w.give(await w.answered(), Given("down", "wrong", "没说清", consent=True))
    service, admin = w.learning.feedback, w.who("admin")
    assert (await service.get(admin, entry.id)).sample is None
    with pytest.raises(CallerError, match="write it first"):
        await service.decide(admin, entry.id, "accept")
    wrong: list[dict[str, Any]] = [
        {"messages": []},
        {"messages": [{"role": "user", "content": "?"}]},
        {"messages": [{"role": "robot", "content": "?"}]},
        {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": ""}]},
    ]
    for sample in wrong:
        with pytest.raises(CallerError):
            await service.decide(admin, entry.id, "accept", sample=sample)
    written = {
        "messages": [
            {"role": "user", "content": ASKED},
            {"role": "assistant", "content": "明天发出,有问题打 13812345678。"},
        ]
    }
    done = await service.decide(admin, entry.id, "accept", sample=written)
    assert done.sample is not None
    assert done.sample.messages[-1].content == "明天发出,有问题打 [手机1]。"
    assert done.sample.source["ref"] == entry.id


async def test_a_correction_takes_the_answers_place(world: Start) -> None:
    w = await world()
    given = Given("down", "incomplete", correction="已打包,明天 18:00 前发出。", consent=True)
    entry = await w.give(await w.answered(), given)
    done = await w.learning.feedback.decide(w.who("admin"), entry.id, "accept")
    assert done.sample is not None
    assert done.sample.messages[-1].content == "已打包,明天 18:00 前发出。"


@pytest.mark.parametrize(("ground", "usable"), [("person", False), ("company", True)])
async def test_nothing_is_learned_from_without_a_ground(
    world: Start, ground: str, usable: bool
) -> None:
    w = await world(feedback_ground=ground)
    entry = await w.give(await w.answered(), Given("up"))
    service, admin = w.learning.feedback, w.who("admin")
    assert (await service.get(admin, entry.id)).usable is usable
    if usable:
        done = await service.decide(admin, entry.id, "accept")
        assert done.sample is not None and done.sample.source["consent"] == "company"
        return
    with pytest.raises(CallerError, match="did not agree"):
        await service.decide(admin, entry.id, "accept")
    done = await service.decide(admin, entry.id, "private")
    assert done.entry.state == "private" and await service.accepted(admin, fresh=False) == []


async def test_what_was_accepted_on_the_companys_ground_is_left_out_once_that_is_not_the_ground(
    world: Start,
) -> None:
    w = await world(feedback_ground="company")
    service, admin = w.learning.feedback, w.who("admin")
    agreed = await w.give(await w.answered(thread="a"), AGREED)
    other = await w.give(await w.answered(thread="b"), Given("up"))
    for entry in (agreed, other):
        await service.decide(admin, entry.id, "accept")
    assert len(await service.accepted(admin, fresh=False)) == 2
    service.parts = replace(service.parts, ground="person")
    assert [e.id for e in await service.accepted(admin, fresh=False)] == [agreed.id]


async def test_what_is_said_again_is_reviewed_again_and_can_be_taken_back(world: Start) -> None:
    w = await world()
    said = await w.answered()
    service, admin, me = w.learning.feedback, w.who("admin"), w.who("customer")
    first = await w.give(said, AGREED)
    await service.decide(admin, first.id, "accept")
    second = await w.give(said, Given("down", "manner"))
    assert second.id == first.id and second.state == "new"
    assert await service.accepted(admin, fresh=False) == []
    with pytest.raises(CallerError, match="why"):
        await service.decide(admin, second.id, "refuse")
    refused = await service.decide(admin, second.id, "refuse", "语气没有问题")
    assert (refused.entry.state, refused.entry.why) == ("refused", "语气没有问题")
    assert await service.take_back(me, turn_of(said))
    assert await service.find(admin, Wanted()) == []
    assert not await service.take_back(me, turn_of(said))


async def test_somebody_elses_turn_is_none(world: Start) -> None:
    w = await world()
    said = await w.answered()
    for user, turn in (("customer2", turn_of(said)), ("customer", "turn_none"), ("customer", "")):
        with pytest.raises(NotFound):
            await w.learning.feedback.give(w.who(user), turn, AGREED)
    with pytest.raises(CallerError, match="reason"):
        await w.give(said, Given("down", "because"))
    with pytest.raises(CallerError):
        await w.give(said, Given("down", comment="长" * 1001))


async def test_only_reviewers_review_and_who_tries_is_on_record(world: Start) -> None:
    w = await world()
    entry = await w.give(await w.answered(), AGREED)
    service = w.learning.feedback
    for user in ("customer", "supervisor", "finance"):
        with pytest.raises(AccessError):
            await service.find(w.who(user), Wanted())
        with pytest.raises(AccessError):
            await service.get(w.who(user), entry.id)
        with pytest.raises(AccessError):
            await service.decide(w.who(user), entry.id, "accept")
    refused = [b for b in await w.ledger("feedback.accept") if "refused" in b]
    assert len(refused) == 3
    assert (await service.get(w.who("sys"), entry.id)).entry.id == entry.id


async def test_two_reviewers_at_once(world: Start) -> None:
    w = await world()
    entry = await w.give(await w.answered(), AGREED)
    store = w.learning.feedback.store
    one, other = await store.get(entry.id, "default"), await store.get(entry.id, "default")
    await store.change(one)
    with pytest.raises(CallerError, match="somebody else"):
        await store.change(other)


UP, DOWN = Given("up", consent=True), Given("down", correction="明天发出。", consent=True)


@pytest.mark.parametrize(
    ("given", "outcome", "ends"),
    [
        (UP, "ok", ["user", "assistant"]),
        (UP, "needs_confirmation", ["user", "assistant"]),
        (UP, "unavailable", None),
        (DOWN, "ok", None),
        (UP, "ungrounded", ["user", "assistant"]),
    ],
)
async def test_no_sample_answers_from_a_result_that_is_not_in_it(
    world: Start, given: Given, outcome: str, ends: list[str] | None
) -> None:
    w = await world()
    service, admin = w.learning.feedback, w.who("admin")
    entry = await w.give(await w.answered(), given)
    (ran,) = entry.content.calls
    lost = replace(entry.content, calls=(replace(ran, result=None, outcome=outcome),))
    await service.store.change(replace(entry, content=lost))
    sample = (await service.get(admin, entry.id)).sample
    assert (sample and [m.role for m in sample.messages]) == ends
    if sample is not None:
        called = outcome != "ungrounded"
        assert bool(sample.messages[-1].tool_calls) is called
        assert (sample.messages[-1].content == TOLD) is not called
    written = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": "我去查。"}]
    done = await service.decide(admin, entry.id, "accept", sample={"messages": written})
    assert done.sample is not None and done.sample.messages[-1].content == "我去查。"


# --- calls and drafts ------------------------------------------------------------------------------


async def test_a_rejected_call_with_what_would_have_been_right(world: Start) -> None:
    w = await world()
    w.says(call("request_refund", order_id="ORD12345", amount=60_000, reason="漏发"))
    said = await w.ask("finance", "给订单 ORD12345 退款 60000 元,原因是漏发")
    ticket = said.ticket
    waiting = await w.runtime.service.tickets.get(ticket)
    approver = (
        w.who("admin") if waiting.approver == "admin" else w.who(waiting.approver or "finance")
    )
    bad = Right({"colour": "red"}, consent=True)
    with pytest.raises(CallerError, match="has the parameters"):
        async for _ in w.runtime.service.decide(approver, ticket, False, right=bad):
            pass
    assert (await w.runtime.service.tickets.get(ticket)).state == "pending"
    w.says("好的,没有退款。")
    right = Right({"order_id": "ORD12345", "amount": 60, "reason": "漏发"}, consent=True)
    events = w.runtime.service.decide(approver, ticket, False, reason="金额不对", right=right)
    async for _ in events:
        pass
    await w.learning.listening.settle()
    (found,) = await w.learning.feedback.find(w.who("admin"), Wanted())
    e = found.entry
    assert (e.kind, e.user, e.giver, e.thumb) == ("call", "finance", approver.user, "down")
    assert e.content.comment == "金额不对" and e.content.calls[0].arguments["amount"] == 60_000
    assert found.sample is not None
    (proposal,) = found.sample.messages[-1].tool_calls
    assert (proposal.name, proposal.arguments["amount"]) == ("request_refund", 60)
    assert found.sample.messages[0].content == "给订单 ORD12345 退款 60000 元,原因是漏发"


async def test_a_rejection_that_says_nothing_is_no_feedback(world: Start) -> None:
    w = await world()
    w.says(call("request_refund", order_id="ORD12345", amount=10, reason="漏发"))
    said = await w.ask("finance", "给订单 ORD12345 退款 10 元,原因是漏发")
    await w.decide("finance", said.ticket, False)
    await w.learning.listening.settle()
    assert await w.learning.feedback.find(w.who("admin"), Wanted()) == []


@pytest.mark.parametrize("changed", [True, False])
async def test_a_draft_and_what_was_sent_are_both_kept(world: Start, changed: bool) -> None:
    w = await world(feedback_ground="company")
    desk = w.runtime.desk
    assert desk is not None
    from dazi.apps.desk.service import NewTicket

    agent, customer = w.who("agent"), w.who("customer")
    new = NewTicket("订单 ORD12345 还没发货", "怎么还没发货?", orders=("ORD12345",))
    id = (await desk.service.open(customer, new, desk.clock())).card.id
    await desk.service.act(agent, id, "assign", desk.clock())
    draft = (await desk.suggest(agent, id)).text
    assert draft
    await w.learning.listening.settle()
    assert await w.learning.feedback.find(w.who("admin"), Wanted("new")) == []
    sent = f"您好,{draft}请放心。" if changed else draft
    await desk.service.act(agent, id, "reply", desk.clock(), sent)
    await w.learning.listening.settle()
    (found,) = await w.learning.feedback.find(w.who("admin"), Wanted("new"))
    e = found.entry
    assert (e.kind, e.user, e.giver) == ("draft", "customer", "agent")
    assert e.thumb == ("down" if changed else "up")
    kept = (await w.learning.feedback.store.get(e.id, "default")).content
    assert (kept.draft, kept.sent) == (draft, sent.strip())
    assert found.sample is not None and found.sample.kind == "qa"
    await desk.service.act(agent, id, "reply", desk.clock(), "还有别的问题吗?")
    await w.learning.listening.settle()
    assert len(await w.learning.feedback.find(w.who("admin"), Wanted("new"))) == 1


async def test_the_next_draft_of_a_ticket_leaves_the_one_that_was_sent_alone(world: Start) -> None:
    w = await world(feedback_ground="company")
    desk, service, admin = w.runtime.desk, w.learning.feedback, w.who("admin")
    assert desk is not None
    from dazi.apps.desk.service import NewTicket

    agent = w.who("agent")
    new = NewTicket("Order ORD12345", "Where is my order?", orders=("ORD12345",))
    id = (await desk.service.open(w.who("customer"), new, desk.clock())).card.id
    await desk.service.act(agent, id, "assign", desk.clock())
    for _ in range(2):
        draft = (await desk.suggest(agent, id)).text
        await desk.service.act(agent, id, "reply", desk.clock(), draft)
        await w.learning.listening.settle()
        (found,) = await service.find(admin, Wanted("new"))
        assert (found.entry.content.language, found.entry.content.today) == ("en", "2025-04-03")
        await service.decide(admin, found.entry.id, "accept")
    await desk.suggest(agent, id)
    await w.learning.listening.settle()
    assert len(await service.accepted(admin, fresh=False)) == 2
    assert len(await service.find(admin, Wanted("open"))) == 1
