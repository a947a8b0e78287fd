"""The answer that is being made, without a server: how it begins, how much is kept, who makes room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from dazi.core.engine import Usage
from dazi.core.errors import OverloadError
from dazi.core.principal import Principal
from dazi.core.turn import AnswerDelta, TurnEvent, TurnFinished
from dazi.gateway.widget import talk as talks
from dazi.gateway.widget.talk import Begun, Talk, Talks

BUSY = OverloadError("busy", "忙", "busy", 5.0)


def told(event: TurnEvent) -> dict[str, Any]:
    match event:
        case AnswerDelta(text):
            return {"type": "delta", "text": text}
        case TurnFinished():
            return {"type": "end", "answer": event.answer}
    return {"type": "other"}


def turn(events: AsyncGenerator[TurnEvent, None], key: str = "") -> Begun:
    return Begun(events, told, "到哪了?", "zh", key)


async def ended(talk: Talk) -> None:
    async with asyncio.timeout(10):
        while talk.running:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_turn_that_is_refused_late_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waited for a place longer than the request did."""
    monkeypatch.setattr(talks, "FIRST_S", 0.01)
    go = asyncio.Event()

    async def waits() -> AsyncGenerator[TurnEvent, None]:
        await go.wait()
        raise BUSY
        yield AnswerDelta("")

    talk = Talk("t")
    await talk.begin(turn(waits()), 0)
    go.set()
    await ended(talk)
    (_, event) = talk.since(0)[-1]
    assert (event["type"], event["code"]) == ("error", "busy")


async def test_a_message_that_comes_again_while_it_begins_is_the_same_one() -> None:
    go = asyncio.Event()

    async def waits() -> AsyncGenerator[TurnEvent, None]:
        await go.wait()
        yield TurnFinished("好。", (), Usage(), 1.0)

    talk = Talk("t")
    first = asyncio.create_task(talk.begin(turn(waits(), "k1"), 0))
    await asyncio.sleep(0)
    assert talk.has("k1")
    go.set()
    await first
    await ended(talk)


async def test_what_could_not_begin_may_be_sent_again() -> None:
    async def refuses() -> AsyncGenerator[TurnEvent, None]:
        raise BUSY
        yield AnswerDelta("")

    talk = Talk("t")
    with pytest.raises(OverloadError):
        await talk.begin(turn(refuses(), "k1"), 0)
    await ended(talk)
    assert not talk.has("k1")


async def test_a_very_long_answer_is_heard_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talks, "MOST_EVENTS", 3)

    async def long() -> AsyncGenerator[TurnEvent, None]:
        for n in range(9):
            yield AnswerDelta(str(n))
        yield TurnFinished("012345678", (), Usage(), 1.0)

    talk = Talk("t")
    await talk.begin(turn(long()), 0)
    await ended(talk)
    kept = talk.since(0)
    assert len(kept) == 5
    assert "".join(e["text"] for _, e in kept if e["type"] == "delta") == "012345678"
    # Whoever has heard all of it is at the last number: nobody waits for what never comes.
    assert kept[-1][0] == talk.last and kept[-1][1]["type"] == "end"


async def test_whoever_talks_now_makes_the_longest_idle_go() -> None:
    made = Talks(most=2)
    ann, ben, cid = (Principal(f"guest:shop:{n}", frozenset()) for n in "abc")
    first, second = made.open(ann, "1"), made.open(ben, "2")
    first.used, second.used = 1.0, 2.0
    made._idle_s = 1e12
    made.open(cid, "3")
    assert made.find(ann, "") is None and made.find(ben, "") is second
    second.listeners = 1
    made.find(cid, "").listeners = 1  # type: ignore[union-attr]
    with pytest.raises(OverloadError):
        made.open(ann, "4")
