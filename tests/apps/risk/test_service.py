"""Who may see and decide, what is kept and put on record, and how a model is changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dazi.apps.risk import service as service_module
from dazi.apps.risk.cases import CaseStore
from dazi.apps.risk.events import Transaction
from dazi.apps.risk.lifecycle import Made, Plan, make, remake
from dazi.apps.risk.quality import quality_of
from dazi.apps.risk.service import Rights, RiskService, scored
from dazi.apps.risk.shelf import CURRENT, Shelf, version_of
from dazi.apps.risk.thresholds import choose
from dazi.apps.risk.training import Settings
from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.errors import AccessError, CallerError, NotFound, OperatorError
from dazi.core.principal import Principal
from dazi.main.database import declare_tables
from dazi.store.database import Database
from tests.apps.risk.conftest import Small

LIU, SUN, ZHAO = (Principal(u, frozenset({r})) for u, r in (
    ("liu", "risk"), ("sun", "admin"), ("zhao", "finance"),
))  # fmt: skip
RIGHTS = Rights(frozenset({"risk"}), frozenset({"risk", "admin"}))
PLAN = Plan(review=0.02, hold=0.005, settings=Settings(trees=40, leaves=8))


@dataclass
class Given:
    """Transactions as a system has them."""

    transactions: tuple[Transaction, ...]

    async def one(self, id: str) -> Transaction | None:
        return next((t for t in self.transactions if t.id == id), None)

    async def account(self, account: str) -> tuple[Transaction, ...]:
        return tuple(t for t in self.transactions if t.account == account)

    async def all(self) -> tuple[Transaction, ...]:
        return self.transactions


@dataclass
class Room:
    service: RiskService
    cases: CaseStore
    shelf: Shelf
    alert: str
    day: str
    keys: SubjectKeys
    said: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def acts(self, act: str) -> list[Mapping[str, Any]]:
        return [body for _, _, body in self.said if body.get("act") == act]


@pytest.fixture(scope="session")
def made(small: Small) -> Made:
    later = small.later
    told = quality_of(
        small.model, small.transactions(later), small.rows[later], budgets=(0.005, 0.02)
    )
    return Made(small.model, told, choose(told.thresholds, 0.02, 0.005))


@pytest.fixture
async def room(small: Small, made: Made, tmp_path: Path) -> AsyncIterator[Room]:
    declare_tables()
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    keys = SubjectKeys(tmp_path / "audit")
    later = small.later[small.model.scores(small.rows[small.later]) >= made.thresholds.hold]
    alert = small.transactions(later)[0]
    shelf, cases = Shelf(tmp_path / "risk"), CaseStore(database, Private(keys))
    shelf.put(made)
    said: list[tuple[str, str, Mapping[str, Any]]] = []

    async def record(kind: str, who: str, body: Mapping[str, Any]) -> None:
        said.append((kind, who, dict(body)))

    service = RiskService(Given(small.world.transactions), shelf, cases, record, RIGHTS, PLAN)
    yield Room(service, cases, shelf, alert.id, alert.at.date().isoformat(), keys, said)
    keys.close()
    await database.close()


async def test_an_assessment_is_on_record_with_codes_and_version(room: Room, made: Made) -> None:
    told = await room.service.assess(LIU, room.alert)
    assert told is not None and told.proposal.action == "hold"
    (body,) = room.acts("risk.assess")
    assert (room.said[0][:2], body["outcome"]) == (("outcome", "liu"), "ok")
    assert body["version"] == version_of(made)
    assert body["score"] == told.explanation.score
    assert tuple(c for r in body["reasons"] for c in r["codes"]) == told.codes
    assert await room.service.assess(LIU, "T-none") is None
    assert (await room.service.assess(LIU, room.alert)) == told


async def test_others_see_nothing_and_their_try_is_on_record(room: Room) -> None:
    s = room.service
    for by in (ZHAO, SUN):
        for work in (
            s.assess(by, room.alert), s.case(by, room.alert), s.queue(by), s.batch(by),
            s.decide(by, room.alert, "fraud"), s.decisions(by),
        ):  # fmt: skip
            with pytest.raises(AccessError):
                await work
    for work in (s.train(ZHAO), s.adapt(ZHAO), s.model(ZHAO), s.drift(ZHAO), s.use(ZHAO, "x")):
        with pytest.raises(AccessError):
            await work
    assert {body["refused"] for _, _, body in room.said} == {"forbidden"}
    assert len(room.said) == 17
    assert (await s.model(SUN)).model.digest  # managers may see models


async def test_a_day_is_scored_and_waits_until_somebody_decides(room: Room) -> None:
    batch = await room.service.batch(LIU, room.day)
    waiting = await room.service.queue(LIU)
    assert [w.transaction for w in waiting] == [w.transaction for w in batch.waiting]
    assert room.alert in {w.transaction for w in waiting}
    assert [w.score for w in waiting] == sorted((w.score for w in waiting), reverse=True)
    assert all(w.codes for w in waiting)
    kept = await room.service.decide(LIU, room.alert, "fraud", "机密的备注")
    assert (kept.outcome, kept.user, kept.note) == ("fraud", "liu", "机密的备注")
    left = await room.service.queue(LIU)
    assert len(left) == len(waiting) - 1 and room.alert not in {w.transaction for w in left}
    case = await room.service.case(LIU, room.alert)
    assert [d.note for d in case.decisions] == ["机密的备注"]
    assert all(p.account == case.assessment.seen.transaction.account for p in case.past)
    assert all(p.at <= case.assessment.seen.transaction.at for p in case.past)
    (body,) = room.acts("risk.decide")
    assert (body["found"], body["of"], body["proposed"]) == ("fraud", room.alert, "hold")
    await room.service.batch(LIU, room.day)  # once more changes nothing of it
    assert await room.service.queue(LIU) != waiting
    elsewhere = replace(LIU, tenant="other")
    assert await room.service.queue(elsewhere) == []
    assert (await room.service.case(elsewhere, room.alert)).decisions == ()


async def test_a_later_word_counts_and_an_erased_person_leaves_the_outcome(room: Room) -> None:
    await room.service.decide(LIU, room.alert, "fraud", "蓝莓")
    await room.service.decide(LIU, room.alert, "genuine")
    (last,) = await room.service.decisions(LIU)
    assert last.outcome == "genuine"
    assert len((await room.service.case(LIU, room.alert)).decisions) == 2
    assert await room.cases.forget("liu") == 2
    (left,) = await room.service.decisions(LIU)
    assert (left.outcome, left.user, left.note) == ("genuine", "", "")
    with pytest.raises(CallerError, match="501 characters"):
        await room.service.decide(LIU, room.alert, "fraud", "x" * 501)
    with pytest.raises(NotFound):
        await room.service.decide(LIU, "T-none", "fraud")


async def test_a_note_is_sealed(room: Room, tmp_path: Path) -> None:
    await room.service.decide(LIU, room.alert, "fraud", "blueberry-7731")
    files = b"".join((tmp_path / f"d.sqlite{end}").read_bytes() for end in ("", "-wal"))
    assert b"blueberry-7731" not in files


async def test_training_learns_what_people_decided(room: Room, made: Made) -> None:
    await room.service.decide(LIU, room.alert, "genuine")
    seen: list[Any] = []

    async def compute(work: Any, transactions: Any, plan: Plan) -> Made:
        seen.extend((work, {t.id: t.outcome for t in transactions}, plan))
        return made

    assert await room.service.train(SUN, compute) is made
    assert seen[0] is make and seen[2] is PLAN
    assert seen[1][room.alert] == "genuine"
    assert room.acts("risk.train")[-1]["version"] == version_of(made)


async def test_adapting_takes_decisions_and_keeps_the_old_model(room: Room, made: Made) -> None:
    with pytest.raises(CallerError, match="no cases"):
        await room.service.adapt(SUN)
    await room.service.decide(LIU, room.alert, "fraud")
    noted = replace(made.model.trained, notes=("more",))
    other = replace(made, model=replace(made.model, trained=noted), gain=0.4)
    seen: list[Any] = []

    async def compute(*given: Any) -> Made:
        seen.extend(given)
        return other

    await room.service.adapt(SUN, compute=compute)
    assert seen[0] is remake and seen[1] == made.model and seen[3] == {room.alert: "fraud"}
    assert room.shelf.current() == other
    assert set(room.shelf.versions()) == {version_of(made), version_of(other)}
    await room.service.use(SUN, version_of(made))
    assert (await room.service.model(SUN)).model.digest == made.model.digest
    with pytest.raises(NotFound):
        await room.service.use(SUN, "../etc")


async def test_a_refused_adaptation_leaves_the_model(room: Room, made: Made) -> None:
    with pytest.raises(CallerError, match="at least 8 frauds"):
        await room.service.adapt(SUN, {room.alert: "fraud"})
    assert version_of(await room.service.model(SUN)) == version_of(made)
    assert room.acts("risk.adapt")[-1]["failed"] == "risk_adaptation"
    with pytest.raises(CallerError, match="no transaction T-none"):
        await room.service.adapt(SUN, {"T-none": "fraud"})


def test_a_damaged_model_is_refused(made: Made, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert shelf.current() is None
    version = shelf.put(made)
    path = tmp_path / f"{version}.json"
    path.write_bytes(path.read_bytes().replace(b'"slope":', b'"slope":1', 1))
    with pytest.raises(OperatorError):
        Shelf(tmp_path).current()
    (tmp_path / CURRENT).write_text("0" * 16)
    with pytest.raises(NotFound):
        Shelf(tmp_path).current()


async def test_without_a_model_there_is_nothing_to_go_by(room: Room, tmp_path: Path) -> None:
    service = RiskService(
        Given(()), Shelf(tmp_path / "none"), room.cases, room.service._record, RIGHTS, PLAN
    )
    with pytest.raises(NotFound, match="dazi risk train"):
        await service.assess(LIU, room.alert)


async def test_the_first_model_outlives_whoever_lost_patience(
    room: Room, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go = threading.Event(), threading.Event()
    calls: list[int] = []

    def slowly(transactions: Any, plan: Plan) -> Made:
        calls.append(1)
        begun.set()
        assert go.wait(20)
        return made

    monkeypatch.setattr(service_module, "make", slowly)
    service = RiskService(
        Given(()), Shelf(tmp_path / "none"), room.cases, room.service._record, RIGHTS, PLAN,
        trains=True,
    )  # fmt: skip
    first = asyncio.create_task(service.made())
    while not begun.is_set():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    first.cancel()
    second = asyncio.create_task(service.made())
    await asyncio.sleep(0.01)
    go.set()
    assert await second is made and calls == [1]
    assert first.cancelled()


def test_a_batch_is_of_one_day_as_each_came(small: Small, made: Made, room: Room) -> None:
    batch = scored(made, small.world.transactions, room.day)
    of_day = [t for t in small.world.transactions if t.at.date().isoformat() == room.day]
    assert batch.transactions == len(of_day)
    # What came later changes nothing.
    until = [t for t in small.world.transactions if t.at.date().isoformat() <= room.day]
    assert scored(made, until, room.day) == batch
    with pytest.raises(CallerError, match="1999"):
        scored(made, small.world.transactions, "1999-01-01")


def test_what_is_not_settled_is_not_learnt_from(small: Small) -> None:
    """Unlabelled frauds of the last days would count as genuine."""
    ours = tuple(t for t in small.world.transactions if int(t.account[1:]) < 30)
    last = ours[-1].at
    plan = replace(PLAN, settle_days=20)
    one = make(ours, plan)
    end = max(t.at for t in ours if (last - t.at).total_seconds() > 20 * 86_400)
    assert one.model.trained.end < one.quality.begin
    assert one.quality.end <= end.isoformat()
    flipped = tuple(
        replace(t, outcome="fraud") if (last - t.at).total_seconds() < 19 * 86_400 else t
        for t in ours
    )
    assert make(flipped, plan).model.digest == one.model.digest
    with pytest.raises(CallerError, match="only 10 transactions"):
        make(ours[:10], plan)
