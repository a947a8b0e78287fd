"""What the bundled model is taught must be what the product lets it do."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dazi.core.tools import Tool
from dazi.inference.spans import units
from dazi.router.grounding import Evidence, offer

MINI = Path(__file__).resolve().parents[2] / "models" / "mini"
sys.path.insert(0, str(MINI))

import generate  # noqa: E402
from phrasing import SLOT, BadPhrasing, Call  # noqa: E402

TODAY = date(2025, 6, 2)
MESSAGES = 60
"""Requests of each tool and language that are looked at."""


@cache
def maker() -> generate.Maker:
    return generate.Maker(20261128)


def requests() -> Iterator[tuple[str, str, str, Call]]:
    for language in generate.LANGUAGES:
        for name in maker().tools:
            if name == "generate_comparison_chart":
                continue  # what it draws is no part of what was said
            made = 0
            while made < MESSAGES:
                try:
                    text, call = maker().request(name, language)
                except BadPhrasing:
                    continue
                made += 1
                yield language, name, text, call


def unoffered(tool: Tool, said: str, call: Call) -> Iterator[str]:
    """Arguments of ``call`` that the grammar of a turn with this message would not allow."""
    evidence = Evidence(TODAY)
    evidence.said(said)
    offered = offer(tool, evidence, "zh", copies=True, concise=True)
    for name, value in call.arguments.items():
        if name in offered.candidates:
            wanted = str(value)
            known = set(offered.candidates[name])
            if wanted not in known and not any(_same_number(wanted, k) for k in known):
                yield f"{name}={value}"
        elif name in offered.spans and not any(
            _is_span(str(value), t) for t in offered.spans[name]
        ):
            yield f"{name}={value}"


def _same_number(a: str, b: str) -> bool:
    try:
        return float(a) == float(b)
    except ValueError:
        return False


def _is_span(value: str, text: str) -> bool:
    """Does ``value`` begin and end where units of ``text`` do?"""
    value = unicodedata.normalize("NFKC", value)
    starts, ends, at = set(), set(), 0
    for unit in units(text):
        at += len(unit.gap)
        starts.add(at)
        at += len(unit.text)
        ends.add(at)
    found = (m.start() for m in re.finditer(f"(?={re.escape(value)})", text))
    return any(i in starts and i + len(value) in ends for i in found)


def test_taught_arguments_can_be_given() -> None:
    """A few may fail where random values meet odd neighbours; a kind of them may not."""
    bad: Counter[str] = Counter()
    total: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for language, name, text, call in requests():
        key = f"{name}.{language}"
        total[key] += 1
        for problem in unoffered(maker().tools[name], text, call):
            bad[key] += 1
            examples[key] = f"{problem} in {text!r}"
    shares = {k: n / total[k] for k, n in bad.items()}
    assert max(shares.values(), default=0) <= 0.1, [examples[k] for k in shares if shares[k] > 0.1]
    assert sum(bad.values()) <= 0.02 * sum(total.values()), examples


def test_a_value_that_nobody_said_is_noticed() -> None:
    call = Call("get_order_status", {"order_id": "ORD99999"})
    tool = maker().tools["get_order_status"]
    assert list(unoffered(tool, "ORD12345到哪了", call)) == ["order_id=ORD99999"]


def test_every_line_can_be_used() -> None:
    """Lines of which no filling works are dead; random values may spoil a few."""
    failures = Counter(re.sub(r": [^:]* is not found$", "", p) for p in generate.unusable(maker()))
    dead = [line for line, count in failures.items() if count >= generate.TRIES]
    assert not dead


def test_conversations_are_whole() -> None:
    text = next(generate.conversations(7))
    assert text.startswith("<|im_start|>system\n")
    assert text.count("<|im_start|>") == text.count("<|im_end|>")


def held_out() -> Iterator[str]:
    for path in sorted((MINI / "heldout").rglob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            case: dict[str, Any] = json.loads(line)
            said = [t["user"] for t in case.get("turns", [])]
            yield from said or [m["content"] for m in case["messages"] if m["role"] == "user"]


def skeleton(text: str) -> str:
    """Letters alone: slots, numbers and punctuation left out."""
    text = SLOT.sub(lambda m: m[4] or "", text)
    return re.sub(r"[\W\d_]+", "", unicodedata.normalize("NFKC", text)).casefold()


TALK = ("no_tool", "two_calls", "acks", "cancels")


@pytest.mark.parametrize("language", generate.LANGUAGES)
def test_no_exam_question_is_taught(language: str) -> None:
    """A written line that is a held-out message word for word, values aside, would spoil it."""
    files = maker().files[language]
    lines = [line for lines in files["requests"].values() for line in lines]
    lines += [line for lines in files["missing"].values() for line in lines]
    lines += [line.partition("=>")[0] for kind in TALK for line in files[kind]]
    lines += [line.partition(":")[2] for line in files["followups"]]
    taught = {s for s in map(skeleton, lines) if len(s) > (8 if language == "zh" else 24)}
    assert taught
    assert not taught & {skeleton(said) for said in held_out()}
