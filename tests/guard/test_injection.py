"""Looking for anchors first finds what trying every expression finds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.security.injected import FILE
from dazi.core.signals import LABELS
from dazi.guard import hyperscan_anchors, injection
from dazi.guard.folding import fold
from dazi.guard.injection import signals
from dazi.guard.injection_signs import SIGNS
from dazi.guard.string_sets import StringSets
from dazi.ops.compliance.checks.content import HARMLESS, INJECTIONS

EVERY = range(len(SIGNS))
WORDS = sorted({a for sign in SIGNS for a in sign.anchors})
BETWEEN = [
    "以上", "所有", "指令", "规则", "系统", "系统提示词", "工具", "用户", "到", "给", "密码", "调用", "你", "是", "：",
    "all previous", "instructions", "your rules", "system prompt", " to ", "a@b.cn", "13812345", "http://x.y/?a=b)",
    "![x](http://a/?b)", "tool", "call", "user", "tell", "the", "now", "you must", "\n", " ", "。", ".", ":", "\u200b",
    "\u200d" * 8, "ı", "İ", "ſ", "\u212a", "Ｉgnore", "IGNORE", "\U0001f600", "\ud800",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from([*WORDS, *BETWEEN]) | st.text(max_size=3), max_size=12).map(
    "".join
)


def slowly(text: str) -> tuple[injection.Signal, ...]:
    return injection._signals(text, fold(text), EVERY)


@settings(deadline=None)
@given(TEXTS | st.builds(lambda t, upper: t.upper() if upper else t, TEXTS, st.booleans()))
def test_anchors_leave_nothing_out(text: str) -> None:
    assert signals(text) == slowly(text)


@settings(deadline=None)
@given(TEXTS)
def test_nor_without_hyperscan(text: str) -> None:
    plain = StringSets([sign.anchors for sign in SIGNS])
    plain.__dict__["_database"] = None
    folded = fold(text)
    assert injection._signals(text, folded, plain.present(folded)) == slowly(text)


@settings(deadline=None)
@given(
    st.sampled_from(SIGNS).flatmap(
        lambda s: st.tuples(st.just(s), st.from_regex(re.compile(s.pattern, re.I)))
    )
)
def test_no_match_is_without_an_anchor(made: tuple[Any, str]) -> None:
    sign, text = made
    assert slowly(text) == signals(text), sign.label


@pytest.mark.parametrize("text", [*INJECTIONS, *HARMLESS, FILE.read_text("utf-8")])
def test_written_texts_are_judged_the_same(text: str) -> None:
    assert signals(text) == slowly(text)
    folded = fold(text.upper())
    assert signals(text.upper()) == injection._signals(text.upper(), folded, EVERY)


def test_every_label_is_known() -> None:
    assert {sign.label for sign in SIGNS} | {"hidden"} == set(LABELS)


def test_a_text_without_anchors_is_tried_with_nothing() -> None:
    text = "您好,订单 ORD12345 已于 4 月 2 日发货,预计明天送达,请留意查收。"
    assert injection._ANCHORS.present(fold(text)) == set()
    assert injection._ANCHORS.present(fold("请忽略我")) == {0}


@pytest.mark.parametrize("broken", ["absent", "fails"])
def test_without_hyperscan_there_is_no_database(
    monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    real = hyperscan_anchors.hyperscan
    if broken == "absent":
        monkeypatch.setattr(hyperscan_anchors, "hyperscan", None)
    elif real is None:
        pytest.skip("no hyperscan here")
    else:
        monkeypatch.setattr(real, "Database", lambda **_: Failing(real))
    sets = StringSets([["忽略"], ["ab"]])
    assert sets.present(fold("忽略 AB")) == {0, 1} and sets.present(fold("x")) == set()
    assert sets._database is None


class Failing:
    def __init__(self, hyperscan: Any) -> None:
        self._error = hyperscan.HyperscanError

    def compile(self, **_: Any) -> None:
        raise self._error("no")
