"""The Qwen3 forward pass in plain torch, for training from scratch.

Parameter names equal those of transformers' ``Qwen3ForCausalLM`` (tied embeddings), so a state dict
moves between the two unchanged; ``compare_with_transformers`` checks that the logits agree.
Shapes: B conversations, T positions, N = B * T, D hidden, H query heads, K key/value heads, C head size.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
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

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> MiniConfig:
        return cls(**json.loads(text))


# name: (hidden, layers, query heads, key/value heads, head size, intermediate)
SIZES: dict[str, tuple[int, int, int, int, int, int]] = {
    "2m": (128, 6, 2, 1, 64, 384),
    "4m": (192, 7, 3, 1, 64, 576),
    "13m": (320, 10, 5, 1, 64, 960),
    "24m": (448, 11, 8, 2, 64, 1216),
}


def config_for(size: str, vocab: int) -> MiniConfig:
    """The named size with ``vocab`` rounded up to a multiple of 64."""
    hidden, layers, heads, kv_heads, head_dim, intermediate = SIZES[size]
    return MiniConfig(-(-vocab // 64) * 64, hidden, layers, heads, kv_heads, head_dim, intermediate)


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        y = x.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * y.to(x.dtype)


class Attention(nn.Module):
    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = c.heads, c.kv_heads, c.head_dim
        self.q_proj = nn.Linear(c.hidden, c.heads * c.head_dim, bias=False)
        self.k_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.v_proj = nn.Linear(c.hidden, c.kv_heads * c.head_dim, bias=False)
        self.o_proj = nn.Linear(c.heads * c.head_dim, c.hidden, bias=False)
        self.q_norm = RMSNorm(c.head_dim, c.eps)
        self.k_norm = RMSNorm(c.head_dim, c.eps)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        b, t, _ = x.shape
        q = rotate(self.q_norm(self.q_proj(x).view(b, t, self.heads, self.head_dim)), rope)
        k = rotate(self.k_norm(self.k_proj(x).view(b, t, self.kv_heads, self.head_dim)), rope)
        v = self.v_proj(x).view(b, t, self.kv_heads, self.head_dim)
        mixed = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True, enable_gqa=True
        )
        out: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(b, t, -1))
        return out


def rotary(t: int, c: MiniConfig, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine of shape (T, 1, C) for positions 0..T-1, halves repeated as in Qwen3."""
    freq = c.rope_theta ** (-torch.arange(0, c.head_dim, 2, device=device).float() / c.head_dim)
    angle = torch.outer(torch.arange(t, device=device).float(), freq)
    angle = torch.cat((angle, angle), -1)[:, None, :]
    return angle.cos(), angle.sin()


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = rope[0].to(x.dtype), rope[1].to(x.dtype)
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


class MLP(nn.Module):
    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(c.hidden, c.intermediate, bias=False)
        self.up_proj = nn.Linear(c.hidden, c.intermediate, bias=False)
        self.down_proj = nn.Linear(c.intermediate, c.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.self_attn = Attention(c)
        self.mlp = MLP(c)
        self.input_layernorm = RMSNorm(c.hidden, c.eps)
        self.post_attention_layernorm = RMSNorm(c.hidden, c.eps)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rope)
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocab, c.hidden)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.hidden, c.eps)


class Mini(nn.Module):
    """A Qwen3 language model with tied embeddings."""

    def __init__(self, c: MiniConfig) -> None:
        super().__init__()
        self.config = c
        self.model = Body(c)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                scale = (2 * c.layers) ** -0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
                nn.init.normal_(p, std=0.02 if "embed" in name else scale * p.shape[1] ** -0.5)

    def hidden(self, tokens: Tensor) -> Tensor:
        """(B, T) token ids to (B, T, D) final hidden states. Causal, so right padding needs no mask."""
        rope = rotary(tokens.shape[1], self.config, tokens.device)
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, rope)
        out: Tensor = self.model.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.model.embed_tokens.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.logits(self.hidden(tokens))


def compare_with_transformers(model: Mini) -> float:
    """The largest absolute logit difference to ``Qwen3ForCausalLM`` in float32 on random tokens."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    other = Qwen3ForCausalLM(Qwen3Config(**model.config.to_hf())).float().eval()
    missing, unexpected = other.load_state_dict(model.state_dict(), strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    tokens = torch.randint(0, model.config.vocab, (2, 97))
    with torch.no_grad():
        return float((other(tokens).logits - model.float().eval()(tokens)).abs().max())


if __name__ == "__main__":
    for name in SIZES:
        mini = Mini(config_for(name, 8192))
        count = sum(p.numel() for p in mini.parameters())
        print(f"{name}: {count / 1e6:.2f}M parameters, largest logit difference {compare_with_transformers(mini):.2e}")
