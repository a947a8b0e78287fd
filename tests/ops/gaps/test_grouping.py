"""Which ends tell of a gap, and which questions are the same."""

from __future__ import annotations

import random
import re
from itertools import combinations
from pathlib import Path

import pytest

from dazi.agent.closing import NOTHING_CERTAIN
from dazi.core.language import Language
from dazi.core.learning import Ended
from dazi.core.principal import Principal
from dazi.ops.gaps.likeness import grouped, grouped_by_vectors, likeness, most_central, terms_of
from dazi.ops.gaps.noticing import noticed
from dazi.ops.gaps.suggesting import Around, suggested

WHO = Principal("li", frozenset())
DOC, ORDER = "document:search_knowledge", "tool:get_order_status"


def ended(
    answer: str, *outcomes: tuple[str, str], said: str = "食堂几点开?", language: Language = "zh"
) -> Ended:
    return Ended(WHO, "th", "turn", said, answer, language, outcomes)


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        (ended("公司文档里没有写这一点。", (DOC, "not_found")), "not_found"),
        (ended("食堂 11:30 开。", (DOC, "not_found"), (DOC, "ok")), None),
        (ended("食堂 11:30 开。", (DOC, "ok")), None),
        (ended("抱歉,我不清楚食堂的时间。"), "unsure"),
        (ended("I'm not sure about the canteen.", language="en"), "unsure"),
        (ended("I could not find that.", language="en"), "unsure"),
        (ended(NOTHING_CERTAIN("zh")), "unsure"),
        (ended("没有这个订单。", (ORDER, "not_found")), None),
        (ended("您没有权限。", (ORDER, "forbidden")), None),
        (ended("您好!有什么可以帮您?"), None),
        (ended("抱歉,我不清楚。", said=""), None),
        (ended("食堂 11:30 开。" + "很" * 100 + "不清楚的话请再问。"), None),
    ],
)
def test_what_tells_of_a_gap(turn: Ended, why: str | None) -> None:
    assert noticed(turn) == why


def labelled() -> list[list[str]]:
    """Groups of questions that ask for the same."""
    text = Path(__file__).with_name("questions.txt").read_text("utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return [block.split("\n") for block in re.split(r"\n{2,}", lines.strip())]


def pairs_found(groups: list[list[str]]) -> tuple[float, float]:
    """Precision and recall of the pairs that are put together, over five orders of the questions."""
    asked = [(t, i) for i, group in enumerate(groups) for t in group]
    right = wrong = missed = 0
    for seed in range(5):
        random.Random(seed).shuffle(asked)
        found = grouped([t for t, _ in asked])
        whole = zip(found, (i for _, i in asked), strict=True)
        for (a, same), (b, other) in combinations(whole, 2):
            right += a == b and same == other
            wrong += a == b and same != other
            missed += a != b and same == other
    return right / (right + wrong), right / (right + missed)


def test_questions_that_ask_for_the_same_are_one_gap() -> None:
    """Measured on the half of the questions that did not choose the threshold."""
    held_out = [g for i, g in enumerate(labelled()) if i // 2 % 2]
    precision, recall = pairs_found(held_out)
    print(f"held out: {precision:.3f} {recall:.3f}; all: {pairs_found(labelled())}")
    assert precision > 0.9 and recall > 0.7
    texts = [t for g in held_out for t in g]
    assert grouped(texts) == grouped(texts)


def test_different_questions_about_one_thing_stay_apart() -> None:
    found = grouped(
        [
            "食堂几点开门?",
            "食堂可以带客户吃饭吗",
            "年假有几天",
            "病假要交什么材料",
            "停车位怎么申请",
        ]
    )
    assert len(set(found)) == 5


def test_vectors_group_by_meaning() -> None:
    assert grouped_by_vectors([[1.0, 0.0], [0.0, 2.0], [3.0, 0.1], [0.0, 0.0]]) == [0, 1, 0, 3]


def test_likeness_is_a_cosine() -> None:
    assert likeness(frozenset("ab"), frozenset("ab")) == pytest.approx(1.0)
    assert likeness(frozenset("ab"), frozenset("bc")) == pytest.approx(0.5)
    assert likeness(frozenset(), frozenset("a")) == 0.0 and terms_of("") == frozenset()


def test_a_document_is_suggested_with_what_it_must_say_and_whom_to_ask() -> None:
    texts = ["食堂几点开门?", "食堂中午几点开?", "食堂可以带客户吃饭吗"]
    found = suggested(texts, Around((), {}, ("hr", "admin")), "zh")
    assert found.title.startswith("关于“食堂") and "?" not in found.title
    assert texts[most_central(texts)] == found.outline[0] and texts[2] in found.outline
    assert found.ask == ("管理文档的人(hr, admin)",)
    assert "For whom it holds" in suggested(["canteen hours?"], Around((), {}, ()), "en").outline[1]
