"""The same training by Ray Train on several devices. Written against Ray 2's interface; not run here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def trained_by_ray(folder: Path) -> int:
    """``folder`` has to lie where every node sees it."""
    import ray.train
    from ray.train.torch import TorchTrainer

    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    scaling = ray.train.ScalingConfig(num_workers=recipe["devices"], use_gpu=True)

    def work(_: Any) -> None:
        from dazi.lab.tuning.trainer.training import trained

        trained(folder)

    TorchTrainer(work, train_loop_config={}, scaling_config=scaling).fit()
    return 0 if (folder / "adapter").is_dir() else 1
