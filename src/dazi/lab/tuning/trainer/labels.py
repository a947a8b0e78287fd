"""How often the likeliest of the possible answers is the right one: classes by likelihood.

The score of an answer is the sum of the log-probabilities of its tokens after the prompt, the end mark
included; nothing is sampled, and no grammar helps.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from dazi.lab.tuning.trainer.encoding import Encoder, read_rendered
from dazi.lab.tuning.trainer.losses import row_logits
from dazi.lab.tuning.trainer.models import load_adapter, load_base
from dazi.lab.tuning.trainer.packing import Pack, tensors


def judged(folder: Path, adapter: Path | None, samples: Path) -> list[dict[str, Any]]:
    """For each sample of the kind ``class``: its id, the right answer, the likeliest, their scores."""
    import torch

    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    if recipe.get("threads"):
        torch.set_num_threads(recipe["threads"])
    weights = Path(recipe["weights_at"])
    model = load_base(weights, {**recipe, "method": "lora"})
    if adapter is not None:
        model = load_adapter(model, adapter)
    model.eval()
    encoder = Encoder(weights)
    out = []
    for sample in read_rendered(samples):
        scores = scored(model, encoder, sample)
        right = sample["choices"][0]
        told = {"id": sample["id"], "right": right, "said": likeliest(scores, right)}
        out.append({**told, "scores": scores})
    return out


def likeliest(scores: dict[str, float], right: str) -> str:
    """The right answer only where it is likelier than every other; where a score is no number (a training
    that went astray), nothing: that is no answer."""
    if any(math.isnan(s) for s in scores.values()):
        return ""
    return max(scores, key=lambda answer: (scores[answer], answer != right))


def scored(model: Any, encoder: Encoder, sample: dict[str, Any]) -> dict[str, float]:
    import torch

    right = sample["choices"][0]
    learnt = [text for text, weight in sample["segments"] if weight > 0]
    ending = "".join(learnt)[len(right) :]
    before = sample["prefix"] + "".join(t for t, weight in sample["segments"] if not weight)
    rows = [encoder.row([(before, 0.0), (choice + ending, 1.0)]) for choice in sample["choices"]]
    with torch.no_grad():
        logits, targets, weights = row_logits(model, tensors(Pack((), tuple(rows))))
        each = logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0]
        sums = (each * (weights > 0)).sum(1).tolist()
    return dict(zip(sample["choices"], sums, strict=True))
