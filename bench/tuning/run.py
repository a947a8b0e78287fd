"""``make bench-tuning``: a tool that the demo company lacks is taught, measured, deployed and rolled back; and
fifty fraud texts are learnt by p-tuning and prompt tuning.

Wants an environment with the ``tune`` extra, named by ``DAZI_TUNE_PYTHON``. ``--small`` goes the whole way in
two minutes with figures that say nothing. Results of steps that are done are kept in ``.bench/tuning``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import yaml  # noqa: E402

from bench.machine import describe  # noqa: E402
from bench.tables import Table  # noqa: E402
from bench.tuning import cases, fraud, samples  # noqa: E402
from dazi.apps.contracts.statistics import wilson  # noqa: E402
from dazi.lab.evals.intervals import Paired, newcombe  # noqa: E402
from dazi.lab.tuning.gate import paired  # noqa: E402
from dazi.lab.tuning.running import Trainer, events  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "tuning.md"
WORK = ROOT / ".bench" / "tuning"
NEW = Path(__file__).resolve().parent / "cases_held_out.jsonl"
SAMPLES, REPLAY, OLD, SEED = 2000, 1500, 2000, 7
ASKED = ("帮我查一下 YS3046182957 到哪了", "trace YS7120049386 please, phone ending 5512")
RECIPE: dict[str, Any] = {
    "method": "lora",
    "rank": 16,
    "rate": 2e-3,
    "epochs": 4,
    "batch": 8,
    "length": 900,
    "minutes": 14,
    "validations": 3,
    "seed": SEED,
}
FEW: dict[str, dict[str, Any]] = {
    "prompt-tuning": {"method": "prompt-tuning", "virtual": 16, "rate": 0.1, "epochs": 60},
    "p-tuning": {"method": "p-tuning", "virtual": 16, "rate": 0.003, "epochs": 20},
    "lora": {"method": "lora", "rank": 8, "rate": 2e-3, "epochs": 30},
}


class Work:
    """The folders of one measurement, and the ``dazi`` command in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.company = samples.company(folder / "company")
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self._kept = folder / "kept.json"

    def dazi(self, *args: str) -> str:
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "DAZI_COMPANY": str(self.company),
            "DAZI_DATA": str(self.data),
            "DAZI_LANG": "en",
        }
        command = [sys.executable, "-c", "from dazi.main.cli import run; run()", *args]
        done = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(f"dazi {' '.join(args)} ended with {done.returncode}: {done.stdout}")
        print(done.stdout, flush=True)
        return done.stdout

    def kept(self, name: str, make: Any) -> Any:
        found = json.loads(self._kept.read_text()) if self._kept.is_file() else {}
        if name not in found:
            found[name] = make()
            self._kept.write_text(json.dumps(found, ensure_ascii=False, indent=1))
        return found[name]


def new_tool(work: Work, small: bool, new_cases: Path, wanted: int) -> dict[str, Any]:
    count, replay, old = (60, 60, 40) if small else (SAMPLES, REPLAY, wanted)
    made = work.kept("dataset", lambda: samples.make(work.company, work.data, count, replay, SEED))
    files, written, more = cases.write(work.folder / "cases", old)
    if small:
        files = files[-1:]
    recipe = {
        **RECIPE,
        "name": "parcels",
        "data": "parcels@1",
        "gate": {"better": [str(new_cases)], "same": [str(f) for f in files], "gain": 0.4},
    }
    if small:
        recipe |= {"epochs": 1, "minutes": 2}
    path = work.folder / "parcels.yaml"
    path.write_text(yaml.safe_dump(recipe, allow_unicode=True), encoding="utf-8")
    work.kept("trained", lambda: _trained(work, path))
    work.kept("evaluated", lambda: work.dazi("tune", "evaluate", "parcels", str(path)))
    card = json.loads(work.dazi("tune", "show", "parcels", "--json"))
    same = card["gate"]["same"]
    return {"dataset": made, "card": card, "written": written, "made": more, "same": same}


def _trained(work: Work, recipe: Path) -> float:
    began = time.monotonic()
    work.dazi("tune", "run", str(recipe), "--skip-gate")
    return time.monotonic() - began


def deployed(work: Work) -> list[dict[str, Any]]:
    """The same messages before, while it is deployed, and after the roll back."""
    out = []
    steps = (("before", ()), ("deployed", ("deploy", "parcels")), ("rolled back", ("rollback",)))
    for name, step in steps:
        if step:
            work.dazi("tune", *step, *(["--anyway"] if step[0] == "deploy" else []))
        for text in ASKED:
            said = json.loads(work.dazi("ask", text, "--as", "staff", "--json"))
            calls = [
                f"{c['name']}({json.dumps(c['arguments'], ensure_ascii=False)})"
                for c in said["calls"]
            ]
            out.append({"when": name, "said": text, "calls": calls, "answer": said["answer"]})
    return out


def few_shot(work: Work, small: bool) -> dict[str, Any]:
    from dazi.lab.tuning.datasets import read_samples
    from dazi.lab.tuning.preparing import prepare
    from dazi.lab.tuning.recipe import read_recipe
    from dazi.main.settings import Settings
    from dazi.main.tuning import Bench, read_material, renderer_of

    folder = work.folder / "fraud"
    counts = fraud.write(folder)
    settings = Settings(company=work.company, data=work.data)
    trainer = Trainer(os.environ.get("DAZI_TUNE_PYTHON", sys.executable))
    out: dict[str, Any] = {"counts": counts, "judged": {}}
    for name, recipe in FEW.items():
        path = folder / f"{name}.yaml"
        whole = {
            **recipe,
            "name": f"fraud-{name}",
            "data": {"train": ["train.jsonl"], "validation": ["train.jsonl"]},
            "batch": 10,
            "length": 300,
            "validations": 0,
            "warmup": 0.1,
            "minutes": 5,
            "seed": SEED,
            **({"epochs": 1} if small else {}),
        }
        path.write_text(yaml.safe_dump(whole), encoding="utf-8")
        work.kept(f"trained {name}", lambda path=path: _trained(work, path))
        bench = Bench.of(settings)
        told = read_recipe(path)
        run = work.data / "tuning" / f"fraud-{name}-1"
        renderer = renderer_of(
            bench, bench.catalog.get(told.base), told, read_material(work.data, told.data, 1)
        )
        held = folder / "prepared"
        held.mkdir(exist_ok=True)
        prepare(renderer, tuple(read_samples([folder / "held.jsonl"])), (), held)
        for which, adapter in (("untuned", None), (name, run / "adapter")):
            found = work.kept(
                f"judged {which}",
                lambda run=run, adapter=adapter, held=held: trainer.labels(
                    run, held / "train.jsonl", adapter
                ),
            )
            out["judged"][which] = {f["id"]: f["right"] == f["said"] for f in found}
        out.setdefault("seconds", {})[name] = events(run)[-1].get("seconds")
    return out


def tables(new: dict[str, Any], asked: list[dict[str, Any]], few: dict[str, Any]) -> list[Table]:
    card, gate = new["card"], new["card"]["gate"]
    rows = [_row("new tool", gate["better"])]
    rows += [_row(p["name"], [p]) for p in new["same"]]
    rows.append(_row("old tools together", new["same"]))
    accuracy = Table(
        "accuracy",
        "Exactly right cases before and after, the same cases in pairs",
        ("cases", "n", "before", "after", "only after", "only before", "difference", "95 %", "p"),
        rows,
        [
            f"Of the old tools' cases {new['written']} are written by hand and {new['made']} are made by "
            "the generator from a stream that no training drew from.",
            "p: McNemar's exact test; the interval: Newcombe's method 10. Cases of all sets: effects off, the "
            "product's prompt, router and policies (`dazi tune evaluate`).",
        ],
    )
    trained = card["trained"]
    training = Table(
        "training",
        "The training",
        ("samples", "parameters learnt", "steps", "seconds", "best validation loss"),
        [
            (
                trained["samples"],
                trained["learnt"],
                trained["steps"],
                trained["seconds"],
                card["loss"],
            )
        ],
        [
            f"Samples of the new tool: {json.dumps(new['dataset']['stages'][0], ensure_ascii=False)}",
            f"Recipe: {json.dumps(RECIPE)}",
        ],
    )
    seen = Table(
        "deployed",
        "`dazi ask` before, while deployed, and rolled back",
        ("when", "said", "calls", "answer"),
        [(a["when"], a["said"], "; ".join(a["calls"]) or "-", a["answer"]) for a in asked],
    )
    base = few["judged"]["untuned"]
    learnt: list[tuple[Any, ...]] = []
    for name, right in few["judged"].items():
        n, ok = len(right), sum(right.values())
        low, high = wilson(ok, n)
        against = paired(name, base, right)
        gain = f"{against.difference:+.1%} [{against.low:+.1%}, {against.high:+.1%}]"
        learnt.append(
            (
                name,
                n,
                f"{ok / n:.1%} [{low:.1%}, {high:.1%}]",
                "" if name == "untuned" else gain,
                "" if name == "untuned" else f"{against.p:.2g}",
                few["seconds"].get(name),
            )
        )
    fifty = Table(
        "fraud",
        "Fraud texts: 50 samples, 200 held out",
        ("method", "held out", "right", "gain over untuned", "p", "seconds"),
        learnt,
        [
            "Fraud or ordinary, by the likelihood of both answers after the same prompt. The 50 are written by "
            "hand, the 200 held out are made of 50 templates written apart from them (four each: texts of one "
            "template are alike, so the intervals are too narrow rather than too wide).",
            "LoRA beside them, for comparison. The built-in engine serves LoRA only.",
        ],
    )
    return [training, accuracy, seen, fifty]


def _row(name: str, parts: list[dict[str, Any]]) -> tuple[Any, ...]:
    """Of several files together the interval is of their sums."""
    from dazi.ops.experiments.sequential import mcnemar

    n = sum(p["n"] for p in parts)
    gained, lost = sum(p["gained"] for p in parts), sum(p["lost"] for p in parts)
    before = round(sum(p["before"] * p["n"] for p in parts))
    both = before - lost
    gap = newcombe(Paired(both, lost, gained, n - both - gained - lost))
    return (
        name,
        n,
        f"{before / n:.1%}",
        f"{(both + gained) / n:.1%}",
        gained,
        lost,
        f"{(gained - lost) / n:+.1%}",
        f"[{gap.low:+.1%}, {gap.high:+.1%}]",
        f"{mcnemar(gained, lost):.2g}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write bench/results/tuning.md")
    parser.add_argument("--small", action="store_true", help="the whole way with hardly any data")
    parser.add_argument("--old", type=int, default=OLD, help="cases of the old tools")
    parser.add_argument("--cases", type=Path, default=NEW, help="held-out cases of the new tool")
    args = parser.parse_args()
    work = Work(WORK / ("small" if args.small else "whole"))
    new = new_tool(work, args.small, args.cases, args.old)
    asked = work.kept("asked", lambda: deployed(work))
    few = few_shot(work, args.small)
    found = tables(new, asked, few)
    for table in found:
        print(table.text())
    if args.write:
        machine = ", ".join(f"{k} {v}" for k, v in describe().items())
        head = (
            "# Tuning\n\n`make bench-tuning` (`python bench/tuning/run.py --write`) makes this page. "
            f"Measured on: {machine}. Which cases were seen by whom: [bench/tuning](../tuning/README.md).\n\n"
        )
        parts = [t.markdown().strip() for t in found]
        RESULTS.write_text("\n\n".join([head.strip(), *parts]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
