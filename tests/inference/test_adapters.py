"""LoRA on the embedded engine: it counts, by so much as it says, or it is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from dazi.core.engine import Engine, GenerateRequest, ModelProfile, Sampling, TextDelta
from dazi.core.errors import CallerError
from dazi.core.messages import Message
from dazi.inference.adapters import read_adapter
from dazi.inference.catalog import BUNDLED, Catalog, open_engine
from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions
from dazi.inference.layers import read_layers, with_names
from tests.inference import lora

ASKED = "请给客户写一封很长的信，说说我们公司的历史。"


@pytest.fixture
def bundled(model_folder: Path) -> Path:
    if model_folder != BUNDLED:
        pytest.skip("the adapters of these tests have the bundled model's sizes")
    return model_folder


async def said(engine: Engine) -> str:
    request = GenerateRequest((Message("user", ASKED),), sampling=Sampling(max_tokens=24))
    return "".join([e.text async for e in engine.generate(request) if isinstance(e, TextDelta)])


async def adapted(base: Path, adapter: Path, into: Path) -> tuple[str, ModelProfile]:
    """As a model of the list is opened."""
    catalog = Catalog(into, base)
    entry = catalog.add_adapter(adapter, "dazi-mini")
    engine = open_engine(entry, embedded=EmbeddedOptions(cache_gb=1, cache_dir=catalog.models))
    try:
        return await said(engine), engine.profile
    finally:
        await engine.close()


async def test_an_adapter_changes_what_is_said_and_an_empty_one_does_not(
    engine: EmbeddedEngine, bundled: Path, tmp_path: Path
) -> None:
    plain = await said(engine)
    strong = lora.write(tmp_path / "crm" / "adapter_model.safetensors", lora.tensors(0.5))
    empty = lora.write(tmp_path / "empty.safetensors", lora.tensors(0.0))
    other, profile = await adapted(bundled, strong, tmp_path)
    same, unchanged = await adapted(bundled, empty, tmp_path)
    assert plain and other != plain and same == plain
    assert (profile.name, unchanged.name) == ("dazi-mini+crm", "dazi-mini+empty")
    assert len({p.version for p in (engine.profile, profile, unchanged)}) == 3


async def test_the_scale_is_alpha_by_rank(bundled: Path, tmp_path: Path) -> None:
    """One eighth of alpha is one eighth of B: what is told by the configuration is obeyed."""
    whole = lora.tensors(0.4)
    less = {n: t / 8 if "lora_B" in n else t for n, t in whole.items()}
    told = lora.write(tmp_path / "told" / "adapter_model.safetensors", whole, lora_alpha=0.5, r=4)
    made = lora.write(tmp_path / "made.safetensors", less)
    by_told, _ = await adapted(bundled, told, tmp_path)
    by_made, _ = await adapted(bundled, made, tmp_path)
    assert by_told == by_made
    rooted = lora.write(
        tmp_path / "r" / "adapter_model.safetensors", whole, lora_alpha=6, use_rslora=True
    )
    assert read_adapter(rooted).scale == 3.0
    assert read_adapter(made).scale == 1.0
    assert read_adapter(told, alpha=8).scale == 2.0
    versions = {read_adapter(told, alpha=a).version("base") for a in (1, 2)}
    assert len(versions | {read_adapter(told, alpha=1).version("other")}) == 3


def test_names_are_given_once_and_weights_are_not_copied(bundled: Path, tmp_path: Path) -> None:
    layers = read_layers(bundled)
    assert not layers.named
    assert (layers.by_name["model.layers.5.mlp.down_proj"].inputs, len(layers.by_name)) == (480, 42)
    named = with_names(bundled, layers, tmp_path)
    assert (named / "openvino_model.bin").is_symlink()
    again = read_layers(named)
    assert again.named and again.by_name == layers.by_name
    assert with_names(named, again, tmp_path) == named
    made = (named / "openvino_model.xml").stat().st_mtime_ns
    assert with_names(bundled, layers, tmp_path) == named
    assert (named / "openvino_model.xml").stat().st_mtime_ns == made


def test_connections_tell_the_names_that_the_weights_have(bundled: Path, tmp_path: Path) -> None:
    """The bundled model's weights are named, as those of a quantised GGUF file are not."""
    named = with_names(bundled, read_layers(bundled), tmp_path)
    tree = ElementTree.parse(named / "openvino_model.xml")
    elements = {e.get("id"): e for e in tree.iter("layer")}
    sources = {
        (e.get("to-layer"), e.get("to-port")): e.get("from-layer") for e in tree.iter("edge")
    }
    checked = 0
    for number, element in elements.items():
        name, port = element.get("name", ""), "1"
        if element.get("type") != "MatMul" or not name.startswith("model.layers."):
            continue
        while elements[number].get("type") != "Const":
            number, port = sources[number, port], "0"
        _, _, block, rest = name.split(".", 3)
        assert elements[number].get("name") == f"model.layers[{block}].{rest}.weight"
        checked += 1
    assert checked == 42


def test_names_as_pytorch_exports_have_them(bundled: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    shutil.copytree(with_names(bundled, read_layers(bundled), tmp_path), folder)
    tree = ElementTree.parse(folder / "openvino_model.xml")
    for element in tree.iter("layer"):
        name = element.get("name", "")
        if name.startswith("model.layers.") and element.get("type") == "MatMul":
            element.set("name", f"__module.{name}/ov_ext::linear/MatMul")
    tree.write(folder / "openvino_model.xml")
    found = read_layers(folder)
    assert found.named and found.by_name == read_layers(bundled).by_name
    assert with_names(folder, found, tmp_path) == folder


def wrong_shape(made: lora.Tensors) -> str:
    name = "base_model.model.model.layers.2.mlp.down_proj.lora_A.weight"
    made[name] = np.zeros((4, 481), np.float32)
    return name


def no_such_layer(made: lora.Tensors) -> str:
    for half, shape in (("A", (4, 160)), ("B", (192, 4))):
        made[f"base_model.model.model.layers.6.self_attn.q_proj.lora_{half}.weight"] = np.zeros(
            shape, np.float32
        )
    return "model.layers.6.self_attn.q_proj"


@pytest.mark.parametrize("change", [wrong_shape, no_such_layer])
def test_an_adapter_of_another_model_is_refused_by_the_tensor(
    bundled: Path, tmp_path: Path, change: Callable[[lora.Tensors], str]
) -> None:
    made = lora.tensors(0.1)
    name = change(made)
    path = lora.write(tmp_path / "x.safetensors", made)
    ways: list[Callable[[], object]] = [
        lambda: EmbeddedEngine(bundled, EmbeddedOptions(adapter=path, cache_dir=tmp_path)),
        lambda: Catalog(tmp_path, bundled).add_adapter(path, "dazi-mini"),
    ]
    for way in ways:
        with pytest.raises(CallerError) as refused:
            way()
        assert refused.value.code == "adapter_unfit"
        assert name in refused.value.text.zh and name in refused.value.text.en


def test_the_list_knows_adapters_by_name(bundled: Path, tmp_path: Path) -> None:
    crm = lora.write(
        tmp_path / "crm" / "adapter_model.safetensors", lora.tensors(0.1), lora_alpha=4
    )
    catalog = Catalog(tmp_path, bundled)
    added = catalog.add_adapter(crm.parent, "dazi-mini", alpha=2.5)
    assert (added.name, added.location, added.alpha) == ("crm", str(bundled), 2.5)
    assert Catalog(tmp_path, bundled).use("crm") == added
    catalog.add_server("http://gpu:8000/v1", "qwen")
    for base in ("crm", "qwen"):
        with pytest.raises(CallerError) as refused:
            catalog.add_adapter(crm, base)
        assert refused.value.code == "adapter_base"
    for path in (crm, crm.parent):
        with pytest.raises(CallerError) as refused:
            catalog.add(path)
        assert refused.value.code == "adapter_needs_base"


def other_tensor(made: lora.Tensors) -> str:
    made["base_model.model.lm_head.weight"] = np.zeros((4, 4), np.float32)
    return "lm_head"


def half_missing(made: lora.Tensors) -> str:
    del made["base_model.model.model.layers.0.mlp.down_proj.lora_B.weight"]
    return "model.layers.0.mlp.down_proj"


def two_ranks(made: lora.Tensors) -> str:
    made |= lora.tensors(0.1, rank=8, blocks=[0])
    return "[4, 8]"


@pytest.mark.parametrize("change", [other_tensor, half_missing, two_ranks])
def test_what_the_engine_would_leave_out_is_refused(
    tmp_path: Path, change: Callable[[lora.Tensors], str]
) -> None:
    made = lora.tensors(0.1)
    name = change(made)
    with pytest.raises(CallerError) as refused:
        read_adapter(lora.write(tmp_path / "x.safetensors", made))
    assert refused.value.code == "not_an_adapter" and name in refused.value.text.en


@pytest.mark.parametrize(
    "config",
    [{"use_dora": True}, {"bias": "all"}, {"rank_pattern": {"q_proj": 2}}, {"peft_type": "IA3"}],
    ids=str,
)
def test_other_kinds_of_adapters_are_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    path = lora.write(tmp_path / "adapter_model.safetensors", lora.tensors(0.1), **config)
    with pytest.raises(CallerError) as refused:
        read_adapter(path)
    assert refused.value.code == "not_an_adapter"


def test_a_file_that_is_no_adapter_or_not_all_of_one_is_refused(tmp_path: Path) -> None:
    whole = lora.write(tmp_path / "x.safetensors", lora.tensors(0.1))
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole.read_bytes()[:-1])
    text = tmp_path / "text.safetensors"
    text.write_text("no weights")
    for path in (cut, text, tmp_path / "missing.safetensors"):
        with pytest.raises(CallerError) as refused:
            read_adapter(path)
        assert refused.value.code == "not_an_adapter" and str(path) in refused.value.text.zh
