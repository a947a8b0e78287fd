"""Whoever is erased leaves no feedback, no question and no sample behind; what is old goes by itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from dazi.audit.keys import SubjectKeys
from dazi.audit.retention import DAY_S
from dazi.core.errors import CallerError
from dazi.core.principal import Principal
from dazi.main.accounts import desk
from dazi.main.erasing import Stores, erase
from dazi.main.settings import Settings, demo_folder
from dazi.ops.datasets.erasing import Forgotten
from dazi.ops.datasets.folders import read_manifest
from dazi.ops.datasets.people import People
from dazi.ops.feedback.model import Content, Entry
from dazi.ops.feedback.sample import person_in
from dazi.ops.feedback.store import FeedbackStore
from dazi.ops.feedback.tables import feedback
from dazi.ops.gaps.noticing import Seen
from dazi.ops.gaps.store import GapStore
from dazi.ops.gaps.tables import gap_questions
from dazi.ops.learning.dataset import Wanted, make, read
from dazi.store.database import Database
from tests.ops.learning.test_dataset import sample


def entry(user: str, giver: str, item: str) -> Entry:
    return Entry("", "default", user, giver, "answer", item, item, Content("说的话", "回答"), 0.0)


async def test_feedback_questions_and_samples_go_with_the_person(tmp_path: Path) -> None:
    settings = Settings(company=demo_folder(), data=tmp_path / "d")
    async with desk(settings, "finance") as d:
        store, gaps = FeedbackStore(d.database, d.private), GapStore(d.database, d.private)
        for user, giver, item in (
            ("customer", "customer", "t1"), ("finance", "finance", "t2"),
            ("finance", "customer", "t3"), ("agent", "customer", "t3"),
        ):  # fmt: skip
            await store.put(entry(user, giver, item + user))
        for user in ("customer", "finance"):
            who = Principal(user, frozenset())
            await gaps.put(who, Seen("not_found", "th", "turn", "食堂几点开?", "zh"), "", [])
        people = {u: person_in(d.private, u) for u in ("customer", "finance")}
        samples = [
            sample(f"{u}{i}", f"c{i}", person) for u, person in people.items() for i in range(3)
        ]
        made = make(tmp_path / "d", Wanted("feedback", samples, {}, {}))
    done = await erase(settings, "customer", "finance", "离职")
    assert "2 条反馈和没答上的问题" in done.zh and "feedback 1" in done.zh
    assert "2 pieces of feedback" in done.en
    async with desk(settings, "finance") as d:
        store = FeedbackStore(d.database, d.private)
        async with d.database.read() as connection:
            assert await connection.scalar(select(func.count()).select_from(feedback)) == 3
            assert await connection.scalar(select(func.count()).select_from(gap_questions)) == 1
            givers = set((await connection.execute(select(feedback.c.giver))).scalars())
    assert "customer" not in givers and "finance" in givers and len(givers) == 3
    old = made.folder
    new = old.parent / "2"
    assert {s["source"]["user"] for s in read(new)} == {people["finance"]}
    assert not list(read(old))
    told = json.loads((old / "manifest.json").read_text("utf-8"))
    assert told["withdrawn"]["why"] == "erased"
    fresh = json.loads((new / "manifest.json").read_text("utf-8"))
    assert fresh["withdrawn"] is None and fresh["parents"] == [{"name": "feedback", "version": 1}]


async def test_an_erasure_that_broke_off_once_the_key_was_gone_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(company=demo_folder(), data=tmp_path / "d")
    async with desk(settings, "finance") as d:
        put = await FeedbackStore(d.database, d.private).put(entry("customer", "customer", "t1"))
        mine = sample(f"feedback-{put.id}", "c1", person_in(d.private, "customer"))
        other = sample("feedback-other", "c2", "somebody")
        made = make(tmp_path / "d", Wanted("feedback", [mine, other], {}, {}))
        await d.record("admin", "customer", {"act": "something"})

    calls = 0

    def killed(*_: object) -> Forgotten:
        nonlocal calls
        calls += 1
        if calls > 1:  # the first is before the key goes
            raise OSError("killed")
        return Forgotten()

    with monkeypatch.context() as m, pytest.raises(OSError, match="killed"):
        m.setattr("dazi.main.erasing.forget", killed)
        await erase(settings, "customer", "finance", "离职")
    await erase(settings, "customer", "finance", "离职")
    assert not list(read(made.folder))
    assert [s["id"] for s in read(made.folder.with_name("2"))] == ["feedback-other"]


async def test_what_is_old_and_drafts_that_were_not_sent_go(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}")
    await database.create()
    keys = SubjectKeys(tmp_path / "audit")
    stores = Stores.of(database, keys)
    for item, days, state in (("new", 1, "new"), ("old", 400, "new"), ("draft", 20, "open")):
        put = await stores.feedback.put(entry("li", "li", item))
        at = {"at": time.time() - days * DAY_S, "state": state}
        async with database.write() as connection:
            await connection.execute(update(feedback).where(feedback.c.id == put.id).values(at))
    who = Principal("li", frozenset())
    seen = Seen("unsure", "th", "turn", "食堂几点开?", "zh")
    await stores.gaps.put(who, seen, "", [], time.time() - 400 * DAY_S)
    before = time.time() - 365 * DAY_S
    assert (await stores.feedback.prune(before), await stores.gaps.prune(before)) == (2, 1)
    assert await stores.feedback.of_item("default", "li", "answer", "new") is not None
    keys.close()
    await database.close()


async def test_an_erasure_that_is_cut_short_at_the_datasets_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(company=demo_folder(), data=tmp_path / "d")
    async with desk(settings, "finance") as d:
        store = FeedbackStore(d.database, d.private)
        await store.put(entry("customer", "customer", "t1"))
        person = person_in(d.private, "customer")
        make(tmp_path / "d", Wanted("feedback", [sample("a", "c", person)], {}, {}))
    with monkeypatch.context() as m:
        m.setattr("dazi.main.erasing.forget", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await erase(settings, "customer", "finance", "离职")
    done = await erase(settings, "customer", "finance", "离职")
    assert "feedback 1" in done.zh


async def test_somebody_who_is_in_a_dataset_alone_is_erased_and_remembered(tmp_path: Path) -> None:
    data = tmp_path / "d"
    settings = Settings(company=demo_folder(), data=data)
    mark = People(data).mark("old customer")
    make(data, Wanted("files", [sample("a", "c", mark), sample("b", "c2", "")], {}, {}))
    with pytest.raises(CallerError):
        await erase(settings, "old customer", "finance", " ")
    assert read_manifest(data / "datasets" / "files" / "1").withdrawn is None
    done = await erase(settings, "old customer", "finance", "离职")
    assert "files 1" in done.zh
    keys = SubjectKeys(data / "audit")
    assert keys.erased_at("old customer")
    keys.close()
