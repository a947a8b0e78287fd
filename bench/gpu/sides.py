"""Two ways to run a model: transformers' continuous batching, and a plain loop over a batch whose step is one CUDA
graph, which shows what is left when nothing but the arithmetic is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.gpu.shape import ATTENTION

Prompts = Sequence[Sequence[int]]
PAGE = 256
"""Tokens of a page of the cache, by default."""
SPARE = 4
"""Pages more than the prompts need: left to itself it takes nine tenths of the memory."""
MOST_READ = 4096
"""Tokens that one step takes: a longer prompt is read in parts."""


@dataclass(frozen=True, slots=True)
class Timed:
    """``tokens`` of each request; ``first``: seconds until all had their first; then ``later`` tokens of all
    together in ``decode`` seconds."""

    tokens: list[list[int]]
    first: float
    later: int
    decode: float

    @property
    def rate(self) -> float:
        return self.later / self.decode if self.decode else 0.0


def continuous(model: Any, prompts: Prompts, new: int) -> Timed:
    from transformers import GenerationConfig
    from transformers.generation import ContinuousBatchingConfig

    model.set_attn_implementation("paged|sdpa")
    config = GenerationConfig(max_new_tokens=new, do_sample=False, eos_token_id=-1, pad_token_id=0)
    pages = sum(-(-(len(p) + new) // PAGE) + 1 for p in prompts)
    batching = ContinuousBatchingConfig(
        num_blocks=pages + SPARE, max_batch_tokens=MOST_READ, allow_block_sharing=False
    )
    try:
        found = model.generate_batch(
            [list(p) for p in prompts],
            generation_config=config,
            continuous_batching_config=batching,
            record_timestamps=True,
            progress_bar=False,
        )
    finally:
        model.set_attn_implementation(ATTENTION)
    by_prompt = {tuple(out.prompt_ids): out for out in found.values()}
    outputs = [by_prompt[tuple(p)] for p in prompts]
    for out in outputs:
        if out.error or len(out.generated_tokens) != new:
            raise RuntimeError(out.error or f"{len(out.generated_tokens)} tokens instead of {new}")
    begun = min(out.created_time for out in outputs)
    first = max(out.timestamps[0] for out in outputs)
    last = max(out.timestamps[-1] for out in outputs)
    later = sum(t > first for out in outputs for t in out.timestamps)
    return Timed([out.generated_tokens for out in outputs], first - begun, later, last - first)


def plain(model: Any, prompts: Prompts, new: int) -> Timed:
    """All prompts are equally long."""
    import torch
    from transformers import StaticCache

    device = model.device
    ids = torch.tensor([list(p) for p in prompts], device=device)
    batch, read = ids.shape
    room = read + new
    with torch.inference_mode():
        cache = StaticCache(config=model.config, max_cache_len=room)
        before = torch.arange(room, device=device)
        place = torch.arange(read, device=device)
        mask = (before[None, :] <= place[:, None])[None, None]
        wait(device)
        begun = time.perf_counter()
        out = model(
            input_ids=ids,
            position_ids=place[None, :],
            attention_mask={"full_attention": mask},
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        token = out.logits[:, -1].argmax(-1, keepdim=True)
        at = torch.full((1, 1), read, device=device)
        wait(device)
        first = time.perf_counter() - begun
        tokens = [token.clone()]

        def step() -> None:
            seen = (before <= at[0])[None, None, None]
            said = model(
                input_ids=token,
                position_ids=at,
                attention_mask={"full_attention": seen},
                past_key_values=cache,
                use_cache=True,
            )
            token.copy_(said.logits[:, -1].argmax(-1, keepdim=True))
            at.add_(1)

        one, done = _captured(step, device, lambda: tokens.append(token.clone()))
        wait(device)
        begun = time.perf_counter()
        for _ in range(new - 1 - done):
            one()
            tokens.append(token.clone())
        wait(device)
        decode = time.perf_counter() - begun
    said = torch.cat(tokens, 1).tolist()
    return Timed(said, first, batch * (new - 1 - done), decode)


def _captured(
    step: Callable[[], None], device: Any, did: Callable[[], None]
) -> tuple[Callable[[], None], int]:
    """``step`` as one CUDA graph, and how many steps were done on the way; elsewhere as it is."""
    import torch

    if device.type != "cuda":
        return step, 0
    warm = 2  # so that everything that is allocated or chosen once is there
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(warm):
            step()
            did()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()  # is written down and not done
    return graph.replay, warm


def wait(device: Any) -> None:
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize()


SIDES: dict[str, Callable[[Any, Prompts, int], Timed]] = {
    "continuous batching": continuous,
    "plain loop": plain,
}
