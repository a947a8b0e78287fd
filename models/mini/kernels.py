"""Forward and backward passes by hand: at these sizes autograd's own spend half the time moving memory.

Shapes: N positions, H query heads, K key/value heads, G = H / K, C head size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


class Block(NamedTuple):
    """``rows`` rows of ``length`` positions from ``start`` on, after a prefix of ``before`` positions at ``prefix``."""

    start: int
    rows: int
    length: int
    prefix: int = 0
    before: int = 0


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
