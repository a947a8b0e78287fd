"""A person's own threads: listed by the page, archived, found again, taken away as a file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.errors import CallerError, NotFound
from dazi.core.messages import CallText, Message
from dazi.core.principal import Principal
from dazi.memory import thread_search
from dazi.memory.export import as_file, as_markdown, everything, file_name
from dazi.memory.facts import FactStore
from dazi.memory.tables import threads
from dazi.memory.thread_search import search, snippet_of
from dazi.memory.threads import Kept, Thread, ThreadStore
from dazi.store.database import Database

LI, WANG = (Principal(user, frozenset({"employee"})) for user in ("li", "wang"))
ELSEWHERE = Principal("li", frozenset({"employee"}), tenant="other")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ThreadStore]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}")
    await database.create()
    keys = SubjectKeys(tmp_path / "audit")
    yield ThreadStore(database, Private(keys))
    keys.close()
    await database.close()


async def say(
    store: ThreadStore, thread: str, said: str, answer: str = "好的。", who: Principal = LI
) -> None:
    turn = [Kept(Message("user", said)), Kept(Message("assistant", answer))]
    await store.append(thread, who, turn)


async def at(store: ThreadStore, thread: str, when: float) -> None:
    async with store.database.write() as connection:
        await connection.execute(update(threads).where(threads.c.id == thread).values(at=when))


async def listed(store: ThreadStore, who: Principal = LI, *, archived: bool = False) -> list[str]:
    return [t.id for t in await store.list(who, archived=archived)]


async def test_pages_hold_every_thread_once_even_where_times_are_alike(store: ThreadStore) -> None:
    for n in range(45):
        await say(store, f"t{n:02}", f"第 {n} 个")
        await at(store, f"t{n:02}", 1_000.0 + n // 4)
    seen: list[str] = []
    while page := await store.list(LI, 7, after=seen[-1] if seen else ""):
        seen += [t.id for t in page]
    assert sorted(seen) == [f"t{n:02}" for n in range(45)]
    whole = [t.id async for some in store.all(LI) for t in some]
    assert whole == seen
    assert [t.id async for some in store.all(LI, seen[20]) for t in some] == seen[21:]
    with pytest.raises(NotFound):
        await store.list(WANG, after="t01")


async def test_an_archived_thread_is_out_of_the_list_until_somebody_writes(
    store: ThreadStore,
) -> None:
    await say(store, "a", "一")
    await say(store, "b", "二")
    done = await store.archive("a", LI)
    assert done.archived is not None
    assert await store.archive("a", LI) == done  # twice is once
    assert await listed(store) == ["b"] and await listed(store, archived=True) == ["a"]
    assert len(await store.load("a", LI)) == 2
    await say(store, "a", "三")
    assert await listed(store) == ["a", "b"] and not await listed(store, archived=True)
    await store.archive("b", LI)
    await store.archive("b", LI, out=False)
    assert sorted(await listed(store)) == ["a", "b"]


async def test_what_nobody_wrote_to_is_archived_by_itself(store: ThreadStore) -> None:
    for thread, when in (("old", 10.0), ("older", 5.0), ("new", 100.0)):
        await say(store, thread, thread)
        await at(store, thread, when)
    assert await store.archive_idle(50.0) == 2
    assert await store.archive_idle(50.0) == 0
    assert await listed(store) == ["new"]
    assert await listed(store, archived=True) == ["old", "older"]


async def test_a_title_is_the_owners_to_change(store: ThreadStore) -> None:
    await say(store, "a", "发货了吗")
    assert (await store.rename("a", LI, "  三月的\n订单 ")).title == "三月的 订单"
    assert [t.title for t in await store.list(LI)] == ["三月的 订单"]
    for wrong in ("", " \n ", "长" * 201):
        with pytest.raises(CallerError):
            await store.rename("a", LI, wrong)
    assert (await store.get("a", LI)).title == "三月的 订单"
    async with store.database.read() as connection:
        (row,) = (await connection.execute(threads.select())).all()
    assert "三月" not in row.title  # sealed as the first one was


async def test_what_is_anothers_looks_like_none(store: ThreadStore) -> None:
    await say(store, "a", "机密的蓝莓")
    for who in (WANG, ELSEWHERE):
        for work in (
            store.get("a", who), store.rename("a", who, "x"), store.archive("a", who),
            store.delete("a", who), anext(store.messages("a", who)),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await work
        assert not (await search(store, who, "蓝莓")).hits
        assert not [m async for m in store.said(["a"], who)]
        assert not [t async for t in store.all(who)]
        facts = FactStore(store.database, store.private)
        assert not [line async for line in everything(store, facts, who)]
    assert (await store.get("a", LI)).title == "机密的蓝莓"


async def test_every_word_must_be_in_one_message_or_the_title(store: ThreadStore) -> None:
    await say(store, "a", "订单 ORD12345 发货了吗?", "已发货,运单号 SF1000000001。")
    await say(store, "b", "退货怎么办", "七天内可以退货。")
    await say(store, "b", "谢谢", "不客气。退货到账要三天。")
    await store.archive("b", LI)

    async def found(query: str) -> list[tuple[str, str]]:
        return [(h.thread.id, h.snippet) for h in (await search(store, LI, query)).hits]

    assert await found("ord12345") == [("a", "订单 ORD12345 发货了吗?")]
    # Full-width characters are the same ones.
    assert await found("\uff2f\uff32\uff2412345 发货") == [("a", "订单 ORD12345 发货了吗?")]
    assert await found("ORD12345 SF1000000001") == []
    assert await found("退货") == [("b", "不客气。退货到账要三天。")]  # archived, the last of three
    await store.rename("a", LI, "蓝莓")
    assert await found("蓝莓") == [("a", "")]
    await store.delete("b", LI)
    assert await found("退货") == []


async def test_a_search_goes_on_where_it_ended(
    store: ThreadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(60):
        await say(store, f"t{n:02}", "蓝莓" if n % 3 == 0 else "苹果")
        await at(store, f"t{n:02}", float(n))
    wanted = [f"t{n:02}" for n in range(59, -1, -1) if n % 3 == 0]

    async def pages(limit: int) -> list[str]:
        out: list[str] = []
        after = ""
        while True:
            found = await search(store, LI, "蓝莓", limit, after)
            out += [h.thread.id for h in found.hits]
            after = found.next
            if not after:
                return out

    assert await pages(100) == await pages(7) == wanted
    assert not (await search(store, LI, "蓝莓", 100)).next
    monkeypatch.setattr(thread_search, "MOST_OPENED", 10)
    first = await search(store, LI, "蓝莓", 100)
    assert first.next and len(first.hits) < len(wanted)
    assert await pages(100) == wanted
    for wrong in ("", "  ", "长" * 201):
        with pytest.raises(CallerError):
            await search(store, LI, wrong)
    with pytest.raises(NotFound):
        await search(store, WANG, "蓝莓", after="t01")


def test_a_snippet_is_what_stands_around_the_word() -> None:
    text = "前" * 100 + "蓝莓" + "后" * 100
    assert snippet_of(text, ["蓝莓"]) == "…" + "前" * 40 + "蓝莓" + "后" * 40 + "…"
    assert snippet_of("ﬁne 蓝莓", ["蓝莓"]) == "fine 蓝莓"  # folding makes it longer
    assert snippet_of("苹果", ["蓝莓"]) == ""


async def test_a_thread_as_a_file(store: ThreadStore) -> None:
    call = CallText("c1", "get_order_status", '{"order_id": "ORD12345"}')
    result = {"status": "shipped", "note": "```\n# not a heading"}
    await store.append(
        "a",
        LI,
        [
            Kept(Message("user", "发货了吗?")),
            Kept(Message("assistant", "", (call,))),
            Kept(Message("tool", '{"status": "shipped"}', (), "c1"), "get_order_status", result),
            Kept(Message("assistant", "已发货。")),
        ],
    )
    thread = await store.get("a", LI)
    messages = [m async for m in store.messages("a", LI)]
    data = json.loads(as_file(thread, messages, "json", "zh"))
    assert (data["id"], data["title"], data["archived"]) == ("a", "发货了吗?", "")
    assert [m["role"] for m in data["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert data["messages"][1]["tool_calls"][0]["arguments"] == '{"order_id": "ORD12345"}'
    assert data["messages"][2]["result"] == result
    assert [m.get("generated_by", "") for m in data["messages"]] == ["", "AI", "", "AI"]
    text = as_markdown(thread, messages, "zh")
    assert text.startswith("# 发货了吗?\n") and "AI 生成" in text
    assert text.index("已发货。") > text.index("````\n") > text.index("get_order_status")
    assert file_name(thread, "markdown") == "发货了吗.md"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc passwd.md"),
        ("a\u202egpj.exe", "a gpj.exe.md"),
        ("???", "thread.md"),
        ("", "thread.md"),
        ("长" * 80, "长" * 60 + ".md"),
    ],
)
def test_a_file_name_is_only_a_name(title: str, name: str) -> None:
    assert file_name(Thread("t", title, 0.0), "markdown") == name


async def test_everything_of_a_person_is_a_line_each(store: ThreadStore) -> None:
    facts = FactStore(store.database, store.private)
    await facts.keep(LI, "发票抬头是云杉商贸")
    await facts.keep(WANG, "别人的")
    for n in range(25):
        await say(store, f"t{n:02}", f"第 {n} 个")
    await store.archive("t03", LI)
    await say(store, "w", "别人的", who=WANG)
    lines = [json.loads(line) async for line in everything(store, facts, LI)]
    assert [x["fact"] for x in lines if "fact" in x] == ["发票抬头是云杉商贸"]
    assert sorted(x["id"] for x in lines if "id" in x) == [f"t{n:02}" for n in range(25)]
    assert [x["id"] for x in lines if x.get("archived")] == ["t03"]
    assert all(len(x["messages"]) == 2 for x in lines if "id" in x)


async def test_a_long_thread_comes_whole(store: ThreadStore) -> None:
    for n in range(130):
        await say(store, "a", f"第 {n} 个")
    await say(store, "b", "另一个")
    texts = [m.kept.message.content async for m in store.messages("a", LI)]
    assert texts[::2] == [f"第 {n} 个" for n in range(130)]
    both = [t async for t, _ in store.said(["a", "b"], LI)]
    assert both == ["a"] * 260 + ["b"] * 2
