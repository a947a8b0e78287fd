"""The risk engine for people: assess, queue, decide, train, adapt, watch. Every act is on record.

It proposes and never acts: nothing here holds a payment. Who may is checked here, whichever way
somebody comes; a refusal goes on record too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from dazi.access.recording import Record, recorded, refuse
from dazi.apps.risk.assessing import Assessment, assess
from dazi.apps.risk.cases import CaseStore, Decision, Waiting
from dazi.apps.risk.drift import Drift
from dazi.apps.risk.events import Outcome, Transaction
from dazi.apps.risk.history import Histories, in_order, look_back
from dazi.apps.risk.lifecycle import Made, Plan, make, moved, remake
from dazi.apps.risk.shelf import Shelf, version_of
from dazi.apps.risk.thresholds import propose
from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.principal import Principal

T = TypeVar("T")
Right = Literal["review", "manage"]
FRESH_S = 60.0
"""So long a drift that was measured is told again."""
Compute = Callable[..., Awaitable[Any]]


class Transactions(Protocol):
    """The company's own, from wherever it has them. Raises ``ConnectorError``."""

    async def one(self, id: str) -> Transaction | None: ...
    async def account(self, account: str) -> tuple[Transaction, ...]: ...
    async def all(self) -> tuple[Transaction, ...]: ...


@dataclass(frozen=True, slots=True)
class Rights:
    """Roles. Reviewers see transactions and decide; managers see and make models."""

    reviewers: frozenset[str]
    managers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Case:
    """A transaction with its assessment, its account's past up to it, and what people said."""

    assessment: Assessment
    version: str
    past: tuple[Transaction, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """``day``: ISO 8601; ``waiting``: what reached the line from which somebody looks."""

    day: str
    transactions: int
    waiting: tuple[Waiting, ...]
    version: str


class RiskService:
    """``trains``: a model is made when one is first needed and there is none."""

    def __init__(
        self,
        source: Transactions,
        shelf: Shelf,
        cases: CaseStore,
        record: Record,
        rights: Rights,
        plan: Plan,
        *,
        trains: bool = False,
    ) -> None:
        self._source, self._shelf, self._cases = source, shelf, cases
        self._record, self.rights, self.plan = record, rights, plan
        self._trains = trains
        self._training: asyncio.Task[Made] | None = None
        self._drifts: tuple[str, float, tuple[Drift, ...]] = "", 0.0, ()

    def may(self, by: Principal, right: Right = "review") -> bool:
        roles = self.rights.reviewers if right == "review" else self.rights.managers
        return by.has_role(*roles)

    async def _check(self, by: Principal, right: Right, act: str) -> None:
        if not self.may(by, right):
            error = AccessError(
                "forbidden",
                "您没有权限看风险评估" if right == "review" else "您没有权限管理风险模型",
                "you are not allowed to see risk assessments"
                if right == "review"
                else "you are not allowed to manage the risk model",
            )
            await refuse(self._record, by, act, error)

    async def review_right(self, by: Principal) -> None:
        """Raises ``AccessError``."""
        await self._check(by, "review", "risk.batch")

    async def model_right(self, by: Principal) -> None:
        """Raises ``AccessError``."""
        await self._check(by, "manage", "risk.train")

    # --- transactions ---------------------------------------------------------------------------

    async def assess(self, by: Principal, transaction: str) -> Assessment | None:
        """``None`` where there is no such transaction. Raises ``AccessError``, and ``NotFound``
        without a model."""
        case = await self._case(by, transaction)
        return case[0] if case else None

    async def case(self, by: Principal, transaction: str) -> Case:
        """As ``assess``, with all that a person wants beside it. Raises ``NotFound``."""
        found = await self._case(by, transaction)
        if found is None:
            raise _no_transaction(transaction)
        told, past, version = found
        return Case(told, version, past, tuple(await self._cases.decisions(by.tenant, transaction)))

    async def _case(
        self, by: Principal, transaction: str
    ) -> tuple[Assessment, tuple[Transaction, ...], str] | None:
        await self._check(by, "review", "risk.assess")
        made = await self.made()
        t = await self._source.one(transaction)
        if t is None:
            return None
        account = await self._source.account(t.account)
        before = tuple(p for p in in_order(account) if (p.seconds, p.id) < (t.seconds, t.id))
        seen = await asyncio.to_thread(look_back, before, t, made.model.rules)
        told = assess(made.model, seen, made.thresholds)
        await self._record(
            "outcome",
            by.user,
            {"act": "risk.assess", "outcome": "ok", "version": version_of(made), **told.record()},
        )
        return told, before, version_of(made)

    async def batch(self, by: Principal, day: str = "") -> Batch:
        """Score all of a day, by default the last one there is, and queue what reaches the line."""
        await self._check(by, "review", "risk.batch")
        made = await self.made()
        transactions = await self._source.all()
        async with recorded(
            self._record, by, "risk.batch", day=day, version=version_of(made)
        ) as said:
            found = await asyncio.to_thread(scored, made, transactions, day)
            said["waiting"] = len(found.waiting)
            await self._cases.put(by.tenant, found.waiting)
        return found

    async def queue(self, by: Principal, limit: int = 100, *, day: str = "") -> list[Waiting]:
        await self._check(by, "review", "risk.queue")
        return await self._cases.waiting(by.tenant, limit, day=day)

    async def shown_queue(
        self, by: Principal, limit: int
    ) -> list[tuple[Waiting, Transaction | None]]:
        """With the transactions themselves, ``None`` for one that is no longer there."""
        waiting = await self.queue(by, limit)
        return [(w, await self._source.one(w.transaction)) for w in waiting]

    async def decide(
        self, by: Principal, transaction: str, outcome: Outcome, note: str = ""
    ) -> Decision:
        """What a person has found. Raises ``NotFound`` for a transaction that is none."""
        await self._check(by, "review", "risk.decide")
        found = await self._case(by, transaction)
        if found is None:
            raise _no_transaction(transaction)
        told, _, version = found
        async with recorded(
            self._record, by, "risk.decide", of=transaction, found=outcome, note=note,
            score=told.explanation.score, version=version, proposed=told.proposal.action,
        ):  # fmt: skip
            return await self._cases.decide(
                by, transaction, outcome, note, score=told.explanation.score, model=version
            )

    async def decisions(self, by: Principal) -> list[Decision]:
        await self._check(by, "review", "risk.decisions")
        return await self._cases.decisions(by.tenant)

    # --- models ---------------------------------------------------------------------------------

    async def made(self) -> Made:
        """The model in use. Raises ``NotFound`` where there is none and none is to be made here."""
        found = self._shelf.current()
        if found is None and self._trains:
            # Whoever asked may lose patience; what has begun goes on for the next one.
            if self._training is None or self._training.done():
                self._training = asyncio.create_task(self._first())
            found = await asyncio.shield(self._training)
        if found is None:
            raise NotFound(
                "risk_untrained",
                "还没有风险模型;先运行 dazi risk train",
                "there is no risk model yet; run dazi risk train first",
            )
        return found

    async def _first(self) -> Made:
        made = await asyncio.to_thread(make, await self._source.all(), self.plan)
        body = {"act": "risk.train", "why": "first use", "version": version_of(made)}
        await self._record("admin", "system", body)
        self._shelf.put(made)
        return made

    async def train(self, by: Principal, compute: Compute = asyncio.to_thread) -> Made:
        """From all that is settled, what people decided included. ``compute`` runs a function of a
        module elsewhere."""
        await self._check(by, "manage", "risk.train")
        transactions = labelled(await self._source.all(), await self._outcomes(by))
        async with recorded(self._record, by, "risk.train") as said:
            made: Made = await compute(make, transactions, self.plan)
            said["version"] = self._shelf.put(made)
        await self._made_known(by, "risk.train", made)
        return made

    async def adapt(
        self,
        by: Principal,
        cases: Mapping[str, Outcome] | None = None,
        name: str = "",
        compute: Compute = asyncio.to_thread,
    ) -> Made:
        """Learn from labelled cases, by default what people decided. Raises ``CallerError`` where
        they do not help; the model in use then stays."""
        await self._check(by, "manage", "risk.adapt")
        base = await self.made()
        given = dict(cases) if cases is not None else await self._outcomes(by)
        if not given:
            raise CallerError("risk_cases", "没有案例", "there are no cases")
        transactions = await self._source.all()
        async with recorded(self._record, by, "risk.adapt", days=None, of=version_of(base)):
            made: Made = await compute(
                remake, base.model, transactions, given, name or "cases", self.plan
            )
            self._shelf.put(made)
        await self._made_known(by, "risk.adapt", made)
        return made

    async def use(self, by: Principal, version: str) -> Made:
        """Go back to an earlier model. Raises ``NotFound``."""
        await self._check(by, "manage", "risk.use")
        async with recorded(self._record, by, "risk.use", version=version):
            return self._shelf.use(version)

    async def model(self, by: Principal) -> Made:
        await self._check(by, "manage", "risk.model")
        return await self.made()

    async def versions(self, by: Principal) -> tuple[str, ...]:
        await self._check(by, "manage", "risk.model")
        return self._shelf.versions()

    async def drift(self, by: Principal) -> tuple[Drift, ...]:
        """As it was ``FRESH_S`` ago at the earliest."""
        made, now = await self.model(by), time.monotonic()
        version, at, found = self._drifts
        if version != version_of(made) or now - at > FRESH_S:
            found = await asyncio.to_thread(moved, made.model, await self._source.all())
            self._drifts = version_of(made), now, found
        return found

    async def _outcomes(self, by: Principal) -> dict[str, Outcome]:
        return {d.transaction: d.outcome for d in await self._cases.decisions(by.tenant)}

    async def _made_known(self, by: Principal, act: str, made: Made) -> None:
        body = {"act": act, "outcome": "ok", "version": version_of(made)}
        await self._record("outcome", by.user, body)


def labelled(
    transactions: Sequence[Transaction], outcomes: Mapping[str, Outcome]
) -> tuple[Transaction, ...]:
    """With what people decided here in place of what the company's system says."""
    return tuple(
        replace(t, outcome=outcomes[t.id]) if t.id in outcomes else t for t in transactions
    )


def scored(made: Made, transactions: Sequence[Transaction], day: str = "") -> Batch:
    """Raises ``CallerError`` for a day without transactions."""
    ordered = in_order(transactions)
    day = day or (ordered[-1].at.date().isoformat() if ordered else "")
    accounts = {t.account for t in ordered if t.at.date().isoformat() == day}
    histories, of_day, rows = Histories(made.model.rules), [], []
    for t in ordered:
        if t.account not in accounts or t.at.date().isoformat() > day:
            continue
        if t.at.date().isoformat() == day:
            seen = histories.look(t)
            of_day.append(seen)
            rows.append(seen.values)
        histories.add(t)
    if not rows:
        raise CallerError(
            "risk_day", f"{day[:10]} 没有交易", f"there are no transactions on {day[:10]}"
        )
    waiting = []
    for seen, score in zip(of_day, made.model.scores(np.array(rows)), strict=True):
        if propose(float(score), made.thresholds).action == "allow":
            continue
        told = assess(made.model, seen, made.thresholds)
        waiting.append(
            Waiting(seen.transaction.id, day, told.explanation.score, told.proposal.action,
                    told.codes, version_of(made))
        )  # fmt: skip
    waiting.sort(key=lambda w: (-w.score, w.transaction))
    return Batch(day, len(rows), tuple(waiting), version_of(made))


def _no_transaction(id: str) -> NotFound:
    return NotFound("risk_transaction", f"没有交易 {id[:40]}", f"there is no transaction {id[:40]}")
