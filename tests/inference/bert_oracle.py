"""A small BERT of random weights, written as such models are published, and its forward pass in numpy."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

HIDDEN, HEADS, INNER, LAYERS, POSITIONS = 32, 4, 64, 2, 24
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = (
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "退", "货", "期", "限", "!", ",", "[", "]"]
    + list(LETTERS)
    + [f"##{c}" for c in LETTERS]
)


def config(**changed: Any) -> dict[str, Any]:
    return {
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "max_position_embeddings": POSITIONS,
        "layer_norm_eps": 1e-12,
    } | changed


def weights(seed: int = 0, words: int = len(WORDS)) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)

    def random(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    out = {
        "embeddings.word_embeddings.weight": random(words, HIDDEN),
        "embeddings.position_embeddings.weight": random(POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": random(2, HIDDEN),
    }
    dense = {}
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        for name in ("query", "key", "value"):
            dense[f"{at}.attention.self.{name}"] = (HIDDEN, HIDDEN)
        dense[f"{at}.attention.output.dense"] = (HIDDEN, HIDDEN)
        dense[f"{at}.intermediate.dense"] = (INNER, HIDDEN)
        dense[f"{at}.output.dense"] = (HIDDEN, INNER)
    for name, shape in dense.items():
        out |= {f"{name}.weight": random(*shape), f"{name}.bias": random(shape[0])}
    norms = ["embeddings.LayerNorm"]
    for i in range(LAYERS):
        norms += [f"encoder.layer.{i}.{n}.LayerNorm" for n in ("attention.output", "output")]
    for name in norms:
        out |= {f"{name}.weight": 1 + random(HIDDEN), f"{name}.bias": random(HIDDEN)}
    return out


def safetensors(tensors: Mapping[str, np.ndarray], kind: str = "F32") -> bytes:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        raw = _as(tensor, kind)
        header[name] = {
            "dtype": kind,
            "shape": list(tensor.shape),
            "data_offsets": [len(body), len(body) + len(raw)],
        }
        body += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def _as(tensor: np.ndarray, kind: str) -> bytes:
    if kind == "BF16":
        return (tensor.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    return tensor.astype({"F32": np.float32, "F16": np.float16}[kind]).tobytes()


def tokenizer(words: Sequence[str] = WORDS) -> dict[str, Any]:
    def mark(name: str) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": 0}}

    return {
        "normalizer": {"type": "BertNormalizer", "lowercase": True, "strip_accents": None},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [mark("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, mark("[SEP]")],
        },
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {w: i for i, w in enumerate(words)},
        },
    }


def pooling(mode: str) -> dict[str, bool]:
    modes = ("cls_token", "mean_tokens", "max_tokens", "lasttoken")
    return {f"pooling_mode_{m}": m == mode for m in modes}


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_bert(
    folder: Path, mode: str = "mean_tokens", kind: str = "F32", prefix: str = ""
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    named = {prefix + n: w for n, w in weights().items()}
    (folder / "model.safetensors").write_bytes(safetensors(named, kind))
    write_json(folder / "config.json", config())
    write_json(folder / "tokenizer.json", tokenizer())
    write_json(folder / "1_Pooling" / "config.json", pooling(mode))


def states(w: Mapping[str, np.ndarray], ids: Sequence[int], heads: int = HEADS) -> np.ndarray:
    """The last hidden states of one text, in double precision."""
    w = {n: t.astype(np.float64) for n, t in w.items()}
    layers = 1 + max(int(n.split(".")[2]) for n in w if n.startswith("encoder.layer."))

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][list(ids)]
    x = x + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    erf = np.vectorize(math.erf)
    for i in range(layers):
        at = f"encoder.layer.{i}"
        q, k, v = (
            dense(x, f"{at}.attention.self.{n}").reshape(len(ids), heads, -1).transpose(1, 0, 2)
            for n in ("query", "key", "value")
        )
        seen = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        seen = np.exp(seen - seen.max(-1, keepdims=True))
        seen = seen / seen.sum(-1, keepdims=True) @ v
        joined = seen.transpose(1, 0, 2).reshape(len(ids), -1)
        out = f"{at}.attention.output"
        x = norm(x + dense(joined, f"{out}.dense"), f"{out}.LayerNorm")
        inner = dense(x, f"{at}.intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        x = norm(x + dense(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return x


def vector(x: np.ndarray, mode: str) -> np.ndarray:
    pooled = {"cls_token": x[0], "mean_tokens": x.mean(0), "lasttoken": x[-1]}[mode]
    return pooled / np.linalg.norm(pooled)
