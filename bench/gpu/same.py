"""Whether a request gets the same greedy tokens alone and among eight.

In bf16 a product of eight rows adds in another order than one of a single row, and random weights leave the best
two tokens close together, so rows may part. That is right only at a tie: where they part, the two tokens' logits
must be no further apart than twice what the logits of the very same tokens differ by between one row and eight, or
than twice the step between neighbouring numbers of that size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench.gpu.shape import prompts
from bench.gpu.sides import SIDES
from dazi.ops.plan.models import Shape

ROWS = 8
READ, NEW = 128, 32


def cases() -> tuple[str, ...]:
    return tuple(SIDES)


def run(model: Any, shape: Shape, case: str, *, tiny: bool) -> Iterator[dict[str, Any]]:
    read, new = (16, 8) if tiny else (READ, NEW)
    given = prompts(shape, ROWS, read)
    together = SIDES[case](model, given, new).tokens
    for row, prompt in enumerate(given):
        alone = SIDES[case](model, [prompt], new).tokens[0]
        at = parting(alone, together[row])
        made: dict[str, Any] = {"side": case, "row": row, "same": at, "of": new}
        if at < new:
            prefix = [list(p) + t[:at] for p, t in zip(given, together, strict=True)]
            made |= _tie(model, prefix, row, alone[at], together[row][at])
        yield made


def parting(alone: Sequence[int], together: Sequence[int]) -> int:
    """How many tokens at the beginning are the same."""
    return next(
        (i for i, (a, b) in enumerate(zip(alone, together, strict=True)) if a != b), len(alone)
    )


def explained(row: dict[str, Any]) -> bool:
    return bool(row["same"] == row["of"] or row["apart"] <= 2 * row["noise"])


def _tie(model: Any, prefix: list[list[int]], row: int, one: int, other: int) -> dict[str, Any]:
    import torch

    with torch.inference_mode():
        all_ids = torch.tensor(prefix, device=model.device)
        many, single = (
            model(input_ids=ids, attention_mask={"full_attention": None}, logits_to_keep=1)
            .logits[:, -1]
            .float()
            for ids in (all_ids, all_ids[row : row + 1])
        )
    step = abs(single[0, one].item()) * torch.finfo(model.dtype).eps
    noise = max(step, (many[row] - single[0]).abs().max().item())
    return {"apart": abs(single[0, one] - single[0, other]).item(), "noise": noise}
