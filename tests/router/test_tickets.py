"""Tickets: decided once, by somebody who may, in time; carried out by whoever holds the lease."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, update

from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.principal import Principal
from dazi.router.approval import Asked, Ticket
from dazi.router.restored import let_lie
from dazi.router.tickets import MAX_REASON, TicketStore, tickets
from tests.router.conftest import House

LIN = Principal("lin", frozenset({"finance"}))
BOSS = Principal("boss", frozenset({"manager", "staff"}))
ASKED = Asked(
    "lin", "default", "api", "th", "t1", "c1", "request_refund", {"amount": 100},
    {"amount": ("person",), "order_id": ("tool:x",)}, "p1",
)  # fmt: skip
BY_ROLE = replace(ASKED, approver="manager")


async def alter(house: House, ticket: Ticket, **columns: Any) -> None:
    async with house.database.write() as connection:
        await connection.execute(update(tickets).where(tickets.c.id == ticket.id).values(**columns))


async def test_what_is_issued_is_found_as_it_was(house: House) -> None:
    made = await house.tickets.issue(BY_ROLE)
    found = await house.tickets.get(made.id)
    assert found == made and found.genuine and found.state == "pending"
    assert found.expires - found.at == pytest.approx(house.tickets.approval_s)
    own = await house.tickets.issue(ASKED)
    assert own.expires - own.at == pytest.approx(house.tickets.lifetime_s)
    assert ASKED.untrusted == {"order_id": ("tool:x",)}
    assert (found.user, found.thread, found.turn, found.call, found.tool, found.approver) == (
        "lin", "th", "t1", "c1", "request_refund", "manager",
    )  # fmt: skip
    with pytest.raises(NotFound):
        await house.tickets.get("none")


async def test_who_sees_what_waits(house: House) -> None:
    own, by_role = await house.tickets.issue(ASKED), await house.tickets.issue(BY_ROLE)
    elsewhere = await house.tickets.issue(replace(ASKED, thread="other"))
    store = house.tickets
    assert [t.id for t in await store.pending(LIN)] == [own.id, by_role.id, elsewhere.id]
    assert [t.id for t in await store.pending(LIN, "th")] == [own.id, by_role.id]
    assert [t.id for t in await store.pending(BOSS, own=False)] == [by_role.id]
    assert await store.pending(replace(BOSS, tenant="x"), own=False) == []
    assert await store.pending(LIN, own=False) == []


async def test_the_requester_decides_their_own_and_takes_any_back(house: House) -> None:
    made = await house.tickets.decide((await house.tickets.issue(ASKED)).id, LIN, True)
    assert (made.state, made.decided_by, made.approved_by) == ("approved", "lin", frozenset())
    back = await house.tickets.decide((await house.tickets.issue(BY_ROLE)).id, LIN, False, " 算了 ")
    assert (back.state, back.reason) == ("rejected", "算了")


async def test_a_second_person_decides_where_one_must(house: House) -> None:
    waiting = await house.tickets.issue(BY_ROLE)
    with pytest.raises(AccessError, match="somebody else"):
        await house.tickets.decide(waiting.id, LIN, True)
    made = await house.tickets.decide(waiting.id, BOSS, True)
    assert made.decided_by == "boss" and made.approved_by == BOSS.roles


async def test_to_others_it_does_not_exist(house: House) -> None:
    own, by_role = await house.tickets.issue(ASKED), await house.tickets.issue(BY_ROLE)
    for ticket, who in (
        (own.id, BOSS),
        (by_role.id, replace(BOSS, tenant="x")),
        (by_role.id, Principal("eve", frozenset({"finance"}))),
        ("none", BOSS),
    ):
        with pytest.raises(NotFound):
            await house.tickets.decide(ticket, who, True)


async def test_not_twice_not_late_and_with_a_short_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = await house.tickets.issue(ASKED)
    with pytest.raises(CallerError, match="characters"):
        await house.tickets.decide(waiting.id, LIN, False, "x" * (MAX_REASON + 1))
    await house.tickets.decide(waiting.id, LIN, False, "x" * MAX_REASON)
    with pytest.raises(CallerError, match="decided already"):
        await house.tickets.decide(waiting.id, LIN, True)
    late = await house.tickets.issue(ASKED)
    assert not await house.tickets.is_finished(late.id)
    monkeypatch.setattr(time, "time", lambda: late.expires)
    with pytest.raises(CallerError, match="expired"):
        await house.tickets.decide(late.id, LIN, True)
    assert await house.tickets.is_finished(late.id)


async def test_of_two_deciders_one_is_told_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database lets both read it as open, the row tells who came first."""
    waiting = await house.tickets.issue(ASKED)
    made = TicketStore._ticket
    await alter(house, waiting, state="approved")
    monkeypatch.setattr(
        TicketStore, "_ticket", lambda self, row: replace(made(self, row), state="pending")
    )
    with pytest.raises(CallerError, match="decided already"):
        await house.tickets.decide(waiting.id, LIN, True)


async def test_what_nobody_carries_out_any_more_is_taken_up_once(house: House) -> None:
    store = TicketStore(house.database, house.private, 900.0, lease_s=0.0)
    waiting = await store.issue(ASKED)
    assert await store.take_up() == []
    await store.decide(waiting.id, LIN, True)
    assert [t.id for t in await store.take_up()] == [waiting.id]
    assert [t.id for t in await TicketStore(house.database, house.private, 900.0).take_up()] == [
        waiting.id
    ]
    assert await store.take_up() == []  # under a lease that goes on
    await alter(house, waiting, lease=None)
    await store.finish(waiting.id)
    assert await store.take_up() == [] and await store.is_finished(waiting.id)
    assert await store.is_finished("none")


async def test_rows_from_before_there_were_sources_and_channels(house: House) -> None:
    async with house.database.write() as connection:
        row = {
            "id": "old", "at": 1.0, "expires": 2.0, "user": "lin", "tenant": "default",
            "thread": "th", "turn": "t", "call": "c", "tool": "x", "arguments": "{}",
            "digest": "d", "policy": "p", "state": "pending",
        }  # fmt: skip
        await connection.execute(insert(tickets).values(row))
    found = await house.tickets.get("old")
    assert not found.genuine
    assert (found.asked.sources, found.asked.channel, found.approver) == ({}, "", "")


async def test_tickets_that_come_back_with_a_backup_lie(house: House) -> None:
    """Those that may still be agreed to are told; those that were under way are not taken up."""
    store = TicketStore(house.database, house.private, 900.0, lease_s=0.0)
    await store.issue(ASKED)
    decided = await store.issue(ASKED)
    await store.decide(decided.id, LIN, True)
    async with house.database.write() as connection:
        lying = await let_lie(connection)
    assert (lying.undecided, lying.stopped) == (1, 1)
    assert await store.take_up() == []
