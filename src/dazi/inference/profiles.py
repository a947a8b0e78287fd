"""What is known about a model from the files beside its weights."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.engine import ModelProfile
from dazi.core.errors import ConfigError

PROFILE_FILE = "dazi_model.json"
DEFAULT_CONTEXT = 8192
GIB = 1 << 30
_PARTS = frozenset({".bin", ".xml", ".json", ".gguf"})
ENCODER_PARTS = _PARTS | {".safetensors"}
_PIECES, _PIECE = 16, 1 << 20
"""So many pieces of so many bytes: all of a file of 16 MiB."""


def read_profile(folder: Path, name: str = "") -> ModelProfile:
    """From ``dazi_model.json`` if there is one, else from ``config.json``.

    Raises ``ConfigError`` when ``dazi_model.json`` is not a profile.
    """
    config = read_config(folder)
    derived = ModelProfile(
        name=name or folder.name,
        context_tokens=int(config.get("max_position_embeddings", DEFAULT_CONTEXT)),
    )
    derived = replace(derived, version=version_of(folder))
    path = folder / PROFILE_FILE
    if not path.is_file():
        return derived
    try:
        given = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        fields = {**msgspec.to_builtins(derived), **given}
        return msgspec.convert(fields, ModelProfile)
    except msgspec.MsgspecError as e:
        raise ConfigError(
            path, None, f"不是有效的模型说明：{e}", f"not a valid model profile: {e}"
        ) from e


def version_of(folder: Path, parts: Collection[str] = _PARTS) -> str:
    """A digest of the model's files: twelve hexadecimal digits. Of a large file it takes the length
    and pieces all along it, so that gigabytes of weights delay no start."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in parts):
        size = path.stat().st_size
        digest.update(f"{path.name} {size}\n".encode())
        with path.open("rb") as file:
            for i in range(_PIECES):
                file.seek(i * size // _PIECES)
                digest.update(file.read(_PIECE))
    return digest.hexdigest()[:12]


def read_config(folder: Path) -> dict[str, Any]:
    """The model's ``config.json``; empty when there is none that can be read."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def cache_gib(config: dict[str, Any], context_tokens: int) -> int:
    """A sensible KV cache in GiB: four full contexts, at most a quarter of the memory.

    A token takes ``2 * layers * kv_heads * head_dim`` values of two bytes.
    """
    heads = int(config.get("num_attention_heads") or 32)
    kv_heads = int(config.get("num_key_value_heads") or heads)
    size = int(config.get("head_dim") or int(config.get("hidden_size") or 4096) // heads)
    layers = int(config.get("num_hidden_layers") or 32)
    token = 2 * layers * kv_heads * size * 2
    wanted = -(-4 * context_tokens * token // GIB)
    return max(1, min(wanted, memory_bytes() // 4 // GIB))


def memory_bytes() -> int:
    """Memory that this process may use: the container's limit if there is one."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return physical
    return min(physical, int(limit)) if limit.isdecimal() else physical
