"""Seconds to the first token of one request with a prompt of 1K and of 28K tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.gpu.shape import prompts
from bench.gpu.sides import Prompts, Timed, continuous, wait
from dazi.ops.plan.models import Shape

LENGTHS = (1024, 28_672)
ROUNDS = 3


def cases() -> tuple[str, ...]:
    return tuple(f"{side}, {tokens}" for side in _SIDES for tokens in LENGTHS)


def run(model: Any, shape: Shape, case: str, *, tiny: bool) -> Iterator[dict[str, Any]]:
    side, _, length = case.rpartition(", ")
    tokens = int(length) // 64 if tiny else int(length)
    given = prompts(shape, 1, tokens)
    times = [_SIDES[side](model, given).first for _ in range(1 if tiny else ROUNDS + 1)]
    counted = times[1:] or times  # the first one warms up
    yield {"side": side, "tokens": tokens, "seconds": min(counted), "all": counted}


def read_at_once(model: Any, given: Prompts) -> Timed:
    """The whole prompt in one pass, its cache kept."""
    import time

    import torch
    from transformers import DynamicCache

    ids = torch.tensor([list(p) for p in given], device=model.device)
    with torch.inference_mode():
        wait(model.device)
        begun = time.perf_counter()
        out = model(
            input_ids=ids,
            attention_mask={"full_attention": None},
            past_key_values=DynamicCache(config=model.config),
            use_cache=True,
            logits_to_keep=1,
        )
        first = out.logits[:, -1].argmax(-1).tolist()
        wait(model.device)
        return Timed([[t] for t in first], time.perf_counter() - begun, 0, 0.0)


_SIDES = {
    "continuous batching": lambda model, given: continuous(model, given, 2),
    "plain loop": read_at_once,
}
