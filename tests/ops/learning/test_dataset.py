"""Datasets: whole versions that never change, split by conversation, each sample once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from dazi.core.errors import CallerError, OperatorError
from dazi.ops.datasets.erasing import forget
from dazi.ops.learning.dataset import SPLITS, Made, Wanted, make, read, split_of


def sample(id: str, conversation: str, person: str = "p", said: str = "") -> dict[str, Any]:
    return {
        "id": id,
        "conversation": conversation,
        "kind": "chat",
        "language": "zh",
        "messages": [
            {"role": "user", "content": said or f"问 {id}"},
            {"role": "assistant", "content": "答"},
        ],
        "tools": ["get_order_status"],
        "role": "customer",
        "today": "2025-04-03",
        "source": {"kind": "feedback", "ref": id, "user": person, "licence": "company", "consent": "given"},
    }  # fmt: skip


def made(data: Path, n: int = 60, name: str = "feedback") -> Made:
    samples = [sample(f"s{i}", f"c{i // 2}") for i in range(n)]
    tools = {
        t: {"name": t, "description": "d", "parameters": {}} for t in ("get_order_status", "x")
    }
    return make(data, Wanted(name, samples, tools, {"from": "feedback"}))


def test_conversations_stay_together_and_where_they_were(tmp_path: Path) -> None:
    first = made(tmp_path)
    second = made(tmp_path, 90)
    assert (first.version, second.version) == (1, 2)
    places = []
    for version in (first, second):
        found = {}
        for split in SPLITS:
            for line in (version.folder / f"{split}.jsonl").read_text("utf-8").splitlines():
                conversation = json.loads(line)["conversation"]
                assert found.setdefault(conversation, split) == split
        places.append(found)
    assert places[0].items() <= places[1].items()
    assert len(list(read(second.folder))) == 90 and set(places[1].values()) == set(SPLITS)
    kept_out = [split_of(f"x{i}") != "train" for i in range(5000)]
    assert 0.17 < sum(kept_out) / 5000 < 0.23


def test_the_manifest_says_what_is_in_it(tmp_path: Path) -> None:
    found = made(tmp_path, 10)
    manifest = json.loads((found.folder / "manifest.json").read_text("utf-8"))
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((found.folder / name).read_bytes()).hexdigest() == digest
    assert {"train.jsonl", "tools.json", "refused.jsonl"} <= set(manifest["sha256"])
    assert sum(manifest["splits"].values()) == 10 and manifest["withdrawn"] is None
    assert manifest["sources"] == [
        {"ref": "feedback", "read": 10, "licence": "company", "consent": "given"}
    ]
    assert list(json.loads((found.folder / "tools.json").read_text("utf-8"))) == [
        "get_order_status"
    ]
    card = (found.folder / "card.md").read_text("utf-8")
    assert "10 条样本" in card and "10 samples" in card and "fewer than 1000" in card


def test_the_same_twice_is_kept_once_and_told_without_its_text(tmp_path: Path) -> None:
    samples = [sample("a", "c1", said="秘密"), sample("b", "c2", said="秘密")]
    found = make(tmp_path, Wanted("feedback", samples, {}, {}))
    assert found.total == 1 and found.refused == {"duplicate": 1}
    refused = (found.folder / "refused.jsonl").read_text("utf-8")
    assert json.loads(refused) == {"id": "b", "reason": "duplicate", "stage": "duplicates"}


@pytest.mark.parametrize("name", ["", "../x", "Über", "a" * 61, "-a"])
def test_names_are_no_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(CallerError):
        make(tmp_path, Wanted(name, [sample("a", "c")], {}, {}))
    with pytest.raises(CallerError):
        make(tmp_path, Wanted("feedback", [], {}, {}))
    assert not any(tmp_path.iterdir())


def test_what_a_killed_process_left_of_a_version_goes_with_an_erasure(tmp_path: Path) -> None:
    found = made(tmp_path, 4)
    left = found.folder.with_name(".2.0a1b2c3d")
    left.mkdir()
    (left / "train.jsonl").write_text(json.dumps(sample("x", "c", "erased")) + "\n", "utf-8")
    forget(tmp_path, "somebody", "erased")
    assert not left.exists() and len(list(read(found.folder))) == 4


def test_nothing_is_left_of_a_version_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dazi.ops.learning.dataset.publish", full)
    with pytest.raises(OperatorError, match="No space"):
        made(tmp_path, 4)
    assert list((tmp_path / "datasets" / "feedback").iterdir()) == []
