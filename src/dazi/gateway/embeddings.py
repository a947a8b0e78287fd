"""``/v1/embeddings``: texts become vectors, under the same guard, limits and record as a question."""

from __future__ import annotations

import base64
import secrets
import struct
import time
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from dazi.agent.asking import taken
from dazi.core.engine import Usage
from dazi.core.errors import DaziError, NotFound
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.gateway.wire import Reader
from dazi.guard.hiding import hidden_text

MOST_TEXTS = 256


class EmbeddingRequest(Struct):
    """``input``: a text, or up to 256; token ids are not taken."""

    model: str
    input: str | list[str]
    encoding_format: str = "float"
    dimensions: Any = None


class EmbeddingView(Struct, frozen=True):
    """``embedding``: numbers, or 32-bit floats, little-endian, in Base64."""

    index: int
    embedding: list[float] | str
    object: str = "embedding"


class EmbeddingUsage(Struct, frozen=True):
    prompt_tokens: int
    total_tokens: int


class Embeddings(Struct, frozen=True):
    data: list[EmbeddingView]
    model: str
    usage: EmbeddingUsage
    object: str = "list"


EMBEDDING_REQUEST = Reader(EmbeddingRequest)


async def embeddings(x: Exchange) -> None:
    given = EMBEDDING_REQUEST.read(x.body)
    state, embedder = x.state, x.state.embedder
    if embedder is None:
        raise NotFound(
            "no_embeddings",
            "没有配置向量模型;请管理员设置 DAZI_EMBEDDING_URL 和 DAZI_EMBEDDING_MODEL",
            "no embedding model is set; the administrator sets DAZI_EMBEDDING_URL and "
            "DAZI_EMBEDDING_MODEL",
        )
    if given.model != embedder.name or not (x.grant is None or x.grant.allows_model(given.model)):
        raise NotFound(
            "model_not_found",
            f"没有向量模型 {given.model[:100]}",
            f"there is no embedding model {given.model[:100]}",
        )
    guard = state.service.agent.guard
    texts = [taken(guard, text, x.principal) for text in _texts(given)]
    key = x.key if state.service.limiter.limits_something else ""
    most = Usage(len(x.body) // 3, 0)
    admission = await state.service.limiter.admit(x.principal, embedder.name, most, key)
    used = Usage()
    try:
        turn = f"turn_{secrets.token_hex(10)}"
        body = {
            "embeddings": len(texts),
            "characters": sum(map(len, texts)),
            "roles": sorted(x.principal.roles),
            "channel": x.principal.channel,
            "model": embedder.name,
            "raw": True,
            "from": x.origin,
        }
        await state.ledger.append("turn", x.principal.user, turn, body)
        began, used = time.perf_counter(), most
        with x.until_gone():
            hidden = [hidden_text(guard, text, x.principal) for text in texts]
            found = await embedder.embed(hidden)
            used = Usage(found.tokens, 0)
            views = [
                EmbeddingView(i, _encoded(v, given.encoding_format))
                for i, v in enumerate(found.vectors)
            ]
            usage = EmbeddingUsage(found.tokens, found.tokens)
            await x.reply(encode(Embeddings(views, embedder.name, usage)))
            ms = round((time.perf_counter() - began) * 1000, 1)
            body = {"tokens": [found.tokens, 0], "reason": "stop", "ms": ms, "raw": True}
            if (cost := state.service.limiter.cost(embedder.name, used)) is not None:
                body["cost"] = cost
            state.ledger.put("answer", x.principal.user, turn, body)
    except DaziError:
        used = Usage()  # a server that fails gives all or nothing
        raise
    finally:
        await admission.settle(used)


def _texts(given: EmbeddingRequest) -> Sequence[str]:
    """Raises ``BadField``."""
    texts = [given.input] if isinstance(given.input, str) else given.input
    if not 0 < len(texts) <= MOST_TEXTS:
        raise BadField(
            "input", f"应有 1 到 {MOST_TEXTS} 段文字", f"must hold 1 to {MOST_TEXTS} texts"
        )
    for i, text in enumerate(texts):
        if not text.strip():
            raise BadField(f"input[{i}]", "是空的", "is empty", "empty")
    if given.encoding_format not in ("float", "base64"):
        raise BadField("encoding_format", "只能是 float 或 base64", "must be float or base64")
    if given.dimensions is not None:
        raise BadField("dimensions", "不支持,请去掉", "not supported; leave it out")
    return texts


def _encoded(vector: Sequence[float], form: str) -> list[float] | str:
    if form == "float":
        return list(vector)
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
