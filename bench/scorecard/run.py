"""The example of docs/*/3c.md: ``python bench/scorecard/run.py --adapter FOLDER --write``.

The bundled model, the same with an adapter, and a script of a few lines in the place of a model answer the same
cases; what was measured becomes a 3C report, kept in docs/examples/3c with its runs."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.scorecard.scripted import scripted  # noqa: E402

EXAMPLE = ROOT / "docs" / "examples" / "3c"
DAZI = (sys.executable, "-c", "from dazi.main.cli import run; run()")
SUITES = ("calls", "memory")
CASES = ROOT / "models" / "mini" / "heldout" / "test"
"""Written by hand for the demo company's tools; nothing was trained on them."""
MACHINE = {"price": 8000, "watts": 65}
"""A desktop of 2026 and what it draws under load; assumed, as the report says."""


async def dazi(*words: str, env: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *DAZI, *words, env={**os.environ, **env}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode not in (0, 1):  # 1: a report of compliance in which something fails
        raise SystemExit(f"dazi {' '.join(words)} ended with {process.returncode}")
    return out.decode()


async def measured(data: Path, model: str, limit: int) -> list[str]:
    """The ids of the runs of one model."""
    env = {"DAZI_DATA": str(data)}
    ids = []
    for suite in SUITES:
        words = ["eval", "run", suite, "--limit", str(limit), "--json"]
        words += ["--data", str(CASES)] if suite == "calls" else []
        found = json.loads(await dazi(*words, *(["--model", model] if model else []), env=env))
        ids.append(str(found["id"]))
    return ids


async def example(data: Path, adapter: Path, limit: int) -> dict[str, object]:
    """The card of all three, with their runs in ``data``."""
    env = {"DAZI_DATA": str(data)}
    await dazi("model", "add", str(adapter), "--base", "dazi-mini", "--name", "tuned", env=env)
    compliance = await dazi("audit", "compliance", "--json", env=env)
    # Where it was made is no matter of the example's.
    told = compliance.replace(f"{ROOT}/", "").replace(str(data), "data")
    (data / "compliance.json").write_text(told, "utf-8")
    runs = {
        "bundled": await measured(data, "", limit),
        "tuned": await measured(data, "tuned", limit),
    }
    async with scripted() as url:
        runs["script"] = await measured(data, url, limit)
    names = {
        "bundled": "随包模型 bundled model",
        "tuned": "加适配器 with an adapter",
        "script": "脚本(不是模型) a script, no model",
    }
    kept = {"cost": {"machine": MACHINE}, "compliance": "compliance.json"}
    return {
        "title": {"zh": "三个候选,演示公司的工具", "en": "Three candidates, the demo company's tools"},
        "requests": 10_000,
        "candidates": [
            {"name": names[key], "runs": [f"runs/{id}" for id in ids], **kept}
            for key, ids in runs.items()
        ],
        "capability": [
            {"suite": "calls", "metric": "exact_match", "weight": 3,
             "label": {"zh": "调用全对", "en": "calls wholly right"}},
            {"suite": "calls", "metric": "name_accuracy",
             "label": {"zh": "工具选对", "en": "the right tool"}},
            {"suite": "calls", "metric": "false_call", "lower": True,
             "label": {"zh": "不该调用而调用", "en": "called where nothing was to be"}},
            {"suite": "memory", "metric": "right", "label": {"zh": "记忆", "en": "memory"}},
        ],
        "must": [{"suite": "calls", "metric": "forbidden_executed", "at_most": 0}],
    }  # fmt: skip


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--adapter", type=Path, required=True, help="folder of an adapter of dazi-mini"
    )
    parser.add_argument("--limit", type=int, default=150, help="items of each suite")
    parser.add_argument("--write", action="store_true", help="into docs/examples/3c")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dazi-3c-") as name:
        data = Path(name)
        card = await example(data, asked.adapter.absolute(), asked.limit)
        shutil.copytree(data / "evals", data / "runs")
        text = json.dumps(card, ensure_ascii=False, indent=1)
        (data / "card.yaml").write_text(text + "\n", "utf-8")
        words = ["eval", "3c", str(data / "card.yaml"), "--out", str(data / "report")]
        print(await dazi(*words, env={"DAZI_DATA": str(data)}))
        if asked.write:
            shutil.rmtree(EXAMPLE, ignore_errors=True)
            EXAMPLE.mkdir(parents=True)
            for part in ("card.yaml", "compliance.json"):
                shutil.copy(data / part, EXAMPLE)
            for part in ("runs", "report"):
                shutil.copytree(data / part, EXAMPLE / part)


if __name__ == "__main__":
    asyncio.run(main())
