"""Speed on a GPU beside what the hardware allows: ``python -m bench.gpu``, or ``make bench-gpu``.

Each step writes its results as they come, and goes on where an earlier call ended: where a machine is lent by the
minute, call it again. Without a GPU, or without what it needs, it says so and ends well.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))  # a lent machine has this folder and nothing installed

from bench.gpu import decode, first_token, report, same  # noqa: E402
from bench.gpu.shape import REAL, TINY, build  # noqa: E402
from dazi.ops.plan.models import Shape  # noqa: E402

OUT = ROOT / "bench" / "results" / "gpu"
NEEDED = ("torch", "transformers")
MINUTES = 8.0
Step = Callable[[Any, Shape, str, bool], Iterator[dict[str, Any]]]


def _ceilings(model: Any, shape: Shape, case: str, tiny: bool) -> Iterator[dict[str, Any]]:
    from bench.gpu import ceilings

    yield asdict(ceilings.measure(model.device.type))


STEPS: dict[str, tuple[tuple[str, ...], Step]] = {
    "ceilings": (("copy and product",), _ceilings),
    "decode": (decode.cases(), lambda m, s, c, tiny: decode.run(m, s, c, tiny=tiny)),
    "first_token": (first_token.cases(), lambda m, s, c, tiny: first_token.run(m, s, c, tiny=tiny)),
    "same": (same.cases(), lambda m, s, c, tiny: same.run(m, s, c, tiny=tiny)),
}


def main(arguments: list[str] | None = None) -> int:
    a = _parsed(arguments)
    why = cannot(a.device)
    if why:
        print(f"bench/gpu: skipped: {why}")
        return 0
    shape = TINY if a.tiny else REAL
    device, memory = _device(a.device)
    results: dict[str, dict[str, Any]] = {
        step: _known(step, a.out, a.known, device, shape) for step in STEPS
    }
    left = [
        (step, case)
        for step, (cases, _) in STEPS.items()
        for case in cases
        if case not in results[step]["cases"] and (not a.step or step in a.step)
    ]
    failed: list[tuple[str, str]] = []
    until = time.monotonic() + 60 * a.minutes
    model = build(shape, a.device) if left else None
    while left and time.monotonic() < until:
        step, case = left.pop(0)
        begun = time.monotonic()
        try:
            rows = list(STEPS[step][1](model, shape, case, a.tiny))
        except Exception:  # the machine is lent for minutes: the other cases are still worth having
            traceback.print_exc()
            print(f"{step}: {case}: failed", flush=True)
            failed.append((step, case))
            continue
        took = round(time.monotonic() - begun, 1)
        results[step]["cases"][case] = {"rows": rows, "took": took}
        print(f"{step}: {case}: {took} s", flush=True)
        _keep(a.out, f"{step}.json", json.dumps(results[step], indent=1))
    made = report.tables(results, shape, device, memory)
    for table in made:
        if a.tiny:
            table.notes.append("A tiny model: its figures mean nothing.")
        print(f"\n{table.text()}", flush=True)
    if left:
        print(f"\nleft for another call: {', '.join(f'{s} ({c})' for s, c in left)}")
    _keep(a.out, "README.md", "\n\n".join(["# Speed on a GPU", *(t.markdown() for t in made)]))
    wrong = not all(map(same.explained, report.rows_of(results, "same")))
    return int(wrong or bool(failed))


def _keep(folder: Path | None, name: str, text: str) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n")


def cannot(device: str) -> str:
    """Why nothing can be measured; empty where it can."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return f"not installed here: {', '.join(missing)}"
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            return "no GPU here (torch finds no CUDA device)"
    return ""


def _device(device: str) -> tuple[str, int]:
    if device == "cpu":
        return "CPU", 0
    import torch

    found = torch.cuda.get_device_properties(0)
    return found.name, found.total_memory


def _known(
    step: str, out: Path | None, known: Path | None, device: str, shape: Shape
) -> dict[str, Any]:
    """What earlier calls measured of the same model on the same device."""
    made: dict[str, Any] = {
        "step": step,
        "device": device,
        "model": shape.name,
        "date": time.strftime("%Y-%m-%d"),
        "packages": {name: importlib.metadata.version(name) for name in NEEDED},
        "cases": {},
    }
    for folder in (known, out):
        path = folder / f"{step}.json" if folder else None
        if path and path.is_file():
            found = json.loads(path.read_text())
            if (found["device"], found["model"]) == (device, shape.name):
                made["cases"] |= found["cases"]
    return made


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__)
    parser.add_argument("--step", action="append", choices=list(STEPS), help="may be repeated")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a tiny model: does it work?")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="no case begins later")
    parser.add_argument("--out", type=Path, help="where results go; nowhere if --tiny")
    parser.add_argument("--known", type=Path, help="results of an earlier call, only read")
    made = parser.parse_args(arguments)
    if made.out is None and not made.tiny:
        made.out = OUT
    return made


if __name__ == "__main__":
    sys.exit(main())
