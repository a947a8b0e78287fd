"""LoRA adapters by name on the real server: one that changes the model, and one that changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.production.pools import pooled
from bench.production.vllm import HERMES, NAME, Replica
from bench.tables import Table
from dazi.core.engine import Done, GenerateRequest, Sampling, TextDelta
from dazi.core.messages import Message
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.health import look
from tests.inference import lora

RANK = 8
ASKED = ("北京今天天气怎么样", "谢谢", "你好", "帮我写一首诗")


def replica(at: Path, folder: Path, number: int) -> Replica:
    """With two adapters: ``law``, of random numbers, and ``nothing``, of zeros."""
    modules = []
    for name, scale in (("law", 0.5), ("nothing", 0.0)):
        place = folder / "adapters" / name
        shutil.rmtree(place, ignore_errors=True)
        lora.write(
            place / "adapter_model.safetensors",
            lora.tensors(scale, rank=RANK),
            r=RANK,
            lora_alpha=RANK,
            target_modules=["q_proj", "down_proj"],
            task_type="CAUSAL_LM",
            base_model_name_or_path=NAME,
        )
        modules.append(f"{name}={place}")
    flags = (*HERMES, "--enable-lora", "--max-lora-rank", str(RANK), "--lora-modules", *modules)
    return Replica(at, folder, number, flags)


async def adapters(server: Replica, scale: float) -> list[Table]:
    """One after another: in one batch vLLM's processor build gives a base request the adapter's
    output."""
    table = Table(
        "vllm_adapters",
        "LoRA adapters by name on vLLM",
        ("asked for", "answers", "as the base's", "served as"),
        notes=["The same questions, greedy, one at a time. law: random numbers; nothing: zeros."],
    )
    extra = {"adapters": ["law", "nothing"]}
    async with pooled([server.url], NAME, backend=extra) as pool:
        assert await look(pool.backends[0], 10) is None
        base = [await _said(pool, "", text) for text in ASKED]
        found = {
            "": base,
            **{n: [await _said(pool, n, t) for t in ASKED] for n in extra["adapters"]},
        }
        for name, answers in found.items():
            same = sum(a[0] == b[0] for a, b in zip(answers, base, strict=True))
            served = ", ".join(sorted({a[1] for a in answers}))
            table.rows.append(
                (name or "the base model", len(answers), f"{same}/{len(answers)}", served)
            )
        assert [a[0] for a in found["nothing"]] == [a[0] for a in base], "zeros changed something"
        assert [a[0] for a in found["law"]] != [a[0] for a in base], "the adapter changed nothing"
    return [table]


async def _said(pool: PoolEngine, model: str, text: str) -> tuple[str, str]:
    """The answer, and the name of what gave it."""
    said, by = "", ""
    request = GenerateRequest(
        (Message("user", text),), sampling=Sampling(max_tokens=24), model=model
    )
    async for event in pool.generate(request):
        if isinstance(event, TextDelta):
            said += event.text
        elif isinstance(event, Done) and event.by is not None:
            by = event.by.model
    return said, by
