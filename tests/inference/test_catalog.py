"""The store of known models, profiles, and GGUF headers."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dazi.core.engine import ModelProfile
from dazi.core.errors import CallerError, ConfigError, NotFound, OperatorError
from dazi.inference.catalog import Catalog, ModelEntry, open_engine
from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions
from dazi.inference.gguf import gguf_config
from dazi.inference.profiles import cache_gib, read_profile
from dazi.inference.remote import RemoteEngine


def model(folder: Path, **profile: Any) -> Path:
    folder.mkdir()
    (folder / "openvino_model.xml").write_text("<net/>")
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 4096}))
    if profile:
        (folder / "dazi_model.json").write_text(json.dumps(profile))
    return folder


def gguf(path: Path, **values: int | str) -> Path:
    def text(s: str) -> bytes:
        return struct.pack("<Q", len(s.encode())) + s.encode()

    body = b""
    for key, value in values.items():
        body += text(key.replace("__", "."))
        body += (
            struct.pack("<I", 8) + text(value)
            if isinstance(value, str)
            else struct.pack("<II", 4, value)
        )
    body += text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 0)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(values) + 1) + body)
    return path


def test_adding_using_and_removing(tmp_path: Path) -> None:
    bundled = model(tmp_path / "mini", name="dazi-mini", context_tokens=4096, bundled=True)
    catalog = Catalog(tmp_path / "data", bundled)
    assert [m.name for m in catalog.list()] == ["dazi-mini"]
    assert catalog.active() == catalog.get("dazi-mini")

    local = catalog.add(model(tmp_path / "Qwen3-14B-int4"))
    file = catalog.add(gguf(tmp_path / "Qwen3-8B.gguf"), name="small")
    assert (local.name, local.kind, file.name) == ("Qwen3-14B-int4", "local", "small")
    assert catalog.active() == catalog.get("dazi-mini")
    assert catalog.use("small") == file
    url = catalog.use("http://gpu:8000/", model="Qwen3-14B")
    assert url == ModelEntry("Qwen3-14B", "server", "http://gpu:8000/v1", "Qwen3-14B")

    again = Catalog(tmp_path / "data", bundled)
    assert again.active() == url
    assert [m.name for m in again.list()] == ["dazi-mini", "Qwen3-14B-int4", "small", "Qwen3-14B"]
    again.remove("Qwen3-14B")
    assert again.active() == again.get("dazi-mini")
    with pytest.raises(NotFound):
        again.use("Qwen3-14B")
    with pytest.raises(CallerError):
        again.add(tmp_path)
    with pytest.raises(CallerError):
        again.add(tmp_path / "Qwen3-14B-int4", name="dazi-mini")
    with pytest.raises(OperatorError):
        again.use("http://")


def test_without_a_bundled_model_nothing_is_active(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, tmp_path / "none")
    assert catalog.list() == ()
    assert catalog.active() is None


def test_a_broken_list_says_where(tmp_path: Path) -> None:
    (tmp_path / "models.json").write_text('{"models": 3}')
    with pytest.raises(ConfigError) as raised:
        Catalog(tmp_path).list()
    assert "models.json" in raised.value.text.zh


def bare(folder: Path, name: str = "") -> ModelProfile:
    return replace(read_profile(folder, name), version="")


def test_versions_tell_weights_apart(tmp_path: Path) -> None:
    folder = model(tmp_path / "a")
    weights = folder / "openvino_model.bin"
    weights.write_bytes(bytes(40 << 20))
    first = read_profile(folder).version
    assert len(first) == 12 and first == read_profile(folder).version
    (folder / "README.md").write_text("about")
    assert read_profile(folder).version == first
    with weights.open("r+b") as file:
        file.seek(5 * (40 << 20) // 16)
        file.write(b"x")
    second = read_profile(folder).version
    with weights.open("ab") as file:
        file.write(b"x")
    assert len({first, second, read_profile(folder).version}) == 3


def test_profiles(tmp_path: Path) -> None:
    assert bare(model(tmp_path / "a")) == ModelProfile("a", 4096)
    told = {"name": "mini", "context_tokens": 2048, "offered_tools": 4, "copies_text": True}
    told |= {"concise": True, "bundled": True, "thinks": False}
    assert bare(model(tmp_path / "b", **told)) == ModelProfile(**told)
    (tmp_path / "c").mkdir()
    assert bare(tmp_path / "c", "given") == ModelProfile("given", 8192)
    with pytest.raises(ConfigError):
        read_profile(model(tmp_path / "d", context_tokens="many"))


def test_cache_sizes() -> None:
    small = {
        "num_hidden_layers": 6,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 64,
    }
    assert cache_gib(small, 4096) == 1
    large = {
        "num_hidden_layers": 40,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "head_dim": 128,
    }
    assert cache_gib(large, 32_768) >= cache_gib(large, 4096) >= 1


def test_gguf_headers(tmp_path: Path) -> None:
    path = gguf(
        tmp_path / "m.gguf",
        general__architecture="qwen3",
        qwen3__context_length=40960,
        qwen3__block_count=40,
        qwen3__attention__head_count_kv=8,
    )
    assert gguf_config(path) == {
        "model_type": "qwen3",
        "max_position_embeddings": 40960,
        "num_hidden_layers": 40,
        "num_key_value_heads": 8,
    }
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(OperatorError):
        gguf_config(path)
    with pytest.raises(OperatorError):
        gguf_config(tmp_path / "missing.gguf")


def test_a_gguf_file_that_cannot_be_converted_leaves_nothing_behind(tmp_path: Path) -> None:
    path = gguf(tmp_path / "m.gguf", general__architecture="qwen3")
    with pytest.raises(OperatorError) as raised:
        EmbeddedEngine(path, EmbeddedOptions(cache_dir=tmp_path / "cache"))
    assert raised.value.code == "model_unreadable"
    assert list((tmp_path / "cache").iterdir()) == []


async def test_open_engine(model_folder: Path) -> None:
    engine = open_engine(ModelEntry("x", "server", "http://gpu:8000/v1", context_tokens=9))
    assert isinstance(engine, RemoteEngine)
    assert engine.profile.context_tokens == 9
    await engine.close()
    local = open_engine(
        ModelEntry("x", "local", str(model_folder)), embedded=EmbeddedOptions(num_threads=1)
    )
    assert isinstance(local, EmbeddedEngine)
    await local.close()
