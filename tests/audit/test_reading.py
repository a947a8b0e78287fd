"""Who may read, verify and export the ledger from a browser; that an export is on record before."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable

import pytest

from dazi.access import auditing
from dazi.access.auditing import LedgerReading
from dazi.audit.search import Query
from dazi.core.errors import AccessError, NotFound
from dazi.core.principal import Principal
from tests.audit.conftest import House

AUDITOR = Principal("zhou", frozenset({"auditadmin"}))
OTHERS = (
    Principal("wang", frozenset({"sysadmin"})),
    Principal("chen", frozenset({"secadmin"})),
    Principal("both", frozenset({"auditadmin", "secadmin"})),
    Principal("li", frozenset({"staff"})),
    Principal("admin", frozenset({"admin"})),
    Principal("far", frozenset({"auditadmin"}), tenant="other"),
)


def reading(house: House, *, demo: bool = False) -> LedgerReading:
    return LedgerReading(house.database, house.ledger, house.sealing, house.keys, demo=demo)


def acts(of: LedgerReading, by: Principal) -> tuple[Callable[[], Awaitable[object]], ...]:
    return (
        lambda: of.page(by, Query(), 5),
        lambda: of.turn(by, "turn_0"),
        lambda: of.last(by),
        lambda: of.verify(by, lambda _: None),
        lambda: of.verify_turn(by, []),
        lambda: of.export(by, Query(), "csv", io.BytesIO(), sealed=False),
    )


async def test_it_is_the_auditors_and_nobody_elses(house: House) -> None:
    await house.fill(8)
    of = reading(house)
    for by in OTHERS:
        assert not of.may(by, "audit.read")
        for act in acts(of, by):
            with pytest.raises(AccessError):
                await act()
    refused = [json.loads(r.body)["act"] for r in await house.rows() if r.user == "li"]
    assert refused == [
        "audit.read", "audit.read", "audit.read", "audit.verify", "audit.verify", "audit.export",
    ]  # fmt: skip
    assert [f.record.seq for f in await of.turn(AUDITOR, "turn_1")] == [5, 6, 7, 8]
    for none in ("", "turn_9"):
        with pytest.raises(NotFound):
            await of.turn(AUDITOR, none)
    demo = reading(house, demo=True)
    assert demo.may(OTHERS[4], "audit.export") and not demo.may(OTHERS[3], "audit.read")


async def test_broken_on_purpose_anybody_would_read(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.fill(1)
    monkeypatch.setattr(auditing, "may", lambda *_: True)
    assert await reading(house).page(OTHERS[3], Query(), 5)


async def test_an_export_is_on_record_before_it_is_made(house: House) -> None:
    await house.fill(8)
    out = io.BytesIO()
    count = await reading(house).export(
        AUDITOR, Query(user="lin", tool="query"), "jsonl", out, sealed=True
    )
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert count == 8 and lines[-1]["whole"] is False and "content" not in lines[0]
    noted = (await house.rows())[-1]
    said = house.sealing.opened(noted).fields
    assert (noted.user, said["act"], said["of"], said["format"]) == (
        "zhou",
        "audit.export",
        "lin",
        "jsonl",
    )
    whole = io.BytesIO()
    await reading(house).export(AUDITOR, Query(), "jsonl", whole, sealed=False)
    lines = [json.loads(line) for line in whole.getvalue().splitlines()]
    assert lines[-1]["whole"] and lines[-2]["content"]["act"] == "audit.export"
