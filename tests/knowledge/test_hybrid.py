"""One order of several, nothing twice, and words alone where a model does not answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dazi.core.engine import Embedded
from dazi.core.errors import OperatorError
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.duplicates import distinct
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.fusion import fused
from dazi.knowledge.hybrid import Hybrid, passage_text
from dazi.knowledge.index import Entry, Hit, Wanted
from dazi.knowledge.vectors import space_of
from dazi.main.search_eval import Models, evaluate
from tests.inference import bert_oracle as oracle
from tests.main.test_commands import dazi

ALL = frozenset({"all"})


def hit(document: str, text: str = "", ordinal: int = 0, revision: int = 1) -> Hit:
    return Hit(document, "标题", Chunk(ordinal, text or document), 1.0, revision)


def scored(**scores: float) -> list[Hit]:
    return [replace(hit(name), score=score) for name, score in scores.items()]


def order(found: Sequence[Hit]) -> str:
    return "".join(h.document for h in found)


def test_scores_are_added_up() -> None:
    words, near = scored(a=8.0, b=4.0, c=2.0), scored(c=0.75, a=0.5, d=0.25)
    found = fused(words, near, 2.0)
    assert order(found) == "acbd"
    assert [h.score for h in found] == [1 + 2 * 0.25, 0.25 + 2 * 0.5, 0.5, 0.0]
    assert order(fused(words, near, 4.0)) == "cabd"
    assert order(fused(words, [], 4.0)) == "abc" and order(fused([], near)) == "cad"
    assert fused([], []) == []


def test_a_model_that_finds_all_alike_has_little_to_say() -> None:
    words = scored(a=8.0, b=7.0)
    assert order(fused(words, scored(b=0.91, c=0.90, a=0.89))) == "abc"
    assert order(fused(words, scored(b=0.81, c=0.20, a=0.19))) == "bac"


def test_equal_ones_keep_the_order_of_words() -> None:
    assert order(fused(scored(a=1.0, b=1.0), scored(c=0.5))) == "abc"
    assert order(fused(scored(b=0.0), scored(a=0.5))) == "ba"


def test_chunks_and_revisions_are_apart() -> None:
    several = [hit("a", ordinal=0), hit("a", ordinal=1), hit("a", revision=2)]
    assert len(fused(several, several)) == 3


RULE = "员工请年假须提前三个工作日在系统中提出申请,由直接主管批准后生效,未经批准不得离岗。"


@pytest.mark.parametrize(
    ("better", "worse", "kept"),
    [
        (RULE, RULE, 1),
        (RULE, f"  {RULE.replace(',', ', ')}\n", 1),
        ("附注。" + RULE, RULE, 1),
        (RULE, RULE + "离岗超过一天的按旷工处理,并通知人事部门,直到补办手续为止。", 2),
        (RULE, RULE.replace("三个", "五个"), 2),
        (RULE, "差旅费在出差结束后一个月内报销,逾期须由部门负责人说明理由。", 2),
        (
            "ＡＢＣ policy: Keep receipts for all meals.",
            "abc policy, keep receipts for all meals",
            1,
        ),
        ("退货", "退货", 1),
        ("退货", "换货", 2),
    ],
)
def test_what_a_better_one_holds_is_left_out(better: str, worse: str, kept: int) -> None:
    found = distinct([hit("a", better), hit("b", worse)])
    assert order(found) == "ab"[:kept]


def test_duplicates_do_not_depend_on_each_other() -> None:
    rest = [hit("c", "另一条规定,内容完全不同,讲的是报销。")]
    assert order(distinct([hit("a", RULE), *rest, hit("b", RULE)])) == "ac"
    assert distinct([]) == []


@dataclass
class Meanings:
    """An embedder that knows which words mean the same."""

    fails: bool = False
    asked: list[bool] = field(default_factory=list)
    name: str = "meanings"
    version: str = ""

    async def embed(self, texts: Sequence[str], *, asked: bool = False) -> Embedded:
        self.asked.append(asked)
        if self.fails:
            raise OperatorError("embedding_server", "坏了", "down")
        groups = (("退货", "send back"), ("年假", "holiday"), ("VPN", "tunnel"))
        vectors = [[0.1, *(float(any(w in t for w in g)) for g in groups)] for t in texts]
        return Embedded(vectors, 0)

    async def close(self) -> None: ...


@dataclass
class Judge:
    """A reranker that likes long texts."""

    fails: bool = False
    seen: list[str] = field(default_factory=list)
    name: str = "judge"

    async def rank(self, query: str, texts: Sequence[str]) -> list[float]:
        if self.fails:
            raise OperatorError("rerank_server", "坏了", "down")
        self.seen = list(texts)
        return [float(len(t)) for t in texts]

    async def close(self) -> None: ...


@pytest.fixture
async def index(tmp_path: Path) -> EmbeddedIndex:
    model = Meanings()
    made = EmbeddedIndex(tmp_path, await space_of(model))
    texts = ["退货期限为七天。", "年假为五天,入职满一年后可以使用,当年有效。", "VPN 用工号登录。"]
    entries = [Entry("a", str(i), Chunk(0, t, ("章",)), "手册", ALL) for i, t in enumerate(texts)]
    vectors = (await model.embed([passage_text(e.title, e.chunk) for e in entries])).vectors
    await made.add([replace(e, vector=v) for e, v in zip(entries, vectors, strict=True)])
    await made.commit()
    return made


async def test_meaning_finds_what_words_do_not(index: EmbeddedIndex) -> None:
    model = Meanings()
    ask = Wanted("how do I send back", "a", ALL)
    assert await index.search(ask) == []
    found = await Hybrid(index, model).find(ask, 1)
    assert order(found.hits) == "0" and found.missing == () and model.asked == [True]
    assert order((await Hybrid(index).find(Wanted("年假", "a", ALL))).hits) == "1"
    assert (await Hybrid(index, model).find(Wanted("send back", "a", frozenset()))).hits == []
    assert (await Hybrid(index, model).find(Wanted("  ", "a", ALL))).hits == []
    await index.close()


async def test_the_reranker_orders_the_best(index: EmbeddedIndex) -> None:
    judge = Judge()
    found = await Hybrid(index, Meanings(), judge).find(Wanted("send back", "a", ALL), 2)
    assert order(found.hits) == "12" and len(judge.seen) == 3
    assert judge.seen[0] == "手册 / 章\n退货期限为七天。"
    await index.close()


async def test_models_that_are_down_leave_the_rest(index: EmbeddedIndex) -> None:
    broken = Hybrid(index, Meanings(fails=True), Judge(fails=True))
    found = await broken.find(Wanted("退货和年假", "a", ALL))
    assert sorted(order(found.hits)) == ["0", "1"]
    assert [e.code for e in found.missing] == ["embedding_server", "rerank_server"]
    await index.close()


SQUAD = """{"data": [{"title": "手册", "paragraphs": [
 {"context": "退货期限为七天。", "qas": [{"question": "how to send back"}]},
 {"context": "年假为五天,入职满一年后可以使用。", "qas": [{"question": "年假"}]}]}]}"""


async def test_each_way_of_searching_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    await asyncio.to_thread(path.write_text, SQUAD, "utf-8")
    told = json.loads(
        await evaluate(path, "squad", "zh", Models(Meanings(), Judge()), json_out=True)
    )
    rows = {row["engine"]: row["recall_1"] for row in (told, *told["engines"])}
    assert rows == {
        "bm25": 0.5,
        "bm25+rerank": 0.5,
        "vectors": 1.0,
        "bm25+vectors": 1.0,
        "bm25+vectors+rerank": 0.5,
    }
    lines = await evaluate(path, "squad", "en", Models(Meanings()), json_out=False)
    assert [line.split(":")[0].rpartition(" ")[2] for line in lines.splitlines()] == [
        "bm25",
        "vectors",
        "bm25+vectors",
    ]
    with pytest.raises(OperatorError, match="down"):
        await evaluate(path, "squad", "en", Models(Meanings(), Judge(fails=True)), json_out=True)


def test_the_command_takes_the_models_of_the_settings(tmp_path: Path) -> None:
    oracle.write_bert(tmp_path / "model")
    (tmp_path / "q.json").write_text(SQUAD, "utf-8")
    model = str(tmp_path / "model")
    told = dazi("knowledge", "eval", str(tmp_path / "q.json"), "--json", DAZI_EMBEDDING_MODEL=model)
    assert [row["engine"] for row in json.loads(told.stdout)["engines"]] == [
        "vectors",
        "bm25+vectors",
    ]
    assert "engines" not in dazi("knowledge", "eval", str(tmp_path / "q.json"), "--json").stdout
