"""Embeddings from any OpenAI-compatible server: vLLM, TEI, Infinity, a cloud."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from dazi.core.engine import Embedded
from dazi.core.errors import CallerError, DaziError, OperatorError, OverloadError
from dazi.inference.keyed import KeyedServer
from dazi.inference.remote import base_url
from dazi.net import Answer

LARGEST_ANSWER = 64 << 20
_EXCERPT = 300
_CALLERS = (400, 413, 422)


@dataclass(frozen=True, slots=True)
class EmbeddingOptions:
    """Operator configuration; nothing here may come from a request. ``whole_s`` bounds a request;
    ``question`` is put before questions."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    whole_s: float = 60.0
    question: str = ""


class _Vector(msgspec.Struct):
    index: int
    embedding: list[float]


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0


class _Answer(msgspec.Struct):
    data: list[_Vector]
    usage: _Usage = _Usage()


_DECODER = msgspec.json.Decoder(_Answer)


class RemoteEmbedder:
    """Implements ``core.engine.Embedder``. Opens no connection before the first request."""

    def __init__(self, options: EmbeddingOptions) -> None:
        self._options = options
        base = base_url(options.base_url)
        self._server = KeyedServer(base, options.api_key, options.whole_s)

    @property
    def name(self) -> str:
        return self._options.model

    @property
    def version(self) -> str:
        return ""

    async def embed(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        before = self._options.question if asked else ""
        given = [before + t for t in texts]
        body = msgspec.json.encode(
            {"model": self._options.model, "input": given, "encoding_format": "float"}
        )
        answer: Answer | None = None
        try:
            async with asyncio.timeout(self._options.whole_s):
                answer = await self._server.client().request("POST", "/embeddings", body)
                raw = await answer.whole(LARGEST_ANSWER)
            if answer.status != 200:
                raise _refusal(answer.status, raw[:_EXCERPT].decode("utf-8", "replace"))
            return _read(raw, len(texts))
        except OSError as e:
            raise _unusable(type(e).__name__) from e
        except msgspec.DecodeError as e:
            raise _unusable(str(e)[:_EXCERPT]) from e
        finally:
            if answer is not None:
                answer.close()

    async def close(self) -> None:
        await self._server.close()


def _read(raw: bytes, wanted: int) -> Embedded:
    """One finite vector of one length for each text, or none at all. Raises ``OperatorError``."""
    found = _DECODER.decode(raw)
    by_index = {v.index: v.embedding for v in found.data}
    vectors = [by_index[i] for i in range(wanted) if i in by_index]
    lengths = {len(v) for v in vectors}
    if len(vectors) != wanted or len(lengths) != 1 or 0 in lengths:
        raise _unusable(f"{len(found.data)} vectors of {len(lengths)} lengths for {wanted} texts")
    if not all(math.isfinite(x) for v in vectors for x in v):
        raise _unusable("a vector is not finite")
    return Embedded(vectors, found.usage.prompt_tokens)


def _refusal(status: int, said: str) -> DaziError:
    if status in (429, 503):
        return OverloadError(
            "model_busy", "向量服务繁忙,请稍后再试", "the embedding server is busy; try again later"
        )
    if status in _CALLERS:
        return CallerError(
            "model_refused",
            f"向量服务拒绝了这个请求:{said}",
            f"the embedding server refused the request: {said}",
        )
    return _unusable(f"status {status}")


def _unusable(why: str) -> OperatorError:
    return OperatorError(
        "embedding_server",
        f"向量服务用不了({why});检查 DAZI_EMBEDDING_URL、DAZI_EMBEDDING_MODEL 和那边的日志",
        f"the embedding server cannot be used ({why}); check DAZI_EMBEDDING_URL, "
        "DAZI_EMBEDDING_MODEL and its log",
    )
