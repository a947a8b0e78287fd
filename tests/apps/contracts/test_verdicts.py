"""What people say of findings: theirs alone, sealed, counted by rule, and told when a rule is no good."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from dazi.apps.contracts.review import review
from dazi.apps.contracts.reviewed import Origin, Reviewed, reviewed
from dazi.apps.contracts.rules import load_policy
from dazi.apps.contracts.statistics import quality, wilson
from dazi.apps.contracts.verdicts import LONGEST, Count, Said, VerdictStore
from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.errors import CallerError, NotFound
from dazi.core.principal import Principal
from dazi.main.database import declare_tables
from dazi.store.database import Database
from tests.apps.contracts.texts import SERVICE, changed, contract

LI, WANG = (Principal(user, frozenset({"staff"})) for user in ("li", "wang"))
ELSEWHERE = Principal("li", frozenset({"staff"}), tenant="other")


@pytest.fixture(scope="module")
def done() -> Reviewed:
    found = review(contract(changed(SERVICE, "发票后30日内", "发票后90日内")), contract(SERVICE))
    return reviewed(found, load_policy(), Origin("a.docx", "d" * 64))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    declare_tables()
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}")
    await made.create()
    yield made
    await made.close()


@pytest.fixture
def store(database: Database, tmp_path: Path) -> VerdictStore:
    return VerdictStore(database, Private(SubjectKeys(tmp_path / "keys")))


def id_of(done: Reviewed, rule: str) -> str:
    (found,) = [r.id for r in done.remarks if r.rule == rule]
    return found


async def test_a_verdict_is_its_persons(store: VerdictStore, done: Reviewed) -> None:
    id = id_of(done, "payment-term-long")
    await store.put(LI, done, Said(id, "accept"))
    await store.put(LI, done, Said(id, "reject", "这家可以 90 天"))  # in the place of the first
    await store.put(LI, done, Said("field:payment_days", "correct", value="90"))
    mine = await store.of(LI, done.digest)
    assert mine[id].said == Said(id, "reject", "这家可以 90 天")
    assert mine["field:payment_days"].said.value == "90"
    assert await store.of(WANG, done.digest) == {} == await store.of(ELSEWHERE, done.digest)
    for who in (WANG, ELSEWHERE):
        with pytest.raises(NotFound):
            await store.withdraw(who, done.digest, id)
    await store.withdraw(LI, done.digest, id)
    assert set(await store.of(LI, done.digest)) == {"field:payment_days"}


async def test_what_is_refused(store: VerdictStore, done: Reviewed) -> None:
    id = done.remarks[0].id
    for said, error in (
        (Said("nonesuch", "accept"), NotFound),
        (Said("field:nonesuch", "accept"), NotFound),
        (Said(id, "correct", " ", " "), CallerError),
        (Said(id, "reject", "x" * (LONGEST + 1)), CallerError),
    ):
        with pytest.raises(error):
            await store.put(LI, done, said)
    assert await store.of(LI, done.digest) == {}


async def test_words_are_sealed_and_go_with_their_person(
    store: VerdictStore, database: Database, done: Reviewed
) -> None:
    await store.put(LI, done, Said(done.remarks[0].id, "reject", "机密的理由"))
    await store.put(WANG, done, Said(done.remarks[0].id, "accept"))
    await store.shown(LI, done)
    async with database.read() as connection:
        rows = (await connection.execute(text("SELECT * FROM contract_verdicts"))).all()
    assert len(rows) == 2 and "机密" not in repr(rows)
    assert await store.forget("li") == 1
    assert await store.of(LI, done.digest) == {}
    (count,) = await store.counts("default")
    assert (count.shown, count.accepted, count.rejected) == (0, 1, 0)


async def test_counts_are_by_rule_and_a_document_counts_once(
    store: VerdictStore, done: Reviewed
) -> None:
    other = replace(done, digest="e" * 64)
    for document in (done, done, other):
        await store.shown(LI, document)
    await store.shown(WANG, done)
    await store.put(LI, done, Said(id_of(done, "payment-term-long"), "accept"))
    await store.put(WANG, done, Said(id_of(done, "payment-term-long"), "reject"))
    await store.put(WANG, done, Said("field:seat", "correct", value="北京"))
    counts = {c.rule: c for c in await store.counts("default")}
    assert counts["payment-term-long"] == Count("payment-term-long", 3, 1, 1, 0)
    assert counts["field:seat"] == Count("field:seat", 3, 0, 0, 1)
    assert await store.counts("other") == []


def test_quality_and_what_is_doubtful() -> None:
    found = quality([
        Count("good", 20, 9, 1, 0), Count("bad", 20, 1, 9, 0), Count("new", 5, 0, 2, 0),
        Count("silent", 9, 0, 0, 0), Count("mended", 9, 0, 0, 8), Count("field:seat", 9, 0, 0, 8),
    ])  # fmt: skip
    assert [q.rule for q in found if q.doubtful] == ["bad", "field:seat"]
    by = {q.rule: q for q in found}
    assert by["good"].precision == 0.9 and by["silent"].precision is None
    assert by["mended"].precision == 1.0 and by["field:seat"].precision == 0.0
    assert found[0].doubtful and found[-1].rule == "silent"


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    # the last from R. G. Newcombe, Two-sided confidence intervals for the single proportion, 1998
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right, n) == pytest.approx((low, high), abs=1e-4)
