"""The guard over texts of any kind: it fails on none, and cutting a stream changes nothing."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dazi.guard.engine import STOPPED, Guard
from dazi.guard.folding import fold, visible
from dazi.guard.patterns import Unbounded, first, opening, width
from dazi.guard.recognisers.registry import TYPES
from dazi.guard.rules import Rules
from dazi.guard.stream import StreamFilter
from dazi.guard.words import WordList
from tests.fuzz.inputs import bent_text, cut, fuzzed, long_text

WORDS = WordList({"敏感词": "high", "Project X": "medium"})
ALL = [*TYPES, "word:high", "word:medium", "word:low"]
GUARD = Guard(Rules({"output": dict.fromkeys(ALL, "mask")}), words=WORDS)
SAID = (
    "身份证11010519491231002X,手机138-0013-8000,卡6222021234567890123。",
    "电话:010-62345678转3,邮箱 张三@例子.公司 li.na@a.example,车牌京A12345",
    "password: hunter22x token=sk-abcdefghij0123456789ABCDEFGHIJ -----BEGIN PRIVATE KEY-----",
    "收货地址:浙江省杭州市西湖区文三路138号2幢301室,联系人:欧阳娜娜,护照E12345678",
    "IP 192.168.1.20 与 2001:db8::1,税号91110000600037341L,敏感词与 Project X",
)
LONG = long_text(
    "1", "13800138000", "11010519491231002X", "一", "路1号", "a@", ":", "密码", "\u200b", "1 "
)


@fuzzed
@given(bent_text(*SAID) | LONG | st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    verdict = GUARD.verdict(text, "output")
    assert not verdict.failed
    assert all(0 <= f.start < f.end <= len(text) for f in GUARD.scan(text))


@fuzzed
@given(bent_text(*SAID), st.lists(st.integers(0, 120), max_size=6))
def test_a_stream_is_masked_as_the_whole_text_is(text: str, cuts: list[int]) -> None:
    running = StreamFilter(GUARD, None, "zh")
    out = [running.push(piece) for piece in cut(text, cuts)]
    shown = "".join([*out, running.finish()])
    assert not running.stopped and STOPPED("zh") not in shown
    assert shown == GUARD.verdict(text, "output").text


@fuzzed
@given(bent_text(*SAID) | LONG)
def test_folding_is_stable(text: str) -> None:
    folded = fold(text).text
    assert fold(folded).text == folded
    assert fold(visible(text)).text == folded


PATTERNS = (
    r"YS[0-9]{6}(?:-[A-Z]{1,3})?",
    r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])",
    r"\Aab\Z|a{2,4}?b|[^ab]\d\w\s\D.",
    r"(?:AB|C(?:D|E){1,2}){0,1}x?(?=y)",
)


@fuzzed
@given(bent_text(*PATTERNS), bent_text("YS123456-AB", "13812345678", "aaab"))
def test_patterns_are_bounded_or_refused(pattern: str, text: str) -> None:
    """Of any of its matches every beginning is one that is waited for."""
    try:
        most = width(pattern)
        begun = opening(pattern)
        re.compile(f"[{first(pattern)}]")
    except (Unbounded, re.error):
        return
    for match in re.compile(pattern).finditer(text):
        assert len(match[0]) <= most
        for end in range(match.start() + 1, match.end() + 1):
            assert begun.match(text[:end], match.start())
