"""What a server reads of trainings, which are processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dazi.ops.tuning_runs import MOST_POINTS, busy, go_on, losses, note, read_run, runs, stop


def written(data: Path, name: str, *events: dict[str, object]) -> Path:
    folder = data / "tuning" / name
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text('{"base": "dazi-mini", "method": "lora"}')
    lines = "".join(json.dumps(e) + "\n" for e in events)
    (folder / "progress.jsonl").write_text(lines + '{"event": "st')
    return folder


def step(number: int, *values: float) -> dict[str, object]:
    return {"event": "step", "step": number, "of": 900, "losses": list(values), "tokens_s": 50,
            "left_s": 90, "spent_s": 12.5}  # fmt: skip


def test_a_run_is_read_while_its_last_line_is_being_written(tmp_path: Path) -> None:
    held = {"event": "validation", "step": 3, "loss": 0.5}
    folder = written(tmp_path, "a-1", {"event": "begun", "steps": 900, "samples": 40},
                     step(2, 3.0, 2.0), step(3, 1.0), held)  # fmt: skip
    run = read_run(folder)
    assert run.losses == ((1, 3.0), (2, 2.0), (3, 1.0)) and run.validations == ((3, 0.5),)
    assert (run.step, run.steps, run.samples, run.base) == (3, 900, 40, "dazi-mini")
    assert run.state == "failed"
    assert runs(tmp_path) == [run] and runs(tmp_path / "nothing") == []


def test_of_a_step_that_was_made_twice_the_later_counts() -> None:
    told = [step(3, 3.0, 2.0, 1.0), step(3, 1.5), step(4, 0.5)]
    assert losses(told) == {1: 3.0, 2: 2.0, 3: 1.5, 4: 0.5}


def test_a_long_curve_is_thinned(tmp_path: Path) -> None:
    folder = written(tmp_path, "a-1", step(3000, *([1.0] * 3000)))
    assert len(read_run(folder).losses) <= MOST_POINTS


def test_who_runs_is_asked_to_stop_and_who_does_not_is_left_alone(tmp_path: Path) -> None:
    folder = written(tmp_path, "a-1", {"event": "stopped"})
    assert read_run(folder).state == "stopped" and not stop(folder)
    code = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(75)); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline()
        note(folder, child.pid)
        assert read_run(folder).state == "running"
        # A number that was given to another process since is nobody's to stop.
        theirs = (folder / "pid").read_text()
        (folder / "pid").write_text(f"{child.pid} 1\n")
        assert read_run(folder).state == "stopped" and not stop(folder)
        (folder / "pid").write_text(theirs)
        assert stop(folder)
        assert child.wait(20) == 75
    assert not stop(folder)
    (folder / "pid").write_text("no number")
    assert read_run(folder).state == "stopped"


def test_a_finished_run_is_done(tmp_path: Path) -> None:
    assert read_run(written(tmp_path, "a-1", step(1, 1.0), {"event": "done"})).state == "done"


def test_damage_and_runs_under_way_hide_no_other(tmp_path: Path) -> None:
    folder = written(tmp_path, "a-1", step(1, 1.0))
    torn = b'{"event": "step", "st\x00\xff\n3\n{}\n' + (json.dumps(step(2, 0.5)) + "\n").encode()
    with (folder / "progress.jsonl").open("ab") as file:
        file.write(b"\n" + torn)
    assert read_run(folder).losses == ((1, 1.0), (2, 0.5))
    (tmp_path / "tuning" / "b-1").mkdir()
    (tmp_path / "tuning" / "b-1" / "recipe.json").write_text('{"base": ')
    (tmp_path / "tuning" / "c-1").mkdir()
    assert [r.name for r in runs(tmp_path)] == ["a-1"]
    written(tmp_path, "d-1", step(1, 1.0))
    assert [r.name for r in runs(tmp_path, 1)] == ["d-1"]


def test_only_what_was_stopped_and_whose_recipe_is_there_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os, sys, time; print(sys.argv[1:], os.environ['WHO'], flush=True); time.sleep(60)"
    )
    monkeypatch.setattr("dazi.ops.tuning_runs.COMMAND", code)
    folder = written(tmp_path, "a-1", {"event": "stopped"})
    assert not go_on(folder, {}), "nobody knows its recipe"
    recipe = tmp_path / "a.yaml"
    known = {"base": "dazi-mini", "method": "lora", "file": str(recipe)}
    (folder / "recipe.json").write_text(json.dumps(known))
    assert not go_on(folder, {}), "its recipe is gone"
    recipe.write_text("name: a\n")
    note(folder, os.getpid())
    assert not busy(folder), "whoever was told of is who asks"
    (folder / "pid").unlink()
    assert go_on(folder, {"WHO": "me"})
    assert read_run(folder).state == "running" and busy(folder)
    assert not go_on(folder, {}), "it is not started twice"
    assert stop(folder)
    while read_run(folder).state == "running":
        time.sleep(0.01)
    (folder / "progress.jsonl").write_text('{"event": "done"}\n')
    assert not go_on(folder, {}), "nothing is left to do"
