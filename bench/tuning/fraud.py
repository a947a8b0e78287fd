"""Fifty samples of fraud texts: what p-tuning and prompt tuning get out of them, by label likelihood."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

WHERE = Path(__file__).resolve().parent / "fraud"
QUESTION = "{text}\n这条短信是诈骗还是正常?"
_CHOICE = re.compile(r"\[([^\]]+)\]")


def _lines(name: str) -> list[tuple[str, str]]:
    text = (WHERE / f"{name}.txt").read_text(encoding="utf-8")
    rows = [line.split("\t", 1) for line in text.splitlines() if line and line[0] != "#"]
    return [(label, said) for label, said in rows]


def _sample(number: int, part: str, label: str, text: str) -> dict[str, Any]:
    return {
        "id": f"{part}-{number}",
        "conversation": f"{part}-{number}",
        "kind": "class",
        "language": "zh",
        "messages": [{"role": "user", "content": QUESTION.format(text=text)}],
        "label": label,
        "source": {"kind": "file", "ref": f"{part}.txt", "licence": "Apache-2.0", "consent": "own"},
    }


def filled(template: str) -> list[str]:
    """The i-th text takes the i-th of every list of choices."""
    lists = [m[1].split("|") for m in _CHOICE.finditer(template)]
    count = max(map(len, lists), default=1)
    out = []
    for i in range(count):
        values = iter([choices[i % len(choices)] for choices in lists])
        out.append(_CHOICE.sub(lambda _, values=values: next(values), template))
    return out


def write(into: Path) -> dict[str, int]:
    """``train.jsonl`` of 50 and ``held.jsonl`` of 200; how many of each."""
    into.mkdir(parents=True, exist_ok=True)
    train = [_sample(i, "train", label, text) for i, (label, text) in enumerate(_lines("train"))]
    texts = [(label, t) for label, template in _lines("held") for t in filled(template)]
    held = [_sample(i, "held", label, text) for i, (label, text) in enumerate(texts)]
    for name, part in (("train", train), ("held", held)):
        lines = "".join(json.dumps(s, ensure_ascii=False) + "\n" for s in part)
        (into / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return {"train": len(train), "held": len(held)}
