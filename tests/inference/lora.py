"""LoRA adapters for tests, written as PEFT writes them, without its packages."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Tensors = dict[str, npt.NDArray[np.float32]]
SIZES = {"self_attn.q_proj": (192, 160), "mlp.down_proj": (160, 480)}
"""Outputs and inputs of two layers of the bundled model."""


def tensors(
    scale: float, *, rank: int = 4, blocks: Iterable[int] = range(6), seed: int = 1
) -> Tensors:
    """Random ones; the product of A and B grows with ``scale``, and is nothing with 0."""
    random = np.random.default_rng(seed)
    made: Tensors = {}
    for block in blocks:
        for name, (outputs, inputs) in SIZES.items():
            key = f"base_model.model.model.layers.{block}.{name}.lora_"
            made[key + "A.weight"] = random.normal(0, 1, (rank, inputs)).astype(np.float32)
            made[key + "B.weight"] = random.normal(0, scale, (outputs, rank)).astype(np.float32)
    return made


def write(path: Path, tensors: Mapping[str, npt.NDArray[np.float32]], **config: Any) -> Path:
    """As a safetensors file; ``config`` as ``adapter_config.json`` beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head, blobs, at = {}, [], 0
    for name, tensor in tensors.items():
        blob = np.ascontiguousarray(tensor, np.float32).tobytes()
        head[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    if config:
        whole = {"peft_type": "LORA", "bias": "none", **config}
        (path.parent / "adapter_config.json").write_text(json.dumps(whole))
    return path
