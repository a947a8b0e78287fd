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
import json
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import torch.multiprocessing as mp
import torch.nn.functional as F
from batches import batches, fed, moved
from model import SIZES, Mini, MiniConfig, config_for, rows_for
from optimizer import DTYPES, Optimizer, Shared
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
STATE = ("step", "tokens", "samples", "spent_tokens", "spent_seconds")
VALIDATION = 10**9  # the validation stream's worker number, which no training stream has
MALLOC = "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=4294967296"


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
            model.load_state_dict(weights_of(args.start, model.config.vocab))
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
        s.orders[0], s.orders[1] = factor * min(1.0, self.step / max(a.warmup, 1)), self.step
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


def work(*job: Any) -> None:
    """``steps``; a worker that fails ends the run for all, who would wait for it for ever."""
    *_, shared, _run = job
    try:
        steps(*job)
    except BaseException:
        shared.barrier.abort()
        raise


def steps(
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
        fed(args, shared.limit)
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


def weights_of(folder: Path, vocab: int) -> dict[str, Tensor]:
    """The weights of a model folder as ``export.py`` writes it, in float32, with ``vocab`` rows of embeddings.

    Rows for tokens that the folder's tokenizer lacked begin as the mean of those it had.
    """
    weights = {n: w.float() for n, w in load_file(folder / "model.safetensors").items()}
    name = "model.embed_tokens.weight"
    known = weights[name]
    new = known.mean(0).repeat(vocab - len(known), 1)
    weights[name] = torch.cat((known, new + 0.01 * torch.randn_like(new)))
    return weights


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
    vocab = Tokenizer.from_file(str(args.tokenizer / "tokenizer.json")).get_vocab_size()
    config = config_for(args.size, vocab)
    if source:
        config = MiniConfig.from_hf(json.loads((source / "config.json").read_text()))
    if source == args.start and source:
        config = replace(config, vocab=max(config.vocab, rows_for(vocab)))
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
