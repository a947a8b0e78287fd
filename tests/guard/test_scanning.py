"""``dazi guard scan`` as a person and a program meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dazi.core.errors import CallerError, ConfigError
from dazi.main import guarding

ID = "110101199003074610"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("DAZI_LANG", "en")
    app = typer.Typer()
    app.add_typer(guarding.group, name="guard")
    return app


def test_lines_of_json_in_and_out(app: typer.Typer, tmp_path: Path) -> None:
    lines = [
        {"id": 1, "text": f"身份证{ID}"},
        {"id": "b", "text": "没有\u2028什么"},
        {"id": None, "text": "手机１３８１２３４５６７８"},
    ]
    path = tmp_path / "in.jsonl"
    path.write_text(
        "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n", encoding="utf-8"
    )
    done = CliRunner().invoke(app, ["guard", "scan", str(path), "--json"])
    assert done.exit_code == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"id": 1, "spans": [{"start": 3, "end": 21, "type": "resident_id"}]},
        {"id": "b", "spans": []},
        {"id": None, "spans": [{"start": 2, "end": 13, "type": "mobile"}]},
    ]


def test_bad_lines_are_told_and_the_others_read(app: typer.Typer) -> None:
    given = f'not json\n{{"id": 2, "text": "{ID}"}}\r\n\n{{"id": 3}}\n{{"id": 4, "text": 5}}\n[1]\n'
    done = CliRunner().invoke(app, ["guard", "scan", "-", "--json"], input=given)
    assert done.exit_code == 2
    assert [
        json.loads(line)["id"] for line in done.stdout.splitlines() if line.startswith("{")
    ] == [2]
    assert all(f"line {n} " in done.output for n in (1, 4, 5, 6)) and "line 2" not in done.output
    assert '{"id": …, "text": "…"}' in done.output


def test_a_text_is_shown_by_line_and_column(app: typer.Typer, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(f"您好\n身份证{ID}，\n邮箱a@b.cn", encoding="utf-8")
    done = CliRunner().invoke(app, ["guard", "scan", str(path)])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [f"2:4  resident id  {ID}", "3:3  e-mail  a@b.cn", "2 found"]
    nothing = CliRunner().invoke(app, ["guard", "scan", "-"], input="您好")
    assert nothing.stdout.strip() == "Nothing was found."


def test_a_companys_words_and_recognisers_count(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "own.txt").write_text("[high]\n内部代号\n", encoding="utf-8")
    (tmp_path / "guard.yaml").write_text(
        "recognisers: {staff: {pattern: 'YS[0-9]{6}'}}\n", encoding="utf-8"
    )
    done = CliRunner().invoke(
        app,
        ["guard", "scan", "-", "--json", "--company", str(tmp_path)],
        input='{"id": 1, "text": "内部代号YS123456"}',
    )
    assert [s["type"] for s in json.loads(done.stdout)["spans"]] == ["word:high", "custom:staff"]
    (tmp_path / "guard.yaml").write_text(
        "recognisers: {staff: {pattern: 'a+'}}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"guard\.yaml:1"):
        guarding.guard_of(tmp_path)


@pytest.mark.parametrize("name", ["missing.txt", "latin.txt"])
def test_what_cannot_be_read_is_told(app: typer.Typer, tmp_path: Path, name: str) -> None:
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    done = CliRunner().invoke(app, ["guard", "scan", str(tmp_path / name)])
    assert isinstance(done.exception, CallerError) and name in str(done.exception)


def test_every_type_has_a_name() -> None:
    from dazi.guard.recognisers.registry import TYPES

    assert set(guarding.NAMES) == set(TYPES)
