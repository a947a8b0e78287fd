"""One training: from the run's folder to an adapter beside it, with checkpoints on the way."""

from __future__ import annotations

import json
import math
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dazi.lab.tuning.trainer.encoding import Encoded, Encoder, read_rendered
from dazi.lab.tuning.trainer.losses import pack_loss
from dazi.lab.tuning.trainer.models import (
    SOFT,
    adapter_config,
    load_base,
    save_adapter,
    with_adapter,
)
from dazi.lab.tuning.trainer.packing import Step, packs, steps, tensors
from dazi.lab.tuning.trainer.progress import Plan, Progress

PROBE = 8
"""After so many steps each time it is looked at how long one takes."""
ENOUGH = 0.95
"""Of the minutes allowed, what steps may take; the rest is for validations."""
SAVE_S = 60.0
TELL_S = 2.0
HELD = 512
"""Samples at the most that a validation looks at."""
STOPPED = 75
"""Exit status of a run that was stopped and can go on."""


class Samples:
    """What the run's folder holds, encoded; those longer than the recipe allows are left out."""

    def __init__(self, folder: Path, recipe: dict[str, Any], weights: Path) -> None:
        encoder = Encoder(weights)
        self.longer = 0
        self.train = self._read(folder / "train.jsonl", encoder, recipe["length"])
        self.held = self._read(folder / "validation.jsonl", encoder, recipe["length"])[:HELD]
        self.share = recipe["method"] not in SOFT

    def _read(self, path: Path, encoder: Encoder, longest: int) -> list[Encoded]:
        found = [encoder.encoded(s) for s in read_rendered(path)]
        fitting = [e for e in found if e.length <= longest]
        self.longer += len(found) - len(fitting)
        return fitting


def trained(folder: Path) -> int:
    """Train, or go on from the newest checkpoint. The exit status: 0, or ``STOPPED``."""
    import torch
    from transformers import TrainingArguments, set_seed

    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    weights = Path(recipe["weights_at"])
    progress = Progress(folder)
    if recipe.get("threads"):
        torch.set_num_threads(recipe["threads"])
    set_seed(recipe["seed"])
    samples = Samples(folder, recipe, weights)
    if not samples.train:
        progress.say("failed", why="every sample is longer than the recipe's length")
        return 1
    every = steps(
        samples.train, recipe["batch"], recipe["epochs"], recipe["seed"], share=samples.share
    )
    plan = Plan(folder, len(every))
    model = with_adapter(load_base(weights, recipe), recipe)
    learnt = sum(p.numel() for p in model.parameters() if p.requires_grad)
    progress.say(
        "begun",
        steps=plan.steps,
        samples=len(samples.train),
        held=len(samples.held),
        longer=samples.longer,
        learnt=learnt,
        tokens=sum(p.tokens for s in every for p in s),
    )
    cpu = recipe["where"] == "cpu"
    args = TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        max_steps=len(every),
        per_device_train_batch_size=1,
        learning_rate=recipe["rate"],
        weight_decay=recipe["decay"],
        max_grad_norm=recipe["clip"],
        seed=recipe["seed"],
        save_strategy="no",
        save_total_limit=2,
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=cpu,
        bf16=not cpu,
    )
    trainer = make_trainer(model, args, every, plan, recipe)
    watch = make_watch(trainer, samples, plan, progress, recipe, folder)
    trainer.add_callback(watch)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, watch.asked_to_stop)
    newest = _newest(folder / "checkpoints")
    trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    if watch.stopped:
        progress.say("stopped", step=trainer.state.global_step)
        return STOPPED
    out = folder / "adapter"
    shutil.rmtree(out, ignore_errors=True)
    if watch.best.is_dir():
        shutil.copytree(watch.best, out)
    else:
        save_adapter(model, out, recipe["base"])
    progress.say(
        "done", step=trainer.state.global_step, seconds=round(plan.spent, 1), best=_plain(plan.best)
    )
    return 0


def make_trainer(model: Any, args: Any, every: Sequence[Step], plan: Plan, recipe: Any) -> Any:
    """A ``transformers.Trainer`` whose items are steps: packs of samples, each with its prefix."""
    from torch.optim.lr_scheduler import LambdaLR
    from torch.utils.data import SequentialSampler
    from transformers import Trainer

    class PackTrainer(Trainer):  # type: ignore[misc]
        tokens = 0

        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.recent: list[float] = []

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any
        ) -> Any:
            sums = [pack_loss(model, pack) for pack in inputs["packs"]]
            self.tokens += sum(int(p["mask"].sum()) for p in inputs["packs"])
            loss = sum(s for s, _ in sums) / sum(w for _, w in sums).clamp_min(1e-6)
            self.recent.append(float(loss.detach()))
            return (loss, None) if return_outputs else loss

        def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
            return SequentialSampler(every)

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            self.lr_scheduler = LambdaLR(optimizer or self.optimizer, self._factor)
            self._created_lr_scheduler = True
            return self.lr_scheduler

        def _factor(self, step: int) -> float:
            warm = max(1, round(float(recipe["warmup"]) * plan.steps))
            if step < warm:
                return (step + 1) / warm
            left = (plan.steps - step) / max(1, plan.steps - warm)
            return 0.5 - 0.5 * math.cos(math.pi * min(max(left, 0.0), 1.0))

    def collated(items: list[Step]) -> dict[str, Any]:
        return {"packs": [tensors(pack) for step in items for pack in step]}

    return PackTrainer(model=model, args=args, train_dataset=list(every), data_collator=collated)


def make_watch(
    trainer: Any, samples: Samples, plan: Plan, progress: Progress, recipe: Any, folder: Path
) -> Any:
    """Progress, validation, checkpoints, the time allowed, and stopping when asked."""
    import random

    import torch
    from transformers import TrainerCallback

    held = packs(samples.held, random.Random(0), share=samples.share)

    class Watch(TrainerCallback):  # type: ignore[misc]
        stopped = False
        best = folder / "best"

        def __init__(self) -> None:
            now = time.monotonic()
            self._last = self._saved = self._told = now
            self._began, self._first = plan.spent, -1

        def asked_to_stop(self, *_: Any) -> None:
            self.stopped = True

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            now, step = time.monotonic(), state.global_step
            plan.spent += now - self._last
            self._last = now
            if self._first < 0:
                self._first = step - 1
                state.max_steps = plan.steps
            if step - self._first >= PROBE and step % PROBE == 0:
                self._replan(step, state)
            if now - self._told >= TELL_S or step >= plan.steps:
                self._tell(step, now)
            over = step >= plan.steps or plan.spent > recipe["minutes"] * 60
            if held and (over or (step % self._every() == 0)):
                over = self._validate(step) or over
                self._last = time.monotonic()
            if over:
                control.should_training_stop = True
            if self.stopped:
                control.should_save = control.should_training_stop = True
                if trainer.recent:
                    self._tell(step, now)
            elif now - self._saved > SAVE_S and not over:
                control.should_save, self._saved = True, now
            if control.should_save:
                plan.save()
            return control

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            plan.save()
            self._last = time.monotonic()

        def _every(self) -> int:
            count = recipe["validations"]
            return max(1, plan.steps // count) if count else 10**12

        def _replan(self, step: int, state: Any) -> None:
            """Fewer steps where the time allowed would end the run before its rate has fallen; more again
            where they have become quicker."""
            each = (plan.spent - self._began) / (step - self._first)
            left = ENOUGH * recipe["minutes"] * 60 - plan.spent
            possible = max(step, min(plan.most, step + int(left / max(each, 1e-6))))
            if abs(possible - plan.steps) > plan.steps // 20:
                plan.steps = state.max_steps = possible
                progress.say("planned", steps=possible, seconds_a_step=round(each, 4))
                plan.save()

        def _tell(self, step: int, now: float) -> None:
            rate = trainer.tokens / max(plan.spent - self._began, 1e-6)
            each = plan.spent / step
            progress.say(
                "step",
                step=step,
                of=plan.steps,
                loss=_plain(sum(trainer.recent) / len(trainer.recent)),
                losses=[_plain(x) for x in trainer.recent],
                rate=_plain(trainer.lr_scheduler.get_last_lr()[0]),
                tokens_s=round(rate),
                left_s=round(each * (plan.steps - step)),
                spent_s=round(plan.spent, 1),
            )
            self._told = now
            trainer.recent.clear()

        @torch.no_grad()  # type: ignore[untyped-decorator]
        def _validate(self, step: int) -> bool:
            """Is the best too long ago?"""
            model = trainer.model
            model.eval()
            device = next(model.parameters()).device
            sums = weights = 0.0
            for pack in held:
                moved = {k: v.to(device) for k, v in tensors(pack).items()}
                loss, weight = pack_loss(model, moved)
                sums, weights = sums + float(loss), weights + float(weight)
            model.train()
            loss_now = sums / max(weights, 1e-6)
            if loss_now < plan.best:
                plan.best, plan.worse = loss_now, 0
                save_adapter(model, self.best, recipe["base"])
            else:
                plan.worse += 1
            progress.say("validation", step=step, loss=_plain(loss_now), best=_plain(plan.best))
            plan.save()
            return bool(recipe["patience"]) and plan.worse >= recipe["patience"]

    return Watch()


def _newest(folder: Path) -> Path | None:
    found = [p for p in folder.glob("checkpoint-*") if (p / "trainer_state.json").is_file()]
    return max(found, key=lambda p: int(p.name.rpartition("-")[2]), default=None)


def _plain(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


__all__ = ["STOPPED", "adapter_config", "trained"]
