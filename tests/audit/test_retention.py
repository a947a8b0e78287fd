"""What is old goes, what is held stays, and the chain still proves what is left."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest
from sqlalchemy import text

from dazi.audit import retention as retaining
from dazi.audit.days import checked_days
from dazi.audit.holds import Scope
from dazi.audit.retention import DAY_S, Pruned, keep_pruned
from dazi.audit.verify import Bad, Fault
from dazi.core.errors import CallerError, ConfigError, NotFound, OperatorError
from tests.audit.conftest import House

YEAR = 365


async def later(house: House, seq: int) -> float:
    """The time at which everything before record ``seq`` is over a year old."""
    at: float = (await house.rows())[seq - 1].at
    return at + YEAR * DAY_S


def test_the_floor() -> None:
    assert checked_days(184, "--days") == 184
    with pytest.raises(ConfigError, match="184"):
        checked_days(183, "--days")


async def test_below_the_floor_nothing_goes(house: House) -> None:
    await house.fill(5)
    for prune in (house.retention.plan(10), house.retention.prune(10, "root")):
        with pytest.raises(ConfigError):
            await prune
    assert len(await house.rows()) == 5


async def test_old_records_go_and_the_rest_verifies(house: House) -> None:
    await house.fill(20)
    now = await later(house, 11)
    assert await house.retention.plan(YEAR, now) == Pruned(10, 0, 1, 10)
    assert len(await house.rows()) == 20
    done = await house.retention.prune(YEAR, "root", now)
    assert done == Pruned(10, 0, 1, 10)
    rows = await house.rows()
    assert [r.seq for r in rows] == list(range(11, 22))
    assert rows[-1].kind == "admin" and rows[-1].user == "root"
    content = house.sealing.opened(rows[-1]).fields
    assert (content["act"], content["days"], content["through"], content["removed"]) == (
        "prune",
        YEAR,
        10,
        10,
    )
    found = await house.verified()
    assert (found.bad, found.records, found.removed) == (None, 11, 10)
    assert (await house.retention.prune(YEAR, "root", now)).removed == 0
    assert len(await house.rows()) == 11  # nothing to do is nothing to record


async def test_nothing_recent_is_touched(house: House) -> None:
    await house.fill(5)
    assert await house.retention.prune(YEAR, "root") == Pruned(0, 0, 0, 0)


async def test_pruning_again_and_again_leaves_one_chain(house: House) -> None:
    await house.fill(30)
    for seq in (6, 11, 25):
        await house.retention.prune(YEAR, "root", await later_of(house, seq))
    found = await house.verified()
    assert (found.bad, found.removed) == (None, 24)
    await house.ledger.open()
    await house.fill(3)
    assert (await house.verified()).bad is None


async def later_of(house: House, seq: int) -> float:
    at = next(r.at for r in await house.rows() if r.seq == seq)
    return at + YEAR * DAY_S


async def test_held_records_stay_between_signed_gaps(house: House) -> None:
    await house.fill(8, "lin")
    await house.fill(8, "wang")
    await house.fill(8, "lin")
    hold = await house.holds.add(Scope(user="wang"), "counsel", "a dispute")
    now = await later(house, 22)
    done = await house.retention.prune(YEAR, "root", now)
    assert (done.removed, done.held, done.anchors) == (13, 8, 2)
    rows = await house.rows()
    assert [r.seq for r in rows if r.user == "wang"] == list(range(9, 17))
    found = await house.verified()
    assert (found.bad, found.removed) == (None, 13)

    async with house.database.write() as connection:
        await connection.execute(text("DELETE FROM audit_records WHERE seq = 12"))
    assert (await house.verified()).bad == Bad(12, Fault.MISSING)

    assert (await house.holds.active()) == [hold]


async def test_what_is_released_goes_with_the_next_pruning(house: House) -> None:
    await house.fill(8)
    await house.fill(2, "wang")
    hold = await house.holds.add(Scope(turn="turn_1"), "counsel", "a dispute")
    now = await later(house, 9)
    await house.retention.prune(YEAR, "root", now)
    assert [r.seq for r in await house.rows()][:4] == [5, 6, 7, 8]
    await house.holds.release(hold.id, "counsel", "settled")
    assert (await house.retention.prune(YEAR, "root", now)).removed == 4
    assert (await house.rows())[0].seq == 9
    assert (await house.verified()).bad is None
    acts = [house.sealing.opened(r).fields["act"] for r in await house.rows() if r.kind == "admin"]
    assert acts == ["hold", "prune", "release", "prune"]


async def test_a_hold_covers_a_time(house: House) -> None:
    await house.fill(10)
    rows = await house.rows()
    await house.holds.add(Scope(since=rows[2].at, until=rows[5].at), "counsel", "a dispute")
    done = await house.retention.prune(YEAR, "root", await later(house, 9))
    assert (done.removed, done.held, done.anchors) == (5, 3, 2)
    assert [r.seq for r in await house.rows()][:3] == [3, 4, 5]
    assert (await house.verified()).bad is None


async def test_large_ledgers_are_pruned_in_slices(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retaining, "SLICE", 4)
    await house.fill(20)
    now = await later(house, 15)
    planned = await house.retention.plan(YEAR, now)
    assert await house.retention.prune(YEAR, "root", now) == planned == Pruned(14, 0, 4, 14)
    found = await house.verified()
    assert (found.bad, found.removed) == (None, 14)


async def test_a_broken_ledger_is_not_pruned(house: House) -> None:
    """An anchor over a forged record would be a signature under it."""
    await house.fill(10)
    now = await later(house, 8)
    async with house.database.write() as connection:
        await connection.execute(text("UPDATE audit_records SET user = 'x' WHERE seq = 4"))
    with pytest.raises(OperatorError, match="record 4"):
        await house.retention.prune(YEAR, "root", now)
    assert len(await house.rows()) == 10


async def test_a_ledger_that_was_cut_is_not_pruned(house: House) -> None:
    await house.fill(10)
    now = await later(house, 5)
    await house.checkpoints.make()
    async with house.database.write() as connection:
        await connection.execute(text("DELETE FROM audit_records WHERE seq > 8"))
        await connection.execute(text("DELETE FROM audit_checkpoints"))
    with pytest.raises(OperatorError, match="record 9"):
        await house.retention.prune(YEAR, "root", now)


async def test_a_clock_that_stood_wrong_makes_no_record_old(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.fill(3)
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: 0.0)
        await house.fill(2)
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: 4e9)
        await house.fill(1)
    assert (await house.retention.plan(YEAR)).removed == 0
    await house.fill(2)
    rows = await house.rows()
    now = rows[7].at + YEAR * DAY_S
    done = await house.retention.prune(YEAR, "root", now)
    assert done.removed == 6  # all before the eighth but the one from the future
    assert [r.seq for r in await house.rows()][:2] == [6, 8]
    assert (await house.verified()).bad is None


async def test_the_end_of_the_chain_stays(house: House) -> None:
    await house.fill(5)
    await house.retention.prune(YEAR, "root", time.time() + 400 * DAY_S)
    assert [r.seq for r in await house.rows()] == [5, 6]
    await house.ledger.open()
    await house.fill(1)
    assert (await house.verified()).bad is None


async def test_checkpoints_of_removed_records_go_with_them(house: House) -> None:
    await house.fill(5)
    await house.checkpoints.make()
    await house.fill(5)
    await house.checkpoints.make()
    await house.retention.prune(YEAR, "root", await later(house, 7))
    made = await house.checkpoints.make()
    assert made is not None and made.seq == 11
    assert (await house.verified()).checkpoints == 2


async def test_a_checkpoint_kept_elsewhere_of_a_removed_record_still_counts(house: House) -> None:
    from dazi.audit.verify import verify

    await house.fill(5)
    kept = await house.checkpoints.make()
    assert kept is not None
    await house.fill(5)
    await house.retention.prune(YEAR, "root", await later(house, 7))
    found = await verify(house.database, house.keys.trust(), [kept])
    assert (found.bad, found.checkpoints) == (None, 1)


@pytest.mark.parametrize(("scope", "reason"), [(Scope(), "why"), (Scope(user="lin"), " ")])
async def test_a_hold_needs_a_scope_and_a_reason(house: House, scope: Scope, reason: str) -> None:
    with pytest.raises(CallerError):
        await house.holds.add(scope, "counsel", reason)
    assert await house.holds.active() == []


async def test_a_hold_that_is_not_there(house: House) -> None:
    with pytest.raises(NotFound):
        await house.holds.release("hold_x", "counsel", "why")


async def test_a_hold_that_somebody_deleted_stops_pruning_and_erasing(house: House) -> None:
    await house.fill(5)
    hold = await house.holds.add(Scope(user="lin"), "counsel", "a dispute")
    async with house.database.write() as connection:
        await connection.execute(text("DELETE FROM audit_holds"))
    with pytest.raises(OperatorError, match=hold.id):
        await house.retention.prune(YEAR, "root", await later(house, 5))
    with pytest.raises(OperatorError, match=hold.id):
        await house.erasure.erase("lin", "root", "asked for")
    assert len(await house.rows()) == 6
    again = await house.holds.add(Scope(user="lin"), "counsel", "a dispute")
    await house.holds.release(hold.id, "counsel", "there is another")
    done = await house.retention.prune(YEAR, "root", await later(house, 5))
    assert (done.removed, done.held) == (0, 4)
    assert await house.holds.active() == [again]


def test_a_scope_covers_what_matches_all_of_it() -> None:
    scope = Scope("lin", "t1", 10.0, 20.0)
    assert scope.covers(10.0, "lin", "t1")
    for other in ((9.9, "lin", "t1"), (20.0, "lin", "t1"), (15.0, "li", "t1"), (15.0, "lin", "t")):
        assert not scope.covers(*other)


async def test_pruning_goes_on_whatever_happens(caplog: pytest.LogCaptureFixture) -> None:
    failures: list[Exception] = [CallerError("x", "错", "not now"), OSError("gone")]
    done = asyncio.Event()
    asked: list[object] = []

    class Failing:
        async def prune(self, *given: object) -> None:
            asked.append(given)
            if failures:
                raise failures.pop(0)
            done.set()

    running = asyncio.create_task(keep_pruned(Failing(), 200, every_s=0.0))  # type: ignore[arg-type]
    await done.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert asked[0] == (200, "dazi")
    assert "not now" in caplog.text and "gone" in caplog.text
