"""The fuzzer finds nothing; and with any one guard taken away, it finds that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from bench.security.malicious import Report, run
from dazi.access.cedar import CedarPolicy
from dazi.access.policy import Decision
from dazi.router import deciding, dispatch
from dazi.router.approval import Ticket
from dazi.router.grounding import Evidence
from dazi.router.intents import IntentStore
from dazi.router.tickets import TicketStore


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Systems that answer nonsense are logged; here all of them do."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


async def test_no_effect_outside_policy() -> None:
    report = await run(600)
    assert report.found == {}
    assert report.effects > 200 and report.decisions > 30
    happened = set(report.outcomes)
    assert {
        "ok",
        "forbidden",
        "unknown_tool",
        "invalid",
        "ungrounded",
        "approved -> ok",
    } <= happened


Patch = Callable[[pytest.MonkeyPatch], None]


def policy(m: pytest.MonkeyPatch) -> None:
    m.setattr(CedarPolicy, "possible", lambda *_: Decision(True, "broken"))
    m.setattr(CedarPolicy, "decide", lambda *_: Decision(True, "broken"))


def second_person(m: pytest.MonkeyPatch) -> None:
    decide = CedarPolicy.decide

    def alone(self: CedarPolicy, *rest: Any) -> Decision:
        return replace(decide(self, *rest), approver="")

    m.setattr(CedarPolicy, "decide", alone)
    whole = deciding.Decider.approved

    def approved(self: Any, ticket: Ticket, turn: Any) -> Any:
        manager = replace(ticket, approved_by=frozenset({"manager", "supervisor"}))
        return whole(self, manager, turn)

    m.setattr(deciding.Decider, "approved", approved)


def offered(m: pytest.MonkeyPatch) -> None:
    whole = deciding.Decider.proposal

    def any_tool(self: Any, proposed: Any, turn: Any) -> Any:
        return whole(self, proposed, replace(turn, offered=frozenset(self.company.tools)))

    m.setattr(deciding.Decider, "proposal", any_tool)


def grounding(m: pytest.MonkeyPatch) -> None:
    m.setattr(deciding, "_ground", lambda *_: None)


def where_it_goes(m: pytest.MonkeyPatch) -> None:
    """A payee or an amount that only a system named passes as if the person had said it."""
    m.setattr(Evidence, "origins", lambda *_: ("person",))


def confirmation(m: pytest.MonkeyPatch) -> None:
    whole = deciding.Decider.proposal

    def nobody(self: Any, proposed: Any, turn: Any) -> Any:
        return replace(whole(self, proposed, turn), person=False)

    m.setattr(deciding.Decider, "proposal", nobody)


def decided(m: pytest.MonkeyPatch) -> None:
    whole = deciding.Decider.approved

    def anyhow(self: Any, ticket: Ticket, turn: Any) -> Any:
        return whole(self, replace(ticket, state="approved", decided_by="x"), turn)

    m.setattr(deciding.Decider, "approved", anyhow)


def identity(m: pytest.MonkeyPatch) -> None:
    m.setattr(deciding, "bind", lambda tool, *_: dict.fromkeys(tool.bind))


def schema(m: pytest.MonkeyPatch) -> None:
    m.setattr(deciding, "check_canonical", lambda *_: None)


def audit(m: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any) -> asyncio.Future[None]:
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    m.setattr(dispatch.FunctionRouter, "_put", nothing)


def intent(m: pytest.MonkeyPatch) -> None:
    async def nothing(*_: Any) -> None: ...

    m.setattr(IntentStore, "begin", nothing)


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        (policy, "no role allows it"),
        (second_person, "agreed"),
        (offered, "not offered"),
        (grounding, "came from nowhere"),
        (confirmation, "nobody agreed"),
        (decided, "what was agreed to is something else"),
        (identity, "bound argument"),
        (schema, "is before start"),
        (audit, "not audited"),
        (intent, "no intent was written"),
    ],
)
async def test_a_guard_taken_away_is_noticed(
    monkeypatch: pytest.MonkeyPatch, guard: Patch, said: str
) -> None:
    guard(monkeypatch)
    report = Report()
    for seed in range(2, 8):
        report = await run(400, seed)
        if any(said in v for v in report.found):
            return
    raise AssertionError(f"{guard.__name__} is missing and nothing was noticed: {report}")


async def test_the_ticket_store_s_own_check_is_noticed_when_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Anybody's decision counts: then the mutations of approvals are carried out."""
    from bench.security import approvals
    from dazi.router import tickets

    def anybody(ticket: Ticket, principal: Any, approve: bool) -> frozenset[str]:
        return principal.roles | {"manager"}

    monkeypatch.setattr(tickets, "may_decide", anybody)
    report = await approvals.run(30)
    assert report.executed["wrong_person"]
    assert TicketStore is tickets.TicketStore
