"""Pages of the ledger, newest first, and one turn's place in the chain."""

from __future__ import annotations

from sqlalchemy import text, update

from dazi.audit.links import verify_piece
from dazi.audit.paging import Page, first_since, page
from dazi.audit.records import records
from dazi.audit.search import Query
from dazi.audit.usage import Used, used_since
from dazi.audit.verify import Bad, Fault, verify
from tests.audit.conftest import House


def seqs(found: Page) -> list[int]:
    return [f.record.seq for f in found.found]


async def test_pages_follow_each_other_without_gap_or_repeat(house: House) -> None:
    await house.fill(25)
    got: list[int] = []
    before: int | None = None
    while True:
        one = await page(house.database, house.sealing, Query(), 10, before=before)
        got += seqs(one)
        before = one.before
        if before is None:
            break
    assert got == list(range(25, 0, -1))


async def test_a_rare_word_is_looked_for_a_piece_at_a_time(house: House) -> None:
    await house.fill(1200)
    wanted = Query(text="ord3", tool="query")
    one = await page(house.database, house.sealing, Query(text="ORD7,"), 10, most=500)
    assert seqs(one) == [] and one.before == 701 and one.looked == 500
    found = await page(house.database, house.sealing, wanted, 5)
    assert all("ORD3" in str(f.content.fields) for f in found.found) and len(found.found) == 5


async def test_what_came_of_a_call_and_the_thread_are_looked_for(house: House) -> None:
    put = house.ledger.append
    await put("turn", "lin", "turn_a", {"said": "x", "thread": "th_1", "offered": ["q%"]})
    await put("turn", "lin", "turn_b", {"said": "th_1", "thread": "th_2"})
    await put("decision", "lin", "turn_a", {"tool": "q%", "outcome": "forbidden"})
    await put("decision", "lin", "turn_b", {"tool": "q2", "outcome": "ok", "why": "forbidden"})
    await put("answer", "lin", "turn_a", {"calls": [{"tool": "q%", "outcome": "forbidden"}]})
    for query, wanted in (
        (Query(outcome="forbidden"), [5, 3]),
        (Query(tool="q%"), [5, 3]),
        (Query(thread="th_1"), [1]),
        (Query(kind="decision", user="lin"), [4, 3]),
        (Query(user="lin%"), []),
    ):
        assert seqs(await page(house.database, house.sealing, query, 10)) == wanted


async def test_a_time_is_found_by_halving(house: House) -> None:
    await house.fill(300)
    async with house.database.write() as connection:
        await connection.execute(text("UPDATE audit_records SET at = seq * 100.0"))
        await connection.execute(text("DELETE FROM audit_records WHERE seq BETWEEN 40 AND 90"))
        for at in (0.0, 100.0, 3_950.0, 5_000.0, 9_100.0, 29_999.0, 40_000.0):
            low = await first_since(connection, at, 0.0)
            counted = "SELECT sum(at >= :at), sum(seq >= :low) FROM audit_records"
            later, behind = (await connection.execute(text(counted), {"at": at, "low": low})).one()
            assert later == behind
    found = await page(house.database, house.sealing, Query(since=2_000.0, until=2_500.0), 10)
    assert seqs(found) == [24, 23, 22, 21, 20] and found.before is None


async def test_a_turn_is_verified_up_to_the_signature_behind_it(house: House) -> None:
    await house.fill(8)
    first = await house.checkpoints.make()
    await house.fill(8)
    turn = [r for r in await house.rows() if r.seq in (9, 10, 12)]
    unsigned = await verify_piece(house.database, house.keys.trust(), turn)
    assert unsigned.signed is None and unsigned.walked.bad is None and unsigned.walked.end == 12
    await house.fill(2)
    second = await house.checkpoints.make()
    piece = await verify_piece(house.database, house.keys.trust(), turn)
    assert first is not None and second is not None and piece.signed == second
    assert (piece.after, piece.walked.end, piece.walked.checkpoints) == (8, 18, 2)
    assert [(k.seq, k.whole, k.follows) for k in piece.links] == [
        (9, True, True), (10, True, True), (12, True, True),
    ]  # fmt: skip
    async with house.database.write() as connection:
        await connection.execute(
            update(records).where(records.c.seq == 11).values(body='{"tool":"other"}')
        )
        await connection.execute(update(records).where(records.c.seq == 10).values(hash="0" * 64))
    turn = [r for r in await house.rows() if r.seq in (9, 10, 12)]
    broken = await verify_piece(house.database, house.keys.trust(), turn)
    assert broken.walked.bad == Bad(10, Fault.CHANGED)
    assert [k.whole for k in broken.links] == [True, False, True]
    # Another turn, before all that, is as it was.
    early = [r for r in await house.rows() if r.seq < 4]
    assert (await verify_piece(house.database, house.keys.trust(), early)).walked.bad is None


async def test_a_verification_tells_how_far_it_is_and_ends_where_it_is_to(house: House) -> None:
    await house.fill(50)
    told: list[int] = []
    found = await verify(house.database, house.keys.trust(), until=33, batch=10, told=told.append)
    assert told == [10, 20, 30, 33] and found.bad is None and found.records == 33


async def test_what_was_used_is_told_by_person_and_model(house: House) -> None:
    put = house.ledger.append
    await put("turn", "lin", "t0", {"said": "x", "model": "m"})
    async with house.database.write() as connection:
        await connection.execute(text("UPDATE audit_records SET at = at - 90000"))
        since = (await connection.execute(text("SELECT max(at) FROM audit_records"))).scalar_one()
    await put("answer", "lin", "t0", {"answer": "x", "tokens": [7, 1]})
    for n, (user, model) in enumerate((("lin", "m"), ("lin", "m"), ("wu", "n"))):
        await put("turn", user, f"t{n + 1}", {"said": "x", "model": model})
        await put("answer", user, f"t{n + 1}", {"answer": "x", "tokens": [10, 2], "cost": 0.5})
    await put("turn", "wu", "t4", {"said": "x", "model": "n"})
    # Another one answered than was meant to.
    await put("answer", "wu", "t4", {"answer": "x", "tokens": [3, 1], "model": "large"})
    found = await used_since(house.database, since + 80_000)
    assert found == [
        Used("lin", "m", 2, 20, 4, 1.0), Used("wu", "n", 1, 10, 2, 0.5), Used("lin", "", 1, 7, 1),
        Used("wu", "large", 1, 3, 1),
    ]  # fmt: skip
