"""Files that people have, in the usual forms; what is none of them is told by its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dazi.lab.tuning.data.reading import files
from dazi.lab.tuning.data.reading.files import read_file
from dazi.lab.tuning.data.recipe import Fields, FileSource
from dazi.lab.tuning.data.samples import Draft
from dazi.lab.tuning.data.work import Refusing
from tests.lab.tuning_data.making_kit import lines


def read(path: Path, **more: Any) -> tuple[list[Draft], dict[str, int]]:
    refusing = Refusing("read", lambda line: None)
    source = FileSource(kind="file", path=str(path), **more)
    return list(read_file(source, path, path.name, refusing)), dict(refusing.counts)


CHAT = [{"role": "user", "content": "订单到哪了"}, {"role": "assistant", "content": "已发出"}]
CALL = {"type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
SHARED = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]


@pytest.mark.parametrize(
    ("row", "kind", "texts"),
    [
        ({"messages": CHAT}, "chat", ["订单到哪了", "已发出"]),
        ({"messages": CHAT, "kind": "qa"}, "qa", ["订单到哪了", "已发出"]),
        ({"messages": CHAT, "label": "物流"}, "class", ["订单到哪了", "已发出"]),
        ({"question": "问", "answer": "答"}, "qa", ["问", "答"]),
        ({"instruction": "翻译", "input": "好", "output": "good"}, "qa", ["翻译\n好", "good"]),
        ({"conversations": SHARED}, "chat", ["a", "b"]),
        ({"text": "一段话"}, "text", ["一段话"]),
        ({"text": "一段话", "label": "fraud"}, "class", ["一段话"]),
        ({"messages": [CHAT[0], {"role": "assistant", "content": None, "tool_calls": [CALL]}]}, "call",
         ["订单到哪了", ""]),
    ],
)  # fmt: skip
def test_forms_of_a_line(tmp_path: Path, row: dict[str, Any], kind: str, texts: list[str]) -> None:
    found, counts = read(lines(tmp_path, "a.jsonl", [row]))
    assert not counts and found[0].sample.kind == kind
    assert [m.content for m in found[0].sample.messages] == texts
    assert found[0].sample.source.ref == "a.jsonl:1" and len(found[0].sample.id) == 16


def test_what_is_no_sample_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"question": "q", "answer": "a"}\n\nnot json\n[1]\n{"x": 1}\n'
        b'{"messages": [{"role": "user", "content": "q"}]}\n'
        b'{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]}\n'
        b'{"question": " ", "answer": " "}\n'
    )
    refused: list[bytes] = []
    refusing = Refusing("read", refused.append)
    source = FileSource(kind="file", path="a")
    assert len(list(read_file(source, path, "a.jsonl", refusing))) == 1
    assert dict(refusing.counts) == {"unreadable": 2, "no_sample": 4}
    assert b'"a.jsonl:2"' in refused[0] and b"not json" not in b"".join(refused)


def test_csv_with_its_own_names_and_people(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = '谁,时间,内容,类别\nlin,2026-01-02T03:04:05,"多行\n内容",物流\nwang,,短,发票\n'
    path.write_text(rows, "utf-8-sig")
    fields = Fields(text="内容", label="类别", user="谁", at="时间")
    found, counts = read(path, fields=fields)
    assert not counts and [d.sample.label for d in found] == ["物流", "发票"]
    assert found[0].sample.source.user == "lin" and found[0].at > 1.7e9 and found[1].at == 0
    assert found[0].sample.messages[0].content == "多行\n内容"
    assert [d.sample.source.ref for d in found] == ["t.csv:3", "t.csv:4"]


def test_conversations_keep_together(tmp_path: Path) -> None:
    rows = [{"question": "q", "answer": str(n), "conversation": "c1"} for n in range(2)]
    found, _ = read(lines(tmp_path, "a.jsonl", rows))
    assert {d.sample.conversation for d in found} == {"a.jsonl#c1"}
    assert found[0].sample.id != found[1].sample.id


def test_paragraphs_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("第一段\n还是第一段\n\n\n第二段\n", "utf-8")
    found, _ = read(path, passages=True)
    assert [(d.sample.source.ref, d.sample.messages[0].content) for d in found] == [
        ("a.txt:1", "第一段\n还是第一段"),
        ("a.txt:5", "第二段"),
    ]
    assert all(d.passage for d in found)


@pytest.mark.parametrize(
    ("given", "at"),
    [
        (1_790_000_000, 1_790_000_000.0),
        ("1790000000.5", 1_790_000_000.5),
        (1_790_000_000_000, 1_790_000_000.0),
        ("2026-01-01T00:00:00+00:00", 1_767_225_600.0),
        ("9999-01-01T00:00:00+00:00", 0.0),
        (9e15, 0.0),
        (True, 0.0),
        ("soon", 0.0),
        (None, 0.0),
    ],
)
def test_when_something_was_said(given: object, at: float) -> None:
    assert files._time(given) == at
