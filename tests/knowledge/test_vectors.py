"""Search by vectors: exact, within one's rights, and whole again after a kill."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tantivy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dazi.core.errors import OperatorError
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.index import Entry, Hit, KnowledgeIndex, Wanted
from dazi.knowledge.vector_file import Row, VectorFile
from dazi.knowledge.vectors import VectorSpace, compact, highest
from tests.knowledge.conftest import OpenIndex

SIZE = 24
SPACE = VectorSpace("test-model 1", SIZE)
ALL = frozenset({"all"})
LABELS = [f"role:{r}" for r in "abcd"] + ["user:li", "department:hr"]


@pytest.fixture
async def index(open_index: OpenIndex) -> AsyncIterator[KnowledgeIndex]:
    made = open_index(SPACE)
    yield made
    await made.close()


def vector(seed: int) -> list[float]:
    return [float(x) for x in np.random.default_rng(seed).normal(size=SIZE)]


def entry(
    document: str,
    seed: int,
    readers: frozenset[str] = ALL,
    tenant: str = "a",
    ordinal: int = 0,
) -> Entry:
    chunk = Chunk(ordinal, f"第{seed}段", ("手册",), "3.2", 7)
    return Entry(tenant, document, chunk, f"标题 {document}", readers, vector=vector(seed))


def wanted(
    seed: int, labels: frozenset[str] = ALL, tenant: str = "a", **more: frozenset[str]
) -> Wanted:
    return Wanted("", tenant, labels, vector=vector(seed), **more)


def likeness(a: Sequence[float] | None, b: Sequence[float] | None) -> float:
    assert a is not None and b is not None
    return float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)))


async def added(index: KnowledgeIndex, *entries: Entry) -> None:
    await index.add(entries)
    await index.commit()


def documents(hits: Sequence[Hit]) -> list[str]:
    return [h.document for h in hits]


async def test_the_nearest_come_first(index: KnowledgeIndex) -> None:
    entries = [entry(f"d{n}", n) for n in range(300)]
    await index.add(entries)
    assert await index.nearest(wanted(7)) == []
    await index.commit()
    for seed in (7, 1000, 1001):
        hits = await index.nearest(wanted(seed), 10)
        order = sorted(entries, key=lambda e: -likeness(e.vector, vector(seed)))
        assert documents(hits) == [e.document for e in order[:10]]
        scores = [likeness(e.vector, vector(seed)) for e in order[:10]]
        assert [h.score for h in hits] == pytest.approx(scores, abs=2e-3)
    (hit,) = await index.nearest(wanted(7), 1)
    assert hit.chunk == entries[7].chunk and hit.title == "标题 d7"
    assert len(await index.nearest(wanted(7), 500)) == 300


async def test_without_a_vector_nothing_is_near(index: KnowledgeIndex) -> None:
    await added(index, replace(entry("words", 1), vector=None), entry("both", 2))
    assert await index.nearest(Wanted("第一段", "a", ALL)) == []
    assert documents(await index.nearest(wanted(1), 10)) == ["both"]
    assert await index.unembedded("a") == ["words"]
    assert await index.unembedded("b") == []


async def test_what_was_added_comes_back(index: KnowledgeIndex) -> None:
    given = [entry("x", n, ordinal=n) for n in range(3)]
    await added(index, *given)
    kept = await index.entries("a", "x")
    assert [replace(e, vector=None) for e in kept] == [replace(e, vector=None) for e in given]
    assert all(likeness(a.vector, b.vector) > 0.99999 for a, b in zip(kept, given, strict=True))
    await index.delete("a", ["x"])
    await added(index, *(replace(e, readers=frozenset({"role:hr"})) for e in kept))
    assert await index.entries("a", "x") == [
        replace(e, readers=frozenset({"role:hr"})) for e in kept
    ]
    assert await index.nearest(wanted(1)) == []
    assert len(await index.nearest(wanted(1, frozenset({"role:hr"})))) == 3


async def test_deleted_is_gone(index: KnowledgeIndex) -> None:
    await added(index, *(entry(f"d{n}", n) for n in range(40)), entry("d3", 3, tenant="b"))
    await index.delete("a", [f"d{n}" for n in range(0, 40, 2)])
    assert len(await index.nearest(wanted(0), 100)) == 40
    await index.commit()
    left = await index.nearest(wanted(0), 100)
    assert sorted(documents(left)) == sorted(f"d{n}" for n in range(1, 40, 2))
    assert documents(await index.nearest(wanted(3, tenant="b"))) == ["d3"]
    await index.add([entry("new", 50)])
    await index.delete("a", ["new"])
    await index.add([entry("new", 51)])
    await index.commit()
    assert documents(await index.nearest(wanted(51), 1)) == ["new"]
    assert len(await index.nearest(wanted(0), 100)) == 21


async def test_revisions_and_parts(index: KnowledgeIndex) -> None:
    old = [entry("x", n, ordinal=n) for n in range(4)]
    await added(index, *old, *(replace(e, revision=2) for e in old))
    await index.delete("a", ["x"], revision=1)
    await index.commit()
    assert [h.revision for h in await index.nearest(wanted(0))] == [2] * 4
    await index.delete("a", ["x"], revision=2, since=2)
    await index.commit()
    assert sorted(h.chunk.ordinal for h in await index.nearest(wanted(0))) == [0, 1]


async def test_only_in_these_documents(index: KnowledgeIndex) -> None:
    await added(index, *(entry(f"d{n}", n) for n in range(200)))
    far = sorted(range(200), key=lambda n: likeness(vector(n), vector(0)))[:2]
    only = frozenset(f"d{n}" for n in far)
    hits = await index.nearest(wanted(0, documents=only))
    assert documents(hits) == [f"d{n}" for n in reversed(far)]


async def test_who_may_read_one_in_a_hundred_gets_ten(index: KnowledgeIndex) -> None:
    """The nearest of theirs, although hundreds that they may not read are nearer."""
    mine = [entry(f"mine{n}", n, frozenset({"user:li"})) for n in range(15)]
    others = [entry(f"other{n}", 10_000 + n, frozenset({"role:a"})) for n in range(1500)]
    asked = vector(5)
    near = [replace(e, vector=[x + 0.01 for x in asked]) for e in others[:700]]
    await added(index, *mine, *near, *others[700:])
    hits = await index.nearest(Wanted("", "a", frozenset({"user:li"}), vector=asked), 10)
    right = sorted(mine, key=lambda e: -likeness(e.vector, asked))[:10]
    assert documents(hits) == [e.document for e in right]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 1 << 30))
async def test_rights_over_any_history(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Whatever was added, deleted and given other readers: everybody finds exactly what they may
    read, nearest first."""
    rng = random.Random(seed)
    index = EmbeddedIndex(tmp_path_factory.mktemp("rights"), SPACE)
    there: dict[tuple[str, str], Entry] = {}
    for _ in range(rng.randint(1, 6)):
        for _ in range(rng.randint(1, 25)):
            tenant, number = rng.choice("ab"), f"d{rng.randint(0, 30)}"
            await index.delete(tenant, [number])
            there.pop((tenant, number), None)
            if rng.random() < 0.75:
                readers = frozenset(rng.sample(LABELS, rng.randint(0, 3)))
                made = entry(number, rng.randint(0, 500), readers, tenant)
                await index.add([made])
                there[tenant, number] = made
        await index.commit()
        if rng.random() < 0.3:
            await index.release()
        labels, tenant = frozenset(rng.sample(LABELS, rng.randint(0, 4))), rng.choice("ab")
        asked = rng.randint(0, 500)
        readable = [e for (t, _), e in there.items() if t == tenant and e.readers & labels]
        hits = await index.nearest(wanted(asked, labels, tenant), 100)
        assert sorted(documents(hits)) == sorted(e.document for e in readable)
        scores = [likeness(e.vector, vector(asked)) for e in readable]
        assert [h.score for h in hits] == pytest.approx(sorted(scores, reverse=True), abs=2e-3)
    await index.close()


async def test_a_row_alone_shows_nothing(tmp_path: Path) -> None:
    """Rows say who is looked at; what may be shown is said by the chunk."""
    index = EmbeddedIndex(tmp_path, SPACE)
    await added(index, entry("secret", 1, frozenset({"role:a"})), entry("open", 2))
    rows = VectorFile(tmp_path / "vectors", SPACE)
    unit = np.array(vector(1), np.float32) / np.float32(np.linalg.norm(vector(1)))
    rows.append([Row(0, "a", ALL, unit), Row(99, "a", ALL, unit)])
    assert 0 in rows.nearest(unit, "a", ALL, 9) and 99 in rows.nearest(unit, "a", ALL, 9)
    assert documents(await index.nearest(wanted(1), 9)) == ["open"]
    await index.close()


async def test_it_outlives_the_process_and_others_see_it(tmp_path: Path) -> None:
    first, other = EmbeddedIndex(tmp_path, SPACE), EmbeddedIndex(tmp_path, SPACE)
    await added(first, entry("x", 1), entry("y", 2))
    await first.close()
    again = EmbeddedIndex(tmp_path, SPACE)
    assert documents(await again.nearest(wanted(1), 1)) == ["x"]
    await again.delete("a", ["x"])
    await added(again, entry("z", 1))
    await again.release()
    await added(other, entry("w", 3))
    assert sorted(documents(await other.nearest(wanted(1)))) == ["w", "y", "z"]
    await again.close()
    await other.close()


async def test_after_a_change_of_the_model(open_index: OpenIndex) -> None:
    first = open_index(SPACE)
    await added(first, entry("x", 1), entry("y", 2), entry("z", 3, tenant="b"))
    assert await first.unembedded("a") == []
    await first.close()
    for other in (VectorSpace("other", SIZE), VectorSpace(SPACE.name, SIZE + 1)):
        index = open_index(other)
        ask = Wanted("", "a", ALL, vector=[1.0] * other.dimensions)
        assert await index.nearest(ask) == []
        assert documents(await index.search(Wanted("第1段", "a", ALL), 1)) == ["x"]
        assert await index.unembedded("a") == ["x", "y"]
        assert [e.vector for e in await index.entries("a", "x")] == [None]
        await index.close()
    index = open_index(other)
    await index.delete("a", ["x"])
    await added(index, replace(entry("x", 1), vector=[1.0] * other.dimensions))
    assert documents(await index.nearest(ask)) == ["x"]
    assert await index.unembedded("a") == ["y"] and await index.unembedded("b") == ["z"]
    await index.close()
    none = open_index(None)
    assert await none.nearest(wanted(1)) == await none.unembedded("a") == []
    await none.close()
    back = open_index(SPACE)
    assert documents(await back.nearest(wanted(2))) == ["y"]
    assert await back.unembedded("a") == ["x"]
    await back.close()


@pytest.mark.parametrize("bad", [[1.0] * (SIZE - 1), [0.0] * SIZE, [float("nan")] * SIZE, []])
async def test_a_vector_of_another_model_is_refused(
    index: KnowledgeIndex, bad: list[float]
) -> None:
    await added(index, entry("x", 1))
    with pytest.raises(OperatorError, match="no vector of test-model 1"):
        await index.add([replace(entry("y", 2), vector=bad)])
    with pytest.raises(OperatorError, match="index again"):
        await index.nearest(Wanted("", "a", ALL, vector=bad))
    assert documents(await index.nearest(wanted(1))) == ["x"]


def test_another_version_is_told(tmp_path: Path) -> None:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("other")
    tantivy.Index(builder.build(), path=str(tmp_path))
    with pytest.raises(OperatorError, match="another version"):
        EmbeddedIndex(tmp_path, SPACE)


@pytest.mark.parametrize("lost", ["vectors", "vectors/state.json", "half"])
async def test_lost_rows_are_made_again(tmp_path: Path, lost: str) -> None:
    index = EmbeddedIndex(tmp_path, SPACE)
    await added(index, *(entry(f"d{n}", n, frozenset({f"user:{n % 3}"})) for n in range(60)))
    mine = [f"d{n}" for n in range(0, 60, 3)]
    await index.close()
    if lost == "half":
        (heads,) = (tmp_path / "vectors").glob("heads.*")
        os.truncate(heads, heads.stat().st_size // 2 + 3)
    elif lost == "vectors":
        shutil.rmtree(tmp_path / lost)
    else:
        (tmp_path / lost).unlink()
    again = EmbeddedIndex(tmp_path, SPACE)
    hits = await again.nearest(wanted(1, frozenset({"user:0"})), 100)
    assert sorted(documents(hits)) == sorted(mine)
    await again.close()


async def test_dead_rows_are_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dazi.knowledge.vector_file.TIDY_ROWS", 10)
    index = EmbeddedIndex(tmp_path, SPACE)
    await added(index, *(entry(f"d{n}", n) for n in range(50)))
    reader = EmbeddedIndex(tmp_path, SPACE)
    assert len(await reader.nearest(wanted(1), 100)) == 50
    for n in range(40):
        await index.delete("a", [f"d{n}"])
        await index.commit()
    left = sorted(f"d{n}" for n in range(40, 50))
    held = VectorFile(tmp_path / "vectors", SPACE)
    assert (
        len(held.slots()) == 10
        and next((tmp_path / "vectors").glob("heads.*")).stat().st_size < 50 * 16
    )
    assert sorted(documents(await index.nearest(wanted(1), 100))) == left
    await added(index, entry("new", 60))
    assert documents(await index.nearest(wanted(60), 1)) == ["new"]
    await index.release()
    await added(reader, entry("more", 61))
    assert sorted(documents(await reader.nearest(wanted(1), 100))) == sorted([*left, "new", "more"])
    await index.close()
    await reader.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from dazi.knowledge.embedded import EmbeddedIndex
from tests.knowledge.test_vectors import SPACE, entry

async def main(folder, start):
    index = EmbeddedIndex(Path(folder), SPACE)
    n = start
    while True:
        batch = [entry(f"d{i}", i) for i in range(n, n + 7)]
        await index.delete("a", [e.document for e in batch] + [f"d{n - 9}"])
        await index.add(batch)
        await index.commit()
        n += 7
        print(n, flush=True)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def killed(folder: Path, start: int, rng: random.Random) -> int:
    """The number behind the last document that a writer committed before it was killed."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITER, str(folder), str(start)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(rng.randint(1, 5))]
        time.sleep(rng.random() / 50)  # somewhere within the next commits
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
    return int([line for line in said if line.endswith("\n")][-1])


async def test_a_kill_at_any_point_leaves_it_whole(tmp_path: Path) -> None:
    rng = random.Random(11)
    start = 0
    for _ in range(5):
        committed = killed(tmp_path, start, rng)
        index = EmbeddedIndex(tmp_path, SPACE)
        there = {h.document for h in await index.nearest(wanted(1), 10_000)}
        counted = await index.count("a", ALL)
        assert len(there) == counted and {f"d{committed - 1}", f"d{committed - 4}"} <= there
        assert await index.unembedded("a") == []
        rows = VectorFile(tmp_path / "vectors", SPACE)
        assert len(rows.slots()) >= counted
        await added(index, entry("probe", 1_000_000))
        assert documents(await index.nearest(wanted(1_000_000), 1)) == ["probe"]
        assert len(rows.slots()) == await index.count("a", ALL)
        await index.delete("a", ["probe"])
        await index.commit()
        await index.close()
        start = committed + 7


async def test_a_kill_between_rows_and_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each half of a commit by itself: rows without chunks mean nothing, and are buried later."""
    index = EmbeddedIndex(tmp_path, SPACE)
    await added(index, entry("x", 1))
    await index.add([entry("y", 2)])
    assert index._vectors is not None
    index._vectors.before()
    await index.release()
    rows = VectorFile(tmp_path / "vectors", SPACE)
    assert len(rows.slots()) == 2
    assert documents(await index.nearest(wanted(2))) == ["x"]
    await added(index, entry("z", 3))
    assert len(rows.slots()) == 2
    assert sorted(documents(await index.nearest(wanted(2)))) == ["x", "z"]
    await index.close()


def test_bytes_are_near_enough_to_choose_by() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(500, 384)).astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    rows, worth = compact(x)
    np.testing.assert_allclose(rows * worth[:, None], x, atol=1e-3)
    scores = np.array([0.1, 0.5, 0.5, -np.inf], np.float32)
    assert list(highest(scores, 9)) == [1, 2, 0] and list(highest(scores, 1)) in ([1], [2])
