"""How well passages are found: for each question, where its own passage stands among the results."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from dazi.core.engine import Embedder
from dazi.core.errors import CallerError
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.hybrid import passage_text
from dazi.knowledge.index import Entry, Hit, KnowledgeIndex, Wanted

TENANT = "eval"
ALL = frozenset({"all"})
DEPTH = 10
"""Results that are looked at; a passage further down counts as not found."""
_AT_ONCE = 64
Find: TypeAlias = Callable[[Wanted, int], Awaitable[Sequence[Hit]]]


@dataclass(frozen=True, slots=True)
class Passages:
    """``questions``: each with the number of the passage that answers it."""

    texts: tuple[str, ...]
    titles: tuple[str, ...]
    questions: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """``mrr``: the mean of 1/rank over the first ``DEPTH``. Times in milliseconds of a search."""

    passages: int
    questions: int
    recall_1: float
    recall_5: float
    mrr: float
    p50_ms: float
    p99_ms: float


def read_squad(path: Path) -> Passages:
    """A file in SQuAD's form: each paragraph is a passage. Raises ``CallerError``."""
    try:
        data = msgspec.json.decode(path.read_bytes())["data"]
        paragraphs = [(p, str(d.get("title", ""))) for d in data for p in d["paragraphs"]]
        texts = tuple(str(p["context"]) for p, _ in paragraphs)
        titles = tuple(title for _, title in paragraphs)
        questions = tuple(
            (str(q["question"]), i) for i, (p, _) in enumerate(paragraphs) for q in p["qas"]
        )
    except OSError as e:
        raise CallerError(
            "file", f"读不了 {path}:{e.strerror}", f"{path} cannot be read: {e.strerror}"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise CallerError(
            "squad",
            f"{path} 不是 SQuAD 格式(data / paragraphs / context / qas):{e!r}",
            f"{path} is not in SQuAD's form (data / paragraphs / context / qas): {e!r}",
        ) from None
    if not questions:
        raise CallerError("squad", f"{path} 里没有问题", f"{path} holds no question")
    return Passages(texts, titles, questions)


async def fill(index: KnowledgeIndex, passages: Passages, embedder: Embedder | None = None) -> None:
    """One chunk a passage, whatever its length; with a vector if there is a model."""
    entries = [
        Entry(TENANT, str(i), Chunk(0, text), title, ALL)
        for i, (text, title) in enumerate(zip(passages.texts, passages.titles, strict=True))
    ]
    if embedder is not None:
        read = [passage_text(e.title, e.chunk) for e in entries]
        vectors: list[Sequence[float]] = []
        for i in range(0, len(read), _AT_ONCE):
            vectors += (await embedder.embed(read[i : i + _AT_ONCE])).vectors
        entries = [replace(e, vector=v) for e, v in zip(entries, vectors, strict=True)]
    await index.add(entries)
    await index.commit()


async def score(find: Find, passages: Passages) -> Scores:
    """``find`` answers each question in turn."""
    ranks: list[int] = []
    times: list[float] = []
    for question, right in passages.questions:
        began = time.perf_counter()
        hits = await find(Wanted(question, TENANT, ALL), DEPTH)
        times.append((time.perf_counter() - began) * 1000)
        found = [hit.document for hit in hits]
        ranks.append(found.index(str(right)) + 1 if str(right) in found else 0)
    n = len(ranks)
    return Scores(
        len(passages.texts),
        n,
        sum(r == 1 for r in ranks) / n,
        sum(0 < r <= 5 for r in ranks) / n,
        sum(1 / r for r in ranks if r) / n,
        _percentile(times, 50),
        _percentile(times, 99),
    )


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered: list[Any] = sorted(values)
    return float(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)])
