"""How long a contract of 100 pages takes: the command whole, and its steps inside one process.

    python bench/contracts/long.py [--pages 100] [--seed 5] [--profile] [--write]

A sales contract with annexes is made as PDF and as Word. ``dazi review FILE --template T --json`` is run three
times; wall seconds, the quickest of them, and processor seconds with all its children. ``--profile`` prints
where the time goes in this process. ``--write`` keeps the table in ``bench/results/contracts_long.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.contracts import annexes, draft, pages, plan, texts  # noqa: E402
from bench.contracts import deal as deals  # noqa: E402
from bench.contracts.generate import template  # noqa: E402
from bench.contracts.pages import Look  # noqa: E402
from bench.tables import Table  # noqa: E402
from dazi.apps.contracts import making  # noqa: E402
from dazi.apps.contracts.outputs.highlights import with_highlights  # noqa: E402
from dazi.apps.contracts.review import read_file, review  # noqa: E402
from dazi.apps.contracts.reviewed import Origin, reviewed  # noqa: E402
from dazi.apps.contracts.rules import load_policy  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "contracts_long.md"
DAZI = [sys.executable, "-c", "from dazi.main.cli import run; run()", "review"]
KIND = "sales.zh"
TRIES = 3


def make(folder: Path, least: int, seed: int) -> dict[str, Path]:
    """The same contract as PDF of at least so many pages and as Word, and the template."""
    rng = Random(f"long {seed}")
    kind = texts.kind(KIND)
    deal = deals.make(kind, rng)
    made = draft.contract(kind, deal, plan.choose(kind, 5, Counter(), rng), rng)
    look = Look(made.title, f"{made.title} {made.number}", kind.language)
    count = 2 * least
    while True:
        drawn = Random(f"{seed}")
        blocks = [*made.blocks, *annexes.sections(made, count, drawn)]
        printed = pages.pdf(blocks, look)
        there = pages.count(printed)
        if there >= least:
            break
        count += max(1, (least - there) * count // there)
    out = {name: folder / name for name in ("long.pdf", "long.docx", "template.docx")}
    out["long.pdf"].write_bytes(printed)
    out["long.docx"].write_bytes(pages.word(blocks, look))
    out["template.docx"].write_bytes(template(KIND))
    return out


def command(file: Path, other: Path, data: Path) -> tuple[float, float]:
    """Wall and processor seconds."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "DAZI_DATA": str(data)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [*DAZI, str(file), "--template", str(other), "--json"],
        check=True, stdout=subprocess.DEVNULL, env=env,
    )  # fmt: skip
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


async def steps(file: Path, other: Path, profile: bool) -> list[tuple[str, float]]:
    out: list[tuple[str, float]] = []
    began = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal began
        out.append((name, time.perf_counter() - began))
        began = time.perf_counter()

    theirs = await read_file(other)
    lap("reading the template (a worker is started)")
    contract = await read_file(file)
    lap("reading the contract")
    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    rules = load_policy()
    found = review(contract, theirs, rules)
    lap("reviewing")
    done = reviewed(found, rules, Origin(file.name, "d"))
    lap("finding quotes again")
    data = await asyncio.to_thread(file.read_bytes)
    making.written(done, "zh", data if file.suffix == ".docx" else None)
    lap("JSON, summary, page" + (", comments" if file.suffix == ".docx" else ""))
    if profile:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    if file.suffix == ".pdf":
        await with_highlights(file, done, "zh")
        lap("highlights")
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    made = Table("contracts_long", f"A contract of {given.pages} pages", ("what", "PDF", "Word"))
    with tempfile.TemporaryDirectory() as at:
        files = make(Path(at), given.pages, given.seed)
        told: dict[str, list[float]] = {}
        for name in ("long.pdf", "long.docx"):
            runs = [
                command(files[name], files["template.docx"], Path(at) / "data")
                for _ in range(TRIES)
            ]
            told.setdefault("the command, seconds", []).append(min(w for w, _ in runs))
            told.setdefault("the same, processor seconds", []).append(min(c for _, c in runs))
            laps = asyncio.run(steps(files[name], files["template.docx"], given.profile))
            for step, seconds in laps:
                column = told.setdefault(step, [])
                while name == "long.docx" and not column:
                    column.append(float("nan"))
                column.append(seconds)
    for step, figures in told.items():
        cells = [round(f, 2) if f == f else None for f in (*figures, float("nan"))[:2]]
        made.rows.append((step, *cells))
    made.notes.append(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: other work went on.")
    print(made.text())
    if given.write:
        how = f"python bench/contracts/long.py --pages {given.pages} --seed {given.seed}"
        head = f"# A long contract\n\n{datetime.now(UTC).date()}; `{how}`\n\n"
        RESULTS.write_text(f"{head}{made.markdown()}\n", "utf-8")


if __name__ == "__main__":
    main()
