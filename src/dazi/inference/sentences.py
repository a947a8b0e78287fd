"""How a model's folder says that vectors are made of texts: the files of sentence-transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dazi.inference.profiles import read_config

Pooling = Literal["cls", "mean", "last"]
_MODES: dict[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_lasttoken": "last",
}
_LAST = frozenset({"qwen2", "qwen3", "mistral", "llama"})
"""Families that read from left to right: only the last token has seen all."""
_LONGEST = 512
_PARTS = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class Sentences:
    """``longest``: tokens that are read of a text. ``question`` and ``passage`` are put before those."""

    pooling: Pooling
    longest: int
    question: str = ""
    passage: str = ""


def read_sentences(folder: Path) -> Sentences:
    """Raises ``ValueError`` for a way that is not known, or a file that is not JSON."""
    for module in _list(folder / "modules.json"):
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind not in _PARTS:
            raise ValueError(f"modules.json wants a part {kind}")
    config = read_config(folder)
    lengths = (
        config.get("max_position_embeddings"),
        _mapping(folder / "sentence_bert_config.json").get("max_seq_length"),
    )
    known = [n for n in lengths if isinstance(n, int) and n > 2]
    prompts = _mapping(folder / "config_sentence_transformers.json").get("prompts") or {}
    if not isinstance(prompts, Mapping):
        raise ValueError("the prompts of config_sentence_transformers.json are no mapping")
    return Sentences(
        _pooling(folder, str(config.get("model_type", ""))),
        min(known, default=_LONGEST),
        str(prompts.get("query", "")),
        str(prompts.get("document", "")),
    )


def _pooling(folder: Path, family: str) -> Pooling:
    path = folder / "1_Pooling" / "config.json"
    if not path.is_file():
        return "last" if family in _LAST else "mean"
    modes = [k for k, on in _mapping(path).items() if on is True and k.startswith("pooling_mode_")]
    if len(modes) != 1 or modes[0] not in _MODES:
        known = ", ".join(_MODES)
        raise ValueError(f"1_Pooling/config.json has {', '.join(modes) or 'none'}; known: {known}")
    return _MODES[modes[0]]


def _mapping(path: Path) -> dict[str, Any]:
    found = _read(path, {})
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is no mapping")
    return found


def _list(path: Path) -> list[dict[str, Any]]:
    found = _read(path, [])
    if not isinstance(found, list) or not all(isinstance(m, dict) for m in found):
        raise ValueError(f"{path.name} is no list of mappings")
    return found


def _read(path: Path, missing: Any) -> Any:
    if not path.is_file():
        return missing
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as e:
        raise ValueError(f"{path.name} cannot be read ({e})") from None
