"""Many contracts as a batch, killed half way and begun again.

    python bench/contracts/batch.py [--n 200] [--seed 21] [--jobs 2] [--write]

Contracts for services are generated (short ones), ``dazi review FOLDER --out RESULTS`` is begun, killed with
SIGKILL when half of the results are there, and begun again. Then every file must have exactly one result and
one job that is done, and no job that was done before the kill may have been done again. ``--write`` keeps the
table in ``bench/results/contracts_batch.md``.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bench.contracts.generate import generate  # noqa: E402
from bench.tables import Table  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "contracts_batch.md"
DAZI = [sys.executable, "-c", "from dazi.main.cli import run; run()", "review"]
LONGEST_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Done:
    """``twice``: jobs that were done before the kill and again after it; ``taken_up``: jobs that the
    kill broke off and the second run did."""

    files: int
    before: int
    first_s: float
    second_s: float
    results: int
    jobs: int
    done: int
    twice: int
    taken_up: int
    left_running: int


def batch(folder: Path, jobs: int, n: int) -> Done:
    out, data = folder / "out", folder / "data"
    began = time.perf_counter()
    first = _begin(folder, jobs, data, out)
    while len(_results(out)) < n // 2:
        if first.poll() is not None or time.perf_counter() - began > LONGEST_S:
            first.kill()
            raise SystemExit(f"ended before half was done: {first.communicate()[1]}")
        time.sleep(0.05)
    children = _children(first.pid)
    first.send_signal(signal.SIGKILL)
    first.wait()
    first_s = time.perf_counter() - began
    kept = _jobs(data)
    before = {id for id, (state, _, _) in kept.items() if state == "done"}
    began = time.perf_counter()
    second = _begin(folder, jobs, data, out)
    told = second.communicate(timeout=LONGEST_S)
    second_s = time.perf_counter() - began
    if second.returncode:
        raise SystemExit(f"the second run failed: {told}")
    after = _jobs(data)
    return Done(
        n,
        len(before),
        first_s,
        second_s,
        len(_results(out)),
        len(after),
        sum(state == "done" for state, _, _ in after.values()),
        sum(after[id] != kept[id] for id in before),
        sum(attempts > 1 for _, attempts, _ in after.values()),
        sum(Path(f"/proc/{pid}").exists() for pid in children),
    )


def _begin(folder: Path, jobs: int, data: Path, out: Path) -> subprocess.Popen[str]:
    line = [
        *DAZI, str(folder / "contracts"), "--template", str(folder / "templates" / "service.zh.docx"),
        "--out", str(out), "--jobs", str(jobs), "--as", "staff",
    ]  # fmt: skip
    paths = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONPATH": paths, "DAZI_DATA": str(data), "DAZI_LANG": "en"}
    return subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env
    )


def _results(out: Path) -> list[str]:
    return [p.name for p in out.glob("*.json")]


def _children(pid: int) -> list[int]:
    """Processes that it began, where the system tells."""
    told = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(p) for p in told.read_text().split()] if told.exists() else []


def _jobs(data: Path) -> dict[str, tuple[str, int, float]]:
    with closing(sqlite3.connect(data / "dazi.sqlite")) as connection:
        rows = connection.execute("SELECT id, state, attempts, ended FROM jobs").fetchall()
    return {id: (state, attempts, ended) for id, state, attempts, ended in rows}


def table(done: Done, jobs: int) -> Table:
    made = Table("contracts_batch", "A batch, killed and gone on with", ("what", "figure"))
    made.notes.append(f"Load {os.getloadavg()[0]:.1f} at the end: other work went on.")
    made.rows.extend([
        ("contracts", done.files),
        (f"at once, on {os.cpu_count()} cores", jobs),
        ("results when it was killed (kill -9)", done.before),
        ("seconds until then", round(done.first_s, 1)),
        ("seconds of the second run", round(done.second_s, 1)),
        ("results in the end", done.results),
        ("jobs in the end", done.jobs),
        ("of these done", done.done),
        ("jobs done before the kill and again after it", done.twice),
        ("jobs that the kill broke off and the second run did", done.taken_up),
        ("processes of the first run still there at the end", done.left_running),
        ("contracts a second, both runs together", round(done.files / (done.first_s + done.second_s), 2)),
    ])  # fmt: skip
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as at:
        folder = Path(at)
        more = given.n * 11 // 10 + 2  # pictures of text need OCR, which may not be installed
        truth = generate(folder, given.seed, more, only=["service.zh"], short=True)
        kept = [one["file"] for one in truth if not one["ocr"]][: given.n]
        for one in truth:
            if one["file"] not in kept:
                (folder / one["file"]).unlink()
        made = table(batch(folder, given.jobs, given.n), given.jobs)
    print(made.text())
    if given.write:
        command = f"python bench/contracts/batch.py --n {given.n} --seed {given.seed}"
        head = f"# Contracts as a batch\n\n{datetime.now(UTC).date()}; `{command}`\n\n"
        RESULTS.write_text(f"{head}{made.markdown()}\n", "utf-8")


if __name__ == "__main__":
    main()
