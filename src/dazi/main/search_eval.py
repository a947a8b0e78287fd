"""``dazi knowledge eval``: passages into an index of their own, and every question asked of it."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dazi.core.engine import Embedder, Reranker
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.evaluation import Find, Passages, fill, read_squad, score
from dazi.knowledge.hybrid import Hybrid
from dazi.knowledge.index import Hit, Wanted
from dazi.knowledge.vectors import space_of

FORMATS = {"squad": read_squad}
_LINE = Text(
    "{passages} 段,{questions} 问,{engine}:recall@1 {recall_1:.4f},recall@5 {recall_5:.4f},"
    "MRR {mrr:.4f};一次检索 p50 {p50_ms:.2f} 毫秒,p99 {p99_ms:.2f} 毫秒;建索引 {build_seconds:.2f} 秒",
    "{passages} passages, {questions} questions, {engine}: recall@1 {recall_1:.4f}, recall@5 "
    "{recall_5:.4f}, MRR {mrr:.4f}; a search p50 {p50_ms:.2f} ms, p99 {p99_ms:.2f} ms; "
    "built in {build_seconds:.2f} s",
)


@dataclass(frozen=True, slots=True)
class Models:
    """Those that the settings name; they are closed by whoever made them."""

    embedder: Embedder | None = None
    reranker: Reranker | None = None


async def evaluate(
    path: Path, format: str, language: Language, models: Models, *, json_out: bool
) -> str:
    """The report: by words, and in each other way that ``models`` allow. Raises ``CallerError`` for
    a file or a form that cannot be used, and what the models raise."""
    if format not in FORMATS:
        known = ", ".join(FORMATS)
        raise CallerError(
            "format",
            f"不认识格式 {format},可用:{known}",
            f"no format {format}; there are: {known}",
        )
    passages = FORMATS[format](path)
    with tempfile.TemporaryDirectory(prefix="dazi-eval-") as folder:
        rows = await _measured(Path(folder) / "words", passages, replace(models, embedder=None))
        if models.embedder is not None:
            rows += await _measured(Path(folder) / "vectors", passages, models)
    if json_out:
        first, *others = rows
        told = first | ({"engines": others} if others else {})
        return json.dumps(told, ensure_ascii=False, indent=1)
    return "\n".join(_LINE(language).format(**row) for row in rows)


async def _measured(folder: Path, passages: Passages, models: Models) -> list[dict[str, Any]]:
    """An index, and a row for each way of searching it."""
    embedder, reranker = models.embedder, models.reranker
    space = await space_of(embedder) if embedder is not None else None
    index = EmbeddedIndex(folder, space)
    try:
        began = time.perf_counter()
        await fill(index, passages, embedder)
        built = round(time.perf_counter() - began, 3)
        ways: dict[str, Find] = {}
        if embedder is None:
            ways["bm25"] = index.search
        else:
            ways["vectors"] = _nearest(index, embedder)
            ways["bm25+vectors"] = _hybrid(Hybrid(index, embedder))
        if reranker is not None:
            best = "bm25+vectors" if embedder is not None else "bm25"
            ways[f"{best}+rerank"] = _hybrid(Hybrid(index, embedder, reranker))
        return [
            {"engine": name, **asdict(await score(find, passages)), "build_seconds": built}
            for name, find in ways.items()
        ]
    finally:
        await index.close()


def _nearest(index: EmbeddedIndex, embedder: Embedder) -> Find:
    async def find(wanted: Wanted, limit: int) -> list[Hit]:
        made = await embedder.embed([wanted.text], asked=True)
        return await index.nearest(replace(wanted, vector=made.vectors[0]), limit)

    return find


def _hybrid(hybrid: Hybrid) -> Find:
    async def find(wanted: Wanted, limit: int) -> list[Hit]:
        found = await hybrid.find(wanted, limit)
        if found.missing:
            raise found.missing[0]
        return found.hits

    return find
