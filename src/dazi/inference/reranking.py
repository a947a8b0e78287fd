"""Reranking by any server with a ``/rerank`` route: vLLM, Jina's and Cohere's form, and TEI's."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from dazi.core.errors import CallerError, DaziError, OperatorError, OverloadError
from dazi.inference.keyed import KeyedServer
from dazi.inference.remote import base_url
from dazi.net import Answer

LARGEST_ANSWER = 16 << 20
_EXCERPT = 300
_PATH = "/rerank"
_OTHER_FORM = 422
"""What a server says to a body without the field that it wants."""


@dataclass(frozen=True, slots=True)
class RerankOptions:
    """Operator configuration. ``url``: with ``/rerank`` at its end as it is, else that is added."""

    url: str
    model: str
    api_key: str = field(default="", repr=False)
    whole_s: float = 30.0


class _Result(msgspec.Struct):
    index: int
    relevance_score: float | None = None
    score: float | None = None

    @property
    def value(self) -> float:
        given = self.score if self.relevance_score is None else self.relevance_score
        return math.nan if given is None else given


class _Answer(msgspec.Struct):
    results: list[_Result]


class RemoteReranker:
    """Implements ``core.engine.Reranker``. Opens no connection before the first request."""

    def __init__(self, options: RerankOptions) -> None:
        self._options = options
        base = base_url(options.url).removesuffix(_PATH)
        self._server = KeyedServer(base, options.api_key, options.whole_s)
        self._field = "documents"

    @property
    def name(self) -> str:
        return self._options.model

    async def rank(self, query: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        try:
            async with asyncio.timeout(self._options.whole_s):
                status, raw = await self._asked(query, texts)
                if status == _OTHER_FORM:
                    self._field = "texts" if self._field == "documents" else "documents"
                    status, raw = await self._asked(query, texts)
            if status != 200:
                raise _refusal(status, raw[:_EXCERPT].decode("utf-8", "replace"))
            return _read(raw, len(texts))
        except OSError as e:
            raise _unusable(type(e).__name__) from e
        except msgspec.DecodeError as e:
            raise _unusable(str(e)[:_EXCERPT]) from e

    async def _asked(self, query: str, texts: Sequence[str]) -> tuple[int, bytes]:
        body = {"query": query, self._field: list(texts)}
        if self._field == "documents":
            body |= {"model": self._options.model}
        answer: Answer | None = None
        try:
            answer = await self._server.client().request("POST", _PATH, msgspec.json.encode(body))
            return answer.status, await answer.whole(LARGEST_ANSWER)
        finally:
            if answer is not None:
                answer.close()

    async def close(self) -> None:
        await self._server.close()


def _read(raw: bytes, wanted: int) -> list[float]:
    """A finite score for each text, or none at all. Raises ``OperatorError``."""
    found = msgspec.json.decode(raw, type=_Answer | list[_Result])
    results = found if isinstance(found, list) else found.results
    scores = {r.index: r.value for r in results}
    if sorted(scores) != list(range(wanted)) or not all(map(math.isfinite, scores.values())):
        raise _unusable(f"{len(results)} scores for {wanted} texts")
    return [scores[i] for i in range(wanted)]


def _refusal(status: int, said: str) -> DaziError:
    if status in (429, 503):
        return OverloadError(
            "model_busy", "重排服务繁忙,请稍后再试", "the reranking server is busy; try again later"
        )
    if status in (400, 413, _OTHER_FORM):
        return CallerError(
            "model_refused",
            f"重排服务拒绝了这个请求:{said}",
            f"the reranking server refused the request: {said}",
        )
    return _unusable(f"status {status}")


def _unusable(why: str) -> OperatorError:
    return OperatorError(
        "rerank_server",
        f"重排服务用不了({why});检查 DAZI_RERANK_URL、DAZI_RERANK_MODEL 和那边的日志",
        f"the reranking server cannot be used ({why}); check DAZI_RERANK_URL, DAZI_RERANK_MODEL and "
        "its log",
    )
