"""Reranking in this process: an OpenVINO model, worked on by one thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dazi.core.errors import OperatorError
from dazi.inference.encoders import IR
from dazi.inference.profiles import read_config
from dazi.inference.runtime import load_genai

MOST_TEXTS = 8
"""Of one batch, which is padded to its longest."""
_LONGEST = 1024
"""Tokens that are read of a question and a text together."""
_QWEN3 = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and "
    'the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n'
    "<|im_start|>user\n<Instruct>: Given a web search query, retrieve relevant passages that answer "
    "the query\n<Query>: {query}\n",
    "<Document>: {text}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
)
"""What Qwen3-Reranker was trained to read: its model card."""


class LocalReranker:
    """Implements ``core.engine.Reranker``. Making one loads the model. Raises ``OperatorError`` when
    ``folder`` holds no model that can be opened."""

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        missing = [name for name in IR if not (folder / name).is_file()]
        if missing:
            raise OperatorError(
                "model_missing",
                f"{folder} 里没有重排模型(缺少 {'、'.join(missing)});检查 DAZI_RERANK_MODEL",
                f"{folder} holds no reranking model ({', '.join(missing)} missing); check "
                "DAZI_RERANK_MODEL",
            )
        self._name = folder.resolve().name
        qwen3 = read_config(folder).get("model_type") == "qwen3"
        self._query, self._text = _QWEN3 if qwen3 else ("{query}", "{text}")
        pipeline = load_genai().TextRerankPipeline
        config = pipeline.Config()
        config.top_n = MOST_TEXTS
        config.max_length = _LONGEST
        if qwen3:
            config.padding_side = "left"
        properties: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads} if threads else {}
        try:
            self._pipeline = pipeline(str(folder), "CPU", config, **properties)
        except Exception as e:  # the edge of a foreign library
            raise self._failed(e) from e
        self._worker = ThreadPoolExecutor(1, "dazi-rerank")

    @property
    def name(self) -> str:
        return self._name

    async def rank(self, query: str, texts: Sequence[str]) -> list[float]:
        loop = asyncio.get_running_loop()
        scores: list[float] = []
        for at in range(0, len(texts), MOST_TEXTS):
            batch = texts[at : at + MOST_TEXTS]
            scores += await loop.run_in_executor(self._worker, self._scores, query, batch)
        return scores

    async def close(self) -> None:
        await asyncio.to_thread(self._worker.shutdown, cancel_futures=True)

    def _scores(self, query: str, texts: Sequence[str]) -> list[float]:
        asked = self._query.replace("{query}", query)
        given = [self._text.replace("{text}", text) for text in texts]
        try:
            found = dict(self._pipeline.rerank(asked, given))
        except Exception as e:  # the edge of a foreign library
            raise self._failed(e) from e
        return [float(found[i]) for i in range(len(texts))]

    def _failed(self, e: Exception) -> OperatorError:
        why = (str(e).strip().splitlines() or ["?"])[-1]
        return OperatorError(
            "rerank_failed",
            f"重排模型 {self._name} 用不了({why});检查 DAZI_RERANK_MODEL 的文件,"
            "它应是 OpenVINO 导出的重排模型",
            f"the reranking model {self._name} cannot be used ({why}); check the files of "
            "DAZI_RERANK_MODEL: it should be a reranker exported for OpenVINO",
        )
