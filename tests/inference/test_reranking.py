"""Reranking: servers of both forms, good and bad, and a model in this process."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from dazi.core.errors import CallerError, OperatorError, OverloadError
from dazi.inference.reranking import RemoteReranker, RerankOptions
from dazi.inference.reranking_local import LocalReranker
from dazi.inference.runtime import load_genai, load_openvino, load_opset
from tests.inference import bert_oracle as oracle


@dataclass
class Server:
    """Scores a text by its length; ``wants`` is the field that its form has."""

    url: str = ""
    wants: str = "documents"
    status: int = 200
    answer: Any = None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    async def rerank(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        self.paths.append(request.path)
        if self.wants not in body:
            return web.json_response({"error": f"missing field `{self.wants}`"}, status=422)
        if self.answer is not None or self.status != 200:
            return web.json_response(self.answer, status=self.status)
        texts = list(enumerate(body[self.wants]))
        best = sorted(texts, key=lambda t: -len(t[1]))
        if self.wants == "texts":
            return web.json_response([{"index": i, "score": len(t) / 8} for i, t in best])
        results = [
            {"index": i, "relevance_score": len(t) / 8, "document": {"text": t}} for i, t in best
        ]
        return web.json_response({"model": body["model"], "results": results, "usage": {}})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_post("/v1/rerank", made.rerank)
    app.router.add_post("/rerank", made.rerank)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_scores_stand_in_the_order_of_the_texts(server: Server) -> None:
    model = RemoteReranker(RerankOptions(server.url, "bge-reranker", "k3y"))
    assert await model.rank("问", ["ab", "abcd", "a"]) == [0.25, 0.5, 0.125]
    assert await model.rank("问", []) == []
    assert server.bodies == [
        {"query": "问", "documents": ["ab", "abcd", "a"], "model": "bge-reranker"}
    ]
    assert server.keys == ["Bearer k3y"] and server.paths == ["/v1/rerank"]
    await model.close()


async def test_the_other_form_is_learnt_once(server: Server) -> None:
    server.wants = "texts"
    model = RemoteReranker(RerankOptions(f"{server.url}/rerank", "m"))
    assert await model.rank("问", ["ab", "abcd"]) == [0.25, 0.5]
    assert await model.rank("问", ["a"]) == [0.125]
    assert [sorted(b) for b in server.bodies] == [
        ["documents", "model", "query"],
        ["query", "texts"],
        ["query", "texts"],
    ]
    assert set(server.paths) == {"/rerank"} and set(server.keys) == {""}
    await model.close()


@pytest.mark.parametrize(
    ("status", "answer", "raised"),
    [
        (500, {"error": "inside"}, OperatorError),
        (503, {}, OverloadError),
        (429, {}, OverloadError),
        (413, {"error": "too long"}, CallerError),
        (422, {"error": "neither"}, CallerError),
        (200, {"results": []}, OperatorError),
        (200, [{"index": 0, "score": 1.0}], OperatorError),
        (200, [{"index": 0}, {"index": 1, "score": 1.0}], OperatorError),
        (200, {"results": [{"index": 5, "score": 1.0}, {"index": 1, "score": 1.0}]}, OperatorError),
        (200, "text", OperatorError),
    ],
)
async def test_a_server_that_is_bad_is_told(
    server: Server, status: int, answer: Any, raised: type[Exception]
) -> None:
    server.status, server.answer = status, answer
    model = RemoteReranker(RerankOptions(server.url, "m"))
    with pytest.raises(raised):
        await model.rank("问", ["a", "b"])
    await model.close()


async def test_a_server_that_is_not_there() -> None:
    model = RemoteReranker(RerankOptions("http://127.0.0.1:9", "m"))
    with pytest.raises(OperatorError, match="DAZI_RERANK_URL"):
        await model.rank("问", ["a"])
    await model.close()
    with pytest.raises(OperatorError):
        RemoteReranker(RerankOptions("ftp://x", "m"))


def reranker(folder: Path, tokenizer: Path) -> np.ndarray:
    """A model whose score of a text is a sigmoid of the mean of its tokens' weights."""
    for name in ("openvino_tokenizer.xml", "openvino_tokenizer.bin"):
        shutil.copyfile(tokenizer / name, folder / name)
    ov, ops = load_openvino(), load_opset()
    weights = np.random.default_rng(1).normal(0, 3, (100_000, 1)).astype(np.float32)
    ids, mask = (ops.parameter([-1, -1], np.int64) for _ in range(2))
    ids.output(0).tensor.set_names({"input_ids"})
    mask.output(0).tensor.set_names({"attention_mask"})
    kept = ops.convert(ops.unsqueeze(mask, ops.constant(2)), "f32")
    each = ops.multiply(ops.gather(ops.constant(weights), ids, ops.constant(0)), kept)
    one = ops.constant([1])
    mean = ops.divide(ops.reduce_sum(each, one, False), ops.reduce_sum(kept, one, False))
    mean.output(0).tensor.set_names({"logits"})
    model = ov.Model([ops.result(mean)], [ids, mask], "rerank")
    ov.save_model(model, folder / "openvino_model.xml", compress_to_fp16=False)
    return weights[:, 0]


async def test_a_model_in_this_process(tmp_path: Path, model_folder: Path) -> None:
    weights = reranker(tmp_path, model_folder)
    oracle.write_json(tmp_path / "config.json", {"model_type": "bert"})
    model = LocalReranker(tmp_path)
    texts = [f"第{n}条 return policy" for n in range(20)]
    scores = await model.rank("退货", texts)
    await model.close()
    encoded = load_genai().Tokenizer(str(tmp_path)).encode([f"退货{t}" for t in texts])
    means = [
        weights[row][kept == 1].mean()
        for row, kept in zip(encoded.input_ids.data, encoded.attention_mask.data, strict=True)
    ]
    assert scores == pytest.approx([1 / (1 + np.exp(-m)) for m in means], abs=2e-3)


async def test_qwen3_reads_what_it_was_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the pipeline, because the smallest such model is gigabytes."""
    seen: list[tuple[str, list[str]]] = []
    configs: list[Any] = []

    class Pipeline:
        class Config:
            pass

        def __init__(self, folder: str, device: str, config: Any) -> None:
            configs.append(config)

        def rerank(self, query: str, texts: list[str]) -> list[tuple[int, float]]:
            seen.append((query, texts))
            return [(i, -float(i)) for i in range(len(texts))]

    class Genai:
        TextRerankPipeline = Pipeline

    monkeypatch.setattr("dazi.inference.reranking_local.load_genai", lambda: Genai)
    for name in ("openvino_model.xml", "openvino_tokenizer.xml"):
        (tmp_path / name).write_text("<net/>")
    oracle.write_json(tmp_path / "config.json", {"model_type": "qwen3"})
    model = LocalReranker(tmp_path)
    assert await model.rank("{text}?", ["a {query}", "b"]) == [0.0, -1.0]
    ((query, texts),) = seen
    assert query.endswith("<Query>: {text}?\n") and "<Instruct>: " in query
    assert texts[0].startswith("<Document>: a {query}<|im_end|>")
    assert configs[0].padding_side == "left" and configs[0].top_n >= 2
    await model.close()


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="holds no reranking model"):
        LocalReranker(tmp_path)
    for name in ("openvino_model.xml", "openvino_tokenizer.xml"):
        (tmp_path / name).write_text("<net/>")
    with pytest.raises(OperatorError, match="exported for OpenVINO"):
        LocalReranker(tmp_path)
