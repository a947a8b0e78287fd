"""``dazi knowledge eval``: passages into an index of their own, and every question asked of it."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.evaluation import fill, read_squad, score

FORMATS = {"squad": read_squad}


async def evaluate(path: Path, format: str, language: Language, *, json_out: bool) -> str:
    """The report. Raises ``CallerError`` for a file or a form that cannot be used."""
    if format not in FORMATS:
        known = ", ".join(FORMATS)
        raise CallerError(
            "format",
            f"不认识格式 {format},可用:{known}",
            f"no format {format}; there are: {known}",
        )
    passages = FORMATS[format](path)
    with tempfile.TemporaryDirectory(prefix="dazi-eval-") as folder:
        index = EmbeddedIndex(Path(folder))
        try:
            began = time.perf_counter()
            await fill(index, passages)
            built = time.perf_counter() - began
            found = await score(index, passages)
        finally:
            await index.close()
    told = {"engine": "bm25", **asdict(found), "build_seconds": round(built, 3)}
    if json_out:
        return json.dumps(told, ensure_ascii=False, indent=1)
    line = Text(
        "{passages} 段,{questions} 问,{engine}:recall@1 {recall_1:.4f},recall@5 {recall_5:.4f},"
        "MRR {mrr:.4f};一次检索 p50 {p50_ms:.2f} 毫秒,p99 {p99_ms:.2f} 毫秒;建索引 {build_seconds:.2f} 秒",
        "{passages} passages, {questions} questions, {engine}: recall@1 {recall_1:.4f}, recall@5 "
        "{recall_5:.4f}, MRR {mrr:.4f}; a search p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms; "
        "built in {build_seconds:.2f} s",
    )
    return line(language).format(**told)
