"""Items are asked, kept as they end, and not asked again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from dazi.core.engine import Usage
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.lab.evals.executing import Execution, at_once, execute
from dazi.lab.evals.registry import registered, suite, suites
from dazi.lab.evals.runs import DataOf, ItemRecord, RunFolder
from dazi.lab.evals.suite import Bench, Item, Loaded, Outcome, Source, drawn, once

ITEMS = [Item(f"i{n}", f"g{n % 3}", "zh", n) for n in range(9)]


class Fake:
    """Right where the number is even; ``i5`` breaks; ``stop_at`` never answers."""

    name = "fake"
    about = Text("假的", "fake")

    def __init__(self, stop_at: str = "", *, shared: bool = True) -> None:
        self.stop_at = stop_at
        self.shared = shared
        self.asked: list[str] = []
        self.stopped = asyncio.Event()
        self.at_once = self.most = 0

    def load(self, source: Source) -> Loaded:
        return Loaded(tuple(ITEMS), DataOf("fake", "00"))

    async def ask(self, item: Item, bench: Bench) -> Outcome:
        self.asked.append(item.id)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if item.id == self.stop_at:
            self.stopped.set()
            await asyncio.Event().wait()
        if item.id == "i5":
            raise RuntimeError("broken")
        if item.id == "i7":
            raise CallerError("x", "不行", "no good")
        return Outcome({"even": float(item.asked % 2 == 0)}, item.asked % 2 == 0, usage=Usage(3, 1))


class Price:
    def yuan(self, usage: Usage) -> float:
        return usage.prompt / 1000


async def run(folder: Path, fake: Fake, **more: Any) -> list[ItemRecord]:
    run = RunFolder(folder)
    with run.appending() as into:
        made = Execution(fake, cast(Bench, None), price=Price(), **more)
        await execute(made, ITEMS, into, run.by_id())
    return list(run.records())


async def test_every_item_gets_a_record_whatever_becomes_of_it(tmp_path: Path) -> None:
    records = {r.id: r for r in await run(tmp_path, Fake())}
    assert records.keys() == {i.id for i in ITEMS}
    assert records["i4"].right and not records["i1"].right
    assert records["i4"].tokens.prompt == 3 and records["i4"].cost == 0.003
    assert records["i5"].error == "RuntimeError: broken" and not records["i5"].right
    assert records["i7"].error == "no good" and records["i7"].ms > 0


async def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    first = Fake(stop_at="i4", shared=False)
    under_way = asyncio.create_task(run(tmp_path, first))
    await first.stopped.wait()
    under_way.cancel()  # as Ctrl-C does
    with pytest.raises(asyncio.CancelledError):
        await under_way
    done = {r.id for r in RunFolder(tmp_path).records()}
    assert done == {"i0", "i1", "i2", "i3"}
    second = Fake()
    await run(tmp_path, second)
    assert set(second.asked) == {i.id for i in ITEMS} - done
    assert len(list(RunFolder(tmp_path).records())) == len(ITEMS)


async def test_items_that_share_nothing_are_asked_one_at_a_time(tmp_path: Path) -> None:
    alone, together = Fake(shared=False), Fake()
    await run(tmp_path / "a", alone, concurrency=4)
    await run(tmp_path / "b", together, concurrency=4)
    assert (alone.most, together.most) == (1, 4)


def test_a_sample_is_drawn_evenly_and_again_the_same() -> None:
    items = [*ITEMS, *(Item(f"j{n}", "rare", "en", n) for n in range(2))]
    some = drawn(items, 8, 1)
    assert [i.group for i in some].count("rare") == 2 and len(some) == 8
    assert some == drawn(items, 8, 1) != drawn(items, 8, 2)
    assert [items.index(i) for i in some] == sorted(items.index(i) for i in some)
    assert drawn(items, 0, 1) == drawn(items, 99, 1) == items


def test_suites_are_listed_in_one_place_and_none_twice() -> None:
    company = {"calls", "knowledge", "memory", "agent", "safety"}
    wanted = company | {"bfcl", "bfcl-turns", "acebench", "general"}
    assert set(suites()) == wanted
    with pytest.raises(ValueError, match="two suites"):
        registered([Fake(), Fake()])
    with pytest.raises(CallerError, match="bfcl"):
        suite("nothing")


def test_data_is_looked_for_where_it_was_said_to_lie(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="DAZI_EVALDATA"):
        Source(tmp_path).public("bfcl")
    with pytest.raises(CallerError, match="no folder"):
        Source(tmp_path, tmp_path / "gone").public("bfcl")
    (tmp_path / "bfcl").mkdir()
    assert Source(tmp_path, tmp_path).public("bfcl") == tmp_path / "bfcl"
    assert Source(tmp_path, tmp_path / "bfcl").public("bfcl") == tmp_path / "bfcl"
    with pytest.raises(CallerError, match="evals"):
        Source(tmp_path).own("calls*.jsonl")
    (tmp_path / "evals").mkdir()
    case = tmp_path / "evals" / "calls.jsonl"
    case.touch()
    assert Source(tmp_path).own("calls*.jsonl") == [case]
    assert Source(tmp_path, case).own("other*") == [case]


def test_of_items_with_one_id_the_first_is_asked() -> None:
    loaded = Loaded((*ITEMS, Item("i1", "other", "en", 0)), DataOf("fake", "00"))
    found = once(loaded)
    assert found.items == tuple(ITEMS) and "1 items" in found.notes[0].en
    assert once(found) is found


@pytest.mark.parametrize(("shared", "wanted", "of"), [(True, 16, 9), (True, 0, 1), (False, 4, 1)])
def test_no_more_are_asked_at_once_than_there_are(shared: bool, wanted: int, of: int) -> None:
    assert at_once(Fake(shared=shared), wanted, len(ITEMS)) == of
