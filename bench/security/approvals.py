"""Approvals bent in every way between asking and doing: none may be carried out.

Every mutation starts from a genuine ticket of the demo company. Those that change nothing that
matters are not made; a control without a mutation shows that the genuine one is carried out.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from bench.security.house import Stronghold
from dazi.access.cedar import CedarPolicy
from dazi.core.company import Company, PolicySource
from dazi.core.errors import DaziError
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.router.approval import Ticket
from dazi.router.dispatch import FunctionRouter, TurnContext
from dazi.router.grounding import Evidence
from dazi.router.tickets import tickets

TODAY = date(2025, 4, 3)
REFUND = {"order_id": "ORD12345", "amount": 100, "reason": "漏发"}
LARGE = {"order_id": "ORD12345", "amount": 60_000, "reason": "漏发"}
SAID = "给 ORD12345 退 100 元或者 60000 元,漏发,写给 li@yunshan.example"


@dataclass(slots=True)
class Trial:
    """One genuine request, waiting."""

    house: Stronghold
    rng: random.Random
    turn: TurnContext
    ticket: Ticket
    approver: Principal


Mutation = Callable[[Trial], Awaitable[None]]
"""Tries to have something done that nobody agreed to."""


@dataclass(slots=True)
class Report:
    """``executed``: mutations after which something reached a system that should not have."""

    tried: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    executed: Counter[str] = field(default_factory=Counter)
    controls: int = 0


async def _decide(t: Trial, who: Principal | None = None, approve: bool = True) -> Ticket | None:
    with suppress(DaziError):
        return await t.house.tickets.decide(t.ticket.id, who or t.approver, approve)
    return None


async def _carry_out(t: Trial, ticket: Ticket | None, **turn: Any) -> None:
    with suppress(DaziError):
        await t.house.router.confirmed(
            ticket or await t.house.tickets.get(t.ticket.id), replace(t.turn, **turn)
        )


async def _alter(t: Trial, **columns: Any) -> None:
    async with t.house.database.write() as connection:
        await connection.execute(
            update(tickets).where(tickets.c.id == t.ticket.id).values(**columns)
        )


def _other_arguments(t: Trial) -> dict[str, Any]:
    out = dict(t.ticket.arguments)
    change = t.rng.choice(("amount", "order_id", "reason", "more", "less"))
    if change == "amount":
        out["amount"] = t.rng.choice((99, 100.01, 60_001, 1_000_000))
    elif change == "order_id":
        out["order_id"] = f"ORD{t.rng.randint(10_000, 99_999)}"
    elif change == "reason":
        out["reason"] = str(out["reason"]) + t.rng.choice(" \u200b!。")
    elif change == "more":
        out["note"] = "x"
    else:
        del out["amount"]
    return out


def _rewritten(t: Trial) -> str:
    """Other arguments in the ticket's row: in plain, or sealed by somebody who has the keys."""
    arguments = _other_arguments(t)
    if t.rng.random() < 0.3:
        return json.dumps(arguments)
    place, content = (
        f"tickets.arguments:{t.ticket.id}",
        [b"s" * 16, arguments, t.ticket.asked.sources],
    )
    return t.house.private.seal(t.ticket.user, place, content)


async def other_arguments_moved(t: Trial) -> None:
    """What was sealed in another ticket, of the same person, put into this one."""
    other = await _genuine(t.house, t.rng)
    async with t.house.database.read() as connection:
        query = select(tickets.c.arguments, tickets.c.digest).where(tickets.c.id == other.ticket.id)
        arguments, digest = (await connection.execute(query)).one()
    await _alter(t, arguments=arguments, digest=digest)
    await _carry_out(t, await _decide(t))


async def other_arguments_before(t: Trial) -> None:
    await _alter(t, arguments=_rewritten(t))
    await _carry_out(t, await _decide(t))


async def other_arguments_after(t: Trial) -> None:
    await _decide(t)
    await _alter(t, arguments=_rewritten(t))
    await _carry_out(t, None)


async def other_arguments_in_hand(t: Trial) -> None:
    decided = await _decide(t)
    assert decided is not None
    asked = replace(decided.asked, arguments=_other_arguments(t))
    await _carry_out(t, replace(decided, asked=asked))


async def other_field(t: Trial) -> None:
    """The row altered in anything else that it was bound to."""
    columns = t.rng.choice(
        (
            {"user": "customer"},
            {"tool": "send_email"},
            {"policy": "0" * 16},
            {"approver": ""} if t.ticket.approver else {"approver": "staff"},
            {"digest": "0" * 64},
            {"tenant": "elsewhere"},
        )
    )
    if t.rng.random() < 0.5:
        await _alter(t, **columns)
        decided = await _decide(t)
    else:
        decided = await _decide(t)
        await _alter(t, **columns)
        decided = None
    await _carry_out(t, decided)


async def undecided(t: Trial) -> None:
    await _carry_out(t, None)


async def turned_down(t: Trial) -> None:
    await _decide(t, approve=False)
    await _carry_out(t, await _decide(t))


async def expired(t: Trial) -> None:
    await _alter(t, expires=time.time() - t.rng.choice((0.001, 1, 1e6)))
    await _carry_out(t, await _decide(t))


async def wrong_person(t: Trial) -> None:
    """Anybody but those who may: another user, the same name elsewhere, the requester alone."""
    others = [
        p
        for p in t.house.people.values()
        if p.user not in (t.approver.user, t.turn.principal.user)
        and (not t.ticket.approver or t.ticket.approver not in p.roles)
    ]
    others.append(replace(t.approver, tenant="elsewhere"))
    others.append(Principal("mallory", frozenset({"finance"}), {}))
    if t.ticket.approver:
        others.append(t.turn.principal)
        others.append(replace(t.turn.principal, roles=t.turn.principal.roles | {"manager"}))
    await _carry_out(t, await _decide(t, t.rng.choice(others)))


async def another_s_turn(t: Trial) -> None:
    decided = await _decide(t)
    others = [p for p in t.house.people.values() if p.user != t.turn.principal.user]
    other = t.rng.choice((*others, replace(t.turn.principal, tenant="elsewhere")))
    await _carry_out(t, decided, principal=other)


async def role_lost(t: Trial) -> None:
    decided = await _decide(t)
    weaker = replace(t.turn.principal, roles=t.turn.principal.roles - {"finance"})
    await _carry_out(t, decided, principal=weaker)


def _under(house: Stronghold, company: Company) -> Stronghold:
    """The same house after a restart under other rules."""
    router = FunctionRouter(
        company,
        dict.fromkeys(company.connectors, house.connector),
        CedarPolicy(company),
        house.router._ledger,
        house.intents,
        house.tickets,
    )
    return replace(house, company=company, router=router)


async def policy_changed(t: Trial) -> None:
    """Between the decision and its being carried out, also if the new rules still allow it."""
    company = t.house.company
    rule = t.rng.choice(
        (
            'forbid (principal, action == Action::"request_refund", resource);',
            f"// {t.rng.random()}\nforbid (principal, action, resource) "
            'when { principal == User::"nobody-at-all" };',
            'permit (principal, action == Action::"get_weather", resource);',
        )
    )
    changed = replace(
        company, policies=(*company.policies, PolicySource("policies/new.cedar", rule))
    )
    decided = await _decide(t)
    before, t.house = t.house, _under(t.house, changed)
    await _carry_out(t, decided)
    t.house = before


async def tool_changed(t: Trial) -> None:
    company = t.house.company
    tool = company.tools["request_refund"]
    tools = dict(company.tools)
    change = t.rng.choice(("gone", "approver", "effect", "parameters"))
    if change == "gone":
        del tools[tool.name]
        company = replace(company, policies=())
    elif change == "approver":
        tools[tool.name] = replace(tool, approver="risk")
    elif change == "effect":
        tools[tool.name] = replace(tool, effect="write")
    else:
        tools[tool.name] = replace(tool, parameters=tool.parameters[::-1])
    decided = await _decide(t)
    before, t.house = t.house, _under(t.house, replace(company, tools=tools))
    await _carry_out(t, decided)
    t.house = before


ONCE: dict[str, Mutation] = {}


async def replayed(t: Trial) -> None:
    decided = await _decide(t)
    for _ in range(t.rng.randint(2, 5)):
        await _carry_out(t, decided)


async def raced(t: Trial) -> None:
    """Decided and carried out by many at once."""

    async def one() -> None:
        await _carry_out(t, await _decide(t))

    await asyncio.gather(*(one() for _ in range(8)))


async def approved_and_rejected_at_once(t: Trial) -> None:
    decided = await asyncio.gather(*(_decide(t, approve=i % 2 == 0) for i in range(6)))
    assert sum(d is not None for d in decided) == 1
    for d in decided:
        if d is not None:
            await _carry_out(t, d)


NEVER: dict[str, Mutation] = {
    f.__name__: f
    for f in (
        other_arguments_before,
        other_arguments_after,
        other_arguments_in_hand,
        other_arguments_moved,
        other_field,
        undecided,
        turned_down,
        expired,
        wrong_person,
        another_s_turn,
        role_lost,
        policy_changed,
        tool_changed,
    )
}
"""After these nothing may have been done."""
ONCE |= {f.__name__: f for f in (replayed, raced, approved_and_rejected_at_once)}
"""After these it may have been done once at most."""


async def attack(house: Stronghold, rng: random.Random, tries: int) -> Report:
    report = Report()
    began = time.perf_counter()
    kinds = [*NEVER.items(), *ONCE.items()]
    for i in range(tries):
        name, mutation = kinds[i % len(kinds)]
        trial = await _genuine(house, rng)
        await mutation(trial)
        done = [e for e in house.connector.effects if e.tool == "request_refund"]
        most = 1 if name in ONCE else 0
        # What was done at most once must be what was agreed to.
        genuine = all(dict(e.arguments) == dict(trial.ticket.arguments) for e in done)
        if len(done) > most or not genuine:
            report.executed[name] += 1
        report.kinds[name] += 1
        report.tried += 1
        if i % 25 == 0:
            report.controls += await _control(house, rng)
    report.seconds = time.perf_counter() - began
    return report


async def _control(house: Stronghold, rng: random.Random) -> bool:
    trial = await _genuine(house, rng)
    await _carry_out(trial, await _decide(trial))
    return len(house.connector.effects) == 1


async def _genuine(house: Stronghold, rng: random.Random) -> Trial:
    person = house.people["finance"]
    evidence = Evidence(TODAY)
    evidence.said(SAID)
    number = f"turn_{rng.getrandbits(60):x}"
    turn = TurnContext(number, "t", person, "zh", evidence, frozenset(house.company.tools))
    large = rng.random() < 0.5
    arguments = json.dumps(LARGE if large else REFUND, ensure_ascii=False)
    record = await house.router.call(CallText("call_1", "request_refund", arguments), turn)
    assert record.ticket, record
    house.connector.effects.clear()
    ticket = await house.tickets.get(record.ticket)
    return Trial(house, rng, turn, ticket, house.people["manager"] if large else person)


async def run(tries: int, seed: int = 1) -> Report:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        house = await Stronghold.open(Path(folder), rng)
        try:
            return await attack(house, rng, tries)
        finally:
            await house.close()
