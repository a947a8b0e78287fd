"""A call through all its steps: what comes out, what is on record, and what reaches a system."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from dazi.core.errors import ConnectorError, OperatorError
from dazi.guard.engine import Guard
from dazi.guard.rules import DEFAULTS, Rules
from dazi.guard.words import WordList
from dazi.router.care import CareRules
from dazi.router.intents import IntentStore
from tests.router.conftest import House, Open

ORDER = '{"order_id": "ORD12345"}'
NOTE = '{"order_id": "ORD12345", "note": "加急"}'
REFUND = '{"order_id": "ORD12345", "amount": 100, "reason": "漏发"}'
SAID = "ORD12345 加急,退 100 元,漏发"


def bodies(house: House, kind: str) -> list[dict[str, Any]]:
    return [json.loads(r.body) for r in house.sink.records if r.kind == kind]


async def test_a_read_is_done_and_on_record(house: House) -> None:
    house.systems.answer = {"order_id": "ORD12345", "status": "packed"}
    turn = house.turn("staff", SAID)
    record = await house.call(turn, "get_order_status", ORDER)
    assert record.outcome == "ok" and record.result["status_text"] == "已打包"
    assert [b["outcome"] for b in bodies(house, "call") + bodies(house, "outcome")] == ["ok", "ok"]
    assert turn.done == [record] and turn.evidence.of("get_order_status")


async def test_nothing_found(house: House) -> None:
    house.systems.answer = None
    record = await house.call(house.turn("staff", SAID), "get_order_status", ORDER)
    assert record.outcome == "not_found" and record.message


@pytest.mark.parametrize(
    ("error", "of_a_read", "of_a_write"),
    [
        (ConnectorError("timeout", "错", "x"), "timeout", "timeout"),
        (ConnectorError("timeout", "错", "x", effect_possible=True), "timeout", "unknown"),
        (ConnectorError("unavailable", "错", "x"), "unavailable", "unavailable"),
        (ConnectorError("invalid", "错", "x"), "invalid", "invalid"),
        (ConnectorError("refused", "错", "x"), "rejected", "rejected"),
        (TimeoutError(), "timeout", "unknown"),
        (ZeroDivisionError(), "unavailable", "unknown"),
    ],
)
async def test_what_becomes_of_a_failure(
    house: House, error: Exception, of_a_read: str, of_a_write: str
) -> None:
    """Of a write that may have happened nobody says that it failed."""
    house.systems.answer = error
    turn = house.turn("supervisor", SAID)
    read = await house.call(turn, "get_order_status", ORDER)
    wrote = await house.call(turn, "update_order_note", NOTE)
    assert (read.outcome, wrote.outcome) == (of_a_read, of_a_write)
    assert read.message and wrote.message
    state = "unknown" if of_a_write == "unknown" else "failed"
    assert (await house.intents.get(house.systems.asked[-1].idempotency_key)).state == state


async def test_an_answer_that_cannot_be_read_leaves_a_write_unknown(house: House) -> None:
    house.systems.answer = {"orders": 5, "rows": 5}
    turn = house.turn("supervisor", SAID)
    listed = await house.call(turn, "list_orders", "{}")
    assert listed.outcome == "unavailable"
    note = house.company.tools["update_order_note"]
    many = replace(note, result=replace(note.result, shape="many"))
    house.company.tools["update_order_note"] = many  # type: ignore[index]
    wrote = await house.call(turn, "update_order_note", NOTE)
    assert wrote.outcome == "unknown" and "核实" in wrote.message


async def test_the_same_write_twice_happens_once(house: House) -> None:
    turn = house.turn("supervisor", SAID)
    assert (await house.call(turn, "update_order_note", NOTE)).outcome == "ok"
    again = await house.call(turn, "update_order_note", NOTE)
    assert again.outcome == "rejected" and "已经提交" in again.message
    assert len(house.systems.asked) == 1


async def test_without_effects_the_declared_example_answers(open_house: Open) -> None:
    house = open_house(execute=False)
    turn = house.turn("supervisor", SAID)
    assert (await house.call(turn, "get_order_status", ORDER)).result["item"] == "蓝牙耳机"
    assert (await house.call(turn, "update_order_note", NOTE)).outcome == "ok"
    assert house.systems.asked == [] and await house.intents.unsettled() == []


async def test_what_is_known_to_fail_is_not_begun(open_house: Open) -> None:
    house = open_house(rules=CareRules(attempts=1, failures=1))
    house.systems.answer = ConnectorError("unavailable", "错", "x")
    turn = house.turn("supervisor", SAID)
    await house.call(turn, "get_order_status", ORDER)
    record = await house.call(turn, "update_order_note", NOTE)
    assert record.outcome == "unavailable" and len(house.systems.asked) == 1
    assert bodies(house, "decision")[-1]["reason"] == "the system rests"
    assert bodies(house, "call")[-1]["tool"] == "get_order_status"


# --- the ledger or the database away ------------------------------------------------------------


def broken(*_: Any, **__: Any) -> Any:
    raise OperatorError("database", "坏了", "broken")


async def test_a_write_that_cannot_be_recorded_does_not_happen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.sink, "keep", lambda _: False)
    monkeypatch.setattr(house.sink, "append", broken)
    monkeypatch.setattr(house.sink, "append_after", broken)
    turn = house.turn("supervisor", SAID)
    record = await house.call(turn, "update_order_note", NOTE)
    assert record.outcome == "unavailable" and "账本" in record.message
    assert house.systems.asked == []
    assert await house.intents.unsettled() == []  # it is known that it has not happened
    read = await house.call(turn, "get_order_status", ORDER)
    assert read.outcome == "ok"


async def test_without_effects_there_is_no_intent_to_settle(
    open_house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = open_house(execute=False)
    monkeypatch.setattr(house.sink, "keep", lambda _: False)
    monkeypatch.setattr(house.sink, "append", broken)
    monkeypatch.setattr(house.sink, "append_after", broken)
    record = await house.call(house.turn("supervisor", SAID), "update_order_note", NOTE)
    assert record.outcome == "unavailable"


async def test_a_write_whose_intent_cannot_be_kept_does_not_happen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IntentStore, "begin", broken)
    record = await house.call(house.turn("supervisor", SAID), "update_order_note", NOTE)
    assert record.outcome == "unavailable" and house.systems.asked == []


async def test_what_happened_is_told_even_if_it_cannot_be_settled(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IntentStore, "settle", broken)
    record = await house.call(house.turn("supervisor", SAID), "update_order_note", NOTE)
    assert record.outcome == "ok" and len(house.systems.asked) == 1
    assert [i.state for i in await house.intents.unsettled()] == ["begun"]


async def test_a_confirmation_that_cannot_be_kept_is_not_asked_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.tickets, "issue", broken)
    record = await house.call(house.turn("finance", SAID), "request_refund", REFUND)
    assert record.outcome == "unavailable" and not record.ticket


async def test_a_write_goes_on_when_whoever_asked_leaves(house: House) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow() -> Any:
        begun.set()
        await gate.wait()
        return {"order_id": "ORD12345"}

    house.systems.answer = slow
    asking = asyncio.create_task(
        house.call(house.turn("supervisor", SAID), "update_order_note", NOTE)
    )
    await begun.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    gate.set()
    await house.router.settle()
    assert (await house.intents.get(house.systems.asked[0].idempotency_key)).state == "done"


# --- people -----------------------------------------------------------------------------------------


async def test_a_sensitive_call_waits_and_is_done_as_it_was_agreed_to(house: House) -> None:
    turn = house.turn("finance", SAID)
    asked = await house.call(turn, "request_refund", REFUND)
    assert asked.outcome == "needs_confirmation" and house.systems.asked == []
    ticket = await house.tickets.decide(asked.ticket, turn.principal, True)
    assert await house.router.outcome_of(ticket) == "under_way"
    done = await house.router.confirmed(ticket, house.turn("finance"))
    assert done.outcome == "ok" and house.systems.asked[0].arguments == ticket.arguments
    assert await house.router.outcome_of(ticket) == "done"
    assert bodies(house, "call")[-1]["by"] == "finance"


async def test_a_ticket_taken_up_again_hears_what_came_of_it(house: House) -> None:
    turn = house.turn("finance", SAID)
    ticket = await house.agreed(turn, "request_refund", REFUND)
    first = await house.router.confirmed(ticket, house.turn("finance"))
    again = await house.router.confirmed(ticket, house.turn("finance"))
    assert (again.outcome, again.result) == ("ok", first.result)
    key = house.systems.asked[0].idempotency_key
    for state, outcome in (("failed", "failed"), ("unknown", "unknown"), ("begun", "unknown")):
        await house.intents.settle(key, "finance", state)  # type: ignore[arg-type]
        told = await house.router.confirmed(ticket, house.turn("finance"))
        assert (told.outcome, bool(told.message)) == (outcome, True)
    assert len(house.systems.asked) == 1


async def test_who_said_no_is_told_and_on_record(house: House) -> None:
    turn = house.turn("finance", SAID)
    asked = await house.call(turn, "request_refund", REFUND)
    ticket = await house.tickets.decide(asked.ticket, turn.principal, False, "不用了")
    record = await house.router.rejected(ticket, turn)
    assert record.outcome == "rejected" and "不用了" in record.message and record.hint == "不用了"
    told = bodies(house, "decision")[-1]
    assert (told["by"], told["reason"]) == ("finance", "不用了")
    assert house.systems.asked == []


async def test_a_ticket_of_somebody_else_or_changed_or_open_is_not_carried_out(
    house: House,
) -> None:
    turn = house.turn("finance", SAID)
    asked = await house.call(turn, "request_refund", REFUND)
    waiting = await house.tickets.get(asked.ticket)
    agreed = await house.tickets.decide(asked.ticket, turn.principal, True)
    other = replace(turn.principal, tenant="other")
    tries = [
        (waiting, turn),
        (replace(agreed, asked=replace(agreed.asked, tool="gone")), turn),
        (replace(agreed, digest="x"), turn),
        (agreed, house.turn("supervisor")),
        (agreed, replace(turn, principal=other)),
        (_again(agreed, policy="older"), turn),
        (replace(agreed, decided_by=""), turn),
        (_again(agreed, approver="manager"), turn),
    ]
    for ticket, whose in tries:
        assert (await house.router.confirmed(ticket, whose)).outcome == "forbidden"
    assert house.systems.asked == []


def _again(ticket: Any, **changed: Any) -> Any:
    """With a digest that fits: as if somebody could write tickets."""
    asked = replace(ticket.asked, **changed)
    return replace(ticket, asked=asked, digest=asked.digest(ticket.salt))


async def test_what_a_role_must_agree_to_says_so(house: House) -> None:
    turn = house.turn("finance", "ORD12345 退 60000 元,漏发")
    large = '{"order_id": "ORD12345", "amount": 60000, "reason": "漏发"}'
    record = await house.call(turn, "request_refund", large)
    assert record.outcome == "needs_confirmation" and "经理" in record.message


# --- what the guard has to say ------------------------------------------------------------------


async def test_arguments_with_words_that_are_blocked_or_asked_about(open_house: Open) -> None:
    rules = Rules({**DEFAULTS, "arguments": {"word:high": "block", "word:low": "ask"}})
    house = open_house(Guard(rules, words=WordList({"内幕": "high", "加急": "low"})))
    turn = house.turn("supervisor", "ORD12345 加急 内幕 照常")
    asked = await house.call(turn, "update_order_note", NOTE)
    assert asked.outcome == "needs_confirmation"
    blocked = await house.call(turn, "update_order_note", NOTE.replace("加急", "内幕"))
    assert blocked.outcome == "forbidden" and bodies(house, "decision")[-1]["policy"] == "guard"
    plain = await house.call(turn, "update_order_note", NOTE.replace("加急", "照常"))
    assert plain.outcome == "ok"


async def test_results_are_masked_before_anybody_sees_them(open_house: Open) -> None:
    rules = Rules({**DEFAULTS, "results": {"mobile": "mask", "word:high": "block"}})
    house = open_house(Guard(rules, words=WordList({"内幕": "high"})))
    house.systems.answer = {
        "order_id": "ORD12345",
        "note": "打 13800138000 找他",
        "carrier": ["内幕", "顺丰"],
        "amount": 13800138000,
        "shipped": True,
        "item": 3,
    }
    turn = house.turn("staff", SAID)
    result = (await house.call(turn, "get_order_status", ORDER)).result
    assert "13800138000" not in json.dumps(result) and "138" in result["note"]
    assert result["carrier"][1] == "顺丰" and "内幕" not in result["carrier"][0]
    assert (result["shipped"], result["item"]) == (True, 3)
    assert not any("13800138000" in s.text for s in turn.evidence.sources[1:])


async def test_without_the_keys_nothing_is_done(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> str:
        raise OperatorError("audit_keys", "密钥读不出", "the keys cannot be read")

    monkeypatch.setattr(house.intents, "key", lost)
    for tool, arguments in (("get_order_status", '{"order_id": "ORD12345"}'),
                            ("update_order_note", '{"order_id": "ORD12345", "note": "周末送"}')):  # fmt: skip
        record = await house.call(house.turn("supervisor", "ORD12345 周末送"), tool, arguments)
        assert (record.outcome, record.message) == ("unavailable", "密钥读不出")
    assert house.systems.asked == []
