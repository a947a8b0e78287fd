"""Train the bundled model from scratch: two CPU cores for hours, or one GPU for minutes.

On CPU each worker process computes gradients on its own core and takes the next piece of the step when it is free
(two processes of one thread are faster than one of two, and suffer less from neighbours); gradients, weights and
optimizer state lie in shared memory. A run resumes from its newest checkpoint by the same command. The learning rate
is held until ``--decay-at`` of the budget and then falls to nothing; ``--decay-from CHECKPOINT`` cools any checkpoint
down in a run of its own while the first goes on.

Run: ``python models/mini/train.py --tokenizer DIR --out RUN --size 2m --minutes 150``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F
from model import SIZES, Batch, Block, Mini, MiniConfig, config_for
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
STATE = ("step", "tokens", "samples", "spent_tokens", "spent_seconds")
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}
VALIDATION = 10**9  # the validation stream's worker number, which no training stream has
Span = tuple[str, int, torch.Size]  # a parameter's name, place in the flat memory, and shape
Sample = tuple[Any, Any]  # token ids and loss weights, numpy arrays of one length
MALLOC = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=4294967296"


# --- data ---------------------------------------------------------------------------------------


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


def fed(args: argparse.Namespace, shared: Shared) -> Iterator[Batch]:
    """Batches from ``args.workers`` data processes."""
    context = mp.get_context("spawn")
    queue = context.Queue(4 * args.workers)
    for i in range(args.workers):
        context.Process(
            target=feed, args=(args, args.stream + i, shared.limit, queue), daemon=True
        ).start()
    while True:
        yield Batch(*(torch.from_numpy(x) if isinstance(x, np.ndarray) else x for x in queue.get()))


def moved(batch: Batch, device: torch.device) -> Batch:
    tokens, blocks, *rest = batch
    keep, targets, weights = (t.to(device) for t in rest)
    return Batch(tokens.to(device), blocks, keep, targets, weights)


# --- optimizer ----------------------------------------------------------------------------------


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


# --- one run ------------------------------------------------------------------------------------


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


class Run:
    """The first worker's extra duties: schedule, progress, validation, checkpoints, pauses and the end."""

    def __init__(self, args: argparse.Namespace, model: Mini, shared: Shared) -> None:
        self.args, self.model, self.shared = args, model, shared
        self.step = self.tokens = self.samples = self.spent_tokens = 0
        self.spent_seconds = 0.0
        self.stopping = False
        source = newest(args.out) or args.decay_from
        if source:
            self.load(source, fresh_budget=newest(args.out) is None)
        elif args.start:
            model.load_state_dict(weights_of(args.start))
            self.log(f"weights from {args.start}")
        self.first_step = self.step
        self.began = self.saved = self.told = self.checked = time.monotonic()
        self.sums = torch.zeros(4, dtype=torch.float64)
        self.validation = list(islice(batches(args, VALIDATION, None), args.validation))
        for s in (signal.SIGTERM, signal.SIGINT):
            signal.signal(s, self.stop)

    def stop(self, *_: Any) -> None:
        self.stopping = True

    def progress(self) -> float:
        """The spent share of the budget, tokens or minutes, whichever is further; 0 without a budget."""
        a = self.args
        shares = [self.spent_tokens / a.tokens if a.tokens else 0.0]
        shares.append(self.spent_seconds / 60 / a.minutes if a.minutes else 0.0)
        return max(shares)

    def order(self) -> None:
        """Give the orders of the next step, or the order to stop."""
        a, s = self.args, self.shared
        while a.pause_file.exists() and not self.stopping:
            time.sleep(1)
        progress = self.progress()
        if self.stopping or progress >= 1:
            if self.sums[2]:
                self.say()
            self.validate()
            self.save()
            s.orders[1] = 0
            return
        decay_at = 0.0 if a.decay_from else a.decay_at
        factor = min(1.0, (1 - progress) / (1 - decay_at)) if decay_at < 1 else 1.0
        self.step += 1
        s.orders[0], s.orders[1] = factor * min(1.0, self.step / a.warmup), self.step
        s.limit.value = int(
            a.short + (a.length - a.short) * min(1.0, self.tokens / max(1, a.curriculum))
        )
        s.left.value = a.pieces
        self.began = time.monotonic()

    def record(self) -> None:
        """Count the finished step; now and then tell, validate and save."""
        now = time.monotonic()
        totals = self.shared.totals.sum(0)
        self.sums += totals
        self.tokens += int(totals[2])
        self.samples += int(totals[3])
        self.spent_tokens += int(totals[2])
        self.spent_seconds += now - self.began
        if now - self.told > 30:
            self.say()
        if now - self.checked > self.args.validate_minutes * 60:
            self.validate()
        if now - self.saved > self.args.save_minutes * 60:
            self.save()

    def say(self) -> None:
        now = time.monotonic()
        loss, weight, tokens, samples = self.sums.tolist()
        self.log(
            f"step {self.step} tokens {self.tokens / 1e6:.2f}M {tokens / (now - self.told):.0f}/s "
            f"conversations {self.samples / 1e3:.1f}k {samples / (now - self.told):.0f}/s "
            f"loss {loss / max(weight, 1.0):.4f} lr {float(self.shared.orders[0]):.3f} "
            f"longest {self.shared.limit.value} spent {self.progress():.1%}"
        )
        self.told = now
        self.sums.zero_()

    def log(self, line: str) -> None:
        line = f"{time.strftime('%H:%M:%S')} {line}"
        print(line, flush=True)
        with (self.args.out / "log.txt").open("a") as f:
            f.write(line + "\n")

    @torch.no_grad()
    def validate(self) -> None:
        """Loss on a stream of its own, and how many assistant turns are right in every token, teacher-forced."""
        loss, weight, right, turns = 0.0, 0.0, 0, 0
        device = self.shared.flat.device
        for batch in self.validation:
            b = moved(batch, device)
            logits = self.model.logits(b).float()
            loss += float((F.cross_entropy(logits, b.targets, reduction="none") * b.weights).sum())
            weight += float(b.weights.sum())
            turn = torch.cumsum(torch.diff(b.keep, prepend=b.keep[:1]) > 1, 0)
            wrong = torch.bincount(turn, (logits.argmax(-1) != b.targets).float())
            right, turns = right + int((wrong == 0).sum()), turns + len(wrong)
        self.log(f"validation loss {loss / weight:.4f}, {right / turns:.1%} of {turns} turns right")
        self.checked = time.monotonic()

    def save(self) -> None:
        """Write a checkpoint whole or not at all, and drop old ones."""
        a, s = self.args, self.shared
        folder, draft = a.out / f"step-{self.step:08}", a.out / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        save_file(
            {n: p.detach().cpu().clone() for n, p in self.model.named_parameters()},
            draft / "weights.safetensors",
        )
        save_file({"first": s.first.cpu(), "second": s.second.cpu()}, draft / "moments.safetensors")
        (draft / "config.json").write_text(json.dumps(self.model.config.to_hf(), indent=1))
        state = {k: getattr(self, k) for k in STATE}
        (draft / "state.json").write_text(json.dumps(state, indent=1))
        for name in TOKENIZER_FILES:
            shutil.copyfile(a.tokenizer / name, draft / name)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
        for old in sorted(a.out.glob("step-*"))[: -a.keep]:
            shutil.rmtree(old)
        self.saved = time.monotonic()

    def load(self, folder: Path, fresh_budget: bool) -> None:
        """Take up a checkpoint: this run's own, or with ``fresh_budget`` that of another to cool down."""
        self.model.load_state_dict(load_file(folder / "weights.safetensors"))
        moments = load_file(folder / "moments.safetensors")
        self.shared.first.copy_(moments["first"])
        self.shared.second.copy_(moments["second"])
        for key, value in json.loads((folder / "state.json").read_text()).items():
            if not (fresh_budget and key.startswith("spent")):
                setattr(self, key, value)
        self.log(f"from {folder} at step {self.step}")


def work(
    rank: int,
    world: int,
    args: argparse.Namespace,
    config: MiniConfig,
    shared: Shared,
    run: Run | None,
) -> None:
    """Gradients of this worker's share of each step, then the update of the parameters that it owns."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    device = shared.flat.device
    if run is None:
        for s in (signal.SIGTERM, signal.SIGINT):
            signal.signal(s, signal.SIG_IGN)
        threading.Thread(target=end_with_parent, daemon=True).start()
    model = run.model if run else Mini(config, DTYPES[args.dtype])
    optimizer = Optimizer(shared.bind(model, rank), shared, rank, world)
    source = (
        fed(args, shared)
        if device.type == "cuda"
        else batches(args, args.stream + rank, shared.limit)
    )
    while True:
        if run:
            run.order()
        shared.barrier.wait()
        factor, step = float(shared.orders[0]), int(shared.orders[1])
        if not step:
            return
        shared.grads[rank].zero_()
        totals = torch.zeros(4, dtype=torch.float64)
        while shared.take():
            batch = moved(next(source), device)
            loss = model.loss(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            samples = sum(b.rows for b in batch.blocks if b.before)
            totals += torch.tensor(
                [loss.item(), batch.weights.sum().item(), len(batch.tokens), samples]
            )
        shared.totals[rank] = totals
        shared.barrier.wait()
        optimizer.step(args, factor, step)
        shared.barrier.wait()
        if run:
            run.record()


def end_with_parent() -> None:
    parent = mp.parent_process()
    if parent:
        parent.join()
    os._exit(1)


def weights_of(folder: Path) -> dict[str, Tensor]:
    """The weights of a model folder as ``export.py`` writes it, in float32."""
    weights = load_file(folder / "model.safetensors")
    return {name: w.float() for name, w in weights.items()}


def newest(folder: Path) -> Path | None:
    found = sorted(folder.glob("step-*"))
    return found[-1] if found else None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    cuda = torch.cuda.is_available()
    add("--tokenizer", type=Path, required=True, help="folder that tokenizer.py wrote")
    add("--out", type=Path, required=True, help="run folder, outside the repository")
    add("--size", choices=list(SIZES), default="2m")
    add("--minutes", type=float, default=0, help="budget of time spent training; 0: none")
    add("--tokens", type=float, default=0, help="budget of tokens, padding included; 0: none")
    add(
        "--decay-at",
        type=float,
        default=0.75,
        help="share of the budget after which the rate falls; 1: never",
    )
    add(
        "--decay-from",
        type=Path,
        help="run or checkpoint to cool down over this run's whole budget",
    )
    add(
        "--start",
        type=Path,
        help="folder of an exported model (config.json, model.safetensors) to begin from",
    )
    add(
        "--dtype",
        choices=list(DTYPES),
        default="bfloat16"
        if cuda or "AVX512" in torch.backends.cpu.get_cpu_capability()
        else "float32",
        help="of activations; bfloat16 is nine times slower than float32 on a CPU without AVX-512",
    )
    add(
        "--workers",
        type=int,
        default=8 if cuda else os.cpu_count(),
        help="CPU: training processes; GPU: data processes",
    )
    add("--batch", type=int, default=65536 if cuda else 3072, help="tokens in a batch, about")
    add("--branches", type=int, default=24, help="conversations that share a system turn")
    add("--pieces", type=int, default=1 if cuda else 4, help="batches in a step")
    add("--muon-lr", type=float, default=0.02)
    add("--adam-lr", type=float, default=0.004)
    add("--weight-decay", type=float, default=0.01)
    add("--warmup", type=int, default=100, help="steps")
    add("--length", type=int, default=400, help="longest conversation, its system turn not counted")
    add("--short", type=int, default=100, help="longest conversation at the start")
    add("--curriculum", type=float, default=4e6, help="tokens until the longest come in")
    add("--validation", type=int, default=16, help="batches of the validation set")
    add("--save-minutes", type=float, default=10)
    add("--validate-minutes", type=float, default=5)
    add("--keep", type=int, default=3, help="checkpoints kept")
    add("--pause-file", type=Path, help="training waits while this file exists (default OUT/pause)")
    add("--generator", default="generate", help="module with Maker(seed, worker).family()")
    add("--seed", type=int, default=1)
    args = parser.parse_args()
    args.pause_file = args.pause_file or args.out / "pause"
    if args.decay_from and not (args.decay_from / "weights.safetensors").exists():
        args.decay_from = newest(args.decay_from) or parser.error(
            f"no checkpoint in {args.decay_from}"
        )
    if args.decay_from and not (args.minutes or args.tokens):
        parser.error("--decay-from needs --minutes or --tokens")
    return args


def main() -> None:
    if (
        "GLIBC_TUNABLES" not in os.environ
    ):  # read when a process starts; keeps freed memory: a fifth faster
        os.execve(
            sys.executable, [sys.executable, *sys.argv], {**os.environ, "GLIBC_TUNABLES": MALLOC}
        )
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    world = 1 if device == "cuda" else args.workers
    torch.manual_seed(args.seed)
    source = newest(args.out) or args.decay_from or args.start
    if source:
        config = MiniConfig.from_hf(json.loads((source / "config.json").read_text()))
    else:
        config = config_for(
            args.size, Tokenizer.from_file(str(args.tokenizer / "tokenizer.json")).get_vocab_size()
        )
    model = Mini(config, DTYPES[args.dtype]).to(device)
    shared = Shared(model, world, device)
    shared.bind(model, 0, keep=True)
    run = Run(args, model, shared)
    args.stream = run.step * world  # a resumed run makes conversations that it has not seen
    context = mp.get_context("spawn")
    others = [
        context.Process(target=work, args=(r, world, args, config, shared, None), daemon=True)
        for r in range(1, world)
    ]
    for process in others:
        process.start()
    work(0, world, args, config, shared, run)
    for process in others:
        process.join()


if __name__ == "__main__":
    main()
