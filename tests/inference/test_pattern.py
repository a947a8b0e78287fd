"""Patterns of parameters, as grammars."""

from __future__ import annotations

import json
import random
import re

import pytest

from dazi.inference.pattern import json_literal, pattern_body
from tests.inference.ebnf import Grammar

TRANSLATED = [
    r"^SO-\d{4,6}$",
    r"^[A-Z]{2}[0-9]+$",
    r"^(CNY|USD)? ?[0-9]+(\.[0-9]{2})?$",
    r"^1[3-9]\d{9}$",
    r"^[^,;\"]*$",
    r"^[\u4e00-\u9fa5]{2,4}$",
    r"^(?:a|b(c|d){2})x*$",
    r"^\[-\]\^$",
    r"^.+\S\D\W$",
    r"^[]a]-?$",
    r"abc",
    r"^(ab|cd)",
    r"x\$",
    r"^\"\\/$",
    r"^$",
]


@pytest.mark.parametrize("pattern", TRANSLATED)
def test_samples_match_the_pattern(pattern: str) -> None:
    body = pattern_body(pattern)
    assert body is not None
    g = Grammar(f'root ::= "\\"" {body} "\\""\n')
    for seed in range(200):
        text = g.sample(random.Random(seed))
        assert re.search(pattern, json.loads(text), re.ASCII), text


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"^SO-\d{4,6}$", "SO-12345", True),
        (r"^SO-\d{4,6}$", "SO-123", False),
        (r"^SO-\d{4,6}$", "xSO-12345", False),
        (r"\d", "a1b", True),
        (r"\d", "ab", False),
        (r'^"\\$', '"\\', True),
        (r"^[^<>]+$", 'a"b', False),  # narrower than the pattern: a quote would need an escape
        (r"^.{1,200}$", "x" * 300, True),  # wider: long repetitions are unbounded
        (r"^.{40,}$", "x", True),
        (r"^[a-c\-x]+$", "a-x", True),
        (r"^[+\-]?[0-9]+$", "+1", True),
        (r"^[\[\]^-]$", "^", True),
        (r"^[\[\]^-]$", "\\", False),
        (r"^[\w.-]+@[\w-]+\.[a-z]{2,}$", "li.lei-2@yunshan.cn", True),
        (r"^[\w.-]+@[\w-]+\.[a-z]{2,}$", "li@yunshan", False),
        (r"^\w+$", "李雷_1é", True),
        (r"^\w+$", "a b", False),
    ],
)
def test_translations(pattern: str, text: str, fits: bool) -> None:
    g = Grammar(f'root ::= "\\"" {pattern_body(pattern)} "\\""\n')
    assert g.matches(json.dumps(text, ensure_ascii=False)) is fits


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?=a)b", r"(?i)a", r"(?P<n>a)", r"a(?!b)", r"(a)\1", r"\bword\b", r"a*?", r"a++", r"^a|b$",
        r"a^b", r"a$b", r"[a-\"]", r"[ -~]", r"(a", r"a)", r"[a", r"a{2", r"a{x}", r"a{3,1}", r"*a",
        r"\p{L}", r"[[:alpha:]]", r"\u12", "a\\", r"a{2}{3}",
    ],
)  # fmt: skip
def test_the_rest_has_no_translation(pattern: str) -> None:
    assert pattern_body(pattern) is None


@pytest.mark.parametrize("seed", range(300))
def test_any_string_is_translated_or_refused(seed: int) -> None:
    r = random.Random(seed)
    pattern = "".join(r.choice(r"ab0^$.*+?{}[]()|\-,:d\sw1\u") for _ in range(r.randint(0, 12)))
    body = pattern_body(pattern)
    if body is not None:
        text = Grammar(f'root ::= "\\"" {body} "\\""\n').sample(r)
        json.loads(text)


def test_literals_survive_json_and_ebnf() -> None:
    for text in ('a"b', "a\\b", "a\nb\t\x01\x7f", "甲😀", "\ud800"):
        made = Grammar(f'root ::= "\\"" {json_literal(text)} "\\""\n').sample(random.Random(1))
        assert json.loads(made) == text.replace("\ud800", "\ufffd")
