"""Erasing somebody from datasets: rewritten without them, the old withdrawn and empty, adapters marked."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dazi.core.errors import NotFound
from dazi.ops.backup.files import data_files
from dazi.ops.datasets import erasing
from dazi.ops.datasets.erasing import forget
from dazi.ops.datasets.folders import (
    Manifest,
    digest,
    digests,
    names,
    place,
    read_manifest,
    versions,
    write_manifest,
)
from dazi.ops.datasets.people import People


def dataset(data: Path, version: int, users: list[str], name: str = "support") -> Path:
    """One sample a user, all in ``train``; an empty name is nobody's."""
    folder = data / "datasets" / name / str(version)
    folder.mkdir(parents=True)
    people = People(data)
    with (folder / "train.jsonl").open("w", encoding="utf-8") as out:
        for n, user in enumerate(users):
            source = {"kind": "thread", "ref": f"thread:{n}"}
            source |= {"user": people.mark(user)} if user else {}
            said = [{"role": "user", "content": f"{user} 说的话"}]
            sample = {
                "id": f"s{n}",
                "kind": "qa",
                "language": "zh",
                "messages": said,
                "source": source,
            }
            out.write(json.dumps(sample, ensure_ascii=False) + "\n")
    for split in ("validation", "test"):
        (folder / f"{split}.jsonl").touch()
    (folder / "refused.jsonl").write_text('{"ref":"thread:9","stage":"clean","reason":"symbols"}\n')
    (folder / "tools.json").write_text("{}")
    splits = {"train": len(users), "validation": 0, "test": 0}
    manifest = Manifest(
        format=1, name=name, version=version, made="2026-11-30T00:00:00Z", dazi="0", recipe={},
        sources=[], stages=[], splits=splits, sha256=digests(folder),
    )  # fmt: skip
    write_manifest(folder, manifest)
    return folder


def adapter(data: Path, name: str, version: int) -> Path:
    folder = data / "adapters" / name / "1"
    folder.mkdir(parents=True)
    path = folder / "adapter.json"
    told = {"base": "mini", "datasets": [{"name": "support", "version": version}]}
    path.write_text(json.dumps(told))
    return path


def test_the_next_version_is_without_them_and_the_old_is_gone(tmp_path: Path) -> None:
    old = dataset(tmp_path, 1, ["lin", "he", "", "lin"])
    trained, other = adapter(tmp_path, "a", 1), adapter(tmp_path, "b", 7)
    half = tmp_path / "datasets" / "support" / ".making"
    half.mkdir()
    done = forget(tmp_path, "lin")
    assert [(v.name, v.version) for v in done.withdrawn] == [("support", 1)]
    assert (done.samples, done.adapters) == (2, ("a/1",))
    assert not half.exists()
    new = place(tmp_path, "support")
    assert new.name == "2" and versions(tmp_path, "support") == [1, 2]
    told = (new / "train.jsonl").read_text("utf-8")
    assert "lin" not in told and told.count("\n") == 2
    m = read_manifest(new)
    assert m.splits["train"] == 2 and m.parents[0].version == 1
    assert (m.stages[-1].name, m.stages[-1].refused) == ("erased", {"erased": 2})
    assert m.sha256["train.jsonl"] == digest(new / "train.jsonl")
    assert m.counts["kind"] == {"qa": 2} and m.counts["source"] == {"thread": 2}
    assert (new / "refused.jsonl").is_file()
    before = read_manifest(old)
    assert before.withdrawn is not None and before.withdrawn.why == "erased"
    assert not list(old.glob("*.jsonl")) and "已撤回" in (old / "card.md").read_text("utf-8")
    marks = json.loads(trained.read_text())["erased"]
    assert [(k["dataset"], k["version"]) for k in marks] == [("support", 1)]
    assert "lin" not in trained.read_text() and "erased" not in other.read_text()


def test_nobodys_datasets_are_touched(tmp_path: Path) -> None:
    folder = dataset(tmp_path, 1, ["he", ""])
    before = (folder / "manifest.json").read_bytes()
    assert forget(tmp_path, "lin").withdrawn == () and names(tmp_path) == ["support"]
    assert (folder / "manifest.json").read_bytes() == before
    assert versions(tmp_path, "support") == [1]
    assert forget(tmp_path / "none", "lin").withdrawn == ()


def test_an_older_version_is_withdrawn_without_a_new_one(tmp_path: Path) -> None:
    dataset(tmp_path, 1, ["lin", "he"])
    dataset(tmp_path, 2, ["he"])
    done = forget(tmp_path, "lin")
    assert [v.version for v in done.withdrawn] == [1] and done.samples == 0
    assert versions(tmp_path, "support") == [1, 2] and place(tmp_path, "support").name == "2"


def test_cut_short_after_writing_it_is_done_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(tmp_path, 1, ["lin", "he"])
    with monkeypatch.context() as m:
        m.setattr("dazi.ops.datasets.erasing.withdraw", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            forget(tmp_path, "lin")
    assert [v.version for v in forget(tmp_path, "lin").withdrawn] == [1]
    assert versions(tmp_path, "support") == [1, 2]
    assert "lin" not in (place(tmp_path, "support") / "train.jsonl").read_text("utf-8")


def test_a_mark_tells_nothing_without_the_installation(tmp_path: Path) -> None:
    one, other = People(tmp_path / "a"), People(tmp_path / "b")
    assert one.mark("lin") == People(tmp_path / "a").mark("lin") != other.mark("lin")
    assert one.mark("lin") != one.mark("wang") and "lin" not in one.mark("lin")


def test_what_is_withdrawn_is_not_found_but_can_be_named(tmp_path: Path) -> None:
    dataset(tmp_path, 1, ["lin"])
    forget(tmp_path, "lin")
    assert place(tmp_path, "support").name == "2" and place(tmp_path, "support", 1).name == "1"
    for name, version in (("support", 9), ("other", 0)):
        with pytest.raises(NotFound):
            place(tmp_path, name, version)


def test_no_backup_holds_one(tmp_path: Path) -> None:
    dataset(tmp_path, 1, ["lin"])
    training(tmp_path, "a-1", origins=[["support", 1, "x"]])
    (tmp_path / "access.key").touch()
    assert [name for name, _ in data_files(tmp_path)] == ["access.key"]


def test_versions_that_were_left_half_written_go_too(tmp_path: Path) -> None:
    dataset(tmp_path, 1, ["he"])
    for name in (".2.part", ".2.4711"):
        half = tmp_path / "datasets" / "support" / name
        half.mkdir()
        (half / "train.jsonl").write_text("lin 说的话")
    forget(tmp_path, "lin")
    assert [p.name for p in (tmp_path / "datasets" / "support").iterdir()] == ["1"]


def test_a_withdrawal_that_was_cut_short_is_carried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = dataset(tmp_path, 1, ["lin", "he"])
    with monkeypatch.context() as m:
        m.setattr(Path, "unlink", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            forget(tmp_path, "lin")
    assert (old / "train.jsonl").is_file() and read_manifest(old).withdrawn is not None
    forget(tmp_path, "lin")
    assert not list(old.glob("*.jsonl"))


def training(at: Path, name: str, **recipe: object) -> Path:
    folder = at / "tuning" / name
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text(json.dumps(recipe))
    for split in ("train", "validation"):
        (folder / f"{split}.jsonl").write_text("lin 说的话")
    return folder


def test_what_cannot_be_read_is_erased_too_and_keeps_nobody_else_in(tmp_path: Path) -> None:
    broken = dataset(tmp_path, 1, ["lin", "he"], "broken")
    foreign = dataset(tmp_path, 2, ["he"], "broken")
    for folder in (broken, foreign):
        (folder / "manifest.json").write_text("{")
    whole = dataset(tmp_path, 1, ["lin", "he"])
    with (whole / "train.jsonl").open("ab") as out:
        out.write(People(tmp_path).mark("lin").encode() + b" half a line\n")
    bad = adapter(tmp_path, "bad", 1)
    bad.write_text("{")
    good = adapter(tmp_path, "good", 1)
    done = forget(tmp_path, "lin")
    assert [(v.name, v.version) for v in done.withdrawn] == [("broken", 1), ("support", 1)]
    assert not list(broken.glob("*.jsonl")) and list(foreign.glob("*.jsonl"))
    left = (place(tmp_path, "support") / "train.jsonl").read_text("utf-8")
    assert left.count("\n") == 1 and "he" in left
    assert done.adapters == ("good/1",) and "erased" in json.loads(good.read_bytes())


def test_trainings_on_what_is_withdrawn_lose_their_samples(tmp_path: Path) -> None:
    old = dataset(tmp_path, 1, ["lin", "he"])
    mine = training(tmp_path, "a-1", origins=[["support", 1, "x"]], data="support@1")
    files = {"train": [str(old / "train.jsonl")], "validation": []}
    by_file = training(tmp_path, "b-1", origins=[], data=files)
    other = training(tmp_path, "c-1", origins=[["support", 7, "x"]], data="support@7")
    assert forget(tmp_path, "lin").trainings == ("a-1", "b-1")
    for folder in (mine, by_file):
        assert sorted(p.name for p in folder.iterdir()) == ["recipe.json"]
    assert len(list(other.iterdir())) == 3
    assert forget(tmp_path, "lin").trainings == ()


def test_of_two_erasures_at_once_neither_undoes_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset(tmp_path, 1, ["anna", "bert", "carl"])
    write = erasing._write_without

    def slowly(*given: Any) -> int:
        time.sleep(0.1)  # the other one begins meanwhile
        return write(*given)

    monkeypatch.setattr(erasing, "_write_without", slowly)
    with ThreadPoolExecutor(2) as two:
        done = list(two.map(lambda user: forget(tmp_path, user), ["anna", "bert"]))
    assert [d.samples for d in done] == [1, 1]
    last = place(tmp_path, "support")
    assert last.name == "3"
    (left,) = (last / "train.jsonl").read_text("utf-8").splitlines()
    assert "carl" in left
