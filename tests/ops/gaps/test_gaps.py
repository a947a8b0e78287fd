"""Gaps: noticed in use, grouped, told to few, closed with a document and measured."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from dazi.core.errors import AccessError, ConnectorError, NotFound
from dazi.knowledge.records import Document
from dazi.ops.feedback.model import Given
from dazi.ops.gaps.noticing import Seen
from dazi.ops.gaps.service import WEEK_S, Gap
from tests.fakes.engine import call
from tests.ops.feedback.conftest import Start, World, turn_of, world

__all__ = ["world"]
CANTEEN = "# 食堂\n\n食堂几点开门、几点关门:11:30 开门,13:30 关门。客户来访可以一起用餐。\n"


async def noted(w: World, user: str, text: str, turn: str, at: float = 0.0) -> None:
    if at:
        w.learning.gaps.parts.clock = lambda: at
    await w.learning.gaps.note(w.who(user), Seen("not_found", "th", turn, text, "zh"))


async def written(w: World, name: str, text: str, readers: str = "all") -> Document:
    assert w.runtime.documents is not None
    library = w.runtime.documents.library
    made = await library.add_upload(
        name, text.encode(), principal=w.who("admin"), readers=frozenset({readers})
    )
    await library.index_now(tenant="default")
    return made


async def gaps(w: World, user: str = "admin") -> list[Gap]:
    return await w.learning.gaps.gaps(w.who(user))


async def test_a_search_that_finds_nothing_is_noticed_in_a_turn(world: Start) -> None:
    w = await world()
    w.says(call("search_knowledge", query="食堂几点开门"), "公司文档里没有写这一点。")
    found = [r.outcome for r in (await w.ask("staff", "食堂几点开门?")).end.calls]
    await w.learning.listening.settle()
    (gap,) = await gaps(w)
    assert gap.whys == (("not_found" if found == ["not_found"] else "unsure", 1),)
    assert gap.examples == ("食堂几点开门?",) and gap.weeks[-1] == 1


async def test_handed_over_and_thumbs_down_tell_of_gaps_once_a_turn(world: Start) -> None:
    w = await world()
    w.says("停车位请找行政。")
    said = await w.ask("staff", "停车位怎么申请?")
    await w.give(said, Given("down", "missing"), "staff")
    await w.give(said, Given("down", "missing", "真的没有"), "staff")
    w.says("耳机都有保修。")
    await w.ask("customer", "耳机泡水了保修吗?", "th9")
    await w.ask("customer", "转人工", "th9")
    await w.learning.listening.settle()
    found = {g.examples[0]: g.whys for g in await gaps(w)}
    assert found == {
        "停车位怎么申请?": (("missing", 1),),
        "耳机泡水了保修吗?": (("handed_over", 1),),
    }
    assert turn_of(said)


async def test_a_question_that_was_not_answered_and_went_to_a_person_counts_once(
    world: Start,
) -> None:
    w = await world()
    w.says("我不知道耳机泡水了保不保修。")
    await w.ask("customer", "耳机泡水了保修吗?", "th9")
    await w.ask("customer", "转人工", "th9")
    await w.learning.listening.settle()
    (gap,) = await gaps(w)
    assert (gap.count, gap.whys) == (1, (("unsure", 1),))


async def test_they_are_grouped_counted_by_week_and_told_without_names(world: Start) -> None:
    w = await world()
    now = 1_800_000_000.0
    await noted(w, "staff", "食堂几点开门?我的手机 13812345678", "t1", now - 2 * WEEK_S)
    await noted(w, "finance", "公司食堂几点开门", "t2", now - 100)
    await noted(w, "finance", "食堂开门时间", "t3", now - 50)
    await noted(w, "finance", "食堂开门时间", "t3", now - 40)
    await noted(w, "customer", "耳机泡水了保修吗?", "t4", now - 30)
    w.learning.gaps.parts.clock = lambda: now
    first, second = await gaps(w)
    assert (first.count, first.people, second.count) == (3, 2, 1)
    assert first.weeks == (0, 0, 0, 0, 0, 1, 0, 2)
    told = repr((first, second))
    assert "13812345678" not in told and "[手机1]" in told
    assert "staff" not in told and "finance" not in told


async def test_only_reviewers_and_managers_of_documents_see_them(world: Start) -> None:
    w = await world()
    await noted(w, "staff", "食堂几点开门?", "t1")
    for user in ("staff", "customer", "finance"):
        with pytest.raises(AccessError):
            await gaps(w, user)
        with pytest.raises(AccessError):
            await w.learning.gaps.close(w.who(user), "x", "y")
    assert len(await gaps(w, "sys")) == 1


async def test_a_gap_is_closed_with_a_document_and_measured(world: Start) -> None:
    w = await world()
    service, admin = w.learning.gaps, w.who("admin")
    await noted(w, "staff", "食堂几点开门?", "t1")
    await noted(w, "staff", "食堂几点关门?", "t2")
    await noted(w, "customer", "食堂几点开门", "t3")
    (gap,) = await gaps(w)
    document = await written(w, "canteen.md", CANTEEN, "role:staff")
    with pytest.raises(NotFound):
        await service.close(admin, gap.id, "nonesuch")
    with pytest.raises(NotFound):
        await service.close(admin, "nonesuch", document.id)
    done = await service.close(admin, gap.id, document.id)
    # The customer may not read it: for them the question is as open as before.
    assert (done.closed.asked, done.closed.answered) == (3, 2)
    assert sorted(d for _, d in done.answers) == ["", document.id, document.id]
    (closed,) = await gaps(w)
    assert closed.closed is not None and (closed.count, closed.since) == (3, 0)
    await noted(w, "staff", "食堂几点开门呢?", "t4")
    (closed,) = await gaps(w)
    assert (closed.count, closed.since) == (4, 1)
    assert (await service.measure(admin, closed.id)).closed.answered == 3
    assert [b["of"] for b in await w.ledger("gap.close")] == [gap.id]
    await service.reopen(admin, closed.id)
    (again,) = await gaps(w)
    assert again.closed is None and again.count == 4
    with pytest.raises(NotFound):
        await service.measure(admin, again.id)


async def test_a_gap_that_is_older_than_what_is_shown_can_be_closed(world: Start) -> None:
    w = await world()
    now = 1_800_000_000.0
    await noted(w, "staff", "食堂几点开门?", "t1", now - 20 * WEEK_S)
    await noted(w, "staff", "食堂几点开门呢?", "t2", now - 1 * WEEK_S)
    await noted(w, "staff", "停车位怎么申请?", "t3", now - 20 * WEEK_S)
    w.learning.gaps.parts.clock = lambda: now
    (gap,) = await gaps(w)
    assert (gap.count, sum(gap.weeks)) == (1, 1)
    document = await written(w, "canteen.md", CANTEEN)
    done = await w.learning.gaps.close(w.who("admin"), gap.id, document.id)
    assert (done.closed.asked, done.closed.answered) == (2, 2)
    (gap,) = await gaps(w)
    assert gap.closed is not None


async def test_what_is_near_tells_the_collection_and_whom_to_ask(world: Start) -> None:
    w = await world()
    await written(w, "canteen.md", CANTEEN)
    await written(w, "secret.md", "# 食堂承包价\n\n食堂承包价每年 3 万元。\n", "user:manager")
    await noted(w, "staff", "食堂可以办婚礼吗?", "t1")
    await noted(w, "manager", "食堂承包价能不能谈", "t2")
    found = {g.examples[0]: g for g in await gaps(w, "sys")}
    near = found["食堂可以办婚礼吗?"]
    assert near.collections[0][1] == 1 and near.collections[0][0]
    assert any("食堂" in line and "《" in line for line in near.suggestion.outline)
    other = repr(found["食堂承包价能不能谈"].suggestion.outline[-1])
    assert "承包价》" not in other  # whoever looks may not read that one


async def test_looking_at_many_questions_keeps_nobody_else_waiting(
    world: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = await world()
    for n in range(6):
        await noted(w, "staff", f"食堂几点开门{'?' * n}", f"t{n}")
    where, hidden = [], []

    def grouping(vectors: list[list[float]]) -> list[int]:
        where.append(threading.current_thread())
        return [0] * len(vectors)

    async def embed(texts: Sequence[str]) -> list[list[float]]:
        return [[1.0] for _ in texts]

    monkeypatch.setattr("dazi.ops.gaps.service.grouped_by_vectors", grouping)
    monkeypatch.setattr("dazi.ops.gaps.service.MOST_COMPARED", 2)
    monkeypatch.setattr(
        "dazi.ops.gaps.service.hidden_text", lambda _, text: hidden.append(text) or text
    )
    w.learning.gaps.parts.embed = embed
    (gap,) = await gaps(w)
    assert gap.count == 6 and len(hidden) == 2
    assert where and threading.main_thread() not in where


async def test_documents_that_cannot_be_searched_hide_no_gap(
    world: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    w = await world()

    async def broken(*_: object) -> None:
        raise ConnectorError("unavailable", "查不了", "cannot be searched")

    monkeypatch.setattr(type(w.learning.gaps.parts.search), "passages", broken)
    await noted(w, "staff", "食堂几点开门?", "t1")
    monkeypatch.undo()
    (gap,) = await gaps(w)
    assert gap.collections == (("", 1),)
