"""Erasing a person: what they said is gone, the chain is not, and holds come first."""

from __future__ import annotations

import io

import pytest

from dazi.audit.export import write_csv, write_jsonl
from dazi.audit.holds import Scope
from dazi.audit.ledger import Ledger
from dazi.audit.search import Query, matching, search
from dazi.core.errors import CallerError, NotFound
from tests.audit.conftest import House


async def test_it_is_gone_from_search_and_exports_and_the_chain_holds(house: House) -> None:
    await house.fill(4, "lin")
    await house.fill(4, "wang")
    done = await house.erasure.erase("lin", "root", "asked for by mail")
    assert (done.records, done.keys, done.plain) == (4, 1, 0)
    found = await search(house.database, house.sealing, Query(user="lin"), 10)
    assert {f.content.state for f in found} == {"erased"}
    assert found[0].content.fields == {"tool": "query", "outcome": "ok", "erased": True}
    assert not await search(house.database, house.sealing, Query("ORD", user="lin"), 10)
    assert len(await search(house.database, house.sealing, Query("ORD", user="wang"), 10)) == 4
    for csv in (True, False):
        out = io.BytesIO()
        rows = matching(house.database, house.sealing, Query(user="lin"))
        if csv:
            await write_csv(rows, out, sealed=False)
        else:
            await write_jsonl(rows, out, house.keys, whole=False, sealed=False)
        assert b"ORD" not in out.getvalue() and b"erased" in out.getvalue()
    assert (await house.verified()).bad is None


async def test_it_is_on_record_before_it_happens(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.fill(1)
    monkeypatch.setattr(type(house.sealing.keys), "destroy", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await house.erasure.erase("lin", "root", "asked for")
    last = (await house.rows())[-1]
    content = house.sealing.opened(last).fields
    assert (last.kind, last.user) == ("admin", "root")
    assert content == {"act": "erase", "of": "lin", "reason": "asked for"}


@pytest.mark.parametrize(
    "scope", [Scope(user="lin"), Scope(turn="turn_0"), Scope(since=0.0), Scope(until=9e9)]
)
async def test_a_hold_comes_first(house: House, scope: Scope) -> None:
    await house.fill(2)
    hold = await house.holds.add(scope, "counsel", "a dispute")
    with pytest.raises(CallerError, match=hold.id):
        await house.erasure.erase("lin", "root", "asked for")
    assert house.sealing.opened((await house.rows())[0]).state == "open"
    await house.holds.release(hold.id, "counsel", "settled")
    await house.erasure.erase("lin", "root", "asked for")
    assert house.sealing.opened((await house.rows())[0]).state == "erased"


@pytest.mark.parametrize("scope", [Scope(user="wang"), Scope(turn="turn_9"), Scope(until=1.0)])
async def test_a_hold_on_others_does_not_matter(house: House, scope: Scope) -> None:
    await house.fill(2)
    await house.holds.add(scope, "counsel", "a dispute")
    assert (await house.erasure.erase("lin", "root", "asked for")).keys == 1


async def test_who_comes_back_begins_anew(house: House) -> None:
    await house.fill(1)
    await house.erasure.erase("lin", "root", "asked for")
    await house.fill(1)
    states = [house.sealing.opened(r).state for r in await house.rows() if r.user == "lin"]
    assert states == ["erased", "open"]


async def test_what_was_written_before_there_was_sealing_is_told(house: House) -> None:
    plain = Ledger(house.sink)
    await plain.append("turn", "lin", "t", {"said": "before"})
    await plain.append("sign_in", "lin", "", {"channel": "web", "ok": True})
    await house.ledger.open()
    await house.fill(3)
    done = await house.erasure.erase("lin", "root", "asked for")
    assert (done.records, done.keys, done.plain) == (4, 1, 1)


async def test_nobody_and_no_reason(house: House) -> None:
    with pytest.raises(NotFound):
        await house.erasure.erase("nobody", "root", "asked for")
    await house.fill(1)
    with pytest.raises(CallerError):
        await house.erasure.erase("lin", "root", " ")
    assert len(await house.rows()) == 1


async def test_somebody_without_anything_sealed(house: House) -> None:
    await house.ledger.append("sign_in", "li", "", {"channel": "web", "ok": True})
    assert (await house.erasure.erase("li", "root", "asked for")).keys == 0
