"""The Qwen3 forward pass in plain torch, shaped for fast training on few CPU cores.

Parameter names equal those of transformers' ``Qwen3ForCausalLM`` (tied embeddings), so a state dict moves between
the two unchanged; ``compare_with_transformers`` checks that the logits agree.

Tokens lie flat: N positions, made of blocks of equally long rows. A block's rows see themselves, causally, and one
shared prefix (the system turn and tools of a family of conversations), which is computed once for all of them.
Backward passes are written by hand, because at these sizes autograd's own spend half the time moving memory.
Shapes: N positions, D hidden, H query heads, K key/value heads, G = H / K, C head size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd import Function


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


class Block(NamedTuple):
    """``rows`` rows of ``length`` positions from ``start`` on, after a prefix of ``before`` positions at ``prefix``."""

    start: int
    rows: int
    length: int
    prefix: int = 0
    before: int = 0


class Batch(NamedTuple):
    """Flat ``tokens`` in ``blocks``; the positions to ``keep`` (those with loss), their ``targets`` and ``weights``."""

    tokens: Tensor
    blocks: Sequence[Block]
    keep: Tensor
    targets: Tensor
    weights: Tensor


def run(function: type[Function], *inputs: Any) -> Tensor:
    out: Tensor = function.apply(*inputs)  # type: ignore[no-untyped-call]
    return out


class Normalise(Function):
    """RMSNorm (Zhang & Sennrich 2019) over the last dimension; statistics in float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        scale = (norm * norm / x.shape[-1] + eps).rsqrt_().to(x.dtype)
        unit, weight = x * scale, weight.to(x.dtype)
        ctx.save_for_backward(unit, weight, scale)
        return unit * weight

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        unit, weight, scale = ctx.saved_tensors
        size = unit.shape[-1]
        product = (grads[0] * unit).view(-1, size)
        grad_weight = torch.mv(product.t(), product.new_ones(len(product)))
        along = torch.mv(product, weight).view(scale.shape) / size
        return (
            torch.addcmul(grads[0] * weight, unit, along, value=-1).mul_(scale),
            grad_weight.float(),
            None,
        )


class Rotate(Function):
    """Rotary position embedding of (N, heads, C), halves paired as in Qwen3; ``cos`` and ``sin`` are (N, 1, C / 2)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return rotate(x, (cos, sin))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return rotate(grads[0], (cos, -sin)), None, None


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    first, second = x.chunk(2, -1)
    cos, sin = (r[..., : first.shape[-1]] for r in rope)
    turned = (
        torch.addcmul(first * cos, second, sin, value=-1),
        torch.addcmul(second * cos, first, sin),
    )
    return torch.cat(turned, -1)


class SwiGLU(Function):
    """silu(gate) * up."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        active = F.silu(gate)
        ctx.save_for_backward(gate, up, active)
        return active * up

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        gate, up, active = ctx.saved_tensors
        return torch.ops.aten.silu_backward(grads[0] * up, gate), grads[0] * active


class Attend(Function):
    """Causal grouped-query attention block by block: q (N, H, C), scaled; k and v (N, K, C); the result like q.

    Two plain matrix products in bfloat16 are about twice as fast here as torch's fused CPU kernel. Long rows go in
    chunks of queries, so that the keys after a chunk are never touched.
    """

    CHUNK = 128

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, blocks: Sequence[Block]) -> Tensor:
        out, saved = torch.empty_like(q), []
        g = q.shape[1] // k.shape[1]
        future = (
            q.new_full((Attend.CHUNK, Attend.CHUNK), float("-inf")).triu(1).repeat_interleave(g, 0)
        )
        for b in blocks:
            queries, keys, values = by_head(q, b, g), with_prefix(k, b), with_prefix(v, b)
            mixed = torch.empty_like(queries)
            for low in range(0, b.length, Attend.CHUNK):
                high = min(low + Attend.CHUNK, b.length)
                seen, span = b.before + high, slice(low * g, high * g)
                p = torch.bmm(queries[:, span], keys[:, :seen].mT)
                p[:, :, b.before + low :] += future[: (high - low) * g, : high - low]
                p = torch.softmax(p, -1)
                mixed[:, span] = torch.bmm(p, values[:, :seen])
                saved.append(p)
            by_position(mixed, out, b, g)
        ctx.blocks = blocks
        ctx.save_for_backward(q, k, v, *saved)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q, k, v, *saved = ctx.saved_tensors
        g = q.shape[1] // k.shape[1]
        grad_q, grad_k, grad_v = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        for b in ctx.blocks:
            queries, keys, values = by_head(q, b, g), with_prefix(k, b), with_prefix(v, b)
            grad = by_head(grads[0], b, g)
            gq, gk, gv = torch.empty_like(queries), torch.zeros_like(keys), torch.zeros_like(values)
            for low in range(0, b.length, Attend.CHUNK):
                high = min(low + Attend.CHUNK, b.length)
                seen, span = b.before + high, slice(low * g, high * g)
                p = saved.pop(0)
                gv[:, :seen] += torch.bmm(p.mT, grad[:, span])
                gp = torch.bmm(grad[:, span], values[:, :seen].mT)
                gp = torch._softmax_backward_data(gp, p, -1, p.dtype)
                gq[:, span] = torch.bmm(gp, keys[:, :seen])
                gk[:, :seen] += torch.bmm(gp.mT, queries[:, span])
            by_position(gq, grad_q, b, g)
            add_with_prefix(gk, grad_k, b)
            add_with_prefix(gv, grad_v, b)
        return grad_q, grad_k, grad_v, None


def by_head(x: Tensor, b: Block, g: int) -> Tensor:
    """A block of (N, H, C) as (K * rows, length * G, C)."""
    h, c = x.shape[1:]
    part = x[b.start : b.start + b.rows * b.length].view(b.rows, b.length, h // g, g, c)
    return part.permute(2, 0, 1, 3, 4).reshape(-1, b.length * g, c)


def by_position(x: Tensor, out: Tensor, b: Block, g: int) -> None:
    """Put what ``by_head`` took, back into its place in ``out``."""
    h, c = out.shape[1:]
    part = x.view(h // g, b.rows, b.length, g, c).permute(1, 2, 0, 3, 4)
    out[b.start : b.start + b.rows * b.length].view(b.rows, b.length, h // g, g, c).copy_(part)


def with_prefix(x: Tensor, b: Block) -> Tensor:
    """A block's keys or values after its prefix's: (N, K, C) as (K * rows, before + length, C)."""
    k, c = x.shape[1:]
    own = x[b.start : b.start + b.rows * b.length].view(b.rows, b.length, k, c).permute(2, 0, 1, 3)
    if not b.before:
        return own.reshape(-1, b.length, c)
    prefix = (
        x[b.prefix : b.prefix + b.before].transpose(0, 1)[:, None].expand(k, b.rows, b.before, c)
    )
    return torch.cat((prefix, own), 2).view(-1, b.before + b.length, c)


def add_with_prefix(x: Tensor, out: Tensor, b: Block) -> None:
    """The gradient of ``with_prefix``, added to ``out``."""
    k, c = out.shape[1:]
    part = x.view(k, b.rows, b.before + b.length, c)
    own = part[:, :, b.before :].permute(1, 2, 0, 3)
    out[b.start : b.start + b.rows * b.length].view(b.rows, b.length, k, c).add_(own)
    if b.before:
        out[b.prefix : b.prefix + b.before] += part[:, :, : b.before].sum(1).transpose(0, 1)


class TokenLoss(Function):
    """Sum of weighted cross-entropies of tied logits, a chunk of rows at a time: no (N, vocab) tensor is kept.

    Both gradients are made in the forward pass, while a chunk's logits are still in cache.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, embed: Tensor, targets: Tensor, weights: Tensor
    ) -> Tensor:
        low = embed.to(hidden.dtype)
        grad_h, grad_e = torch.empty_like(hidden), torch.zeros_like(embed)
        loss = torch.zeros((), device=hidden.device)
        rows = 8192 if hidden.is_cuda else 256
        for i in range(0, len(hidden), rows):
            part, target, weight = (
                hidden[i : i + rows],
                targets[i : i + rows, None],
                weights[i : i + rows, None],
            )
            p = torch.softmax(torch.mm(part, low.t()), -1, dtype=torch.float32)
            loss -= (p.gather(1, target).clamp_min(1e-30).log() * weight).sum()
            g = (
                p.scatter_add_(1, target, torch.full_like(weight, -1.0))
                .mul_(weight)
                .to(hidden.dtype)
            )
            torch.mm(g, low, out=grad_h[i : i + rows])
            grad_e += torch.mm(g.t(), part)
        ctx.save_for_backward(grad_h, grad_e)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        grad_h, grad_e = ctx.saved_tensors
        return grad_h * grads[0], grad_e * grads[0], None, None


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
