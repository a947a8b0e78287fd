"""Embeddings in this process: a model's folder, worked on by one thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dazi.core.engine import Embedded
from dazi.core.errors import OperatorError
from dazi.inference.encoders import BERT, IR, Ready, open_encoder
from dazi.inference.profiles import ENCODER_PARTS, version_of
from dazi.inference.sentences import read_sentences

MOST_TEXTS, MOST_TOKENS = 32, 8192
"""Of one batch, padding included. A question waits for one batch of documents at most."""


@dataclass(frozen=True, slots=True)
class LocalEmbedding:
    """``question`` is put before questions, in place of what the model's folder says."""

    threads: int | None = None
    question: str = ""


class LocalEmbedder:
    """Implements ``core.engine.Embedder``. Making one loads the model.

    Of a text only as many tokens are read as the model takes. Raises ``OperatorError`` when
    ``folder`` holds no model that can be opened.
    """

    def __init__(self, folder: Path, options: LocalEmbedding = LocalEmbedding()) -> None:
        try:
            sentences = read_sentences(folder)
            encoder = open_encoder(folder, sentences, options.threads)
        except OperatorError:
            raise
        except Exception as e:  # the edge of a foreign library, and files of any content
            raise _unreadable(folder, str(e)) from e
        if encoder is None:
            raise _missing(folder)
        self._encoder = encoder
        self._question = options.question or sentences.question
        self._passage = sentences.passage
        self._name = folder.resolve().name
        self._version = f"{version_of(folder, ENCODER_PARTS)}-{sentences.pooling}"
        self._worker = ThreadPoolExecutor(1, "dazi-embedding")

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str:
        return self._version

    async def embed(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        loop = asyncio.get_running_loop()
        before = self._question if asked else self._passage
        vectors: dict[int, Sequence[float]] = {}
        tokens = 0
        try:
            ready = await loop.run_in_executor(
                self._worker, self._encoder.prepare, [before + t for t in texts]
            )
            for places in _batches(ready):
                batch = [ready[i] for i in places]
                made = await loop.run_in_executor(self._worker, self._encoder.vectors, batch)
                vectors |= zip(places, made.tolist(), strict=True)
                tokens += sum(r.tokens for r in batch)
        except Exception as e:  # the edge of a foreign library: it raises whatever C++ did
            raise OperatorError(
                "embedding_failed",
                f"向量模型 {self._name} 出错({e});检查内存和 DAZI_EMBEDDING_MODEL 的文件",
                f"the embedding model {self._name} failed ({e}); check the memory and the files of "
                "DAZI_EMBEDDING_MODEL",
            ) from e
        return Embedded([vectors[i] for i in range(len(texts))], tokens)

    async def close(self) -> None:
        await asyncio.to_thread(self._worker.shutdown, cancel_futures=True)


def _batches(ready: Sequence[Ready]) -> Iterator[list[int]]:
    """Places of texts of about one length, so that little is padding; the longest first, so that
    memory does not grow late."""
    batch: list[int] = []
    for i in sorted(range(len(ready)), key=lambda i: -ready[i].tokens):
        width = ready[batch[0]].tokens if batch else 0
        if batch and (len(batch) == MOST_TEXTS or (len(batch) + 1) * width > MOST_TOKENS):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _missing(folder: Path) -> OperatorError:
    kinds = " + ".join(IR), " + ".join(BERT)
    return OperatorError(
        "model_missing",
        f"{folder} 里没有向量模型:需要 {kinds[0]}(OpenVINO),或 {kinds[1]}(BERT 系列);"
        "检查 DAZI_EMBEDDING_MODEL",
        f"{folder} holds no embedding model: it takes {kinds[0]} (OpenVINO) or {kinds[1]} (BERT "
        "family); check DAZI_EMBEDDING_MODEL",
    )


def _unreadable(folder: Path, why: str) -> OperatorError:
    why = why.strip().splitlines()[-1] if why.strip() else "?"
    return OperatorError(
        "model_unreadable",
        f"无法载入 {folder} 里的向量模型({why});文件可能不完整,请重新复制",
        f"the embedding model in {folder} cannot be loaded ({why}); its files may be incomplete: "
        "copy them again",
    )
