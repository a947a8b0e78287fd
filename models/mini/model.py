"""The Qwen3 forward pass in plain torch, shaped for fast training on few CPU cores.

Parameter names equal those of transformers' ``Qwen3ForCausalLM`` (tied embeddings), so a state dict moves between
the two unchanged; ``compare_with_transformers`` checks that the logits agree.

Tokens lie flat: N positions, made of blocks of equally long rows. A block's rows see themselves, causally, and one
shared prefix (the system turn and tools of a family of conversations), which is computed once for all of them.
Backward passes are written by hand (``kernels.py``).
Shapes: N positions, D hidden, H query heads, K key/value heads, G = H / K, C head size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from kernels import Attend, Block, Normalise, Rotate, SwiGLU, TokenLoss, run
from torch import Tensor, nn


@dataclass(frozen=True)
class MiniConfig:
    """Hyperparameters of one model; ``vocab`` is the number of embedding rows (a multiple of 64)."""

    vocab: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    rope_theta: float = 1e6
    eps: float = 1e-6
    context: int = 4096

    def to_hf(self) -> dict[str, Any]:
        """The ``config.json`` that transformers, vLLM and SGLang read."""
        return {
            "architectures": ["Qwen3ForCausalLM"],
            "model_type": "qwen3",
            "vocab_size": self.vocab,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_dim,
            "intermediate_size": self.intermediate,
            "rope_theta": self.rope_theta,
            "rms_norm_eps": self.eps,
            "max_position_embeddings": self.context,
            "hidden_act": "silu",
            "attention_bias": False,
            "attention_dropout": 0.0,
            "tie_word_embeddings": True,
            "use_sliding_window": False,
            "use_cache": True,
            "initializer_range": 0.02,
            "torch_dtype": "bfloat16",
        }

    @classmethod
    def from_hf(cls, config: Mapping[str, Any]) -> MiniConfig:
        return cls(
            vocab=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            kv_heads=config["num_key_value_heads"],
            head_dim=config["head_dim"],
            intermediate=config["intermediate_size"],
            rope_theta=config["rope_theta"],
            eps=config["rms_norm_eps"],
            context=config["max_position_embeddings"],
        )


# name: (hidden, layers, query heads, key/value heads, head size, intermediate)
SIZES: dict[str, tuple[int, int, int, int, int, int]] = {
    "2m": (128, 6, 4, 2, 32, 384),
    "3m": (160, 6, 6, 2, 32, 480),
    "4m": (192, 7, 6, 2, 32, 576),
    "13m": (320, 10, 5, 1, 64, 960),
    "24m": (448, 11, 8, 2, 64, 1216),
}


def rows_for(vocab: int) -> int:
    """Embedding rows for ``vocab`` tokens: the next multiple of 64."""
    return -(-vocab // 64) * 64


def config_for(size: str, vocab: int) -> MiniConfig:
    """The named size with an embedding row for each of ``vocab`` tokens."""
    hidden, layers, heads, kv_heads, head_dim, intermediate = SIZES[size]
    return MiniConfig(rows_for(vocab), hidden, layers, heads, kv_heads, head_dim, intermediate)


class Batch(NamedTuple):
    """Flat ``tokens`` in ``blocks``; the positions to ``keep`` (those with loss), their ``targets`` and ``weights``."""

    tokens: Tensor
    blocks: Sequence[Block]
    keep: Tensor
    targets: Tensor
    weights: Tensor


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor, scale: float = 1.0) -> Tensor:
        out: Tensor = run(
            Normalise, x, self.weight if scale == 1.0 else self.weight * scale, self.eps
        )
        return out


class Linear(nn.Linear):
    """A matrix kept in float32 and used in the type of its input."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype))


class Attention(nn.Module):
    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.head_dim = c.head_dim
        self.q_proj = Linear(c.hidden, c.heads * c.head_dim, bias=False)
        self.k_proj = Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.v_proj = Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.o_proj = Linear(c.heads * c.head_dim, c.hidden, bias=False)
        self.q_norm = RMSNorm(c.head_dim, c.eps)
        self.k_norm = RMSNorm(c.head_dim, c.eps)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, blocks: Sequence[Block]) -> Tensor:
        q, k, v = (
            proj(x).view(len(x), -1, self.head_dim)
            for proj in (self.q_proj, self.k_proj, self.v_proj)
        )
        q = run(Rotate, self.q_norm(q, self.head_dim**-0.5), cos, sin)
        k = run(Rotate, self.k_norm(k), cos, sin)
        out: Tensor = self.o_proj(run(Attend, q, k, v, blocks).flatten(1))
        return out


class MLP(nn.Module):
    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.gate_proj = Linear(c.hidden, c.intermediate, bias=False)
        self.up_proj = Linear(c.hidden, c.intermediate, bias=False)
        self.down_proj = Linear(c.intermediate, c.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(run(SwiGLU, self.gate_proj(x), self.up_proj(x)))
        return out


class Layer(nn.Module):
    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.self_attn = Attention(c)
        self.mlp = MLP(c)
        self.input_layernorm = RMSNorm(c.hidden, c.eps)
        self.post_attention_layernorm = RMSNorm(c.hidden, c.eps)

    def forward(
        self,
        x: Tensor,
        cos: Tensor,
        sin: Tensor,
        blocks: Sequence[Block],
        keep: Tensor | None = None,
    ) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, blocks)
        if keep is not None:
            x = x.index_select(0, keep)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Body(nn.Module):
    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocab, c.hidden)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.hidden, c.eps)


class Mini(nn.Module):
    """A Qwen3 language model with tied embeddings; weights in float32, activations in ``dtype``."""

    def __init__(self, c: MiniConfig, dtype: torch.dtype = torch.bfloat16) -> None:
        super().__init__()
        self.config, self.dtype = c, dtype
        self.model = Body(c)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                scale = (
                    (2 * c.layers) ** -0.5
                    if name.endswith(("o_proj.weight", "down_proj.weight"))
                    else 1.0
                )
                nn.init.normal_(p, std=0.02 if "embed" in name else scale * p.shape[1] ** -0.5)

    def hidden(self, tokens: Tensor, blocks: Sequence[Block], keep: Tensor) -> Tensor:
        """Final hidden states (len(keep), D); the last layer's MLP is computed for those positions alone."""
        c = self.config
        position = torch.zeros(len(tokens), device=tokens.device)
        for b in blocks:
            row = torch.arange(
                b.before, b.before + b.length, device=tokens.device, dtype=torch.float32
            )
            position[b.start : b.start + b.rows * b.length] = row.repeat(b.rows)
        freq = c.rope_theta ** (
            -torch.arange(0, c.head_dim, 2, device=tokens.device).float() / c.head_dim
        )
        angle = torch.outer(position, freq)[:, None]
        cos, sin = angle.cos().to(self.dtype), angle.sin().to(self.dtype)
        x = self.model.embed_tokens(tokens).to(self.dtype)
        *first, last = self.model.layers
        for layer in first:
            x = layer(x, cos, sin, blocks)
        x = last(x, cos, sin, blocks, keep)
        out: Tensor = self.model.norm(x)
        return out

    def logits(self, batch: Batch) -> Tensor:
        """(len(keep), vocab)."""
        hidden = self.hidden(batch.tokens, batch.blocks, batch.keep)
        return F.linear(hidden, self.model.embed_tokens.weight.to(self.dtype))

    def loss(self, batch: Batch) -> Tensor:
        """Sum over ``batch.keep`` of weight times cross-entropy; divide by the sum of weights for a mean."""
        hidden = self.hidden(batch.tokens, batch.blocks, batch.keep)
        out: Tensor = run(
            TokenLoss, hidden, self.model.embed_tokens.weight, batch.targets, batch.weights
        )
        return out


def compare_with_transformers(weights: Mapping[str, Tensor], config: MiniConfig) -> float:
    """The largest absolute logit difference to ``Qwen3ForCausalLM`` in float32, on rows with a shared prefix."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    ours = Mini(config, torch.float32)
    ours.load_state_dict(weights)
    theirs = Qwen3ForCausalLM(Qwen3Config(**config.to_hf())).float().eval()
    missing, unexpected = theirs.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    prefix, rows = torch.randint(0, config.vocab, (1, 41)), torch.randint(0, config.vocab, (3, 150))
    flat, none = torch.cat((prefix.view(-1), rows.view(-1))), torch.zeros(0)
    blocks = (Block(0, 1, 41), Block(41, 3, 150, 0, 41))
    with torch.no_grad():
        got = ours.logits(Batch(flat, blocks, torch.arange(41, len(flat)), none, none)).view(
            3, 150, -1
        )
        expected = theirs(torch.cat((prefix.expand(3, -1), rows), 1)).logits[:, 41:]
    return float((got - expected).abs().max())


if __name__ == "__main__":
    for name in SIZES:
        mini = Mini(config_for(name, 8192))
        count = sum(p.numel() for p in mini.parameters())
        difference = compare_with_transformers(mini.state_dict(), mini.config)
        print(f"{name}: {count / 1e6:.2f}M parameters, largest logit difference {difference:.2e}")
