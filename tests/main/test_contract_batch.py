"""A batch of contracts is killed in the middle; the same command ends it, and nothing is reviewed twice."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dazi.core.errors import CallerError
from dazi.main.cli import complete
from dazi.main.contract_batch import Batch, found_files
from tests.apps.contracts.texts import SERVICE, changed

RUN = "import dazi.main.contract_batch as b; b.LEASE_S = 1.0; from dazi.main.cli import run; run()"
N = 10


def folder(at: Path) -> Path:
    place = at / "contracts"
    place.mkdir()
    for n in range(N):
        text = changed(SERVICE, "发票后30日内", f"发票后{70 + n}日内")
        (place / f"{n:02}.md").write_text(text, "utf-8")
    (place / "copy.md").write_text((place / "00.md").read_text("utf-8"), "utf-8")
    return place


def begin(at: Path, *more: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", RUN, "review", str(at / "contracts"), "--out", str(at / "out")]
    env = {**os.environ, "DAZI_DATA": str(at / "data"), "DAZI_LANG": "zh"}
    return subprocess.Popen(
        [*line, "--as", "staff", *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )  # fmt: skip


def jobs(at: Path) -> dict[str, tuple[str, int, float]]:
    """State, attempts and end of each job."""
    file = at / "data" / "dazi.sqlite"
    if not file.is_file():
        return {}
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT id, state, attempts, ended FROM jobs").fetchall()
    return {id: (state, attempts, ended) for id, state, attempts, ended in rows}


def results(at: Path) -> list[str]:
    return sorted(p.name.removesuffix(".json") for p in (at / "out").glob("*.json"))


def test_killed_in_the_middle_and_gone_on_with(tmp_path: Path) -> None:
    folder(tmp_path)
    first = begin(tmp_path, "--jobs", "1")
    try:
        ends = time.monotonic() + 60
        while len(results(tmp_path)) < 2:
            assert first.poll() is None and time.monotonic() < ends, first.communicate()[0]
            time.sleep(0.01)
    finally:
        children = Path(f"/proc/{first.pid}/task/{first.pid}/children")
        begun = children.read_text().split() if children.exists() else []
        first.send_signal(signal.SIGKILL)
        first.wait()
    before = {id: job for id, job in jobs(tmp_path).items() if job[0] == "done"}
    assert 1 <= len(before) < N

    second = begin(tmp_path)
    out = second.communicate(timeout=100)[0]
    assert second.returncode == 0, out
    after = jobs(tmp_path)
    assert len(after) == N and {state for state, _, _ in after.values()} == {"done"}
    assert all(after[id] == job for id, job in before.items())  # none of these was done again
    assert results(tmp_path) == [*(f"{n:02}.md" for n in range(N)), "copy.md"]
    assert f"{N + 1} 份审完,0 份失败" in out
    for n in range(N):
        told = json.loads((tmp_path / "out" / f"{n:02}.md.json").read_text("utf-8"))
        assert told["fields"]["payment_days"] == 70 + n
    text = (tmp_path / "out" / "reviews.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert [r["文件"] for r in rows] == [*(f"{n:02}.md" for n in range(N)), "copy.md"]
    assert {r["甲方"] for r in rows} == {"云杉商贸有限公司"}
    assert not [p for p in begun if Path(f"/proc/{p}").exists()]  # none waits for work for ever
    assert not list((tmp_path / "out").glob("*.part")) and not list((tmp_path / "out").glob(".*"))


def test_which_files_a_batch_has(tmp_path: Path) -> None:
    place = folder(tmp_path)
    (place / ".hidden.md").write_text("x")
    (place / "~$open.docx").write_text("x")
    (place / "notes.xlsx").write_text("x")
    (place / "deep").mkdir()
    (place / "deep" / "00.md").write_text("y")
    (place / "out").mkdir()
    (place / "out" / "00.md.review.html").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "00.md").write_text("z")
    batch = Batch((place, tmp_path / "other" / "00.md"), place / "09.md", None, place / "out")
    names = [*(f"{n:02}.md" for n in range(9)), "copy.md", "deep/00.md", "other/00.md"]
    assert list(found_files(batch)) == names
    with pytest.raises(CallerError):
        found_files(Batch((tmp_path / "nonesuch",), None, None, place / "out"))
    with pytest.raises(CallerError):
        found_files(Batch((place / "out",), None, None, place / "out"))


def test_a_contract_that_was_changed_gets_its_new_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "data"))
    contract, out = tmp_path / "c.md", tmp_path / "out"
    seen = []
    for days in (70, 95, 70):
        contract.write_text(changed(SERVICE, "发票后30日内", f"发票后{days}日内"), "utf-8")
        words = ["review", str(contract), "--out", str(out), "--as", "staff"]
        done = CliRunner().invoke(complete(), words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        told = json.loads((out / "c.md.json").read_text("utf-8"))
        seen.append(told["fields"]["payment_days"])
    assert seen == [70, 95, 70]


def test_outputs_of_a_single_contract_are_refused_for_a_batch(tmp_path: Path) -> None:
    place = folder(tmp_path)
    for more in (["--html", str(tmp_path / "x.html")], ["--all"]):
        with pytest.raises(CallerError, match=f"{more[0]}: of a single contract"):
            CliRunner().invoke(complete(), ["review", str(place), *more], catch_exceptions=False)
