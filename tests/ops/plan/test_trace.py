"""Traces: out of the ledger without anybody in them, through a file, into the simulator."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dazi.audit.records import Record
from dazi.core.errors import CallerError
from dazi.main.cli import complete
from dazi.ops.plan.simulate.recording import Recorder
from dazi.ops.plan.simulate.scenario import Scaling, Scenario, Servers, simulate
from dazi.ops.plan.simulate.trace import (
    Head,
    Line,
    Trace,
    head_of,
    lines_of,
    of_lines,
    read,
    write,
)
from dazi.ops.plan.simulate.traffic import Traffic, generate

MONDAY_NINE = 1_743_411_600.0  # 2025-03-31 09:00 UTC
SECRETS = ("li.lei", "wang", "13800138000", "退款", "ORD12345", "10.0.0.7", "thread-9")


def ledger() -> list[Record]:
    made: list[Record] = []

    def add(kind: str, at: float, user: str, turn: str, **body: object) -> None:
        text = json.dumps(body, ensure_ascii=False)
        made.append(Record(len(made) + 1, at, kind, user, turn, text, "", ""))

    for i, user in enumerate(("li.lei", "wang", "li.lei")):
        at, turn = MONDAY_NINE + 60 * i, f"turn_{i}"
        said = f"手机 13800138000 要退款 ORD12345 {user}"
        add("turn", at, user, turn, said=said, model="Qwen3-14B", thread="thread-9",
            **{"from": {"address": "10.0.0.7"}})  # fmt: skip
        add("call", at + 1, user, turn, tool="request_refund", arguments={"order_id": "ORD12345"})
        calls = [{"tool": "request_refund", "outcome": "ok"}] * i
        add("answer", at + 4, user, turn, answer="ORD12345 已退款", calls=calls,
            tokens=[1000 + i, 50 + i], requests=3 if i == 1 else i + 1, ms=4000.0)  # fmt: skip
    add("turn", MONDAY_NINE + 300, "wang", "raw", raw=True, model="law", tokens=[7, 8], ms=1000.0)
    add(
        "answer", MONDAY_NINE + 400, "wang", "noted", answer="记住了", calls=[], tokens=[0, 0], ms=2
    )
    add("sign_in", MONDAY_NINE + 500, "wang", "", ok=True)
    return made


def recorded() -> Recorder:
    recorder = Recorder(8 * 3600.0)
    for record in ledger():
        recorder.note(record)
    return recorder


def test_a_recording_has_figures_and_nobody(tmp_path: Path) -> None:
    recorder = recorded()
    path = tmp_path / "day.jsonl"
    assert write(path, recorder.head(), recorder.lines()) == 4
    text = path.read_text("utf-8")
    assert not [s for s in SECRETS if s in text]
    assert str(int(MONDAY_NINE))[:5] not in text, "no date either"
    head, *lines = [json.loads(line) for line in text.splitlines()]
    assert head == {"dazi_trace": 1, "second_of_week": (9 + 8) * 3600, "seconds": 299.0}
    assert [line["t"] for line in lines] == [0.0, 60.0, 120.0, 299.0]
    assert [(line["prompt"], line["answer"], line.get("calls", 0)) for line in lines] == [
        (1000, 50, 0), (1001, 51, 1), (1002, 52, 2), (7, 8, 0),
    ]  # fmt: skip
    # Where it was asked once more than for its calls, an answer was made again.
    assert [line.get("requests", 0) for line in lines] == [1, 3, 3, 0]
    assert read(path).rounds.tolist() == [1, 3, 3, 1]
    assert [line["model"] for line in lines] == ["Qwen3-14B"] * 3 + ["law"]
    first, second, third, raw = (line["user"] for line in lines)
    assert first == third != second == raw
    assert set(first) <= set("0123456789abcdef")


def test_two_recordings_cannot_be_joined() -> None:
    mine, yours = ([line.user for line in recorded().lines()] for _ in range(2))
    assert not set(mine) & set(yours)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    made = generate(Traffic(users=50, days=0.5, seed=4))
    path = tmp_path / "t.jsonl"
    assert write(path, head_of(made), lines_of(made)) == len(made)
    found = read(path)
    assert np.allclose(found.at, made.at, atol=6e-4)
    for column in ("prompt", "answer", "calls", "rounds"):
        assert (getattr(found, column) == getattr(made, column)).all()
    assert (found.seconds, found.second_of_week) == (made.seconds, made.second_of_week)
    same = found.user[:, None] == found.user[None, :]
    assert (same == (made.user[:, None] == made.user[None, :])).all(), "who is who"


def test_a_recorded_day_is_simulated() -> None:
    trace = of_lines(recorded().head(), list(recorded().lines()))
    done = simulate(Scenario(servers=Servers(), scaling=Scaling("fixed", 1), trace=trace))
    assert done.summary.turns == done.summary.answered == 4
    assert (trace.fresh <= trace.prompt).all() and (trace.fresh[:1] == 1000).all()


def test_one_user_in_so_many_keeps_all_that_they_ask() -> None:
    made = generate(Traffic(users=300, days=0.5, seed=4))
    part = made.of_users(3)
    assert 0.2 < len(part) / len(made) < 0.5
    assert set(part.user.tolist()) < set(made.user.tolist())
    kept = np.isin(made.user, part.user)
    assert kept.sum() == len(part) and isinstance(part, Trace)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1), ('{"dazi_trace": 2}', 1), ('{"dazi_trace": 1}\n{"t": 1}', 2),
        ('{"dazi_trace": 1}\n\n{"t": -1, "prompt": 1, "answer": 1}', 3),
        ('{"dazi_trace": 1}\n{"t": 1, "prompt": 1, "answer": 1, "said": "你好"}', 2),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(CallerError, match=f"line {line} "):
        read(path)
    with pytest.raises(CallerError):
        read(tmp_path / "none")
    with pytest.raises(CallerError):
        write(tmp_path / "no" / "folder", Head(1), [Line(0, 1, 1)])


def run(*given: str) -> str:
    done = CliRunner().invoke(complete(), ["plan", *given], env={"DAZI_LANG": "en"})
    assert done.exit_code == 0, done.output
    return str(done.output)


def test_the_command_simulates_and_takes_a_trace(tmp_path: Path) -> None:
    made = generate(Traffic(users=30, days=0.5, seed=4))
    write(tmp_path / "t.jsonl", head_of(made), lines_of(made))
    given = ("simulate", "--trace", str(tmp_path / "t.jsonl"), "--policy", "fixed")
    plain = json.loads(run(*given, "--json"))
    assert plain["summary"]["turns"] == len(made) and plain["traffic"] == "recorded"
    assert f"came: {len(made):,}" in run(*given)
    again = json.loads(run("simulate", "--users", "40", "--seed", "7", "--json"))
    assert again["traffic"] == asdict(Traffic(users=40, seed=7))
    assert again["summary"]["replicas"] >= 1 and len(again["course"]["at"]) == 96
    assert json.loads(run("--json"))["model"] == "Qwen/Qwen3-14B", "and plan alone as before"


def test_the_command_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "data"))
    out = tmp_path / "t.jsonl"
    assert "0 turns" in run("record", str(out))
    assert len(read(out)) == 0
