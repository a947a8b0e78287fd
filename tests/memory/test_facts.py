"""What a person wants remembered: theirs alone, in their words, bounded, and gone when they say so."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.errors import CallerError, NotFound
from dazi.core.principal import Principal
from dazi.memory.facts import MOST_FACTS, MOST_PROPOSED, Asked, FactStore, asked_to_remember
from dazi.store.database import Database

LI, WANG = (Principal(user, frozenset({"employee"})) for user in ("li", "wang"))
OTHER = Principal("li", frozenset({"employee"}), tenant="other")


@pytest.fixture
async def facts(tmp_path: Path) -> AsyncIterator[FactStore]:
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    yield FactStore(database, Private(SubjectKeys(tmp_path / "audit")))
    await database.close()


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("记住我的地址是上海市张江路88号", Asked("我的地址是上海市张江路88号", True)),
        ("请记住：发票抬头用云杉商贸。", Asked("发票抬头用云杉商贸。", True)),
        ("帮我记一下，我对花生过敏", Asked("我对花生过敏", True)),
        ("remember that I prefer mornings", Asked("I prefer mornings", True)),
        ("Please remember my desk is 4B.", Asked("my desk is 4B.", True)),
        ("记住我喜欢靠窗。我的订单 ORD12345 到哪了？", Asked("我喜欢靠窗。", False)),
        ("你还记得我的地址吗", None),
        ("记住了吗?", None),
        ("记住我的地址是什么了吗", None),
        ("remember to call me", None),
        ("我的地址是上海", None),
    ],
)
def test_who_asks_to_have_something_remembered(said: str, wanted: Asked | None) -> None:
    assert asked_to_remember(said) == wanted


async def test_kept_found_changed_and_forgotten(facts: FactStore) -> None:
    kept = await facts.keep(LI, " 我的地址是张江路88号 ", "t")
    assert (kept.text, kept.state, kept.thread) == ("我的地址是张江路88号", "confirmed", "t")
    assert [f.text for f in await facts.confirmed(LI)] == ["我的地址是张江路88号"]
    assert (await facts.keep(LI, "我的地址是张江路88号")).id == kept.id, "the same is kept once"
    changed = await facts.change(LI, kept.id, "我的地址是张江路99号")
    assert [f.text for f in await facts.confirmed(LI)] == [changed.text]
    await facts.remove(LI, kept.id)
    assert await facts.confirmed(LI) == () == await facts.list(LI)


async def test_nobody_elses(facts: FactStore) -> None:
    kept = await facts.keep(LI, "我的地址是张江路88号")
    for somebody in (WANG, OTHER):
        assert await facts.list(somebody) == ()
        with pytest.raises(NotFound):
            await facts.change(somebody, kept.id, "我的")
        with pytest.raises(NotFound):
            await facts.remove(somebody, kept.id)
    assert [f.text for f in await facts.list(LI)] == [kept.text]


async def test_a_proposal_is_used_once_it_is_confirmed(facts: FactStore) -> None:
    await facts.propose(LI, ["我喜欢靠窗", "我喜欢靠窗"], "t")
    (proposed,) = await facts.list(LI)
    assert proposed.state == "proposed" and await facts.confirmed(LI) == ()
    await facts.change(LI, proposed.id, confirm=True)
    assert [f.text for f in await facts.confirmed(LI)] == ["我喜欢靠窗"]
    await facts.propose(LI, ["我喜欢靠窗"], "t")
    assert len(await facts.list(LI)) == 1


async def test_there_is_an_end_to_them(facts: FactStore) -> None:
    for n in range(MOST_FACTS):
        await facts.keep(LI, f"第{n}件事")
    for wrong in (facts.keep(LI, "再一件"), facts.keep(WANG, ""), facts.keep(WANG, "长" * 501)):
        with pytest.raises(CallerError):
            await wrong
    await facts.propose(LI, [f"我叫{n}号" for n in range(MOST_PROPOSED + 3)], "t")
    waiting = [f for f in await facts.list(LI) if f.state == "proposed"]
    assert [f.text for f in waiting] == [f"我叫{n}号" for n in range(3, MOST_PROPOSED + 3)]
    with pytest.raises(CallerError, match="all"):
        await facts.change(LI, waiting[0].id, confirm=True)


async def test_sealed_and_erased_with_the_person(facts: FactStore, tmp_path: Path) -> None:
    await facts.keep(LI, "我的地址是张江路88号")
    await facts.keep(WANG, "我的地址是南京路1号")
    with closing(sqlite3.connect(tmp_path / "d.sqlite")) as connection:
        assert "张江路" not in "\n".join(connection.iterdump())
    facts._private._keys.destroy("li")
    assert await facts.list(LI) == ()
    assert await facts.forget("li") == 1 and len(await facts.list(WANG)) == 1
