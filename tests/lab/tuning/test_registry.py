from __future__ import annotations

import json
from pathlib import Path

import pytest

from dazi.core.errors import CallerError, NotFound
from dazi.lab.tuning.datasets import Files, Origin, Sample, find_dataset, read_material, split
from dazi.lab.tuning.registry import AdapterCard, Registry
from dazi.ops.datasets import erasing
from dazi.ops.datasets.folders import Version
from tests.inference import lora


def dataset(data: Path, version: int = 1, lines: int = 20) -> Path:
    folder = data / "datasets" / "orders" / str(version)
    folder.mkdir(parents=True)
    rows = [
        {"id": f"s{i}", "conversation": f"c{i // 2}", "messages": [
            {"role": "user", "content": f"问 {i}"}, {"role": "assistant", "content": "好的。"}]}
        for i in range(lines)
    ]  # fmt: skip
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    (folder / "train.jsonl").write_text(text)
    (folder / "replies.json").write_text('[["", "", "好的。"]]')
    withdraw(folder, version, None)
    return folder


def withdraw(folder: Path, version: int, why: str | None) -> None:
    told = None if why is None else {"why": why, "at": "2026-11-30"}
    manifest = {
        "format": 1,
        "name": "orders",
        "version": version,
        "made": "2026-11-30T00:00:00Z",
        "dazi": "0.1.0",
        "recipe": {},
        "sources": [],
        "stages": [],
        "splits": {},
        "sha256": {},
        "withdrawn": told,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def card(version: int, *origins: Origin) -> AdapterCard:
    return AdapterCard(
        name="orders",
        version=version,
        base="dazi-mini",
        base_version="x",
        method="lora",
        made="2026-11-30T00:00:00Z",
        dazi="0.1.0",
        datasets=tuple({"name": o.name, "version": o.version, "sha256": o.sha256} for o in origins),
    )


def made(folder: Path) -> Path:
    lora.write(folder / "adapter_model.safetensors", lora.tensors(0.1), lora_alpha=4, r=4)
    return folder


def test_conversations_are_never_split_between_training_and_validation(tmp_path: Path) -> None:
    dataset(tmp_path)
    material = read_material(tmp_path, ["orders@1"], seed=3)
    train, held = ({s.conversation for s in part} for part in (material.train, material.validation))
    assert train and held and not train & held
    assert [r.text for r in material.replies] == ["好的。"]
    again = split(tuple(Sample(f"{i}", (), conversation=f"{i}") for i in range(50)), 3)
    assert [len(p) for p in again] == [45, 5]


def test_versions_are_found_and_withdrawn_ones_are_refused(tmp_path: Path) -> None:
    old = dataset(tmp_path, 2)
    dataset(tmp_path, 10)
    assert find_dataset(tmp_path, "orders").name == "10"
    assert find_dataset(tmp_path, "orders@2") == old
    for wanted in ("nothing", "orders@3", "orders@x", "../x", ""):
        with pytest.raises((NotFound, CallerError)):
            find_dataset(tmp_path, wanted)
    withdraw(old, 2, "erased")
    with pytest.raises(CallerError) as refused:
        read_material(tmp_path, ["orders@2"], 1)
    assert refused.value.code == "dataset_withdrawn"


def test_a_dataset_that_was_changed_is_refused(tmp_path: Path) -> None:
    folder = dataset(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = {"train.jsonl": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CallerError) as refused:
        read_material(tmp_path, ["orders"], 1)
    assert refused.value.code == "dataset_changed"


def test_a_line_that_is_no_sample_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": "a", "messages": []}\n{"id": 3}\n')
    with pytest.raises(CallerError, match=r"x\.jsonl:2"):
        read_material(tmp_path, Files(train=[path]), 1)


def test_versions_follow_each_other_and_stay_as_they_are(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert registry.next_version("orders") == 1
    one = registry.add(made(tmp_path / "made"), card(1))
    assert (one.folder / "adapter_model.safetensors").is_file()
    assert registry.next_version("orders") == 2
    with pytest.raises(CallerError):
        registry.add(tmp_path / "made", card(1))
    registry.add(tmp_path / "made", card(2))
    assert [t.card.title for t in registry.all()] == ["orders@2", "orders@1"]
    assert registry.get("orders").card.version == 2
    assert registry.get("orders@1").card == one.card
    for wanted in ("orders@3", "orders@x", "other", "../adapters"):
        with pytest.raises(NotFound):
            registry.get(wanted)


def test_an_adapter_of_withdrawn_data_is_marked_and_stays_marked(tmp_path: Path) -> None:
    folder = dataset(tmp_path)
    registry = Registry(tmp_path)
    registry.add(made(tmp_path / "made"), card(1, Origin("orders", 1, "x")))
    assert registry.get("orders").card.erased == ()
    withdraw(folder, 1, "a person asked for it")
    (mark,) = registry.get("orders").card.erased
    assert (mark.title, mark.why) == ("orders@1", "a person asked for it")
    assert len(registry.get("orders").card.erased) == 1
    (folder / "manifest.json").unlink()
    assert registry.all()[0].card.erased == (mark,)


def test_an_erasure_marks_the_adapter_and_is_read_back(tmp_path: Path) -> None:
    """The eraser writes the mark itself; it is the one that is read here."""
    dataset(tmp_path)
    registry = Registry(tmp_path)
    registry.add(made(tmp_path / "made"), card(1, Origin("orders", 1, "x")))
    assert erasing._mark_adapters(tmp_path, [Version("orders", 1)]) == ["orders/1"]
    (mark,) = registry.get("orders").card.erased
    assert mark.title == "orders@1" and mark.at
