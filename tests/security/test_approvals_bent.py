"""No mutation of an approval is carried out; each check taken away lets some through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.security import approvals
from dazi.access.cedar import CedarPolicy
from dazi.access.policy import Decision
from dazi.router.approval import Ticket
from dazi.router.intents import IntentStore
from dazi.router.tickets import TicketStore


async def test_none_is_carried_out() -> None:
    report = await approvals.run(150)
    assert report.executed == {}
    assert report.controls == 6 and len(report.kinds) == 16


async def test_without_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ticket, "genuine", True)
    report = await approvals.run(90)
    assert {"other_arguments_before", "other_arguments_after", "other_arguments_in_hand"} & set(
        report.executed
    )


async def test_without_the_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    make = TicketStore._ticket
    monkeypatch.setattr(
        TicketStore, "_ticket", lambda self, row: replace(make(self, row), expires=1e12)
    )
    assert (await approvals.run(30)).executed["expired"]


async def test_without_the_policy_s_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dazi.access.cedar._version", lambda *_: "one")
    assert (await approvals.run(60)).executed["policy_changed"]


async def test_without_deciding_again(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = CedarPolicy.decide

    def once(self: Any, principal: Any, tool: Any, facts: Any) -> Decision:
        if facts.confirmed and not facts.approved_by:
            return Decision(True, "broken")
        return decide(self, principal, tool, facts)

    monkeypatch.setattr(CedarPolicy, "decide", once)
    assert (await approvals.run(60)).executed["role_lost"]


async def test_without_single_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket that can be replayed, and intents that forget."""

    async def forgets(*_: Any) -> None: ...

    monkeypatch.setattr(IntentStore, "begin", forgets)
    executed = (await approvals.run(60)).executed
    assert executed["replayed"]
