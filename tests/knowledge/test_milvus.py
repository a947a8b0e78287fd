"""What Milvus adds to the contract of an index: a server that is away, several writers, and names that
look like expressions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dazi.core.errors import OperatorError
from dazi.knowledge import milvus as milvusmodule
from dazi.knowledge import milvus_rows
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.index import Entry, Wanted
from dazi.knowledge.milvus import MilvusIndex
from dazi.knowledge.milvus_server import WORDS, MilvusAddress
from dazi.knowledge.vectors import VectorSpace
from tests.knowledge.milvuslite import Lite
from tests.knowledge.test_vectors import SPACE, entry, vector

ALL = frozenset({"all"})
SPECIAL = [
    '"',
    "'",
    "\\",
    '"] or tenant != "',
    '\\"',
    "{x}",
    "%",
    "\n",
    "\x00",
    "角色",
    "",
    "or 1==1",
]
NAMES = st.one_of(
    st.sampled_from([*SPECIAL, '") or array_contains(readers, "role:a', "role:a", "all"]),
    st.lists(st.sampled_from(SPECIAL), max_size=4).map("".join),
    st.text(max_size=8),
)


@pytest.fixture
async def index(milvus: Lite) -> AsyncIterator[MilvusIndex]:
    made = MilvusIndex(MilvusAddress(milvus.url), SPACE)
    yield made
    await made.close()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    entries=st.lists(
        st.tuples(NAMES, NAMES, st.frozensets(NAMES, max_size=3)), min_size=1, max_size=4
    ),
    tenant=NAMES,
    labels=st.frozensets(NAMES, max_size=3),
    documents=st.frozensets(NAMES, max_size=2),
)
async def test_names_are_never_read_as_expressions(
    index: MilvusIndex,
    entries: list[tuple[str, str, frozenset[str]]],
    tenant: str,
    labels: frozenset[str],
    documents: frozenset[str],
) -> None:
    """Whatever tenants, documents and labels are called, everybody finds what is theirs."""
    there = {}
    for of, name, readers in entries:
        made = replace(entry(name, 1, readers, of), title="")
        await index.delete(of, [name])
        await index.add([made])
        there[of, name] = made
    await index.commit()
    mine = {
        name
        for (of, name), e in there.items()
        if of == tenant and e.readers & labels and (not documents or name in documents)
    }
    asked = Wanted("第1段", tenant, labels, documents, vector(1))
    assert {h.document for h in await index.search(asked)} == mine
    assert {h.document for h in await index.nearest(asked)} == mine
    for (of, name), made in there.items():
        (kept,) = await index.entries(of, name)
        assert replace(kept, vector=None) == replace(made, vector=None)
        await index.delete(of, [name])
    await index.commit()
    assert await index.size() == 0


async def test_without_digests_names_would_be_read(
    index: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard broken on purpose: the same label opens what it must not."""
    bent = Wanted("第1段", "a", frozenset({'x"]) or array_contains_any(readers, ["role:a'}))
    whole = milvus_rows.digest
    secret = entry("secret", 1, frozenset({"role:a"}))
    await index.add([secret])
    await index.commit()
    assert await index.search(bent) == []
    monkeypatch.setattr(milvus_rows, "digest", lambda *p: p[0] if len(p) == 1 else whole(*p))
    await index.add([secret])
    await index.commit()
    assert [h.document for h in await index.search(bent)] == ["secret"]


def test_expressions_hold_digests_only() -> None:
    """No character of a name gets into them, so none can end a string or begin an operator."""
    name = "Zq" + "".join(SPECIAL)
    deleted = milvus_rows.Deleted(milvus_rows.digest(name), milvus_rows.digest(name), 1, 2)
    made = [
        milvus_rows.allowed(name, frozenset({name}), (name,)) or "",
        milvus_rows.of_document(name, name),
        *milvus_rows.expressions([deleted]),
        milvus_rows.holds(name),
    ]
    for expression in made:
        assert "Zq" not in expression and not set(expression) & set("'\\{%\n\x00角")
        quoted = expression.split('"')[1::2]
        assert quoted and all(q.replace(" ", "").isalnum() for q in quoted)
    assert milvus_rows.allowed(name, frozenset()) is None


async def test_a_server_that_is_away_is_said_and_found_again(milvus: Lite) -> None:
    index = MilvusIndex(MilvusAddress(milvus.url), SPACE)
    await index.add([entry("x", 1)])
    await index.commit()
    await index.add([entry("y", 2)])
    milvus.stop()
    with pytest.raises(OperatorError, match="DAZI_MILVUS_URL") as told:
        await index.search(Wanted("第1段", "a", ALL))
    assert told.value.code == "index_unavailable"
    for refused in (index.commit(), index.add([entry("w", 3)])):
        with pytest.raises(OperatorError):
            await refused
    milvus.start()
    await index.commit()  # what could not be written was kept
    assert {h.document for h in await index.search(Wanted("第1段", "a", ALL))} >= {"x"}
    assert await index.size() == 2
    await index.add([entry("z", 3)])
    await index.release()
    await index.commit()
    assert await index.size() == 2
    await index.close()


async def test_it_connects_when_it_is_asked_something(milvus: Lite) -> None:
    milvus.stop()
    index = MilvusIndex(MilvusAddress(milvus.url))
    with pytest.raises(OperatorError, match="Milvus"):
        await index.count("a", ALL)
    milvus.start()
    assert await index.count("a", ALL) == 0
    await index.close()


@pytest.mark.parametrize("url", ["", "milvus:19530", "/data/x.db", "tcp://h:1", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(OperatorError, match="DAZI_MILVUS_URL"):
        MilvusIndex(MilvusAddress(url))


def test_without_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dazi.knowledge.milvus_server.find_spec", lambda name: None)
    with pytest.raises(OperatorError, match=r"dazi\[milvus\]"):
        MilvusIndex(MilvusAddress("http://127.0.0.1:1"))


async def test_two_write_and_read_at_once(index: MilvusIndex, milvus: Lite) -> None:
    other = MilvusIndex(MilvusAddress(milvus.url), SPACE)
    await index.add([entry("x", 1)])
    await other.add([entry("y", 2)])
    await index.commit()
    await other.commit()
    for each in (index, other):
        assert await each.count("a", ALL) == 2
    await other.delete("a", ["x"])
    await other.commit()
    assert await index.nearest(Wanted("", "a", ALL, vector=vector(1))) != []
    assert await index.count("a", ALL) == 1
    await other.close()


async def test_two_read_the_same_document_at_once(
    index: MilvusIndex, milvus: Lite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever order their halves come, the document is there afterwards, once."""
    other = MilvusIndex(MilvusAddress(milvus.url), SPACE)
    await index.add([entry("x", n, ordinal=n) for n in range(5)])
    await index.commit()
    for each in (index, other):
        await each.delete("a", ["x"], revision=2)
        await each.add([replace(entry("x", n, ordinal=n), revision=2) for n in range(3)])
        await each.delete("a", ["x"], revision=1)
    whole = milvusmodule._drop
    waited = []

    def late(*given: Any) -> None:
        waited.append(given)

    monkeypatch.setattr(milvusmodule, "_drop", late)
    await index.commit()
    await other.commit()
    for late_one in waited:
        whole(*late_one)
    await index.size()
    assert [h.revision for h in await index.read("a", "x", ALL)] == [2, 2, 2]
    assert len(await other.nearest(Wanted("", "a", ALL, vector=vector(1)))) == 3
    await other.close()


async def test_adding_again_changes_nothing(index: MilvusIndex) -> None:
    for _ in range(2):
        await index.add([entry("x", n, ordinal=n) for n in range(3)])
        await index.commit()
    assert await index.size() == 3
    assert len(await index.nearest(Wanted("", "a", ALL, vector=vector(1)))) == 3


async def test_a_stop_between_the_halves_of_a_commit_loses_nothing(
    index: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other readers are the same chunks deleted and added: never are they only deleted."""
    await index.add([entry("x", n, ordinal=n) for n in range(3)])
    await index.commit()
    kept = await index.entries("a", "x")
    await index.delete("a", ["x"])
    await index.add([replace(e, readers=frozenset({"role:hr"})) for e in kept])

    def stopped(*given: object) -> None:
        raise OperatorError("stopped", "", "stopped")

    monkeypatch.setattr("dazi.knowledge.milvus._drop", stopped)
    with pytest.raises(OperatorError, match="stopped"):
        await index.commit()
    assert len(await index.entries("a", "x")) == 3
    assert await index.count("a", ALL) == 0
    monkeypatch.undo()
    await index.commit()
    assert await index.count("a", frozenset({"role:hr"})) == 3


async def test_a_row_of_vectors_alone_shows_nothing(index: MilvusIndex) -> None:
    await index.add([entry("secret", 1, frozenset({"role:a"})), entry("open", 2)])
    await index.commit()
    made = milvus_rows.added(entry("secret", 1), SPACE).vector
    stray = milvus_rows.added(entry("gone", 1), SPACE).vector
    assert made is not None and stray is not None

    def write(client: object) -> None:
        client.upsert(index._server.vectors, [made, stray])  # type: ignore[attr-defined]

    await index._server.call(write)
    asked = Wanted("", "a", ALL, vector=vector(1))
    near = await index._server.call(
        lambda c: index._near(c, np.array(vector(1)), "revision == 1", 9)
    )
    assert len(near) == 3
    assert [h.document for h in await index.nearest(asked, 9)] == ["open"]


async def test_long_headings_and_many_documents_fit(index: MilvusIndex) -> None:
    chunk = Chunk(0, "正文在此", tuple("很长的标题" * 8000 for _ in range(6)))
    await index.add([Entry("a", "x", chunk, "t" * 100_000, ALL)])
    await index.commit()
    (hit,) = await index.search(Wanted("正文", "a", ALL))
    assert hit.chunk.text == "正文在此" and hit.chunk.path[0].startswith("很长的标题")
    await index.delete("a", ["x", *(f"d{n}" for n in range(1200))])
    await index.commit()
    assert await index.size() == 0


async def test_long_documents_in_order_and_what_has_no_vector(
    index: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.knowledge.milvus.READ", 4)
    monkeypatch.setattr("dazi.knowledge.milvus.NAMES", 3)
    ordinals = [0, 1, 2, 3, 4, 7, 20, 21, 22, 23]
    await index.add([entry("x", n, ordinal=n) for n in ordinals])
    await index.add([replace(entry(f"d{n}", n), vector=None) for n in range(20)])
    await index.commit()
    read = await index.read("a", "x", ALL, 3)
    assert [h.chunk.ordinal for h in read] == ordinals[3:]
    assert [h.chunk.ordinal for h in await index.read("a", "x", ALL, 3, 5)] == ordinals[3:8]
    assert all(e.vector for e in await index.entries("a", "x"))
    assert await index.unembedded("a") == sorted(f"d{n}" for n in range(20))
    await index.purge()
    assert await index.size() == 30


async def test_what_one_answer_cannot_hold_is_deleted_too(
    index: MilvusIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.knowledge.milvus.MOST", 40)
    monkeypatch.setattr("dazi.knowledge.milvus.NAMES", 10)
    await index.add([entry("x", n, ordinal=n) for n in range(150)])
    await index.commit()
    await index.delete("a", ["x"], since=5)
    await index.commit()
    assert await index.size() == 5


async def test_another_version_is_told(milvus: Lite) -> None:
    from pymilvus import MilvusClient

    client = MilvusClient(milvus.url)
    client.create_collection("dazi_knowledge_words_0", dimension=4)
    client.close()
    index = MilvusIndex(MilvusAddress(milvus.url))
    with pytest.raises(OperatorError, match="another version"):
        await index.size()
    await index.close()
    assert WORDS != "dazi_knowledge_words_0"


def test_slices_part_all_rows() -> None:
    for number in (1, 3, 256, 1000):
        parts = list(milvus_rows.slices(number))
        ends = [part.split('"')[1::2] for part in parts]
        assert len(parts) == number and ends[0][0] <= "0" * 32 and ends[-1][1] > "f" * 32
        assert all(a[1] == b[0] for a, b in pairwise(ends))


def test_spaces_are_told_apart() -> None:
    spaces = [None, VectorSpace("a", 1), VectorSpace("a", 11), VectorSpace("a 1", 1)]
    assert len(set(map(milvus_rows.space_digest, spaces))) == 4
