from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dazi.core.errors import CallerError
from dazi.lab.evals.reading import CaseFile, read_cases
from tests.lab.scripted import HELDOUT

ONE = {
    "id": "a",
    "role": "customer",
    "today": "2025-04-03",
    "messages": [{"role": "user", "content": "ORD12345 到哪了"}],
    "expect": [{"name": "get_order_status", "arguments": {"order_id": "ORD12345"}}],
}


def written(folder: Path, *lines: Any) -> CaseFile:
    path = folder / "cases.jsonl"
    text = "\n".join(x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines)
    path.write_text(text, encoding="utf-8")
    return read_cases(path)


@pytest.mark.parametrize(
    ("name", "count"),
    [("cases.zh.jsonl", 200), ("cases.en.jsonl", 150), ("dialogues.jsonl", 40)],
)
def test_the_held_out_files_read_without_a_remark(name: str, count: int) -> None:
    found = read_cases(HELDOUT / name)
    assert not found.problems
    assert len(found.cases) >= count
    assert all(c.dialogue == (name == "dialogues.jsonl") for c in found.cases)


def test_a_single_case(tmp_path: Path) -> None:
    (case,) = written(
        tmp_path,
        ONE | {"alternative": [], "optional": ["search_knowledge"], "forbidden": True},
    ).cases
    (turn,) = case.turns
    assert (case.id, case.role, case.today, case.language) == (
        "a",
        "customer",
        date(2025, 4, 3),
        "zh",
    )
    assert turn.said == "ORD12345 到哪了"
    assert [c.name for c in turn.expect] == ["get_order_status"]
    assert turn.accepted[1:] == ((),)
    assert turn.optional == {"search_knowledge"}
    assert turn.forbidden and not case.dialogue
    assert case.source.endswith("cases.jsonl:1")


def test_alternatives_may_be_one_list_or_several(tmp_path: Path) -> None:
    call = {"name": "get_weather", "arguments": {}}
    one, several = written(
        tmp_path, ONE | {"alternative": [call]}, ONE | {"id": "b", "alternative": [[call], []]}
    ).cases
    assert [len(a) for a in one.turns[0].accepted] == [1, 1]
    assert [len(a) for a in several.turns[0].accepted] == [1, 1, 0]


def test_earlier_messages_become_history(tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "简短"},
        {"role": "user", "content": "查 ORD12345"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "x",
                    "function": {
                        "name": "get_order_status",
                        "arguments": '{"order_id": "ORD12345"}',
                    },
                }
            ],
        },
        {"role": "tool", "tool_call_id": "x", "content": '{"status": "packed"}'},
        {"role": "assistant", "content": "已打包"},
        {"role": "user", "content": "那它什么时候到?"},
    ]
    (case,) = written(tmp_path, ONE | {"messages": messages}).cases
    assert case.instructions == "简短"
    assert [e.message.role for e in case.history] == ["user", "assistant", "tool", "assistant"]
    called, answered = case.history[1:3]
    assert called.message.calls[0].name == "get_order_status"
    assert (answered.tool, answered.result) == ("get_order_status", {"status": "packed"})
    assert case.turns[0].said == "那它什么时候到?"


def test_a_dialogue(tmp_path: Path) -> None:
    turns = [
        {
            "user": "退款",
            "expect": [],
            "reply_has": ["订单", ["哪", "which"]],
            "reply_lacks": ["成功"],
        },
        {"user": "确认", "expect": [], "approval": "approve"},
    ]
    (case,) = written(tmp_path, {"id": "d", "role": "finance", "turns": turns}).cases
    first, second = case.turns
    assert case.dialogue and case.today is None
    assert first.reply_has == (("订单",), ("哪", "which"))
    assert first.reply_lacks == ("成功",)
    assert (first.approval, second.approval) == (None, "approve")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{not json", "Expecting property name"),
        ("[1, 2]", "Expected `object`, got `array`"),
        ({k: v for k, v in ONE.items() if k != "role"}, "missing required field `role`"),
        ({k: v for k, v in ONE.items() if k != "expect"}, "missing required field `expect`"),
        (ONE | {"today": "tomorrow"}, "$.today"),
        (ONE | {"expect": [{"arguments": {}}]}, "$.expect[0]"),
        (ONE | {"alternative": [{"nome": "x"}]}, "missing required field `name`"),
        (ONE | {"messages": []}, "messages or turns"),
        (ONE | {"turns": [{"user": "x", "expect": []}]}, "messages or turns"),
        (ONE | {"messages": [{"role": "assistant", "content": "x"}]}, "the user's"),
        (ONE | {"messages": [{"role": "robot", "content": "x"}]}, "$.messages[0].role"),
        (
            {"id": "d", "role": "x", "turns": [{"user": " ", "expect": []}]},
            "without the user's words",
        ),
        (
            {"id": "d", "role": "x", "turns": [{"user": "y", "expect": [], "approval": "maybe"}]},
            "maybe",
        ),
        (ONE, "used already"),
    ],
)
def test_a_bad_line_is_named_and_left_out(tmp_path: Path, line: Any, says: str) -> None:
    found = written(tmp_path, ONE, "", line)
    assert [c.id for c in found.cases] == ["a"]
    (problem,) = found.problems
    assert problem.skipped
    assert problem.where.endswith("cases.jsonl:3")
    assert says in problem.message("en")
    assert problem.message("zh").startswith(problem.where)


def test_slips_are_mentioned_and_the_case_is_used(tmp_path: Path) -> None:
    call = {"name": "get_weather", "arguments": {"city": {"hass": "x"}}}
    found = written(tmp_path, ONE | {"optinal": ["x"], "alternative": [call]})
    assert len(found.cases) == 1
    said = [p.message("en") for p in found.problems]
    assert any("optinal" in s for s in said)
    assert any("city" in s for s in said)
    assert not any(p.skipped for p in found.problems)


def test_nothing_to_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="cannot read"):
        read_cases(tmp_path / "none.jsonl")
    with pytest.raises(CallerError, match="the file is empty"):
        written(tmp_path, "")
    with pytest.raises(CallerError, match="no usable case"):
        written(tmp_path, "{")


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(ONE).encode() + b"\r\n\r\n")
    assert len(read_cases(path).cases) == 1
