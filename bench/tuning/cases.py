"""Cases for the old tools: those written by hand, and made ones up to two thousand."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from bench.tuning.samples import ROOT, generate
from dazi.core.errors import ModelError
from dazi.core.messages import dumps
from dazi.router.schema import canonicalise, parse_arguments

WRITTEN = ROOT / "models" / "mini" / "heldout"
SETS = ("dev2", "test", "dev3", "dev")
MADE_KINDS = frozenset({"single", "no_tool", "two_calls", "joined"})
SEED = 90_001
"""No training of the bundled model, and none here, drew from this stream."""


def write(into: Path, count: int) -> tuple[list[Path], int, int]:
    """Files of at least ``count`` cases, written ones first; how many are written by hand, and how many
    were made."""
    into.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    written = 0
    for part in SETS:
        for language in ("zh", "en"):
            if written >= count:
                break
            text = (WRITTEN / part / f"cases.{language}.jsonl").read_text(encoding="utf-8")
            path = into / f"{part}.{language}.jsonl"
            path.write_text(text, encoding="utf-8")
            files.append(path)
            written += sum(1 for line in text.splitlines() if line.strip())
    if written >= count:
        return files, written, 0
    made = into / "made.jsonl"
    lines = [json.dumps(c, ensure_ascii=False) for c in _made(count - written)]
    made.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [*files, made], written, len(lines)


def _made(count: int) -> list[dict[str, Any]]:
    """Single messages of the generator, with what the router would make of their calls."""
    out: list[dict[str, Any]] = []
    tools = generate.Maker(0).tools
    for sample in generate.samples(SEED):
        if len(out) == count:
            return out
        said, answer = sample["messages"][0], sample["messages"][1]
        if sample["source"]["ref"] not in MADE_KINDS or not sample["role"]:
            continue
        today = date.fromisoformat(sample["today"])
        try:
            expect = [
                {
                    "name": c["name"],
                    "arguments": canonicalise(
                        tools[c["name"]],
                        parse_arguments(tools[c["name"]], dumps(c["arguments"])),
                        today,
                    ),
                }
                for c in answer.get("tool_calls", ())
            ]
        except ModelError:
            continue
        out.append(
            {
                "id": sample["id"],
                "role": sample["role"],
                "today": sample["today"],
                "messages": [said],
                "expect": expect,
            }
        )
    return out
