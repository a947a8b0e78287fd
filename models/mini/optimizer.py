"""The optimizer, on memory that several processes share."""

from __future__ import annotations

import argparse

import torch
import torch.multiprocessing as mp
from model import Mini
from torch import Tensor

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
Span = tuple[str, int, torch.Size]  # a parameter's name, place in the flat memory, and shape


class Shared:
    """What the workers share: weights, moments, each worker's gradients and totals, and the step's orders."""

    def __init__(self, model: Mini, world: int, device: str) -> None:
        size = sum(p.numel() for p in model.parameters())
        self.flat, self.first, self.second = (torch.zeros(size, device=device) for _ in range(3))
        self.grads = torch.zeros(world, size, device=device)
        self.totals = torch.zeros(
            world, 4, dtype=torch.float64
        )  # loss, its weight, tokens, conversations
        self.orders = torch.zeros(
            2, dtype=torch.float64
        )  # learning-rate factor and step; step 0 means stop
        if device == "cpu":
            for t in (self.flat, self.first, self.second, self.grads, self.totals, self.orders):
                t.share_memory_()
        context = mp.get_context("spawn")
        self.limit = context.Value("i", 0)
        self.left = context.Value("i", 0)
        self.barrier = context.Barrier(world)

    def bind(self, model: Mini, rank: int, keep: bool = False) -> list[Span]:
        """Make the model's parameters and gradients views of the shared memory; ``keep`` the model's values."""
        spans, at = [], 0
        for name, p in model.named_parameters():
            part = slice(at, at + p.numel())
            if keep:
                self.flat[part] = p.data.reshape(-1)
            p.data, p.grad = self.flat[part].view(p.shape), self.grads[rank, part].view(p.shape)
            spans.append((name, at, p.shape))
            at += p.numel()
        return spans

    def take(self) -> bool:
        """Claim one of the step's batches."""
        with self.left.get_lock():
            self.left.value -= 1
            return bool(self.left.value >= 0)


def orthogonal(g: Tensor, dtype: torch.dtype) -> Tensor:
    """The nearest semi-orthogonal matrices to a stack of them, by Newton-Schulz (Jordan et al. 2024, Muon)."""
    x = g.to(dtype)
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x.mT if tall else x).float()


class Optimizer:
    """Muon for matrices, AdamW for embeddings and norms, on the share of the parameters that one worker owns.

    ``flat`` holds the model's weights, ``first`` and ``second`` the moments, all of one length.
    """

    def __init__(self, spans: list[Span], shared: Shared, rank: int, world: int) -> None:
        self.shared = shared
        shapes: dict[torch.Size, list[int]] = {}
        plain: list[slice] = []
        for name, at, shape in spans:
            if len(shape) == 2 and "embed" not in name:
                shapes.setdefault(shape, []).append(at)
            else:
                size = shape.numel()
                plain.append(slice(at + size * rank // world, at + size * (rank + 1) // world))
        self.plain = plain
        self.matrices = {
            shape: ats[rank::world] for shape, ats in shapes.items() if ats[rank::world]
        }

    @torch.no_grad()
    def step(self, args: argparse.Namespace, factor: float, step: int) -> None:
        s = self.shared
        scale = 1 / s.totals[:, 1].sum()
        for part in self.plain:
            g = s.grads[:, part].sum(0) * scale
            m, v, p = s.first[part], s.second[part], s.flat[part]
            m.lerp_(g, 0.1)
            v.lerp_(g * g, 0.02)
            update = (m / (1 - 0.9**step)) / ((v / (1 - 0.98**step)).sqrt() + 1e-10)
            p -= args.adam_lr * factor * update
        for shape, ats in self.matrices.items():
            size = shape.numel()
            g = torch.stack([s.grads[:, at : at + size].sum(0).view(shape) for at in ats]) * scale
            m = torch.stack([s.first[at : at + size].view(shape) for at in ats])
            m.lerp_(g, 0.05)
            spread = max(1.0, shape[0] / shape[1]) ** 0.5
            update = orthogonal(g.lerp(m, 0.95), DTYPES[args.dtype]) * spread
            lr = args.muon_lr * factor
            for i, at in enumerate(ats):
                s.first[at : at + size] = m[i].view(-1)
                p = s.flat[at : at + size]
                p.mul_(1 - lr * args.weight_decay).sub_(lr * update[i].reshape(-1))
