"""How datasets are made: planted faults found, look-alikes left alone, near-duplicates beside libraries, a
million samples.

    python bench/tuning_data/run.py [--each 200] [--base 6000] [--seed 11] [--million 1000000]
                                    [--peers PYTHON] [--write]

``--peers`` names an interpreter with datatrove, datasketch and rensa. ``--write`` puts the tables of the parts
that were run into ``bench/results/tuning_data.md`` and leaves the others.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from bench.machine import describe  # noqa: E402
from bench.tables import Table  # noqa: E402
from bench.tuning_data.corpus import made, stream  # noqa: E402
from bench.tuning_data.score import outcomes, run, tables  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "tuning_data.md"
PEERS = Path(__file__).with_name("peers.py")
TITLE = "# Making datasets\n\nMade by `python bench/tuning_data/run.py --write`.\n"


def planted(seed: int, each: int, base: int) -> Iterator[Table]:
    corpus = made(seed, each, base)
    with tempfile.TemporaryDirectory(prefix="dazi-data-") as scratch:
        folder = Path(scratch)
        corpus.write(folder)
        done = run(folder)
        found = tables(corpus, done)
        for name, kind in outcomes(corpus, done)[0].items():
            if kind.misses and name != "ordinary":
                print(name, kind.misses[:6], file=sys.stderr)
    note = f"Seed {seed}; {len(corpus.rows):,} samples, {base:,} of them ordinary and {each} of each planted kind."
    found[0].notes.append(note)
    yield from found


def timed(count: int, seed: int) -> dict[str, Any]:
    """Make a dataset of ``count`` samples in this process; seconds by step, and its peak of memory."""
    with tempfile.TemporaryDirectory(
        prefix="dazi-data-", dir=os.environ.get("DAZI_BENCH_DIR")
    ) as scratch:
        folder = Path(scratch)
        began = time.perf_counter()
        with (folder / "data.jsonl").open("w", encoding="utf-8") as out:
            for row in stream(seed, count):
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
        written = time.perf_counter() - began
        (folder / "recipe.yaml").write_text(
            "name: million\nsources: [{kind: file, path: data.jsonl}]\n", "utf-8"
        )
        before = peak()
        size = (folder / "data.jsonl").stat().st_size
        ends: dict[str, float] = {}
        peaks: dict[str, float] = {}
        processor = time.process_time()
        began = time.perf_counter()

        def tell(stage: str, done: int, of: int) -> None:
            if of and done >= of:
                ends[stage] = time.process_time() - processor
                peaks[stage] = peak()
                print(
                    f"{stage} {done:,} {ends[stage]:.1f} s, peak {peak():.0f} MiB",
                    file=sys.stderr,
                    flush=True,
                )

        result = run(folder, tell)
        seconds = time.perf_counter() - began
        m = result.manifest
        return {
            "count": count,
            "bytes": size,
            "written": written,
            "before": before,
            "peak": peak(),
            "seconds": seconds,
            "processor": time.process_time() - processor,
            "peaks": peaks,
            "ends": ends,
            "stages": [[s.name, s.taken, s.given] for s in m.stages],
            "samples": m.samples,
        }


def peak() -> float:
    """The most memory that this process had, in MiB: of its own, and with files that it looks into."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def million(count: int, seed: int) -> Iterator[Table]:
    """In a process of its own, whose memory is its alone."""
    line = [sys.executable, str(Path(__file__)), "--timed", str(count), "--seed", str(seed)]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    t = json.loads(done.stdout)
    table = Table(
        "million",
        f"{t['count']:,} samples ({t['bytes'] / 2**20:,.0f} MiB) from a file to a version",
        ("step", "in", "out", "CPU seconds", "peak MiB so far"),
    )
    last = 0.0
    for name, taken, given in t["stages"]:
        table.rows.append((name, taken, given, t["ends"][name] - last, t["peaks"][name]))
        last = t["ends"][name]
    table.rows.append(
        (
            "splits, order, digests",
            t["stages"][-1][2],
            t["samples"],
            t["processor"] - last,
            t["peak"],
        )
    )
    table.rows.append(("all", t["count"], t["samples"], t["processor"], t["peak"]))
    table.notes.append(
        f"One process, {t['seconds']:,.0f} s by the clock; "
        f"{t['before']:,.0f} MiB of its memory it had before the first sample was read."
    )
    table.notes.append(
        "One in ten is a copy of an earlier sample, one in ten edited by 5 %, one in fifty has a telephone number."
    )
    yield table


def beside(python: str, seed: int) -> Iterator[Table]:
    """Near-duplicates by libraries, each in a process of its own."""
    table = Table(
        "peers",
        "Near-duplicates beside libraries: 4,000 ordinary texts and 300 copies of each kind",
        (
            "what",
            "CPU seconds",
            "peak MiB",
            "exact",
            "5 %",
            "15 %",
            "30 %",
            "other number",
            "ordinary lost",
        ),
    )
    for side in ("dazi", "dazi-0.7", "datasketch", "rensa", "datatrove-chars", "datatrove-words"):
        interpreter = sys.executable if side.startswith("dazi") else python
        line = [interpreter, str(PEERS), side, "--seed", str(seed)]
        done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=1_800)
        if done.returncode:
            table.rows.append((side, *[None] * 8))
            table.notes.append(f"{side}: {done.stderr.strip().splitlines()[-1][:200]}")
            continue
        t = json.loads(done.stdout.splitlines()[-1])
        found = [t["found"][k] for k in ("exact", "0.05", "0.15", "0.3", "number", "ordinary")]
        table.rows.append((t["what"], t["seconds"], t["peak"], *found))
    table.notes.append(
        "The share of each kind that is found. None should be of the same words with another number, or ordinary."
    )
    yield table


def keep(parts: dict[str, list[Table]], line: str) -> None:
    """Write the parts that were run over what the file had of them."""
    have: dict[str, str] = {}
    if RESULTS.is_file():
        for piece in RESULTS.read_text("utf-8").split("\n## ")[1:]:
            have[piece.partition("\n")[0].strip()] = piece
    machine = describe()
    about = f"{datetime.now(UTC):%Y-%m-%d}; " + ", ".join(f"{k}: {v}" for k, v in machine.items())
    for name, found in parts.items():
        body = "\n\n".join(t.markdown() for t in found)
        have[name] = f"{name}\n\n{about}; `{line}`\n\n{body}\n"
    text = TITLE + "".join(f"\n## {piece.strip()}\n" for _, piece in sorted(have.items()))
    RESULTS.write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=200)
    parser.add_argument("--base", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--million", type=int, default=0, metavar="COUNT")
    parser.add_argument("--peers", default="", metavar="PYTHON")
    parser.add_argument("--no-planted", action="store_true")
    parser.add_argument("--timed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.timed:
        print(json.dumps(timed(given.timed, given.seed)))
        return
    parts: dict[str, list[Table]] = {}
    if not given.no_planted:
        parts["planted"] = list(planted(given.seed, given.each, given.base))
    if given.peers:
        parts["near-duplicates"] = list(beside(given.peers, given.seed))
    if given.million:
        parts["million"] = list(million(given.million, given.seed))
    for found in parts.values():
        for table in found:
            print(table.text(), end="\n\n")
    if given.write:
        words = ["PYTHON" if word == given.peers else word for word in sys.argv[1:]]
        keep(parts, " ".join(["python bench/tuning_data/run.py", *words]))


if __name__ == "__main__":
    main()
