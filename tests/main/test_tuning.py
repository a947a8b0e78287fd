"""Deploying adapters and taking deployments back, and what a recipe is refused for before it trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from dazi.core.errors import CallerError, OperatorError
from dazi.inference.catalog import ModelEntry
from dazi.inference.embedded import EmbeddedEngine
from dazi.lab.evals.runs import DataOf, ItemRecord, RunFolder, RunHead, RunStore
from dazi.lab.tuning.data import gain
from dazi.lab.tuning.datasets import Origin
from dazi.lab.tuning.recipe import read_recipe
from dazi.lab.tuning.registry import Tuned
from dazi.main.cli import complete
from dazi.main.settings import Settings, demo_folder
from dazi.main.tuning import Bench, deploy, gated, prepared_run, rollback, weights_of
from tests.inference import lora
from tests.lab.tuning.test_registry import card, dataset, made


def bench_of(data: Path, count: int = 2) -> tuple[Bench, list[Tuned]]:
    bench = Bench.of(Settings(company=demo_folder(), data=data))
    source = made(data / "made")
    return bench, [bench.registry.add(source, card(i + 1)) for i in range(count)]


def active(bench: Bench) -> str:
    found = bench.catalog.active()
    return found.name if found else ""


def failed(bench: Bench, tuned: Tuned) -> Tuned:
    return bench.registry.evaluated(tuned, None, {"passed": False, "why": ["old: -9%"]})


def test_deployments_are_taken_back_one_by_one(tmp_path: Path) -> None:
    bench, _ = bench_of(tmp_path)
    with pytest.raises(CallerError):
        rollback(bench)
    for wanted in ("orders@1", "orders", "orders"):
        deploy(bench, wanted)
    assert active(bench) == "orders@2"
    bench.catalog.remove("orders@1")  # taken out of the list of models meanwhile
    assert rollback(bench) == active(bench) == "orders@1"
    assert rollback(bench) == active(bench) == "dazi-mini"


def test_what_failed_or_must_not_be_served_takes_an_explicit_word(tmp_path: Path) -> None:
    bench, (one, two) = bench_of(tmp_path)
    failed(bench, one)
    with pytest.raises(CallerError, match="old: -9%"):
        deploy(bench, "orders@1")
    soft = msgspec.structs.replace(two.card, method="p-tuning")
    (two.folder / "adapter.json").write_bytes(msgspec.json.encode(soft))
    with pytest.raises(CallerError) as refused:
        deploy(bench, "orders@2", anyway=True)
    assert refused.value.code == "adapter_soft" and active(bench) == "dazi-mini"
    deploy(bench, "orders@1", anyway=True)
    assert active(bench) == "orders@1"


def test_the_commands_say_what_is_in_use_and_what_did_not_pass(tmp_path: Path) -> None:
    bench, (one, _) = bench_of(tmp_path)
    failed(bench, one)
    env = {"DAZI_DATA": str(tmp_path), "DAZI_LANG": "en", "DAZI_COMPANY": str(demo_folder())}

    def dazi(*args: str) -> Any:
        return CliRunner().invoke(complete(), ["tune", *args], env=env)

    assert dazi("deploy", "orders").exit_code == 0
    listed = dazi("list").output
    assert "* orders@2" in listed and "orders@1" in listed and "did not pass" in listed
    told = json.loads(dazi("show", "orders@1", "--json").output)
    assert told["gate"]["why"] == ["old: -9%"] and told["datasets"] == []
    assert "dazi-mini" in dazi("rollback").output


async def test_an_adapter_brings_sentences_of_its_own(tmp_path: Path) -> None:
    folder = lora.write(
        tmp_path / "adapter_model.safetensors", lora.tensors(0.0), lora_alpha=4, r=4
    ).parent
    reply = ["", "", "搭子记下了。"]
    (folder / "adapter.json").write_text(
        json.dumps({"name": "notes", "version": 3, "replies": [reply, reply]})
    )
    from dazi.inference.catalog import BUNDLED, embedded_options

    entry = ModelEntry(
        "x", "local", str(BUNDLED), adapter=str(folder / "adapter_model.safetensors")
    )
    engine = EmbeddedEngine(BUNDLED, embedded_options(entry, None))
    try:
        assert engine.profile.name == "dazi-mini+notes@3"
        assert [list(r) for r in engine.profile.replies].count(reply) == 1
    finally:
        engine.shut()


def test_a_run_that_is_not_finished_is_not_overwritten_by_another_recipe(tmp_path: Path) -> None:
    bench, _ = bench_of(tmp_path, 0)
    sample = {"id": "a", "messages": [{"role": "user", "content": "你好"},
                                      {"role": "assistant", "content": "你好。"}]}  # fmt: skip
    (tmp_path / "s.jsonl").write_text(json.dumps(sample) + "\n")
    path = tmp_path / "r.yaml"
    text = "name: a\ndata: {train: [s.jsonl], validation: [s.jsonl]}\n"
    path.write_text(text)
    assert prepared_run(bench, read_recipe(path)).fresh
    assert not prepared_run(bench, read_recipe(path)).fresh
    path.write_text(text + "rate: 0.5\n")
    with pytest.raises(CallerError) as refused:
        prepared_run(bench, read_recipe(path))
    assert refused.value.code == "tuning_under_way"
    assert prepared_run(bench, read_recipe(path), anew=True).fresh


def test_samples_are_the_first_of_those_to_train_on(tmp_path: Path) -> None:
    bench, _ = bench_of(tmp_path, 0)
    dataset(tmp_path)
    path = tmp_path / "r.yaml"
    path.write_text("name: a\ndata: orders@1\nsamples: 7\n")
    run = prepared_run(bench, read_recipe(path), file=path)
    assert run.prepared is not None and run.prepared.train == 7
    assert json.loads((run.folder / "recipe.json").read_text())["file"] == str(path)
    path.write_text("name: a\ndata: orders@1\n")
    more = prepared_run(bench, read_recipe(path), anew=True)
    assert more.prepared is not None and more.prepared.train == 18


def test_a_model_without_weights_says_where_to_get_them(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("name: a\ndata: x@1\n")
    with pytest.raises(CallerError) as refused:
        weights_of(ModelEntry("qwen", "server", "http://127.0.0.1:1"), read_recipe(path))
    assert refused.value.code == "no_weights"
    assert not isinstance(refused.value, OperatorError)


async def test_the_gate_takes_no_answers_that_broke_off_for_wrong_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, (one, _) = bench_of(tmp_path)
    bench.catalog.add_adapter(one.folder, "dazi-mini", name="orders@1")
    head = RunHead("r", "calls", "dazi-mini", "", "v", "", DataOf("calls", "0"), "")
    folder = RunFolder(tmp_path / "run")
    folder.write(head)
    with folder.appending() as into:
        into.add(ItemRecord("a", "", "zh", {}, False, error="the server is gone"))

    async def asked(*_: object) -> RunFolder:
        return folder

    monkeypatch.setattr("dazi.main.tuning_gate.run_suite", asked)
    path = tmp_path / "r.yaml"
    path.write_text("name: orders\ndata: orders@1\ngate: {better: [new.jsonl]}\n")
    with pytest.raises(CallerError, match="the server is gone"):
        await gated(bench, read_recipe(path), one, "zh")
    assert bench.registry.get("orders@1").card.passed is None


async def test_the_gate_is_of_runs_that_stay_and_tells_the_dataset_what_its_samples_bring(
    tmp_path: Path,
) -> None:
    origin = Origin("orders", 1, "0")
    dataset(tmp_path)
    manifest = tmp_path / "datasets" / "orders" / "1" / "manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(told | {"splits": {"train": 20}}))
    for name, said in (("new", "ORD12345 到哪了"), ("old", "你好")):
        expect = [{"name": "get_order_status", "arguments": {"order_id": "ORD12345"}}]
        case = {"id": name, "role": "customer", "today": "2025-04-03",
                "messages": [{"role": "user", "content": said}],
                "expect": expect if name == "new" else []}  # fmt: skip
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(case) + "\n")
    path = tmp_path / "r.yaml"
    path.write_text(
        "name: orders\ndata: orders@1\ngate: {better: [new.jsonl], same: [old.jsonl], gain: 0.5}\n"
    )
    bench = Bench.of(Settings(company=demo_folder(), data=tmp_path))
    still = lora.write(
        tmp_path / "made" / "adapter_model.safetensors", lora.tensors(0.0), lora_alpha=4, r=4
    ).parent
    mine = msgspec.structs.replace(card(1, origin), recipe={"samples": 8})
    tuned = bench.registry.add(still, mine)
    bench.catalog.add_adapter(tuned.folder, "dazi-mini", name="orders@1")
    found = await gated(bench, read_recipe(path), tuned, "zh")
    assert found.card.passed is False and "new: +0.0% < +50.0%" in found.card.gate["why"]
    (better,), (same,) = found.card.gate["better"], found.card.gate["same"]
    assert (better["before"], better["after"], same["after"]) == (1.0, 1.0, 1.0)
    store = RunStore(tmp_path)
    before, after = (store.find(run) for run in better["runs"])
    assert (before.head.model, after.head.model) == ("dazi-mini", "dazi-mini+orders@1")
    assert after.by_id()["new"].trace, "every verdict can be looked at"
    assert found.card.evaluated == better["runs"][1]
    (point,) = gain.points(tmp_path, "orders")
    assert (point.samples, point.metric, point.value, point.run) == (8, "new", 1.0, after.head.id)
    known = len(store.all())
    assert (await gated(bench, read_recipe(path), found, "zh")).card.gate == found.card.gate
    assert len(store.all()) == known == 4, "what was asked is not asked again"
