"""Threads, tickets, the ledger and documents as sources."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from dazi.apps.desk.model import Event, Ticket
from dazi.apps.desk.records import DeskStore, Standing
from dazi.apps.desk.records import Draft as Filing
from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.private import Private
from dazi.audit.sealing import Sealing
from dazi.core.messages import CallText, Message
from dazi.core.principal import Principal
from dazi.lab.tuning.data.reading.documents import read_documents
from dazi.lab.tuning.data.reading.threads import PRIVATE, not_private, read_threads
from dazi.lab.tuning.data.reading.tickets import read_tickets
from dazi.lab.tuning.data.reading.tool_log import read_tool_log
from dazi.lab.tuning.data.recipe import (
    Consent,
    DocumentsSource,
    ThreadsSource,
    TicketsSource,
    ToolLogSource,
)
from dazi.lab.tuning.data.samples import Draft
from dazi.lab.tuning.data.work import Refusing
from dazi.main.database import declare_tables
from dazi.memory.everybody import owners
from dazi.memory.threads import Kept, ThreadStore
from dazi.store.database import Database
from tests.lab.tuning_data.making_kit import draft

AGREED = Consent(basis="服务条款", everybody=True)
LIN, HE = (Principal(u, frozenset()) for u in ("lin", "he"))


class House:
    def __init__(self, folder: Path, database: Database) -> None:
        self.database = database
        self.sealing = Sealing(folder / "audit")
        private = Private(self.sealing.keys)
        self.threads = ThreadStore(database, private)
        self.desk = DeskStore(database, private)
        self.refusing = Refusing("read", lambda line: None)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    declare_tables()
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    house = House(tmp_path, database)
    yield house
    house.sealing.close()
    await database.close()


def said(text: str) -> Kept:
    return Kept(Message("user", text))


def answered(text: str) -> Kept:
    return Kept(Message("assistant", text))


def called(id: str, name: str, arguments: str, result: object) -> list[Kept]:
    call = Message("assistant", "", (CallText(id, name, arguments),))
    return [Kept(call), Kept(Message("tool", '{"status": "packed"}', call_id=id), name, result)]


class Rated:
    def __init__(self, found: Mapping[str, Mapping[int, int]]) -> None:
        self.found = found

    async def of(self, threads: Sequence[str]) -> Mapping[str, Mapping[int, int]]:
        return {t: self.found[t] for t in threads if t in self.found}


async def threads(
    house: House, told: Mapping[str, Mapping[int, int]] | None = None, **more: object
) -> list[Draft]:
    source = ThreadsSource(kind="threads", consent=AGREED, **more)  # type: ignore[arg-type]
    found = read_threads(source, house.threads, Rated(told or {}), house.refusing)
    return [d async for d in found]


async def test_conversations_of_everybody_with_their_calls(house: House) -> None:
    ok = called("c1", "get_order_status", '{"order_id": "ORD12345"}', {"status": "packed"})
    talk = [said("订单 ORD12345 到哪了?"), *ok, answered("已打包。")]
    await house.threads.append("t1", LIN, talk)
    await house.threads.append("t2", HE, [said("你好"), answered("您好。")])
    await house.threads.append("t3", HE, [said("有人吗")])
    by_ref = {d.sample.source.ref: d for d in await threads(house)}
    assert set(by_ref) == {"thread:t1#1-4", "thread:t2#1-2"}
    one = by_ref["thread:t1#1-4"].sample
    assert (one.kind, one.source.user, one.tools) == ("call", "lin", ["get_order_status"])
    assert one.messages[1].tool_calls[0].arguments == {"order_id": "ORD12345"}
    assert one.messages[2].name == "get_order_status" and one.messages[3].content == "已打包。"
    assert by_ref["thread:t2#1-2"].at > 0
    assert dict(house.refusing.counts) == {"no_reply": 1}


async def test_a_turn_whose_call_was_refused_is_left_out(house: House) -> None:
    bad = called("c1", "request_refund", "{}", None)
    talk = [said("退款"), *bad, answered("没有权限。"), said("谢谢"), answered("不客气。")]
    await house.threads.append("t1", LIN, talk)
    found = await threads(house)
    assert [m.content for m in found[0].sample.messages] == ["谢谢", "不客气。"]


async def test_what_people_rated_down_is_not_used(house: House) -> None:
    for n in (1, 2, 3):
        await house.threads.append(f"t{n}", LIN, [said("问"), answered("答")])
    rated = {"t1": {2: -1}, "t2": {0: 1}}
    assert len(await threads(house, rated, rated="any")) == 3
    left = await threads(house, rated)
    assert {d.sample.conversation for d in left} == {"thread:t2", "thread:t3"}
    up = await threads(house, rated, rated="up")
    assert {d.sample.conversation for d in up} == {"thread:t2"}
    assert house.refusing.counts == {"rated_down": 2, "few_stars": 1}


async def test_a_long_conversation_is_cut_between_turns(house: House) -> None:
    long = [k for n in range(5) for k in (said(f"问{n}"), answered("答" * 5_000))]
    await house.threads.append("t1", LIN, long)
    found = await threads(house)
    refs = [d.sample.source.ref for d in found]
    assert refs == ["thread:t1#1-4", "thread:t1#5-8", "thread:t1#9-10"]
    assert {d.sample.conversation for d in found} == {"thread:t1"}


async def test_erased_and_damaged_threads_give_nothing(house: House) -> None:
    await house.threads.append("t1", LIN, [said("问"), answered("答")])
    await house.threads.append("t2", HE, [said("问"), answered("答")])
    house.sealing.keys.destroy("lin")
    assert {d.sample.source.user for d in await threads(house)} == {"he"}
    assert house.sealing.keys.erased_at("lin") and house.sealing.keys.erased_at("he") is None


async def test_owners_come_page_by_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dazi.memory.everybody.TOGETHER", 2)
    for n in range(5):
        who = Principal(f"u{n // 2}", frozenset(), tenant=f"t{n % 2}")
        await house.threads.append(f"x{n}", who, [said("问")])
    found = [o async for o in owners(house.database)]
    assert found == [("u0", "t0"), ("u0", "t1"), ("u1", "t0"), ("u1", "t1"), ("u2", "t0")]


def event(act: str, text: str = "", by: str = "lin", **data: object) -> Event:
    actor = "customer" if by == "lin" else "agent"
    return Event(1_790_000_000.0, by, actor, act, text, data)  # type: ignore[arg-type]


async def filed(house: House, n: int, *events: Event) -> None:
    draft = Filing("default", "lin", f"t{n}", "web", f"标题{n}")
    at = events[-1].at
    ticket = Ticket("resolved", "normal", "logistics", at, at, resolved_at=at)
    id = await house.desk.create(draft, events[0], Standing(ticket))
    for one in events[1:]:
        await house.desk.add(await house.desk.get(id, "default"), one, Standing(ticket))


async def test_tickets_with_answers_and_categories(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.apps.desk.records._TOGETHER", 2)
    good = event("rate", stars=5)
    await filed(house, 1, event("create", "包裹破了"), event("reply", "给您补发。", "zhou"), good)
    bad = event("rate", stars=1)
    await filed(house, 2, event("create", "还没到"), event("reply", "不知道。", "zhou"), bad)
    await filed(house, 3, event("create", "没人理我"))
    spam = event("spam", by="zhou")
    await filed(house, 4, event("create", "广告"), event("reply", "嗯", "zhou"), spam)
    source = TicketsSource(kind="tickets", consent=AGREED, least_stars=4, categories=True)
    found = [d async for d in read_tickets(source, house.desk, "default", house.refusing)]
    talks = [d.sample for d in found if d.sample.kind == "chat"]
    assert [[m.content for m in s.messages] for s in talks] == [["标题1\n包裹破了", "给您补发。"]]
    assert talks[0].conversation == "thread:t1" and talks[0].source.user == "lin"
    labels = [(d.sample.label, d.sample.source.ref) for d in found if d.sample.kind == "class"]
    assert labels == [("logistics", "ticket:T00001"), ("logistics", "ticket:T00003")]
    assert house.refusing.counts == {"few_stars": 2, "no_reply": 1, "no_sample": 2}
    assert await house.desk.stars(["t1", "t2", "t9"]) == {"t1": 5, "t2": 1}


async def test_calls_that_succeeded_come_from_the_ledger(house: House) -> None:
    ledger = Ledger(SqlSink(house.database), house.sealing)
    await ledger.open()

    async def turn(n: int, outcome: str, user: str = "lin") -> None:
        begun = {"said": f"订单 ORD0000{n} 到哪了", "thread": "t1", "roles": ["customer"],
                 "offered": ["get_order_status", "list_orders"]}  # fmt: skip
        arguments = {"order_id": f"ORD0000{n}"}
        call = {"call": f"c{n}", "tool": "get_order_status", "arguments": arguments}
        await ledger.append("turn", user, f"turn_{n}", begun)
        await ledger.append("call", user, f"turn_{n}", {**call, "outcome": "ok"})
        await ledger.append("outcome", user, f"turn_{n}", {**call, "outcome": outcome})
        await ledger.append("answer", user, f"turn_{n}", {"answer": "…"})

    await turn(1, "ok")
    await turn(2, "forbidden")
    await turn(3, "ok", "he")
    house.sealing.keys.destroy("he")
    source = ToolLogSource(kind="tool_log", consent=AGREED)
    found = [d async for d in read_tool_log(source, house.database, house.sealing, house.refusing)]
    assert len(found) == 1 and house.refusing.counts == {"unreadable": 1}
    one = found[0].sample
    assert one.source.ref == "turn:turn_1" and one.conversation == "thread:t1"
    assert one.tools == ["get_order_status", "list_orders"] and one.role == "customer"
    assert one.messages[1].tool_calls[0].arguments == {"order_id": "ORD00001"}
    assert len(one.today) == 10


async def test_only_documents_that_everybody_concerned_may_read(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    folder.mkdir()
    (folder / "open.md").write_text("# 公开办法\n\n## 退货\n签收后 7 天内可以退货。\n", "utf-8")
    (folder / "secret.md").write_text(
        "---\nroles: [finance]\n---\n# 预算\n\n市场部 100 万。\n", "utf-8"
    )
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    refusing = Refusing("read", lambda line: None)
    source = DocumentsSource(kind="documents", folder="knowledge")

    async def read(*audience: str) -> list[Draft]:
        found = read_documents(source, folder, audience, ("staff", "finance"), refusing)
        return [d async for d in found]

    everybody = await read("all")
    assert [d.sample.source.ref for d in everybody] == ["document:open.md#0"]
    assert everybody[0].title == "公开办法" and everybody[0].path == ["公开办法", "退货"]
    assert refusing.counts == {"readers": 1, "unreadable": 1}
    finance = await read("role:finance")
    assert {d.sample.conversation for d in finance} == {"document:open.md", "document:secret.md"}
    assert len(await read("role:finance", "role:staff")) == 1


async def test_what_nobody_is_to_learn_from_is_not_taken_from_elsewhere(house: House) -> None:
    async def found() -> AsyncIterator[Draft]:
        for conversation in ("thread:t1", "thread:t2", "ticket:T1", "thread:t1"):
            yield draft("问", "答", conversation=conversation)

    rated = Rated({"t1": {0: PRIVATE}, "t2": {0: -1}, "T1": {0: PRIVATE}})
    left = [d async for d in not_private(found(), rated, house.refusing)]
    assert [d.sample.conversation for d in left] == ["thread:t2", "ticket:T1"]
    assert house.refusing.counts == {"consent": 2}


async def test_threads_that_go_or_go_on_while_they_are_read(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.memory.threads.TOGETHER", 2)
    for n in range(6):
        await house.threads.append(f"t{n}", LIN, [said("问"), answered("答")])
    source = ThreadsSource(kind="threads", consent=AGREED)
    seen = []
    async for d in read_threads(source, house.threads, Rated({}), house.refusing):
        seen.append(d.sample.conversation)
        if (
            len(seen) == 1
        ):  # of the first page the last is deleted, of the second the last written to
            await house.threads.delete("t4", LIN)
        if len(seen) == 3:
            await house.threads.append("t2", LIN, [said("再问"), answered("再答")])
    assert seen == ["thread:t5", "thread:t3", "thread:t2", "thread:t1", "thread:t0"]
    assert not house.refusing.counts
