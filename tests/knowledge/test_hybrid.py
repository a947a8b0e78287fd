"""One order of several, nothing twice, and words alone where a model does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dazi.core.engine import Embedded
from dazi.core.errors import OperatorError
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.duplicates import distinct
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.fusion import Ranking, fused
from dazi.knowledge.hybrid import Hybrid, passage_text
from dazi.knowledge.index import Entry, Hit, Wanted
from dazi.knowledge.vectors import space_of

ALL = frozenset({"all"})


def hit(document: str, text: str = "", ordinal: int = 0, revision: int = 1) -> Hit:
    return Hit(document, "标题", Chunk(ordinal, text or document), 1.0, revision)


def hits(names: str) -> list[Hit]:
    return [hit(n) for n in names]


def order(found: Sequence[Hit]) -> str:
    return "".join(h.document for h in found)


def test_ranks_are_added_up_by_weight() -> None:
    words, near = hits("abc"), hits("cad")
    found = fused(Ranking(words), Ranking(near))
    assert order(found) == "acbd"
    assert found[0].score == pytest.approx(1 / 61 + 1 / 62)
    assert found[1].score == pytest.approx(1 / 63 + 1 / 61)
    assert order(fused(Ranking(words, 1.0), Ranking(near, 0.0))) == "abcd"
    assert order(fused(Ranking(words, 0.0), Ranking(near, 1.0))) == "cadb"
    assert fused() == fused(Ranking([])) == []


def test_equal_ones_keep_the_first_order() -> None:
    assert order(fused(Ranking(hits("ab")), Ranking(hits("ba")))) == "ab"
    assert order(fused(Ranking(hits("b")), Ranking(hits("a")))) == "ba"


def test_chunks_and_revisions_are_apart() -> None:
    several = [hit("a", ordinal=0), hit("a", ordinal=1), hit("a", revision=2)]
    assert len(fused(Ranking(several), Ranking(several))) == 3


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
