"""Rows of the inbox under several workers, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.gateway.channels.inbox import Held, Inbox, Lost
from dazi.gateway.channels.protocol import Card, Click, Incoming, Part
from dazi.main.database import declare_tables
from dazi.store.database import Database
from tests.store.conftest import url  # noqa: F401

CARD = Card("t@1", "t", "title", (("n", "v"),), "note", "yes", "no")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:  # noqa: F811
    declare_tables()
    made = Database(url)
    await made.create()
    yield made
    await made.close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def inboxes(database: Database, tmp_path: Path) -> AsyncIterator[tuple[Inbox, Inbox, Clock]]:
    """Of two processes."""
    keys, clock = SubjectKeys(tmp_path / "audit"), Clock()
    private = Private(keys)
    yield Inbox(database, private, clock), Inbox(database, private, clock), clock
    keys.close()


async def taken(inbox: Inbox, most: int = 10) -> list[Held]:
    return await inbox.claim(["c"], most, 30.0)


def said(id: str, sender: str = "a", created: float = 1.0) -> Incoming:
    return Incoming(id, sender, created, text=f"text {id}", reply_to={"k": "v"})


async def test_a_message_is_kept_once_and_comes_back_whole(
    inboxes: tuple[Inbox, Inbox, Clock],
) -> None:
    one, two, _ = inboxes
    message = Incoming("m", "a", 1.5, "click", "x", "conv", ("p",), Click("t", approve=True))
    assert [await i.put("c", message, "li", 0.0) for i in (one, two, one)] == [True, False, False]
    (held,) = await taken(two)
    assert (held.message, held.user, held.parts, held.attempts) == (message, "li", None, 1)
    assert await one.put("other", message, "li", 0.0)


async def test_a_person_s_messages_are_taken_one_at_a_time_in_order(
    inboxes: tuple[Inbox, Inbox, Clock],
) -> None:
    one, two, clock = inboxes
    for id, created in (("third", 3.0), ("first", 1.0), ("second", 2.0)):
        await one.put("c", said(id, created=created), "li", 0.5)
    await one.put("c", said("b", "b"), "wang", 0.5)
    assert await taken(one) == []  # an earlier one may still come
    clock.now += 1
    found = await taken(one, 10)
    assert sorted(h.message.id for h in found) == ["b", "first"]
    assert await taken(two) == []
    (first,) = [h for h in found if h.message.id == "first"]
    first = await one.ready(first, [Part("x"), Part(card=CARD)], sending=True)
    await one.mark(first, 1, sending=False)
    await one.later(first, 5.0)
    assert await taken(two) == []  # what waits keeps its place
    clock.now += 6
    (again,) = await taken(two)
    assert (again.parts, again.sent, again.doubtful) == ((Part("x"), Part(card=CARD)), 1, False)
    await two.done(again, 2)
    (second,) = await taken(one)
    assert second.message.id == "second"


async def test_whose_lease_ran_out_may_do_nothing_more(
    inboxes: tuple[Inbox, Inbox, Clock],
) -> None:
    one, two, clock = inboxes
    await one.put("c", said("m"), "li", 0.0)
    (lost,) = await taken(one)
    lost = await one.ready(lost, [Part("x"), Part("y")], sending=True)
    clock.now += 20
    await one.beat([lost.worker], 30.0)
    clock.now += 20
    assert await taken(two) == []
    clock.now += 20
    (held,) = await taken(two)
    # It was handing over the first part: that may have arrived, and is not handed over again.
    assert (held.doubtful, held.sent, held.began, held.turn) == (True, 1, lost.began, lost.turn)
    for act in (one.mark(lost, 1, sending=True), one.done(lost, 2), one.later(lost, 1.0)):
        with pytest.raises(Lost):
            await act
    await two.done(held, 2)
    assert await one.waiting("c") == {"done": 1}
    assert await one.prune(clock.now - 1) == 0 and await one.prune(clock.now + 1) == 1


async def test_many_workers_take_each_row_once(inboxes: tuple[Inbox, Inbox, Clock]) -> None:
    one, two, _ = inboxes
    for i in range(40):
        await one.put("c", said(f"m{i}", f"p{i % 10}", float(i)), "li", 0.0)
    seen: list[tuple[str, float]] = []

    async def work(inbox: Inbox) -> None:
        while found := await taken(inbox, 3):
            for held in found:
                seen.append((held.person, held.message.created))
                await inbox.done(held, 0)

    for _ in range(3):
        await asyncio.gather(*(work(i) for i in (one, two, one, two)))
    assert len(seen) == len(set(seen)) == 40
    for person in {p for p, _ in seen}:
        times = [t for p, t in seen if p == person]
        assert times == sorted(times)


async def test_what_nobody_can_read_any_more_keeps_nobody_waiting(
    inboxes: tuple[Inbox, Inbox, Clock],
) -> None:
    """Its person was erased while it waited."""
    one, _, _ = inboxes
    await one.put("c", said("first", created=1.0), "li", 0.0)
    await one.put("c", said("second", created=2.0), "", 0.0)
    one._private._keys.destroy("li")
    assert await taken(one) == []
    assert await one.waiting("c") == {"failed": 1, "received": 1}
    (held,) = await taken(one)
    assert held.message.id == "second"


async def test_what_a_channel_left_that_is_gone_is_deleted(
    inboxes: tuple[Inbox, Inbox, Clock],
) -> None:
    """Answered or not; what came lately may be answered once the channel is back."""
    one, _, clock = inboxes
    await one.put("gone", said("old"), "li", 0.0)
    await one.put("c", said("old"), "li", 0.0)
    clock.now += 100
    await one.put("gone", said("new"), "li", 0.0)
    assert await one.prune_gone(clock.now - 50, ["c"]) == 1
    assert {name: n for name, (n, _) in (await one.open()).items()} == {"c": 1, "gone": 1}
    assert await one.prune_gone(clock.now + 1, ()) == 2 and await one.open() == {}
