"""The loss of a pack: what the assistant says, weighed, after a system turn that is computed once."""

from __future__ import annotations

from typing import Any


def row_logits(model: Any, pack: dict[str, Any], virtual: int = 0) -> tuple[Any, Any, Any]:
    """Logits (B, n, vocabulary), and the targets and weights (B, n) that belong to them.

    ``virtual``: so many learnt vectors stand before each row; such models get no prefix of their own.
    """
    import torch

    prefix, rows, mask, weights = (pack[k] for k in ("prefix", "rows", "mask", "weights"))
    before = prefix.shape[1]
    if before:
        read = model(input_ids=prefix, use_cache=True, logits_to_keep=1)
        cache = read.past_key_values
        cache.batch_repeat_interleave(len(rows))
        places = torch.arange(before, before + rows.shape[1], device=rows.device)
        out = model(
            input_ids=rows,
            attention_mask=mask,
            position_ids=places.expand(len(rows), -1),
            past_key_values=cache,
            use_cache=True,
        )
        # What is said first comes of the prefix's last token.
        last = read.logits[:, -1:].expand(len(rows), -1, -1)
        logits = torch.cat((last, out.logits[:, :-1]), 1)
        return logits, rows, weights
    kept = weights > 0
    first = int(kept.any(0).float().argmax()) if bool(kept.any()) else 1
    first = max(first, 1)
    wanted = rows.shape[1] - first + 1
    out = model(input_ids=rows, attention_mask=mask, use_cache=False, logits_to_keep=wanted)
    return out.logits[:, :-1], rows[:, first:], weights[:, first:]


def pack_loss(model: Any, pack: dict[str, Any]) -> tuple[Any, Any]:
    """The sum of weight times cross-entropy, and the sum of the weights."""
    import torch.nn.functional as F

    logits, targets, weights = row_logits(model, pack)
    each = F.cross_entropy(logits.float().transpose(1, 2), targets, reduction="none")
    return (each * weights).sum(), weights.sum()
