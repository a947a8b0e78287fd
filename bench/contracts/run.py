"""How well contracts are reviewed: planted faults found, false alarms, fields read.

    python bench/contracts/run.py [--n 60] [--seed 1] [--command "..."] [--short] [--write]

Contracts are generated (``bench.contracts.generate``), the command reads each, and a table is
printed. In the command ``{file}``, ``{template}`` and ``{policy}`` are put in; it prints JSON.
``--write`` keeps the tables in ``bench/results/contracts.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bench.contracts.generate import generate  # noqa: E402
from bench.contracts.score import KINDS, Report, score  # noqa: E402
from bench.tables import Table  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "contracts.md"
DAZI = [sys.executable, "-c", "from dazi.main.cli import run; run()", "review"]
ASKED = ["{file}", "--template", "{template}", "--json"]
LONGEST_S = 900


@dataclass(frozen=True, slots=True)
class Told:
    """``answer`` is ``None`` where the command printed no JSON object; ``why`` is its last words."""

    answer: Mapping[str, Any] | None
    seconds: float
    why: str = ""


def review(command: Sequence[str], folder: Path, contract: Mapping[str, Any]) -> Told:
    """The exit status is not looked at: a command may tell by it that there are findings."""
    places = {
        "{file}": str(folder / contract["file"]),
        "{template}": str(folder / contract["template"]),
        "{policy}": str(folder / "policy.yaml"),
    }
    filled = []
    for part in command:
        for slot, path in places.items():
            part = part.replace(slot, path)
        filled.append(part)
    paths = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths}
    began = time.perf_counter()
    try:
        done = subprocess.run(
            filled, capture_output=True, text=True, timeout=LONGEST_S, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return Told(None, LONGEST_S, f"no answer in {LONGEST_S} s")
    seconds = time.perf_counter() - began
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        return Told(None, seconds, (done.stderr or done.stdout)[-300:].strip())
    if not isinstance(answer, dict):
        return Told(None, seconds, "JSON, but no object")
    return Told(answer, seconds)


def tables(report: Report, seconds: Sequence[float]) -> list[Table]:
    faults = Table(
        "contracts",
        "Contracts with planted faults",
        (
            "faults",
            "planted",
            "found",
            "recall",
            "severe enough",
            "located",
            "false alarms",
            "precision",
        ),
    )
    rows: list[tuple[str, dict[str, object]]] = [(kind, {"kind": kind}) for kind in KINDS]
    rows += [("中文", {"language": "zh"}), ("English", {"language": "en"})]
    rows += [
        ("PDF", {"format": "pdf", "ocr": False, "noise": False}),
        ("PDF, noisy", {"format": "pdf", "ocr": False, "noise": True}),
        ("PDF, scanned", {"ocr": True}),
        ("Word", {"format": "docx"}),
        ("all", {}),
    ]
    for name, about in rows:
        kind = str(about.pop("kind")) if "kind" in about else None
        t = report.tally(kind, **about)
        cells = (t.planted, t.found, _share(t.recall), t.severe, t.located, t.false_alarms)
        faults.rows.append((name, *cells, _share(t.precision)))
    quiet, clean = report.clean()
    unread = sum(not judged.answered for judged in report.judged)
    faults.notes.append(f"Clean contracts without a medium or high finding: {quiet} of {clean}.")
    faults.notes.append(f"Contracts: {len(report.judged)}; without an answer: {unread}.")
    if seconds:
        median = statistics.median(seconds)
        faults.notes.append(
            f"Seconds a contract: {median:.2f} (median), {max(seconds):.2f} (most)."
        )
    fields = Table("fields", "Fields", ("field", "中文", "English", "all"))
    zh, en, both = report.fields(language="zh"), report.fields(language="en"), report.fields()
    for name in both:
        fields.rows.append((name, _of(*zh[name]), _of(*en[name]), _of(*both[name])))
    sums = [[sum(pair[i] for pair in part.values()) for i in (0, 1)] for part in (zh, en, both)]
    fields.rows.append(("all", *(_of(*pair) for pair in sums)))
    return [faults, fields]


def details(report: Report) -> dict[str, Any]:
    """Of each topic how many were found of how many; of each contract what was missed, what was a
    false alarm and which fields were wrong."""
    topics: dict[str, list[int]] = {}
    for judged in report.judged:
        for result in judged.plants:
            pair = topics.setdefault(f"{result.plant['kind']} {result.plant['topic']}", [0, 0])
            pair[0] += result.found
            pair[1] += 1
    contracts = [
        {
            "file": judged.contract["file"],
            "missed": [dict(r.plant) for r in judged.plants if not r.found],
            "false_alarms": [dict(finding) for finding in judged.false_alarms],
            "wrong_fields": {
                name: judged.contract["fields"][name]
                for name, ok in judged.fields.items()
                if not ok
            },
        }
        for judged in report.judged
    ]
    return {"topics": dict(sorted(topics.items())), "contracts": contracts}


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.1%}"


def _of(right: int, asked: int) -> str | None:
    return f"{right}/{asked}" if asked else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--command", help="default: dazi review FILE --template T --json, with its own policy"
    )
    parser.add_argument("--folder", type=Path, help="keep the contracts here; made anew each time")
    parser.add_argument("--details", type=Path, help="write misses and false alarms as JSON")
    parser.add_argument("--short", action="store_true", help="main text, hardly any annexes")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    asked = parser.parse_args(arguments)
    command = shlex.split(asked.command) if asked.command else [*DAZI, *ASKED]
    if not any("{file}" in part for part in command):
        command += ASKED
    with tempfile.TemporaryDirectory(prefix="dazi-contracts-") as temporary:
        folder = asked.folder or Path(temporary)
        truth = generate(folder, asked.seed, asked.n, short=asked.short)
        answers, seconds = {}, []
        for number, contract in enumerate(truth, 1):
            told = review(command, folder, contract)
            answers[contract["file"]] = told.answer
            seconds.append(told.seconds)
            line = f"{number}/{len(truth)} {contract['file']} {told.seconds:.1f} s {told.why}"
            print(line.rstrip(), file=sys.stderr)
    report = score(answers, truth)
    made = tables(report, seconds)
    print("\n\n".join(table.text() for table in made))
    if asked.details:
        text = json.dumps(details(report), ensure_ascii=False, indent=1)
        asked.details.write_text(f"{text}\n", "utf-8")
    if asked.write:
        how = f"python bench/contracts/run.py --n {asked.n} --seed {asked.seed}"
        how += " --short" if asked.short else ""
        how += f" --command {shlex.quote(asked.command)}" if asked.command else ""
        head = f"# Contract review\n\n{datetime.now(UTC).date()}; `{how}`\n\n"
        RESULTS.write_text(head + "\n\n".join(table.markdown() for table in made) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
