"""Fresh batches without end: families of conversations as token ids, packed for the model."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.multiprocessing as mp
from kernels import Block
from model import Batch
from tokenizers import Tokenizer
from torch import Tensor

Sample = tuple[Any, Any]  # token ids and loss weights, numpy arrays of one length


def encode(
    tokenizer: Tokenizer, branches: list[list[tuple[str, float]]], longest: int
) -> list[Sample]:
    """Token ids and each token's loss weight: the greatest among the characters that it covers."""
    out = []
    encodings = tokenizer.encode_batch(["".join(text for text, _ in b) for b in branches])
    for segments, encoding in zip(branches, encodings, strict=True):
        if len(encoding) <= longest:
            weight = np.repeat([w for _, w in segments], [len(t) for t, _ in segments]).astype(
                np.float32
            )
            spans = np.array(encoding.offsets)
            out.append(
                (np.array(encoding.ids), np.maximum(weight[spans[:, 0]], weight[spans[:, 1] - 1]))
            )
    return sorted(out, key=lambda s: len(s[0]))


def pack(families: list[tuple[list[int], list[Sample]]]) -> Batch:
    """Each family's prefix, then its branches in blocks of like length, padded on the right."""
    tokens: list[Any] = []
    weights: list[Any] = []
    blocks: list[Block] = []
    at = 0
    for prefix, samples in families:
        root = Block(at, 1, len(prefix))
        blocks.append(root)
        tokens.append(prefix)
        weights.append(np.zeros(len(prefix), np.float32))
        at += len(prefix)
        while samples:
            rows = [s for s in samples if len(s[0]) <= len(samples[0][0]) * 1.25 + 4]
            samples = samples[len(rows) :]
            length = len(rows[-1][0])
            block_tokens, block_weights = (
                np.zeros((len(rows), length), int),
                np.zeros((len(rows), length), np.float32),
            )
            for i, (ids, w) in enumerate(rows):
                block_tokens[i, : len(ids)], block_weights[i, : len(ids) - 1] = ids, w[1:]
            blocks.append(Block(at, len(rows), length, root.start, root.length))
            tokens.append(block_tokens.reshape(-1))
            weights.append(block_weights.reshape(-1))
            at += block_tokens.size
    flat, weight = np.concatenate(tokens), np.concatenate(weights)
    keep = np.flatnonzero(weight)
    arrays = flat, keep, np.roll(flat, -1)[keep], weight[keep]
    ids, kept, targets, kept_weights = (torch.from_numpy(x) for x in arrays)
    return Batch(ids, blocks, kept, targets, kept_weights)


def batches(args: argparse.Namespace, worker: int, limit: Any) -> Iterator[Batch]:
    """Endless fresh batches of about ``args.batch`` tokens, their conversations of at most ``limit.value`` tokens."""
    maker = importlib.import_module(args.generator).Maker(args.seed, worker)
    tokenizer = Tokenizer.from_file(str(args.tokenizer / "tokenizer.json"))
    while True:
        families, size = [], 0
        while size < args.batch * 0.85:
            prefix, branches = maker.family(args.branches)
            samples = encode(tokenizer, branches, limit.value if limit else args.length)
            ids = tokenizer.encode(prefix).ids
            if samples:
                families.append((ids, samples))
                size += len(ids) + sum(len(s[0]) for s in samples)
        yield pack(families)


def feed(args: argparse.Namespace, worker: int, limit: Any, queue: Any) -> None:
    """A data process of a GPU run."""
    torch.set_num_threads(1)
    for batch in batches(args, worker, limit):
        queue.put([x.numpy() if isinstance(x, Tensor) else x for x in batch])


def fed(args: argparse.Namespace, limit: Any) -> Iterator[Batch]:
    """Batches from ``args.workers`` data processes."""
    context = mp.get_context("spawn")
    queue = context.Queue(4 * args.workers)
    for i in range(args.workers):
        context.Process(
            target=feed, args=(args, args.stream + i, limit, queue), daemon=True
        ).start()
    while True:
        yield Batch(*(torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in queue.get()))


def moved(batch: Batch, device: torch.device) -> Batch:
    tokens, blocks, *rest = batch
    keep, targets, weights = (t.to(device) for t in rest)
    return Batch(tokens.to(device), blocks, keep, targets, weights)
