"""The encoder of BERT as an OpenVINO graph, from weights as they are published.

Architecture: Devlin et al. 2019 (post-norm encoder, learnt absolute positions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dazi.inference.runtime import load_openvino, load_opset

Weights = Mapping[str, npt.NDArray[np.float32]]
Pooling = Literal["cls", "mean"]
_MASKED = -1e9
_GELU = {"gelu": "ERF", "gelu_new": "TANH", "gelu_pytorch_tanh": "TANH"}


@dataclass(frozen=True, slots=True)
class BertShape:
    """``epsilon`` is that of the layer norms; ``act`` one of gelu, gelu_new, relu."""

    layers: int
    heads: int
    hidden: int
    positions: int
    act: str = "gelu"
    epsilon: float = 1e-12

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> BertShape:
        """From a ``config.json``. Raises ``ValueError`` for another family or what is not known."""
        kind = config.get("model_type")
        if kind != "bert" or config.get("position_embedding_type", "absolute") != "absolute":
            raise ValueError(f"model_type {kind} is not bert with absolute positions")
        act = config.get("hidden_act", "gelu")
        if act != "relu" and act not in _GELU:
            raise ValueError(f"hidden_act {act} is not known")
        try:
            made = cls(
                int(config["num_hidden_layers"]),
                int(config["num_attention_heads"]),
                int(config["hidden_size"]),
                int(config["max_position_embeddings"]),
                act,
                float(config.get("layer_norm_eps", 1e-12)),
            )
        except (KeyError, TypeError) as e:
            raise ValueError(f"config.json lacks a size ({e})") from None
        if made.layers < 1 or made.heads < 1 or made.hidden % made.heads:
            raise ValueError("the sizes in config.json do not fit each other")
        return made


def bert_graph(shape: BertShape, weights: Weights, pooling: Pooling | None) -> Any:
    """Ids and mask, both (texts, tokens) int64, to unit vectors (texts, hidden).

    With ``pooling`` None it ends with the states (texts, tokens, hidden). Raises ``ValueError`` when
    a weight is missing or has another size.
    """
    ov, ops = load_openvino(), load_opset()
    build = _Builder(shape, weights, ops)
    ids, mask = (ops.parameter([-1, -1], np.int64) for _ in range(2))
    ids.output(0).tensor.set_names({"input_ids"})
    mask.output(0).tensor.set_names({"attention_mask"})
    hidden = build.states(ids, mask)
    if pooling is not None:
        hidden = build.pooled(hidden, mask, pooling)
    name = "last_hidden_state" if pooling is None else "vectors"
    hidden.output(0).tensor.set_names({name})
    return ov.Model([ops.result(hidden)], [ids, mask], "bert")


class _Builder:
    def __init__(self, shape: BertShape, weights: Weights, ops: Any) -> None:
        self._shape, self._ops = shape, ops
        self._weights = {_today(n): w for n, w in weights.items()}

    def states(self, ids: Any, mask: Any) -> Any:
        ops = self._ops
        length = ops.gather(ops.shape_of(ids), ops.constant(1), ops.constant(0))
        at = ops.range(ops.constant(0), length, ops.constant(1), "i64")
        hidden = self._shape.hidden
        words = self._weight("embeddings.word_embeddings.weight", None, hidden)
        places = self._weight("embeddings.position_embeddings.weight", None, hidden)
        kinds = self._weight("embeddings.token_type_embeddings.weight", None, hidden)
        first = ops.gather(ops.constant(kinds), ops.constant(0), ops.constant(0))
        taken = ops.gather(ops.constant(words), ids, ops.constant(0))
        placed = ops.add(ops.gather(ops.constant(places), at, ops.constant(0)), first)
        x = self._norm(ops.add(taken, placed), "embeddings.LayerNorm")
        kept = ops.convert(ops.unsqueeze(mask, ops.constant([1, 2])), "f32")
        away = ops.multiply(ops.subtract(ops.constant(np.float32(1)), kept), np.float32(_MASKED))
        for i in range(self._shape.layers):
            x = self._layer(x, away, f"encoder.layer.{i}")
        return x

    def pooled(self, x: Any, mask: Any, pooling: Pooling) -> Any:
        ops = self._ops
        if pooling == "cls":
            x = ops.gather(x, ops.constant(0), ops.constant(1))
        else:
            kept = ops.convert(ops.unsqueeze(mask, ops.constant(2)), "f32")
            total = ops.reduce_sum(ops.multiply(x, kept), ops.constant([1]), False)
            x = ops.divide(total, ops.reduce_sum(kept, ops.constant([1]), False))
        return ops.normalize_l2(x, ops.constant([1]), 1e-12, "max")

    def _layer(self, x: Any, away: Any, name: str) -> Any:
        ops, own = self._ops, f"{name}.attention.self"
        q, k, v = (self._split(self._dense(x, f"{own}.{p}")) for p in ("query", "key", "value"))
        seen = ops.scaled_dot_product_attention(q, k, v, away)
        joined = ops.reshape(
            ops.transpose(seen, ops.constant([0, 2, 1, 3])),
            ops.constant([0, 0, self._shape.hidden]),
            True,
        )
        out = self._dense(joined, f"{name}.attention.output.dense")
        x = self._norm(ops.add(x, out), f"{name}.attention.output.LayerNorm")
        inner = self._act(self._dense(x, f"{name}.intermediate.dense"))
        out = self._dense(inner, f"{name}.output.dense")
        return self._norm(ops.add(x, out), f"{name}.output.LayerNorm")

    def _split(self, x: Any) -> Any:
        """(texts, tokens, hidden) to (texts, heads, tokens, hidden / heads)."""
        ops, size = self._ops, self._shape.hidden // self._shape.heads
        parted = ops.reshape(x, ops.constant([0, 0, self._shape.heads, size]), True)
        return ops.transpose(parted, ops.constant([0, 2, 1, 3]))

    def _dense(self, x: Any, name: str) -> Any:
        ops = self._ops
        weight = self._weight(f"{name}.weight", None, None)
        bias = self._weight(f"{name}.bias", len(weight))
        return ops.add(ops.matmul(x, ops.constant(weight), False, True), ops.constant(bias))

    def _norm(self, x: Any, name: str) -> Any:
        ops, hidden = self._ops, self._shape.hidden
        scaled = ops.mvn(x, ops.constant([-1]), True, self._shape.epsilon, "inside_sqrt")
        weight, bias = self._weight(f"{name}.weight", hidden), self._weight(f"{name}.bias", hidden)
        return ops.add(ops.multiply(scaled, ops.constant(weight)), ops.constant(bias))

    def _act(self, x: Any) -> Any:
        act = self._shape.act
        return self._ops.relu(x) if act == "relu" else self._ops.gelu(x, _GELU[act])

    def _weight(self, name: str, *sizes: int | None) -> npt.NDArray[np.float32]:
        found = self._weights.get(name)
        if found is None:
            raise ValueError(f"the weights lack {name}")
        fits = [s is None or s == n for s, n in zip(sizes, found.shape, strict=False)]
        if found.ndim != len(sizes) or not all(fits):
            raise ValueError(f"{name} is {found.shape}, and config.json says otherwise")
        return found


def _today(name: str) -> str:
    """The name that a weight of older files has in newer ones."""
    name = name.removeprefix("bert.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )
