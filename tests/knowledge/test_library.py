"""From folders, uploads, pages and databases to what is found: changes, rights, deletion, kill -9."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dazi.core.engine import Embedded
from dazi.core.errors import AccessError, CallerError, NotFound, OperatorError
from dazi.core.principal import Principal
from dazi.knowledge.administration import OPERATOR, Administration
from dazi.knowledge.comparing import declared_source
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.hybrid import Hybrid
from dazi.knowledge.indexing import Indexer, Reading, Step
from dazi.knowledge.library import Library, Row
from dazi.knowledge.records import Document, Records
from dazi.knowledge.rights import EVERYBODY, labels_of, readers_of
from dazi.knowledge.search import Question, Search
from dazi.knowledge.vectors import VectorSpace
from dazi.store.database import Database
from tests.knowledge import samples

ROLES = ("staff", "manager", "customer")
STAFF = Principal("li", frozenset({"staff"}), {"department": "sales"})
MANAGER = Principal("chen", frozenset({"manager", "staff"}))
CUSTOMER = Principal("lin", frozenset({"customer"}))
OPERATES = Principal("root", frozenset(), channel=OPERATOR)


class World:
    """A library in ``folder``, its files in ``folder/docs``."""

    def __init__(self, folder: Path, reading: Reading | None = None) -> None:
        self.docs = folder / "docs"
        self.docs.mkdir(exist_ok=True)
        self.database = Database.at(folder / "dazi.sqlite")
        self.records = Records(self.database)
        self.index = EmbeddedIndex(folder / "index")
        self.library = Library(self.records, self.index, folder / "files")
        self.library.indexer = Indexer(
            self.records, self.index, self.library.path_of, None, reading
        )
        self.search = Search(self.records, self.index, Hybrid(self.index))
        self.recorded: list[tuple[str, str]] = []
        self.administration = Administration(
            self.library, frozenset({"manager"}), ROLES, self._record
        )

    async def _record(self, kind: str, who: str, body: object) -> None:
        self.recorded.append((who, str(dict(body)["act"])))  # type: ignore[call-overload]

    async def look(self) -> tuple[int, int, int]:
        """What was new, changed and gone; and all of it is read."""
        found = await self.library.look()
        await self.library.index_now()
        return found.new, found.changed, found.gone

    async def found(self, text: str, who: Principal = STAFF) -> list[str]:
        passages = await self.search.passages(Question(text, who))
        return [p.document.place for p in passages]

    async def document(self, place: str) -> Document:
        return next(d for d in await self.records.documents() if d.place == place)


@asynccontextmanager
async def world(folder: Path, reading: Reading | None = None) -> AsyncIterator[World]:
    made = World(folder, reading)
    await made.database.create()
    try:
        yield made
    finally:
        await made.index.close()
        await made.database.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        await made.library.add_source("folder", str(made.docs), tenant="default")
        yield made


async def test_only_what_changed_is_read_again(here: World) -> None:
    (here.docs / "a.md").write_text("# 退货\n退货期限是七天。", "utf-8")
    (here.docs / "b.txt").write_text("保修期限是十二个月。", "utf-8")
    (here.docs / "c.bin").write_bytes(b"\0")
    assert await here.look() == (2, 0, 0)
    assert await here.found("退货期限") == ["a.md", "b.txt"]
    revision = (await here.document("a.md")).revision
    os.utime(here.docs / "a.md", (1, 1))  # touched, and the same
    assert await here.look() == (0, 1, 0)
    assert (await here.document("a.md")).revision == revision
    (here.docs / "a.md").write_text("# 换货\n换货期限是十五天。", "utf-8")
    assert await here.look() == (0, 1, 0)
    assert (await here.document("a.md")).revision == revision + 1
    assert await here.found("退货") == []
    assert (await here.found("换货期限"))[0] == "a.md"
    assert (await here.document("a.md")).title == "换货"
    (here.docs / "b.txt").unlink()
    assert await here.look() == (0, 0, 1)
    assert await here.found("保修") == []
    assert [d.place for d in await here.records.documents()] == ["a.md"]
    assert await here.look() == (0, 0, 0)


async def test_deleted_words_are_on_no_disk(here: World, tmp_path: Path) -> None:
    (here.docs / "a.md").write_text("# 密\n独角兽计划在八月开始。", "utf-8")
    (here.docs / "b.md").write_text("# 别\n别的文档。", "utf-8")
    await here.look()
    assert "独角兽".encode() in _everything(tmp_path / "index")
    (here.docs / "a.md").unlink()
    await here.look()
    assert "独角兽".encode() not in _everything(tmp_path / "index")
    assert await here.found("别的文档") == ["b.md"]


def _everything(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())


async def test_a_broken_file_says_why_and_its_last_good_state_stays(here: World) -> None:
    (here.docs / "a.pdf").write_bytes(samples.pdf("退货期限是七天。"))
    (here.docs / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    await here.look()
    old = await here.document("old.doc")
    assert old.state == "failed" and ".docx" in old.error_zh and ".docx" in old.error_en
    (here.docs / "a.pdf").write_bytes(b"%PDF-1.7 broken")
    await here.look()
    broken = await here.document("a.pdf")
    assert broken.state == "failed" and broken.error_zh
    assert await here.found("退货期限") == ["a.pdf"]
    (here.docs / "a.pdf").write_bytes(samples.pdf("换货期限是九天。"))
    await here.look()
    assert (await here.document("a.pdf")).state == "ready"
    assert (await here.document("a.pdf")).error_zh == ""
    assert await here.found("退货") == []


async def test_rights_by_listing_front_matter_and_source(here: World) -> None:
    (here.docs / "all.md").write_text("共同的词,给所有人。", "utf-8")
    (here.docs / "front.md").write_text(
        "---\ntitle: 标题\nroles: [manager]\n---\n共同的词,给经理看。", "utf-8"
    )
    (here.docs / "listed.txt").write_text("共同的词,给客户看。", "utf-8")
    (here.docs / "mine.txt").write_text("共同的词,给我自己。", "utf-8")
    told = [
        {"file": "listed.txt", "roles": ["customer"], "title": "给客户"},
        {"file": "mine.txt", "readers": ["user:li", "department:hr"]},
    ]
    (here.docs / "documents.json").write_text(json.dumps(told), "utf-8")
    await here.look()
    assert sorted(await here.found("共同的词", STAFF)) == ["all.md", "mine.txt"]
    assert sorted(await here.found("共同的词", MANAGER)) == ["all.md", "front.md"]
    assert sorted(await here.found("共同的词", CUSTOMER)) == ["all.md", "listed.txt"]
    assert (await here.document("front.md")).title == "标题"
    assert sorted(d.place for d in await here.library.readable(STAFF)) == ["all.md", "mine.txt"]
    hidden = await here.document("front.md")
    with pytest.raises(NotFound):
        await here.library.document(hidden.id, STAFF)
    with pytest.raises(NotFound):
        await here.library.document(hidden.id, replace(MANAGER, tenant="other"))
    # What cannot be understood gives nobody a right: the source keeps what it had, and says so.
    (here.docs / "documents.json").write_text('[{"file": "front.md", "roles": "all"}]', "utf-8")
    await here.look()
    (source,) = await here.records.sources()
    assert "documents.json" in source.error_zh
    assert sorted(await here.found("共同的词", STAFF)) == ["all.md", "mine.txt"]


async def test_rights_that_are_taken_away_work_before_the_index_follows(here: World) -> None:
    (here.docs / "a.md").write_text("共同的词。", "utf-8")
    await here.look()
    document = await here.document("a.md")
    assert document.title == "a"
    await here.library.set_readers(document.id, "default", frozenset({"role:manager"}))
    assert await here.found("共同的词", STAFF) == []  # the index still knows no better
    assert await here.index.count("default", labels_of(STAFF)) == 1
    await here.library.index_now()
    assert await here.index.count("default", labels_of(STAFF)) == 0
    assert await here.found("共同的词", MANAGER) == ["a.md"]
    await here.look()  # the folder's own rights no longer count
    assert await here.found("共同的词", STAFF) == []
    await here.library.set_readers(document.id, "default", None)
    await here.library.index_now()
    assert await here.found("共同的词", STAFF) == ["a.md"]
    assert (await here.document("a.md")).revision == document.revision, "it was not read again"


async def test_what_is_deleted_while_it_is_read_stays_deleted(
    tmp_path: Path,
) -> None:
    pages = "#pagebreak()\n".join(f"第{n}页有个词\n" for n in range(30))
    async with world(tmp_path, Reading(checkpoint_pages=5)) as w:
        (tmp_path / "a.pdf").write_bytes(samples.pdf(pages))
        number = (await w.administration.add(OPERATES, str(tmp_path / "a.pdf"))).id
        removing: list[asyncio.Task[int]] = []

        def watch(step: Step) -> None:
            if step.page == 7:
                removal = w.administration.remove(OPERATES, number)
                removing.append(asyncio.create_task(removal))

        await w.library.index_now(watch=watch)
        await asyncio.gather(*removing)
        assert removing and await w.found("有个词") == []
        await w.library.index_now()
        assert await w.records.documents() == [] and await w.index.size() == 0


async def test_what_comes_back_brings_nothing_of_before(here: World) -> None:
    """Deleted and there again before the index has followed, then with another content."""
    path = here.docs / "a.md"
    path.write_text("旧的秘密。", "utf-8")
    await here.look()
    path.unlink()
    await here.library.look()
    path.write_text("新的内容。", "utf-8")
    await here.library.look()
    assert await here.found("秘密") == []
    await here.library.index_now()
    assert await here.found("秘密") == [] and await here.found("新的内容") == ["a.md"]
    assert await here.index.size() == 1
    path.unlink()
    await here.library.look()
    path.write_bytes(b"\x00\x01broken")
    await here.look()
    assert (await here.document("a.md")).state == "failed"
    assert await here.found("新的内容") == [] and await here.index.size() == 0


async def test_rights_that_somebody_sets_are_not_written_over_by_the_source(here: World) -> None:
    (here.docs / "a.md").write_text("共同的词。", "utf-8")
    await here.look()
    stale = await here.document("a.md")
    await here.library.set_readers(stale.id, "default", frozenset({"role:manager"}))
    await here.records.inherit(replace(stale, readers=EVERYBODY, state="rights"))
    assert (await here.document("a.md")).readers == {"role:manager"}


async def test_random_rights_leak_nothing_by_search_list_or_document(here: World) -> None:
    rng = random.Random(11)
    labels = ["all", "role:staff", "role:manager", "role:customer", "user:li", "department:sales"]
    rights: dict[str, frozenset[str]] = {}
    told = []
    for n in range(60):
        name = f"{n}.txt"
        rights[name] = frozenset(rng.sample(labels, rng.randint(1, 3)))
        (here.docs / name).write_text("".join(rng.choices(["退货", "合同", "报销"], k=5)), "utf-8")
        told.append({"file": name, "readers": sorted(rights[name])})
    (here.docs / "documents.json").write_text(json.dumps(told), "utf-8")
    await here.look()
    for _ in range(3):
        for number in rng.sample(range(60), 15):  # some change, whether the index has them or not
            name = f"{number}.txt"
            rights[name] = frozenset(rng.sample(labels, rng.randint(1, 3)))
            document = await here.document(name)
            await here.library.set_readers(document.id, "default", rights[name])
        if rng.random() < 0.5:
            await here.library.index_now()
        for who in (STAFF, MANAGER, CUSTOMER, Principal("x", frozenset())):
            mine = {n for n, readers in rights.items() if readers & labels_of(who)}
            answer = await here.search.answer(Question("退货合同报销", who, limit=30))
            assert {p.document.place for p in answer.passages} <= mine
            assert answer.source is None or answer.source.document.place in mine
            assert {d.place for d in await here.library.readable(who)} == mine
    await here.library.index_now()
    everybody = {n for n, readers in rights.items() if readers & labels_of(STAFF)}
    assert set(await here.found("退货合同报销")) <= everybody


async def test_uploads_are_kept_replaced_and_removed(here: World, tmp_path: Path) -> None:
    add = here.administration
    with pytest.raises(AccessError):
        await add.upload(STAFF, "a.md", "共同的词。".encode())
    first = await add.upload(MANAGER, "../x/a.md", "共同的词。".encode(), ["role:manager"])
    assert first.place == "a.md"
    await here.library.index_now()
    assert await here.found("共同的词", MANAGER) == ["a.md"]
    assert await here.found("共同的词", STAFF) == []
    again = await add.upload(MANAGER, "a.md", "另外的词。".encode(), ["all"])
    assert again.id == first.id
    await here.library.index_now()
    assert await here.found("共同", MANAGER) == [] and await here.found("另外") == ["a.md"]
    await add.set_readers(MANAGER, first.id, ["role:manager"])
    await add.upload(MANAGER, "a.md", "另外的词,新的。".encode())
    assert (await here.document("a.md")).readers == {"role:manager"}, "nobody else was named"
    await add.set_readers(MANAGER, first.id, ["all"])
    await here.library.index_now()
    with pytest.raises(NotFound):
        await add.remove(replace(MANAGER, tenant="other"), first.id)
    assert await add.remove(MANAGER, first.id) == 1
    assert await here.found("另外") == []
    await here.library.index_now()
    assert "另外".encode() not in _everything(tmp_path / "files")
    assert ("chen", "knowledge_add") in here.recorded
    assert ("chen", "knowledge_remove") in here.recorded
    for name in ("", "..", ".hidden", "x" * 300):
        with pytest.raises(CallerError):
            await add.upload(MANAGER, name, b"x")


async def test_what_managers_may_and_may_not(here: World) -> None:
    with pytest.raises(CallerError):
        await here.administration.add(MANAGER, str(here.docs))  # a folder of the server
    (here.docs / "a.md").write_text("x", "utf-8")
    await here.look()
    document = await here.document("a.md")
    with pytest.raises(CallerError, match="comes from"):
        await here.administration.remove(MANAGER, document.id)
    with pytest.raises(CallerError, match="no role"):
        await here.administration.set_readers(MANAGER, document.id, ["role:nobody"])
    assert await here.administration.set_readers(MANAGER, document.id, ["role:staff"])
    assert await here.administration.again(MANAGER, document.id) == 1
    source = document.source
    assert await here.administration.remove(OPERATES, source) == 1
    await here.library.index_now()
    assert await here.records.documents() == await here.records.sources() == []
    declared = declared_source("folder", str(here.docs), EVERYBODY)
    await here.library.declare([declared])
    with pytest.raises(CallerError, match=r"dazi\.toml"):
        await here.administration.remove(OPERATES, declared.id)
    await here.library.declare([])
    assert await here.records.sources() == []


@pytest.mark.parametrize(
    "wrong", [[], ["everybody"], ["role:"], ["role:nobody"], ["x:y"], ["all"] * 1 + ["y" * 300]]
)
def test_labels_that_are_none(wrong: list[str]) -> None:
    with pytest.raises(CallerError):
        readers_of(wrong, ROLES)


class Outside:
    """Pages and rows that the test sets."""

    def __init__(self) -> None:
        self.calls = 0
        self.page: bytes | None = b"<h1>Page</h1><p>Returns take seven days.</p>"
        self.table = [Row("1", "耳机", "降噪,续航三十小时。"), Row("2", "手表", "防水五十米。")]

    async def fetch(self, url: str, *, declared: bool) -> tuple[str, bytes]:
        self.calls += 1
        if self.page is None:
            raise CallerError("url", "取不到", "cannot be fetched")
        return "page.html", self.page

    async def rows(self, place: str) -> AsyncIterator[Row]:
        self.calls += 1
        for row in self.table:
            yield row


async def test_pages_and_rows(here: World) -> None:
    outside = here.library.outside = Outside()
    await here.administration.add(OPERATES, "https://wiki.example/returns")
    await here.library.add_source("database", "catalogue\nSELECT ...", tenant="default")
    await here.look()
    assert await here.found("returns days") == ["https://wiki.example/returns"]
    assert await here.found("防水") == ["2"]
    assert (await here.document("2")).title == "手表"
    outside.page = b"<h1>Page</h1><p>Exchanges take nine days.</p>"
    outside.table = [Row("1", "耳机", "降噪,续航四十小时。")]
    await here.look()
    assert await here.found("exchanges") and await here.found("防水") == []
    assert await here.found("四十小时") == ["1"]
    calls = outside.calls
    await here.library.look(outside=False)
    assert outside.calls == calls, "others are asked seldomer than folders"
    outside.page = None
    await here.look()
    assert await here.found("exchanges"), "a page that is down stays as it was"
    assert any(s.error_en == "cannot be fetched" for s in await here.records.sources())


async def test_adding_a_source_again_makes_it_no_more_public(here: World) -> None:
    for readers, then in ((["role:manager"], {"role:manager"}), ([], {"role:manager"})):
        added = await here.administration.add(OPERATES, str(here.docs), readers)
        assert added.readers == then
    (source,) = await here.records.sources()
    assert source.readers == {"role:manager"}


async def test_a_folder_that_is_gone_keeps_its_documents(here: World) -> None:
    (here.docs / "a.md").write_text("共同的词。", "utf-8")
    await here.look()
    moved = here.docs.with_name("elsewhere")
    here.docs.rename(moved)
    await here.look()
    assert await here.found("共同的词") == ["a.md"]
    assert (await here.records.sources())[0].error_zh
    moved.rename(here.docs)
    await here.look()
    assert (await here.records.sources())[0].error_zh == ""


async def test_an_index_that_is_lost_is_made_anew(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        (w.docs / "a.md").write_text("共同的词。", "utf-8")
        await w.library.add_source("folder", str(w.docs), tenant="default")
        await w.look()
    shutil.rmtree(tmp_path / "index")
    async with world(tmp_path) as w:
        assert await w.found("共同的词") == []
        await w.look()
        assert await w.found("共同的词") == ["a.md"]
        assert await w.index.size() == 1
        assert await w.look() == (0, 0, 0)


async def test_a_document_that_breaks_us_holds_up_no_other(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here.docs / "a.md").write_text("共同的词。", "utf-8")
    (here.docs / "b.md").write_text("共同的词,还有别的。", "utf-8")
    blocks = Indexer._blocks

    def broken(self: Indexer, path: Path, after: int) -> object:
        if path.name == "a.md":
            raise ZeroDivisionError
        return blocks(self, path, after)

    monkeypatch.setattr(Indexer, "_blocks", broken)
    await here.look()
    assert (await here.document("a.md")).state == "failed"
    assert await here.found("共同的词") == ["b.md"]


class Model:
    """Embeds by counting characters; ``down`` while it does not answer."""

    name, version = "counting", "1"

    def __init__(self) -> None:
        self.down = False

    async def embed(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        if self.down:
            raise OperatorError("embedding_server", "没有回应", "does not answer")
        return Embedded([[1.0, float(len(t)), float("退" in t)] for t in texts], 0)

    async def close(self) -> None:
        return None


async def test_without_the_model_words_find_and_vectors_come_later(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        model = Model()
        await w.index.close()
        w.index = EmbeddedIndex(tmp_path / "vectors", VectorSpace("counting 1", 3))
        w.library.index = w.index
        w.library.indexer = Indexer(w.records, w.index, w.library.path_of, model)
        w.search = Search(w.records, w.index, Hybrid(w.index, model))
        (w.docs / "a.md").write_text("退货期限是七天。", "utf-8")
        await w.library.add_source("folder", str(w.docs), tenant="default")
        model.down = True
        await w.look()
        assert await w.found("退货期限") == ["a.md"]
        assert await w.index.unembedded("default")
        model.down = False
        await w.look()
        assert await w.index.unembedded("default") == []
        assert await w.found("量子") == ["a.md"], "by vectors: no word of it is there"


async def test_links_and_hidden_files_are_passed_over(here: World, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("机密的词", "utf-8")
    (here.docs / "link.txt").symlink_to(tmp_path / "secret.txt")
    (here.docs / ".hidden.txt").write_text("机密的词", "utf-8")
    (here.docs / ".git").mkdir()
    (here.docs / ".git" / "x.txt").write_text("机密的词", "utf-8")
    assert await here.look() == (0, 0, 0)


PAGES = 260
KILLED = """
import asyncio, sys
from pathlib import Path
from dazi.knowledge.indexing import Reading
from tests.knowledge.test_library import world

async def main(folder):
    async with world(folder, Reading(checkpoint_pages=20)) as w:
        await w.library.add_source("folder", str(w.docs), tenant="default")
        await w.library.look()
        def watch(step):
            print(step.page, flush=True)
        await w.library.index_now(watch=watch)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_a_long_document_goes_on_after_kill_9(tmp_path: Path) -> None:
    """Each page is found once, and what was read is not read again."""
    pages = "#pagebreak()\n".join(f"= 第{n}章\n第{n}页说的是条目{n:04d}。\n" for n in range(PAGES))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "long.pdf").write_bytes(samples.pdf(pages))
    reached: list[int] = []
    for stop in (45, 130, 10_000):
        command = [sys.executable, "-c", KILLED, str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
        assert process.stdout is not None
        first = 0
        for line in process.stdout:
            page = int(line)
            first = first or page
            if page >= stop:
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
        process.stdout.close()
        reached.append(first)
    assert reached[0] == 1 and reached[1] >= 41 and reached[2] >= 121
    async with world(tmp_path) as w:
        document = await w.document("long.pdf")
        assert (document.state, document.pages) == ("ready", PAGES)
        chunks = await w.index.read("default", document.id, labels_of(STAFF), 0, 10_000)
        assert [c.chunk.ordinal for c in chunks] == list(range(document.chunks))
        text = "".join(c.chunk.text for c in chunks).replace(" ", "")
        assert [text.count(f"条目{n:04d}") for n in range(PAGES)] == [1] * PAGES
        assert {c.chunk.page for c in chunks} == set(range(1, PAGES + 1))
        for n in (3, 119, 121, 259):
            (hit, *_) = await w.search.passages(Question(f"{n:04d}", STAFF))
            assert hit.hit.chunk.page == n + 1


async def test_two_processes_do_not_read_the_same(tmp_path: Path) -> None:
    async with world(tmp_path) as one, world(tmp_path) as other:
        for n in range(30):
            (one.docs / f"{n}.md").write_text(f"第{n}份文档。", "utf-8")
        await one.library.add_source("folder", str(one.docs), tenant="default")
        await one.library.look()

        async def work(w: World) -> int:
            try:
                return await w.library.index_now()
            except Exception as e:
                return -1 if getattr(e, "code", "") == "index_busy" else -2

        done = await asyncio.gather(work(one), work(other))
        assert -2 not in done
        assert [d.state for d in await one.records.documents("default")] == ["ready"] * 30
        assert await other.index.count("default", labels_of(STAFF)) == 30


async def test_progress_is_told(here: World) -> None:
    pages = "#pagebreak()\n".join(f"第{n}页\n" for n in range(5))
    (here.docs / "a.pdf").write_bytes(samples.pdf(pages))
    (here.docs / "b.md").write_text("别的", "utf-8")
    steps: list[Step] = []
    await here.library.look()
    await here.library.index_now(watch=steps.append)
    assert [s.page for s in steps if s.document.place == "a.pdf" and not s.done] == [
        0, 1, 2, 3, 4, 5,
    ]  # fmt: skip
    done = [(s.number, s.total, s.document.state) for s in steps if s.done]
    assert done == [(1, 2, "ready"), (2, 2, "ready")]
    shutil.rmtree(here.docs)
