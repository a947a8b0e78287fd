"""``dazi prompts`` and ``dazi experiments``: whoever may not change does not; replays compare pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dazi.core.errors import AccessError, CallerError
from dazi.lab.evals.cases import Case, CaseTurn
from dazi.lab.evals.scoring import CaseResult, judge
from dazi.lab.evals.turns import SeenTurn
from dazi.main.cli import add
from dazi.main.experiments_terminal import _shares, simulate
from dazi.main.prompts import read_prompt
from dazi.main.replaying import compare, exported_cases

VERSION = "zh: 今天是{today}。先说结论。\nnote: 先说结论\n"
TRIAL = """
name: tone
arms: [{name: now, prompt: 0}, {name: new, prompt: 1}]
ramp: [{hours: 0, shares: {new: 0.1}}]
"""


@pytest.fixture
def dazi(tmp_path: Path) -> Any:
    env = {"DAZI_DATA": str(tmp_path / "data"), "DAZI_LANG": "en", "DAZI_TODAY": "2025-04-03"}
    app = add(["prompts", "experiments", "user"])

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, list(words), env=env)

    return run


def test_a_version_and_an_experiment_from_files(dazi: Any, tmp_path: Path) -> None:
    (tmp_path / "v.yaml").write_text(VERSION, "utf-8")
    (tmp_path / "t.yaml").write_text(TRIAL, "utf-8")
    assert isinstance(dazi("prompts", "add", str(tmp_path / "v.yaml")).exception, AccessError)
    dazi("user", "add", "chen", "--role", "sysadmin")
    chen = ("--as", "chen")
    assert "version 1" in dazi("prompts", "add", str(tmp_path / "v.yaml"), *chen).output
    found = json.loads(dazi("prompts", "list", "--json").output)
    assert [(v["number"], v["active"]) for v in found] == [(1, False), (0, True)]
    assert "+ 今天是{today}。先说结论。" in dazi("prompts", "diff", "0", "1").output
    assert "There is no difference" in dazi("prompts", "diff", "1", "1").output
    assert "tone" in dazi("experiments", "create", str(tmp_path / "t.yaml"), *chen).output
    assert "It has not begun." in dazi("experiments", "show", "tone").output
    wrong = dazi("experiments", "pause", "tone", *chen).exception
    assert isinstance(wrong, CallerError) and wrong.code == "state"


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    for text, told in (("zh: [", "wrong"), ("zh: 1", "str"), ("nonesuch: 1", "nonesuch")):
        (tmp_path / "v.yaml").write_text(text, "utf-8")
        with pytest.raises(CallerError, match=told):
            read_prompt(tmp_path / "v.yaml")
    with pytest.raises(CallerError, match="cannot read"):
        read_prompt(tmp_path / "none.yaml")


def test_shares_are_read() -> None:
    assert _shares("new=0.2, other=0.1") == {"new": 0.2, "other": 0.1}
    with pytest.raises(CallerError):
        _shares("new")


def test_what_is_simulated_is_a_table() -> None:
    lines = simulate("rate", 10, 300, 0.0, 0.5)
    assert len(lines) == 5 and lines[2].startswith("| rate | +0% | 50% | z-test |")
    with pytest.raises(CallerError):
        simulate("joy", 10, 300, 0.0, 0.5)


def result(number: int, *, right: bool, ms: float) -> CaseResult:
    turn = CaseTurn("你好", ((),), reply_has=(("好",),))
    case = Case(str(number), "staff", None, (turn,))
    seen = SeenTurn(reply="好" if right else "不", ms=ms)
    return CaseResult(case, (seen,), (judge(turn, seen),))


def test_pairs_are_compared_with_the_first_arm() -> None:
    now = [result(i, right=i < 10, ms=100 + i) for i in range(20)]
    new = [result(i, right=i >= 2, ms=120 + i) for i in range(20)]
    first, second = compare({"now": now, "new": new}, expected=True)
    assert (first.right, second.right) == (0.5, 0.9)
    assert (second.gained, second.lost, second.other) == (10, 2, 0)
    assert second.p == pytest.approx(2 * (1 + 12 + 66) / 2**12)
    assert second.gap == pytest.approx(20.0) and second.p_ms < 0.001
    # Without expectations whatever was answered is as good as the other.
    assert [c.right for c in compare({"now": now, "new": new}, expected=False)] == [1.0, 1.0]


def test_an_export_is_what_the_person_said(tmp_path: Path) -> None:
    old = {"role": "user", "content": "旧", "at": "2020-01-01T00:00:00Z"}
    said = {"role": "user", "content": "发货了吗", "at": "2999-01-01T00:00:00Z"}
    heard = {"role": "assistant", "content": "发了", "at": "2999-01-01T00:00:01Z"}
    thread = {"id": "t", "title": "", "updated": "", "archived": "", "messages": [old, said, heard]}
    fact = {"fact": "下午收货", "state": "confirmed", "at": ""}
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in (fact, thread)), "utf-8")
    found = exported_cases(path, "customer", 0)
    assert found is not None and [t.said for t in found[0].turns] == ["旧", "发货了吗"]
    recent = exported_cases(path, "customer", 7)
    assert recent is not None and [t.said for t in recent[0].turns] == ["发货了吗"]
    with pytest.raises(CallerError, match="--role"):
        exported_cases(path, "", 0)
    path.write_text('{"id": "zh-1", "messages": []}\n', "utf-8")
    assert exported_cases(path, "", 0) is None  # cases
