"""What encryption of weights costs: ``PYTHONPATH=src:. python -m bench.weights --mib 4096 --write``.

A file of random bytes stands for weights: the cipher does not look at them. Each step runs in a process of
its own, so that its memory is its own; the rate is bytes of plain text by the wall clock. Then the bundled
model is loaded plain and encrypted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from bench.machine import describe
from bench.tables import Cell, Table

RESULTS = Path(__file__).parent / "results" / "weights.md"
MIB = 1 << 20
KEY = "5a" * 32
STEPS = ("copy", "encrypt", "verify", "decrypt", "rekey", "load plain", "load encrypted")


def step(name: str, place: Path, memory: Path) -> dict[str, float]:
    """One step; seconds by the wall and of the processor, and the most memory of the process in MiB."""
    from dazi.inference.catalog import BUNDLED
    from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions
    from dazi.inference.weights import sealing
    from dazi.inference.weights.keys import KeySource, WrappingKey
    from dazi.inference.weights.vault import Vault

    key, other = KeySource(value=KEY).read(), WrappingKey(bytes(32), "other")
    sealed = place / "sealed"

    def load(path: Path) -> None:
        options = EmbeddedOptions(cache_gb=1, vault=Vault(KeySource(value=KEY), memory))
        EmbeddedEngine(path, options).shut()

    def rekeyed() -> None:
        sealing.rekey(sealed, key, other)
        sealing.rekey(sealed, other, key)

    acts: dict[str, Callable[[], object]] = {
        "copy": lambda: copied(place / "model" / "model.safetensors", memory / "copied"),
        "encrypt": lambda: sealing.encrypt(place / "model", sealed, key),
        "verify": lambda: sealing.verify(sealed, key),
        "decrypt": lambda: sealing.decrypt(sealed, memory / "plain", key),
        "rekey": rekeyed,
        "load plain": lambda: load(BUNDLED),
        "load encrypted": lambda: load(place / "mini.sealed"),
    }
    if name == "load encrypted":
        sealing.encrypt(BUNDLED, place / "mini.sealed", key)
    began, used = time.perf_counter(), time.process_time()
    acts[name]()
    took, used = time.perf_counter() - began, time.process_time() - used
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": took, "processor": used, "mib": most}


def copied(source: Path, target: Path) -> None:
    """What reading and writing alone takes, in the same pieces."""
    with source.open("rb") as given, target.open("wb") as out:
        shutil.copyfileobj(given, out, MIB)
    target.unlink()


def made(folder: Path, mib: int) -> None:
    (folder / "model").mkdir()
    with (folder / "model" / "model.safetensors").open("wb") as out:
        for _ in range(mib):
            out.write(os.urandom(MIB))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--memory", type=Path, default=Path("/dev/shm"))
    parser.add_argument("--step", default="")
    parser.add_argument("--place", type=Path)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(step(given.step, given.place, given.memory)))
        return
    table = Table(
        "weights",
        f"{given.mib} MiB of weights",
        ("step", "seconds", "MiB/s", "processor, s", "MiB a processor second", "most memory, MiB"),
    )
    with tempfile.TemporaryDirectory() as there, tempfile.TemporaryDirectory(dir=given.memory) as m:
        place, memory = Path(there), Path(m)
        made(place, given.mib)
        table.rows.extend(row(name, given, place, memory) for name in STEPS)
    table.notes.extend(
        [
            "Best of the rounds; rates are of plain text. Where other work goes on, those by processor time "
            "say more. copy: read from disk and written to memory, without a cipher. encrypt: disk to "
            "disk, with fsync. verify: all is read and checked. decrypt: disk to memory.",
            "rekey: there and back; the weights are not touched. load: the bundled model, 12 MiB; memory with "
            "the inference library in it.",
        ]
    )
    machine = ", ".join(f"{k}: {v}" for k, v in describe().items())
    line = f"{date.today()}; `PYTHONPATH=src:. python -m bench.weights {' '.join(sys.argv[1:])}`; {machine}"
    text = f"# Weights at rest\n\n{line}, load average {os.getloadavg()[0]:.1f}\n\n{table.markdown()}\n"
    print(text)
    if given.write:
        RESULTS.write_text(text, "utf-8")


def row(name: str, given: argparse.Namespace, place: Path, memory: Path) -> tuple[Cell, ...]:
    line = [sys.executable, "-m", "bench.weights", "--step", name, "--place", str(place)]
    found: list[dict[str, float]] = []
    for _ in range(given.rounds):
        for left in (
            memory / "plain",
            place / "mini.sealed",
            *([place / "sealed"] if name == "encrypt" else []),
        ):
            shutil.rmtree(left, ignore_errors=True)
        done = subprocess.run(
            [*line, "--memory", str(memory)], check=True, capture_output=True, text=True
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
    best = min(f["seconds"] for f in found)
    used = min(f["processor"] for f in found)
    rates = (
        (None, None) if name.startswith(("load", "rekey")) else (given.mib / best, given.mib / used)
    )
    return name, best, rates[0], used, rates[1], max(f["mib"] for f in found)


if __name__ == "__main__":
    main()
