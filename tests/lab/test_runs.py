"""Runs are folders that can be stopped at any moment and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from dazi.core.errors import CallerError, NotFound
from dazi.lab.evals.figures import groups_of, metrics_of, scored
from dazi.lab.evals.runs import DataOf, ItemRecord, RunFolder, RunHead, RunStore, Tokens, run_id

HEAD = RunHead(
    "20261130-080000-calls-mini",
    "calls",
    "mini",
    "0.1.0",
    "v1",
    "2026-11-30T08:00:00Z",
    DataOf("calls", "ab"),
    "cd",
    of=3,
)


def record(name: str, right: bool = True, **more: object) -> ItemRecord:
    made = ItemRecord(name, "g", "zh", {"exact": float(right)}, right, ms=10.0)
    return replace(made, **more)  # type: ignore[arg-type]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    folder = RunStore(tmp_path).new(HEAD)
    given = record("a", why=("x",), tokens=Tokens(5, 2, 1), trace={"said": "你好"}, cost=0.01)
    with folder.appending() as into:
        into.add(given)
    assert folder.head == HEAD
    (read,) = folder.records()
    assert (read.id, read.why, read.tokens, read.trace) == (
        "a",
        ("x",),
        Tokens(5, 2, 1),
        {"said": "你好"},
    )
    line = msgspec.json.decode((folder.path / "items.jsonl").read_bytes())
    wanted = {"id", "group", "language", "scores", "right", "why", "tokens", "ms", "cost", "error"}
    assert wanted | {"trace"} <= line.keys()
    head = msgspec.json.decode((folder.path / "run.json").read_bytes())
    assert head["format"] == 1 and head["data"]["sha256"] == "ab"


def test_a_line_cut_off_by_a_stop_is_left_out_and_written_again(tmp_path: Path) -> None:
    folder = RunStore(tmp_path).new(HEAD)
    with folder.appending() as into:
        into.add(record("a"))
    with (folder.path / "items.jsonl").open("ab") as file:
        file.write(b'{"id":"b","gro')
    assert [r.id for r in folder.records()] == ["a"]
    with folder.appending() as into:
        into.add(record("b"))
    assert [r.id for r in folder.records()] == ["a", "b"]


def test_two_do_not_write_one_run(tmp_path: Path) -> None:
    folder = RunStore(tmp_path).new(HEAD)
    with folder.appending(), pytest.raises(CallerError, match="another process"):
        folder.appending()


def test_a_run_is_found_by_id_beginning_or_folder(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    first, second = store.new(HEAD), store.new(replace(HEAD, id="20261130-090000-bfcl-mini"))
    assert store.find(HEAD.id).path == first.path == store.find("20261130-08").path
    assert store.find("latest").path == second.path == store.find(str(second.path)).path
    for name in ("20261130", "", "nothing"):
        with pytest.raises(NotFound, match="latest"):
            store.find(name)
    assert store.new(HEAD).head.id == f"{HEAD.id}-2"


def test_the_same_asked_of_the_same_is_one_run(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    folder = store.new(HEAD)
    again = replace(HEAD, id="other", began="later", done=1, concurrency=9)
    assert (same := store.same(again)) is not None and same.path == folder.path
    for other in (
        replace(HEAD, model_version="v2"),
        replace(HEAD, data=DataOf("calls", "xx")),
        replace(HEAD, switches={"grammar": False}),
        replace(HEAD, company="ef"),
        replace(HEAD, made_by="0.2.0"),
        replace(HEAD, limit=5),
        replace(HEAD, seed=1),
    ):
        assert store.same(other) is None


def test_a_folder_that_holds_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="holds no run"):
        _ = RunFolder(tmp_path).head
    RunFolder(tmp_path).write(replace(HEAD, format=9))
    with pytest.raises(CallerError, match="format 9"):
        _ = RunFolder(tmp_path).head


def test_ids_are_names_of_folders() -> None:
    assert run_id("20261130-080000", "calls", "Qwen/Qwen3:14B q4") == (
        "20261130-080000-calls-Qwen-Qwen3-14B-q4"
    )


def test_the_figures_of_a_run() -> None:
    records = [
        record("a", ms=10, tokens=Tokens(100, 10)),
        record("b", right=False, ms=30, tokens=Tokens(300, 30), error="down"),
        record("b", right=True, ms=20, tokens=Tokens(200, 20)),
        replace(record("c", group="h"), scores={"exact": None, "f1": 0.5}),
    ]
    found = metrics_of(scored(records))
    assert (found["exact"].value, found["exact"].n) == (1.0, 2)  # b was asked again
    assert (found["f1"].value, found["f1"].n) == (0.5, 1)
    assert found["right"].n == 3 and found["right"].low is not None
    assert found["ms_p50"].value == 10 and found["ms_p95"].value == 20
    assert found["prompt_tokens"].value == 100 and found["errors"].value == 0
    assert "cost" not in found
    groups = groups_of(scored(records))
    assert set(groups) == {"g", "h"} and "ms_p50" not in groups["g"]
    assert not metrics_of([])


def test_two_that_begin_in_one_second_get_a_folder_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path)
    first = store.new(HEAD)
    # As if the first had begun after the second had looked.
    monkeypatch.setattr(Path, "exists", lambda self, **_: False)
    second = store.new(replace(HEAD, switches={"grammar": False}))
    assert second.path != first.path and not first.head.switches


def test_what_json_cannot_hold_ends_no_run(tmp_path: Path) -> None:
    folder = RunStore(tmp_path).new(HEAD)
    odd = {"said": "half \ud83d", "calls": [{"arguments": {"n": 10**30, "half \ud83d": (1, 2)}}]}
    with folder.appending() as into:
        into.add(record("a", trace=odd))
        into.add(record("b", error="UnicodeEncodeError \ud83d"))
    first, second = folder.records()
    assert first.trace["said"] == "half ?" and first.scores == {"exact": 1.0}
    assert first.trace["calls"][0]["arguments"]["n"] in (str(10**30), 10**30)
    assert second.error.startswith("UnicodeEncodeError")
