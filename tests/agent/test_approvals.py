"""Requests that a second person decides, reasons, and what happens when the process stops in between."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.turn import CallFinished, ConfirmationNeeded
from dazi.main.settings import demo_folder
from dazi.memory.threads import Kept
from dazi.router.tickets import MAX_REASON
from tests.agent.conftest import House, Said, Start

REFUND = ("request_refund", {"order_id": "ORD12345", "amount": "100", "reason": "漏发"})
QUESTION = "给 ORD12345 退 100 元,漏发"
POLICY = """
@id("second-person")
forbid (principal, action == Action::"request_refund", resource)
unless { context.approved_by.contains("manager") };
"""


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """The demo company where every refund needs a manager."""
    folder = tmp_path / "company"
    shutil.copytree(demo_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "policies" / "refunds.cedar").write_text(POLICY, encoding="utf-8")
    return folder


async def kept(h: House, user: str, thread: str) -> list[Kept]:
    principal = h.runtime.directory.principal(user, "test")
    return await h.runtime.service.threads.load(thread, principal)


async def waiting(h: House, user: str) -> list[str]:
    principal = h.runtime.directory.principal(user, "test")
    return [t.id for t in await h.runtime.service.approvals(principal)]


async def asked(h: House) -> Said:
    return await h.ask("finance", QUESTION, "t")


async def test_somebody_else_approves_and_the_requester_s_thread_goes_on(
    house: Start, company: Path
) -> None:
    h = await house([[REFUND], "退款已经提交。"], company=company)
    said = await asked(h)
    (event,) = [e for e in said.events if isinstance(e, ConfirmationNeeded)]
    assert event.approver == "manager"
    assert said.end.answer == "这个操作需要经理批准后才会执行,已经提交。"
    assert await h.audit("call") == []
    # Neither a word nor the button of the requester decides it.
    again = await h.ask("finance", "确认", "t2")
    assert again.calls == []
    with pytest.raises(AccessError) as caught:
        await h.decide("finance", said.ticket)
    assert caught.value.code == "second_person"
    for other in ("staff", "supervisor", "customer"):
        with pytest.raises(NotFound):
            await h.decide(other, said.ticket)
        assert await waiting(h, other) == []
    assert await waiting(h, "manager") == [said.ticket]
    h.script("退款已经提交。")
    done = await h.decide("manager", said.ticket)
    assert [(r.name, r.outcome) for r in done.end.calls] == [("request_refund", "ok")]
    assert done.record.result is None  # the outcome is the manager's to know, the rest is not
    assert await waiting(h, "manager") == []
    messages = [k.message for k in await kept(h, "finance", "t")]
    assert [m.role for m in messages[-3:]] == ["assistant", "tool", "assistant"]
    assert messages[-1].content == "退款已经提交。"
    call = (await h.audit("call"))[0][1]
    assert (call["by"], call["policy"]) == ("manager", "roles:request_refund:finance")
    with pytest.raises(CallerError) as caught_twice:
        await h.decide("manager", said.ticket)
    assert caught_twice.value.code == "already_decided"


async def test_a_rejection_s_reason_reaches_the_person_and_the_model(
    house: Start, company: Path
) -> None:
    smaller = ("request_refund", {"order_id": "ORD12345", "amount": "50", "reason": "漏发"})
    h = await house([[REFUND]], company=company)
    said = await asked(h)
    h.script([smaller])
    done = await h.decide("manager", said.ticket, False, reason="最多退 50 元")
    assert done.record.outcome == "rejected" and "最多退 50 元" in done.record.message
    tool = next(m for m in reversed(h.engine.requests[-1].messages) if m.role == "tool")
    assert "最多退 50 元" in tool.content
    # The model may propose what the reason allows; that waits for a manager again.
    (ticket,) = await waiting(h, "manager")
    assert ticket != said.ticket
    assert [o["outcome"] for _, o in await h.audit("outcome")] == []


async def test_a_small_model_s_thread_tells_the_reason(house: Start, company: Path) -> None:
    h = await house([[REFUND]], company=company, concise=True)
    said = await asked(h)
    await h.decide("manager", said.ticket, False, reason="重复申请")
    last = (await kept(h, "finance", "t"))[-1].message
    assert last.content == "审批没有通过,没有执行。理由:重复申请"


async def test_reasons_have_a_limit_and_nothing_is_lost_over_it(
    house: Start, company: Path
) -> None:
    h = await house([[REFUND]], company=company)
    said = await asked(h)
    with pytest.raises(CallerError) as caught:
        await h.decide("manager", said.ticket, False, reason="长" * (MAX_REASON + 1))
    assert caught.value.code == "reason_too_long"
    assert await waiting(h, "manager") == [said.ticket]


async def test_the_requester_may_take_it_back(house: Start, company: Path) -> None:
    h = await house([[REFUND]], company=company)
    said = await asked(h)
    taken = await h.decide("finance", said.ticket, False)
    assert taken.record.outcome == "rejected"
    assert await waiting(h, "manager") == []


async def test_what_the_requester_may_no_longer_do_is_not_done(house: Start, company: Path) -> None:
    h = await house([[REFUND]], company=company)
    said = await asked(h)
    people = h.runtime.service._people

    def demoted(user: str, channel: str) -> Any:
        from dataclasses import replace

        p = people(user, channel)
        return replace(p, roles=p.roles - {"finance"})

    h.runtime.service._people = demoted
    done = await h.decide("manager", said.ticket)
    assert done.record.outcome == "forbidden"
    assert await h.audit("call") == []


async def test_an_approval_waits_for_the_answer_that_is_being_made_in_the_thread(
    house: Start, company: Path
) -> None:
    h = await house([[REFUND]], company=company)
    said = await asked(h)
    h.script("退款已经提交。")
    principal = h.runtime.directory.principal("finance", "test")
    with h.runtime.service._alone.taken(principal, "t"):
        deciding = asyncio.create_task(h.decide("manager", said.ticket))
        await asyncio.sleep(0.05)
        assert not deciding.done()
    assert (await deciding).record.outcome == "ok"


# --- stops in between ----------------------------------------------------------------------------


async def broken_off(h: House, user: str, ticket: str, events: int) -> None:
    """Decide, and stop listening after so many events: as if the process had gone."""
    principal = h.runtime.directory.principal(user, "test")
    stream = h.runtime.service.decide(principal, ticket, True)
    for _ in range(events):
        await anext(stream)
    await stream.aclose()


async def test_what_was_decided_is_carried_out_after_a_stop(house: Start, company: Path) -> None:
    h = await house([[REFUND]], company=company)
    said = await asked(h)
    h.runtime.router.tickets.lease_s = 0.0
    await broken_off(h, "manager", said.ticket, 1)  # the turn has started, nothing else
    assert await h.audit("call") == []
    h.script("退款已经提交。")
    assert await h.runtime.service.take_up() == 1
    assert len(await h.audit("outcome")) == 1
    assert (await kept(h, "finance", "t"))[-1].message.content == "退款已经提交。"
    assert await h.runtime.service.take_up() == 0


async def test_what_is_being_carried_out_is_not_taken_up(house: Start, company: Path) -> None:
    h = await house([[REFUND]], company=company)
    said = await asked(h)
    principal = h.runtime.directory.principal("manager", "test")
    stream = h.runtime.service.decide(principal, said.ticket, True)
    await anext(stream)
    assert await h.runtime.service.take_up() == 0
    await stream.aclose()


@pytest.mark.parametrize(
    ("state", "outcome"), [("done", "ok"), ("failed", "failed"), ("unknown", "unknown")]
)
async def test_an_effect_that_had_begun_is_not_repeated(
    house: Start, company: Path, state: Any, outcome: str
) -> None:
    """The process stopped after the effect and before the thread heard of it."""
    h = await house([[REFUND]], company=company)
    said = await asked(h)
    tickets = h.runtime.router.tickets
    tickets.lease_s = 0.0
    manager = h.runtime.directory.principal("manager", "test")
    ticket = await tickets.decide(said.ticket, manager, True)
    store = h.runtime.router._intents
    finance = h.runtime.directory.principal("finance", "test")
    key = store.key(finance, ticket.turn, ticket.tool, dict(ticket.arguments), ticket.id)
    await store.begin(key, "finance", ticket.turn, ticket.tool, ticket.arguments)
    result = {"refund_id": "RF00077", "order_id": "ORD12345", "amount": 100}
    await store.settle(key, "finance", state, result if state == "done" else None)
    h.script("退款已经提交。")
    done: list[CallFinished] = []
    execute = h.runtime.connectors["erp"].execute

    async def never(invocation: Any) -> Any:
        raise AssertionError("done twice")

    h.runtime.connectors["erp"].execute = never  # type: ignore[method-assign]
    for again in await tickets.take_up():
        stream = h.runtime.service._for_another(again)
        done += [e async for e in stream if isinstance(e, CallFinished)]
    h.runtime.connectors["erp"].execute = execute  # type: ignore[method-assign]
    assert [d.record.outcome for d in done] == [outcome]
    seen = (await kept(h, "finance", "t"))[-2 if state == "done" else -1].message.content
    assert ("RF00077" in seen) is (state == "done")
