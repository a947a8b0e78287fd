"""What every index must do; rights are part of each query, counts included."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from dazi.core.errors import CallerError, OperatorError
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.evaluation import fill, read_squad, score
from dazi.knowledge.index import Entry, KnowledgeIndex, Wanted
from tests.knowledge.conftest import OpenIndex
from tests.main.test_commands import dazi

ALL = frozenset({"all"})
STAFF = frozenset({"all", "role:staff"})


@pytest.fixture
async def index(open_index: OpenIndex) -> AsyncIterator[KnowledgeIndex]:
    made = open_index(None)
    yield made
    await made.close()


def entry(
    document: str, text: str, readers: frozenset[str] = ALL, tenant: str = "a", ordinal: int = 0
) -> Entry:
    chunk = Chunk(ordinal, text, ("手册", "章"), "3.2", 7, (1.0, 2.0, 3.0, 4.0))
    return Entry(tenant, document, chunk, f"标题 {document}", readers)


async def found(index: KnowledgeIndex, text: str, labels: frozenset[str] = ALL) -> list[str]:
    return [h.document for h in await index.search(Wanted(text, "a", labels))]


async def test_what_is_committed_is_found_best_first(index: KnowledgeIndex) -> None:
    texts = {"r": "退货期限为签收后七天,质量问题运费由公司承担。", "v": "VPN 请用工号登录。"}
    await index.add([entry(d, t) for d, t in texts.items()])
    assert await found(index, "退货期限") == []
    await index.commit()
    assert await found(index, "退货的期限是几天?") == ["r"]
    assert await found(index, "怎么连vpn") == ["v"]
    assert await found(index, "?!") == await found(index, "量子力学") == []
    (hit,) = await index.search(Wanted("退货期限", "a", ALL), 1)
    assert hit.chunk == entry("r", texts["r"]).chunk and hit.title == "标题 r" and hit.score > 0


async def test_deleted_is_gone_and_others_stay(index: KnowledgeIndex) -> None:
    await index.add(
        [entry("x", "同一句话"), entry("x", "同一句话二", ordinal=1), entry("y", "同一句话")]
    )
    await index.add([entry("x", "同一句话", tenant="b")])
    await index.commit()
    await index.delete("a", ["x"])
    await index.commit()
    assert await found(index, "同一句话") == ["y"]
    assert [h.document for h in await index.search(Wanted("同一句话", "b", ALL))] == ["x"]
    assert (await index.count("a", ALL), await index.count("b", ALL)) == (1, 1)


async def test_only_in_these_documents(index: KnowledgeIndex) -> None:
    await index.add([entry(d, "同一句话") for d in "xyz"])
    await index.commit()
    only = Wanted("一句话", "a", ALL, documents=frozenset({"y"}))
    assert [h.document for h in await index.search(only)] == ["y"]


async def test_a_document_is_read_in_order_by_who_may(index: KnowledgeIndex) -> None:
    texts = [f"第{n}段" for n in range(20)]
    await index.add([entry("x", t, STAFF - ALL, ordinal=n) for n, t in enumerate(texts)])
    await index.add([entry("y", "别的")])
    await index.commit()
    read = await index.read("a", "x", STAFF)
    assert [h.chunk.text for h in read] == texts
    assert [h.chunk.ordinal for h in await index.read("a", "x", STAFF, 18)] == [18, 19]
    assert len(await index.read("a", "x", STAFF, 0, 3)) == 3
    assert await index.read("a", "x", ALL) == await index.read("b", "x", STAFF) == []


async def test_revisions_and_parts_are_deleted_by_themselves(index: KnowledgeIndex) -> None:
    old = [entry("x", f"旧{n}段", ordinal=n) for n in range(4)]
    await index.add(old)
    await index.add([replace(e, revision=2) for e in old])
    await index.commit()
    await index.delete("a", ["x"], revision=1)
    await index.commit()
    assert [h.revision for h in await index.read("a", "x", ALL)] == [2] * 4
    await index.delete("a", ["x"], revision=2, since=2)
    await index.commit()
    kept = await index.entries("a", "x")
    assert kept == [replace(e, revision=2) for e in old[:2]]


async def test_frequencies_count_what_may_be_read(index: KnowledgeIndex) -> None:
    await index.add([entry("x", "退货期限"), entry("y", "退货运费", frozenset({"role:staff"}))])
    await index.commit()
    terms = ("退货", "期限", "无此")
    assert await index.frequencies("a", ALL, terms) == {"退货": 1, "期限": 1, "无此": 0}
    assert (await index.frequencies("a", STAFF, terms))["退货"] == 2
    assert (await index.frequencies("b", STAFF, terms))["退货"] == 0


async def test_it_outlives_the_process(open_index: OpenIndex) -> None:
    first = open_index(None)
    await first.add([entry("x", "留下来的话")])
    await first.commit()
    await first.close()
    again = open_index(None)
    assert await found(again, "留下来") == ["x"]
    await again.close()


async def test_one_writer_at_a_time_and_readers_all_along(tmp_path: Path) -> None:
    one, other = EmbeddedIndex(tmp_path), EmbeddedIndex(tmp_path)
    await one.add([entry("x", "第一份")])
    await one.commit()
    with pytest.raises(OperatorError, match="another process"):
        await other.add([entry("y", "第二份")])
    await one.release()
    await other.add([entry("y", "第二份")])
    await other.commit()
    await one.close()
    assert sorted(await found(other, "第一份和第二份")) == ["x", "y"]
    await other.close()


async def test_nobody_finds_or_counts_what_they_may_not_read(index: KnowledgeIndex) -> None:
    rng = random.Random(5)
    labels = [f"role:{r}" for r in "abcd"] + ["user:li", "user:wang", "department:hr"]
    rights: dict[str, frozenset[str]] = {}
    entries = []
    for n in range(300):
        number = f"d{n}"
        rights[number] = frozenset(rng.sample(labels, rng.randint(0, 3)))
        words = rng.choices(["退货", "价格", "合同", "休假", "报销", "风险"], k=6)
        entries.append(entry(number, "".join(words), rights[number]))
    await index.add(entries)
    await index.add([entry("other", "退货价格合同", frozenset(labels), tenant="b")])
    await index.commit()
    leaks = tried = 0
    for _ in range(300 if isinstance(index, EmbeddedIndex) else 30):  # milvus-lite is slow
        mine = frozenset(rng.sample(labels, rng.randint(0, 4)))
        asked = "".join(rng.choices(["退货", "价格", "合同", "休假"], k=2))
        hits = await index.search(Wanted(asked, "a", mine), 300)
        readable = {d for d, readers in rights.items() if readers & mine}
        tried += len(hits)
        leaks += sum(h.document not in readable for h in hits)
        assert await index.count("a", mine) == len(readable)
    assert leaks == 0 and tried > 1_000
    assert await index.search(Wanted("退货", "a", frozenset())) == []


async def test_writing_and_searching_go_on_together(index: KnowledgeIndex) -> None:
    await index.add([entry("x", "退货期限")])
    await index.commit()

    async def write() -> None:
        for n in range(5):
            await index.add([entry(f"n{n}-{i}", "别的内容") for i in range(50)])
            await index.commit()

    writing = asyncio.create_task(write())
    while not writing.done():
        assert await found(index, "退货期限") == ["x"]
    await writing
    assert await index.count("a", ALL) == 251


SQUAD = """{"data": [{"title": "手册", "paragraphs": [
 {"context": "退货期限为七天。", "qas": [{"question": "退货期限是多久?"}, {"question": "量子?"}]},
 {"context": "年假为五天。", "qas": [{"question": "年假几天?"}]}]}]}"""


async def test_scores(tmp_path: Path, index: KnowledgeIndex) -> None:
    path = tmp_path / "q.json"
    path.write_text(SQUAD, "utf-8")
    passages = read_squad(path)
    await fill(index, passages)
    found = await score(index.search, passages)
    assert (found.passages, found.questions) == (2, 3)
    assert found.recall_1 == found.recall_5 == found.mrr == pytest.approx(2 / 3)
    for wrong in ("[]", '{"data": [{"paragraphs": [{}]}]}', "x", '{"data": []}'):
        path.write_text(wrong)
        with pytest.raises(CallerError):
            read_squad(path)
    with pytest.raises(CallerError):
        read_squad(tmp_path / "none")


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text(SQUAD, "utf-8")
    told = dazi("knowledge", "eval", str(path), DAZI_LANG="en").stdout
    assert "2 passages, 3 questions, bm25: recall@1 0.6667" in told
    assert '"recall_5": 0.66' in dazi("knowledge", "eval", str(path), "--json").stdout
