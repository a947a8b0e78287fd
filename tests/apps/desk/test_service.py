"""The desk's acts: who may, what is attached, who gets it, handing over and back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dazi.apps.desk.machine import Refused
from dazi.apps.desk.records import ERASED, Wanted
from dazi.apps.desk.summary import unfounded
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.messages import Message
from tests.apps.desk.conftest import HE, LI, LIN, NOON, WU, ZHOU, House, asked, called, who

MINUTE, DAY = 60.0, 86_400.0


async def test_a_ticket_is_filed_recognised_and_given_to_who_can(house: House) -> None:
    first = await house.open()
    assert first.card.id == "T00001" and first.card.user == "lin"
    assert (first.ticket.category, first.ticket.priority) == ("damaged", "high")
    assert first.ticket.assignee == "zhou" and first.ticket.state == "open"
    second = await house.open(HE, category="invoice")
    assert second.ticket.assignee == "wu" and second.ticket.priority == "normal"


async def test_the_same_key_opens_it_once(house: House) -> None:
    views = await asyncio.gather(*(house.open(key="k") for _ in range(4)))
    assert {v.card.id for v in views} == {"T00001"}
    assert (await house.open(HE, key="k")).card.id == "T00002"


async def test_anothers_ticket_looks_like_none(house: House) -> None:
    id = (await house.open()).card.id
    strangers = (HE, replace(ZHOU, tenant="other"), replace(LIN, tenant="other"))
    for stranger in strangers:
        with pytest.raises(NotFound) as none:
            await house.service.view(stranger, "T99999", NOON)
        with pytest.raises(NotFound) as other:
            await house.service.view(stranger, id, NOON)
        with pytest.raises(NotFound):
            await house.service.act(stranger, id, "close", NOON)
        assert str(none.value) == str(other.value)
        assert await house.service.find(stranger, Wanted()) == []
    assert [c.id for c in await house.service.find(LIN, Wanted(user="he"))] == [id]
    assert [c.id for c in await house.service.find(ZHOU, Wanted())] == [id]


@pytest.mark.parametrize("act", ["resolve", "reply", "note", "prioritise", "spam", "assign"])
async def test_customers_do_not_do_the_desks_work(house: House, act: Any) -> None:
    id = (await house.open()).card.id
    with pytest.raises((Refused, AccessError)):
        await house.service.act(LIN, id, act, NOON + 1, "x", priority="low")


async def test_customers_see_no_inner_events_and_no_clocks(house: House) -> None:
    id = (await house.open()).card.id
    await house.service.act(ZHOU, id, "note", NOON + 1, "客户很生气")
    await house.service.act(ZHOU, id, "reply", NOON + 2, "马上处理")
    seen = await house.service.view(LIN, id, NOON + 3)
    assert seen.clocks is None and seen.card.due is None and seen.summary is None
    assert "客户很生气" not in str(seen) and "zhou" not in str([e.data for e in seen.events])
    assert [e.text for e in seen.events if e.act == "reply"] == ["马上处理"]


async def test_only_a_supervisor_gives_tickets_to_others(house: House) -> None:
    id = (await house.open()).card.id
    with pytest.raises(AccessError):
        await house.service.act(WU, id, "assign", NOON + 1, to="zhou")
    with pytest.raises(AccessError):
        await house.service.act(WU, id, "unassign", NOON + 1)
    assert (await house.service.act(WU, id, "assign", NOON + 1)).ticket.assignee == "wu"
    assert (
        await house.service.act(LI, id, "assign", NOON + 2, to="zhou")
    ).ticket.assignee == "zhou"
    with pytest.raises(CallerError, match="does not work"):
        await house.service.act(LI, id, "assign", NOON + 3, to="he")
    with pytest.raises(CallerError, match="no user"):
        await house.service.act(LI, id, "assign", NOON + 3, to="nobody")


async def test_only_orders_that_are_the_customers_are_attached(house: House) -> None:
    view = await house.open(orders=("ORD12345", "ORD20001", "ORD99999"))
    assert view.ticket.orders == ("ORD12345",)
    assert {u for u, _ in house.looked} == {"lin"}, "looked up with the customer's rights"
    with pytest.raises(CallerError, match="ORD20001"):
        await house.service.act(ZHOU, view.card.id, "attach", NOON + 1, orders=["ORD20001"])


async def test_orders_come_from_results_and_not_from_words(house: House) -> None:
    house.say(
        "lin", "t", asked("ORD12345 和 ORD77777 到哪了?"), *called("ORD12345", {"status": "packed"})
    )
    house.say(
        "lin", "t", *called("ORD77777", {"error": "not_found"}), Message("assistant", "已打包")
    )
    assert (await house.open(thread="t")).ticket.orders == ("ORD12345",)


async def test_a_handover_tells_what_was_asked_found_and_open(house: House) -> None:
    house.say("lin", "t", asked("ORD12345 到哪了?"), *called("ORD12345", {"status_text": "已打包"}))
    house.say(
        "lin", "t", Message("assistant", "已打包。"), asked("谢谢"), Message("assistant", "不客气")
    )
    house.say(
        "lin", "t", asked("我要退款"), *called("ORD12345", {"error": "forbidden"}, "request_refund")
    )
    view = await house.service.hand_over(LIN, "t", "转人工", NOON)
    told = view.events[-1] if view.events[-1].act == "hand_over" else view.events[-2]
    assert told.data == {}, "the summary is the desk's"
    seen = await house.service.view(ZHOU, view.card.id, NOON)
    summary = next(e for e in seen.events if e.act == "hand_over").data["summary"]
    assert summary["asked"] == ["ORD12345 到哪了?", "我要退款"]
    assert "已打包" in summary["looked_up"][0] and summary["orders"] == ["ORD12345"]
    assert any("无权" in o for o in summary["open"])
    assert summary["last"][-1] == {"who": "customer", "text": "我要退款"}


@pytest.mark.parametrize("invented", ["客户要退 ORD12346", "已等 9 天", "金额 1,299 元"])
async def test_a_models_words_with_a_number_nobody_said_are_dropped(
    house: House, invented: str
) -> None:
    house.say("lin", "t", asked("ORD12345 到哪了?等了 3 天"), Message("assistant", "在查"))
    for words, kept in ((invented, ""), ("客户问 ord12345,等了 3 天", "客户问 ord12345,等了 3 天")):
        house.worded = words
        view = await house.service.hand_over(LIN, "t", "转人工", NOON)
        seen = await house.service.view(ZHOU, view.card.id, NOON)
        assert seen.events[-1].data["summary"]["wording"] == kept or any(
            e.act == "hand_over" and e.data["summary"]["wording"] == kept for e in seen.events
        )
        await house.service.act(ZHOU, view.card.id, "resolve", NOON + 1)
    assert unfounded("第 3 条", ["说了 3 条"]) == []


async def test_while_a_person_has_it_what_the_customer_writes_is_theirs(house: House) -> None:
    assert await house.service.held(LIN, "t", "还在吗", NOON) == ""
    id = (await house.service.hand_over(LIN, "t", "转人工", NOON)).card.id
    with pytest.raises(Refused):
        await house.service.hand_over(LIN, "t", "转人工", NOON)
    await house.service.act(ZHOU, id, "ask_customer", NOON + 5, "请发照片")
    assert house.threads["lin", "t"][-1].message.content == "请发照片"
    assert await house.service.held(LIN, "t", "照片发了", NOON + 9) == id
    assert await house.service.held(HE, "t", "照片发了", NOON + 9) == ""
    view = await house.service.view(ZHOU, id, NOON + 10)
    assert view.ticket.state == "open" and view.events[-1].text == "照片发了"
    await house.service.act(ZHOU, id, "hand_back", NOON + 11, "已登记,可以继续答")
    assert await house.service.held(LIN, "t", "好的", NOON + 12) == ""


async def test_the_queue_shows_what_is_due_first(house: House) -> None:
    low = await house.open(priority="low", at=NOON)
    urgent = await house.open(ZHOU, user="lin", priority="urgent", at=NOON + 60)
    done = await house.open(ZHOU, user="lin", priority="urgent", at=NOON + 30)
    await house.service.act(ZHOU, done.card.id, "resolve", NOON + 90)
    cards = await house.service.find(ZHOU, Wanted())
    assert [c.id for c in cards] == [urgent.card.id, low.card.id, done.card.id]
    assert cards[0].due == NOON + 60 + 15 * MINUTE and cards[2].due is None


async def test_breaches_are_marked_once_and_resolved_tickets_are_closed(house: House) -> None:
    id = (await house.open(ZHOU, user="lin", priority="urgent")).card.id
    assert await house.store.due(NOON + 60) == []
    near = NOON + 12 * MINUTE
    assert await house.store.due(near) == [(id, "default")]
    assert await house.service.mark(id, "default", near) == 1
    assert await house.store.due(near) == []
    late = NOON + 16 * MINUTE
    assert await house.service.mark(id, "default", late) == 1
    assert await house.service.mark(id, "default", late) == 0
    assert [e.act for e in (await house.service.view(ZHOU, id, late)).events[-2:]] == [
        "warned", "breached",
    ]  # fmt: skip
    await house.service.act(ZHOU, id, "resolve", late)
    assert await house.store.resolved_before(late - 1) == []
    assert await house.store.resolved_before(late) == [(id, "default")]
    await house.service.close(id, "default", late + 3 * DAY)
    assert (await house.service.view(LIN, id, late)).ticket.state == "closed"


async def test_two_people_at_once_lose_nothing(house: House) -> None:
    id = (await house.open()).card.id
    acts = [house.service.act(who("zhou"), id, "note", NOON + 1, f"n{i}") for i in range(4)]
    await asyncio.gather(*acts)
    notes = [e.text for e in (await house.service.view(ZHOU, id, NOON)).events if e.act == "note"]
    assert sorted(notes) == ["n0", "n1", "n2", "n3"]


async def test_duplicates_are_merged_only_into_a_living_one_of_the_same_customer(
    house: House,
) -> None:
    one, two, other = await house.open(), await house.open(), await house.open(HE)
    for into in (one.card.id, other.card.id):
        with pytest.raises(CallerError):
            await house.service.act(ZHOU, one.card.id, "merge", NOON + 1, into=into)
    view = await house.service.act(ZHOU, one.card.id, "merge", NOON + 1, into=two.card.id)
    assert (view.ticket.state, view.ticket.merged_into) == ("closed", two.card.id)
    with pytest.raises(CallerError, match="is over"):
        await house.service.act(ZHOU, two.card.id, "merge", NOON + 1, into=one.card.id)


async def test_who_is_erased_is_gone_from_the_desk(house: House) -> None:
    own = (await house.open()).card.id
    id = (await house.open(HE)).card.id
    await house.service.act(ZHOU, id, "reply", NOON + 1, "您好")
    assert await house.store.forget("lin") == 1
    with pytest.raises(NotFound):
        await house.service.view(ZHOU, own, NOON)
    assert await house.store.forget("zhou") == 0
    view = await house.service.view(LI, id, NOON + 2)
    assert view.ticket.assignee == ERASED and "zhou" not in str(view)


async def test_what_people_write_does_not_lie_open_in_the_file(house: House) -> None:
    await house.open(title="蓝莓味的投诉", text="机密备注")
    async with house.database.read() as connection:
        for table in ("desk_tickets", "desk_events"):
            rows = (await connection.exec_driver_sql(f"SELECT * FROM {table}")).all()
            assert "蓝莓" not in str(rows) and "机密" not in str(rows)
