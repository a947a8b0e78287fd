"""What the model was given, out of the ledger's record of a turn."""

from __future__ import annotations

from typing import Any

from dazi.audit.records import Record
from dazi.audit.sealing import Content
from dazi.audit.search import Found
from dazi.console import audit_texts
from dazi.console.audit_steps import told
from dazi.console.given import beside, considered, given_of, in_lines

TURN: dict[str, Any] = {
    "said": "报销",
    "considered": {"allowed": 14, "passed_over": ["list_orders"]},
}
ANSWER: dict[str, Any] = {
    "answer": "好",
    "context": {
        "layers": [
            ["rules", 420, 5_000, 1, 0],
            ["short", 900, 2_500, 3, 2, "limit", "folded"],
            ["of a later version", 1, 2, 3, 4],
        ],
        "tokens": 1_320,
        "limit": 5_000,
        "counted": True,
        "since": 12,
        "through": 11,
        "facts": ["f1", "f2"],
        "passages": ["doc#4"],
    },
}


def test_a_record_is_read_and_told() -> None:
    given = given_of(ANSWER)
    assert given is not None and given.counted and given.facts == ("f1", "f2")
    assert in_lines(given).en.splitlines() == [
        "rules: 420 / 5,000 · system message",
        "last turns: 900 / 2,500 · 3 turns word for word · 2 (no room, folded into older turns)",
        "total: 1,320 / 5,000",
        "last turns: from message 12 of the conversation on",
        "older turns: what came up to message 11, condensed",
        "facts: f1, f2",
        "passages: doc#4",
    ]
    assert considered(TURN, "zh") == "本人可用 14 个工具 · 想过没给:list_orders"


def test_what_was_not_counted_is_told_as_a_bound() -> None:
    given = given_of({"context": ANSWER["context"] | {"counted": False}})
    assert given is not None and in_lines(given).zh.startswith("规则: ≤ 420 / 5,000")


def test_records_of_before_tell_nothing() -> None:
    assert given_of({"answer": "好"}) is None and considered({"said": "好"}, "zh") == ""
    least = given_of({"context": {}})
    assert least is not None and beside(least, "zh") == []


def test_a_turn_step_by_step_shows_both() -> None:
    found = [
        Found(Record(n, 100.0 + n, kind, "li", "turn_1", "", "", ""), Content(body, "plain"))
        for n, (kind, body) in enumerate((("turn", TURN), ("answer", ANSWER)))
    ]
    begun, ended = told(found, lambda name: "").steps
    shown = {line.label: line.said for step in (begun, ended) for line in step.lines}
    assert "list_orders" in str(shown[audit_texts.CONSIDERED])
    assert "3 轮原文" in str(shown[audit_texts.GIVEN])
