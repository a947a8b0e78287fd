"""The two kinds of models that turn texts into vectors in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dazi.inference.bert import BertShape, bert_graph
from dazi.inference.profiles import read_config
from dazi.inference.runtime import load_genai, load_openvino
from dazi.inference.safetensors import read_weights
from dazi.inference.sentences import Sentences
from dazi.inference.wordpiece import WordPiece

IR = ("openvino_model.xml", "openvino_tokenizer.xml")
BERT = ("model.safetensors", "tokenizer.json", "config.json")


@dataclass(frozen=True, slots=True)
class Ready:
    """A text as an encoder takes it, and how many tokens it has."""

    tokens: int
    content: Any


class Encoder(Protocol):
    """Used by one thread at a time."""

    def prepare(self, texts: Sequence[str]) -> list[Ready]: ...

    def vectors(self, batch: Sequence[Ready]) -> npt.NDArray[np.float32]:
        """A unit vector for each, in their order."""
        ...


def open_encoder(folder: Path, sentences: Sentences, threads: int | None) -> Encoder | None:
    """``None`` for a folder of neither kind. Raises whatever is wrong with its files."""
    properties: dict[str, Any] = {"INFERENCE_NUM_THREADS": threads} if threads else {}
    if _has(folder, IR):
        return IrEncoder(folder, sentences, properties)
    if _has(folder, BERT):
        return BertEncoder(folder, sentences, properties)
    return None


class IrEncoder:
    """A model that somebody exported for OpenVINO, with its tokenizer."""

    def __init__(self, folder: Path, sentences: Sentences, properties: dict[str, Any]) -> None:
        genai = load_genai()
        pipeline = genai.TextEmbeddingPipeline
        kinds = pipeline.PoolingType
        config = pipeline.Config()
        config.pooling_type = {
            "cls": kinds.CLS,
            "mean": kinds.MEAN,
            "last": kinds.LAST_TOKEN,
        }[sentences.pooling]
        config.normalize = True
        config.max_length = self._longest = sentences.longest
        if sentences.pooling == "last":
            config.padding_side = "left"
        self._tokenizer = genai.Tokenizer(str(folder))
        self._pipeline = pipeline(str(folder), "CPU", config, **properties)

    def prepare(self, texts: Sequence[str]) -> list[Ready]:
        if not texts:
            return []
        counts = self._tokenizer.encode(list(texts)).attention_mask.data.sum(axis=1)
        return [Ready(min(int(n), self._longest), t) for n, t in zip(counts, texts, strict=True)]

    def vectors(self, batch: Sequence[Ready]) -> npt.NDArray[np.float32]:
        return np.asarray(self._pipeline.embed_documents([r.content for r in batch]), np.float32)


class BertEncoder:
    """A model of the BERT family as it is published, without any export."""

    def __init__(self, folder: Path, sentences: Sentences, properties: dict[str, Any]) -> None:
        if sentences.pooling == "last":
            raise ValueError("BERT has no last token that has seen all: cls or mean")
        shape = BertShape.of(read_config(folder))
        weights = read_weights(folder / "model.safetensors")
        self._longest = min(sentences.longest, shape.positions)
        self._words = WordPiece.of(folder / "tokenizer.json")
        graph = bert_graph(shape, weights, sentences.pooling)
        table = next(w for n, w in weights.items() if n.endswith("word_embeddings.weight"))
        if self._words.highest >= len(table):
            raise ValueError("tokenizer.json has more words than the weights have vectors")
        # Vectors of one text must be the same on every machine: bfloat16 is a choice of some.
        exact = {"INFERENCE_PRECISION_HINT": "f32"}
        compiled = load_openvino().Core().compile_model(graph, "CPU", properties | exact)
        self._request = compiled.create_infer_request()

    def prepare(self, texts: Sequence[str]) -> list[Ready]:
        encoded = [self._words.encode(t, self._longest) for t in texts]
        return [Ready(len(ids), ids) for ids in encoded]

    def vectors(self, batch: Sequence[Ready]) -> npt.NDArray[np.float32]:
        width = max(r.tokens for r in batch)
        ids = np.zeros((len(batch), width), np.int64)
        mask = np.zeros((len(batch), width), np.int64)
        for row, ready in enumerate(batch):
            ids[row, : ready.tokens] = ready.content
            mask[row, : ready.tokens] = 1
        found = self._request.infer({"input_ids": ids, "attention_mask": mask})
        return np.array(next(iter(found.values())), np.float32)


def _has(folder: Path, names: Sequence[str]) -> bool:
    return all((folder / name).is_file() for name in names)
