"""The way to a Milvus server: its collections, and its errors in our words.

pymilvus's client for threads, in threads of its own: its asynchronous one calls itself experimental,
and lacks what milvus-lite needs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dazi.core.errors import OperatorError
from dazi.knowledge.milvus_rows import DIGEST, LONGEST_TEXT, MOST_READERS, space_digest
from dazi.knowledge.vectors import VectorSpace

PREFIX = "dazi_knowledge_"
WORDS = f"{PREFIX}words_1"
VECTORS = f"{PREFIX}vectors_1_"
"""The number is that of the form of rows."""
ANSWER_S = 5.0
WRITE_S = 60.0
AT_ONCE = 16
"""Requests under way: counts of terms are asked for together."""
T = TypeVar("T")

log = logging.getLogger("dazi.knowledge")


@dataclass(frozen=True, slots=True)
class MilvusAddress:
    """``url``: ``http://host:19530``, with ``/name`` behind it for a database of that name.
    ``token``: ``user:password`` or an API key."""

    url: str
    token: str = field(default="", repr=False)


class MilvusServer:
    """Connects with the first request, and again after a failure. Raises ``OperatorError`` at once for
    an address that is none and where pymilvus is not installed."""

    def __init__(self, address: MilvusAddress, space: VectorSpace | None) -> None:
        parts = urlsplit(address.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OperatorError(
                "milvus_url",
                "DAZI_MILVUS_URL 应是 http://主机:19530 或 https://…",
                "DAZI_MILVUS_URL must be http://HOST:19530 or https://...",
            )
        if find_spec("pymilvus") is None:
            raise OperatorError(
                "driver",
                "Milvus 的客户端没有装;请运行:pip install 'dazi[milvus]'",
                "the client for Milvus is not installed; run: pip install 'dazi[milvus]'",
            )
        self._address = address
        self._shown = f"{parts.hostname}:{parts.port or 19530}"
        self._space = space
        self.vectors = VECTORS + space_digest(space) if space is not None else ""
        self._client: Any = None
        self._opening = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, "milvus")

    async def call(self, work: Callable[[Any], T]) -> T:
        """``work`` with pymilvus's client. Raises ``OperatorError`` where the server does not answer,
        or not as it should."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, partial(self._called, work)
        )

    async def close(self) -> None:
        await asyncio.to_thread(self._forget)
        self._pool.shutdown(wait=False)

    def all_vectors(self, client: Any) -> list[str]:
        """The collections of vectors, those of earlier models too."""
        names = client.list_collections(timeout=ANSWER_S)
        return [n for n in names if n.startswith(VECTORS)]

    def _called(self, work: Callable[[Any], T]) -> T:
        from grpc import RpcError
        from pymilvus import MilvusException

        try:
            return work(self._opened())
        except (MilvusException, RpcError) as e:
            self._forget()
            said = getattr(e, "message", "") or str(e)
            raise OperatorError(
                "index_unavailable",
                f"Milvus({self._shown})没有完成请求:{said};检查它是否在运行,以及 DAZI_MILVUS_URL 和 "
                "DAZI_MILVUS_TOKEN",
                f"Milvus ({self._shown}) did not do what was asked: {said}; check that it runs, and "
                "DAZI_MILVUS_URL and DAZI_MILVUS_TOKEN",
            ) from None

    def _opened(self) -> Any:
        with self._opening:
            if self._client is None:
                self._client = self._connected()
            return self._client

    def _forget(self) -> None:
        """A connection that has broken once may not come back, and a server that was away may have to
        load its collections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Any:
        from pymilvus import MilvusClient

        # It writes a traceback for each request that fails; the error that is raised says it once.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        client = MilvusClient(
            self._address.url, token=self._address.token, timeout=ANSWER_S, dedicated=True
        )
        try:
            self._prepare(client)
        except BaseException:
            client.close()
            raise
        return client

    def _prepare(self, client: Any) -> None:
        names = set(client.list_collections(timeout=ANSWER_S))
        if WORDS not in names and any(n.startswith(PREFIX) for n in names):
            raise OperatorError(
                "index_version",
                f"Milvus({self._shown})里的知识索引是另一个版本写的;删去 {PREFIX}* 这些集合,"
                "重新索引文档",
                f"the knowledge index in Milvus ({self._shown}) was written by another version; drop "
                f"the collections {PREFIX}* and index the documents again",
            )
        _prepare(client, WORDS, _words())
        if self._space is not None:
            _prepare(client, self.vectors, _vectors(self._space.dimensions))


@dataclass(frozen=True, slots=True)
class _Shape:
    schema: Any
    field: str
    index: dict[str, Any]
    scalars: tuple[str, ...]


def _prepare(client: Any, name: str, shape: _Shape) -> None:
    """There, indexed and loaded afterwards, whoever else does the same just now."""
    from pymilvus import MilvusException

    if not client.has_collection(name, timeout=ANSWER_S):
        client.create_collection(
            name, schema=shape.schema, consistency_level="Strong", timeout=WRITE_S
        )
    there = set(client.list_indexes(name, timeout=ANSWER_S))
    if shape.field not in there:
        wanted = client.prepare_index_params()
        wanted.add_index(shape.field, index_name=shape.field, **shape.index)
        client.create_index(name, wanted, sync=False, timeout=WRITE_S)
    for scalar in shape.scalars:
        if scalar in there:
            continue
        wanted = client.prepare_index_params()
        wanted.add_index(scalar, index_name=scalar, index_type="INVERTED")
        try:
            client.create_index(name, wanted, sync=False, timeout=WRITE_S)
        except MilvusException as e:  # milvus-lite has none for arrays: it finds the same, slower
            log.info("no index of %s in %s: %s", scalar, name, e.message)
    client.load_collection(name, timeout=WRITE_S)


def _common() -> Any:
    from pymilvus import DataType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=DIGEST)
    for name in ("tenant", "document"):
        schema.add_field(name, DataType.VARCHAR, max_length=DIGEST)
    schema.add_field(
        "readers",
        DataType.ARRAY,
        element_type=DataType.VARCHAR,
        max_length=DIGEST,
        max_capacity=MOST_READERS,
    )
    for name in ("revision", "ordinal"):
        schema.add_field(name, DataType.INT64)
    return schema


def _words() -> _Shape:
    from pymilvus import DataType, Function, FunctionType

    schema = _common()
    schema.add_field("space", DataType.VARCHAR, max_length=DIGEST)
    schema.add_field("kept", DataType.VARCHAR, max_length=LONGEST_TEXT)
    schema.add_field(
        "terms",
        DataType.VARCHAR,
        max_length=LONGEST_TEXT,
        enable_analyzer=True,
        enable_match=True,
        analyzer_params={"tokenizer": "standard"},
    )
    schema.add_field("weights", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=["terms"],
            output_field_names=["weights"],
        )
    )
    index = {
        "index_type": "SPARSE_INVERTED_INDEX",
        "metric_type": "BM25",
        "params": {"bm25_k1": 1.2, "bm25_b": 0.75},
    }
    return _Shape(schema, "weights", index, ("tenant", "document", "space", "readers"))


def _vectors(dimensions: int) -> _Shape:
    from pymilvus import DataType

    schema = _common()
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimensions)
    index = {"index_type": "AUTOINDEX", "metric_type": "COSINE"}
    return _Shape(schema, "vector", index, ("tenant", "document", "readers"))
