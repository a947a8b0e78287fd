"""Score the bundled model on everything held out, and write the tables of its card.

Runs ``dazi eval calls`` on each file of ``heldout/``, with the aids left out one by one, and with the random control;
prints Markdown. ``--parts`` picks some of the tables; ``--public DIR`` adds public data (BFCL, ACEBench) in DIR.

Run with the product's environment: ``python models/mini/scores.py > tables.md``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HELDOUT = Path(__file__).parent / "heldout"
SETS = ("test", "dev3", "dev2", "dev")
RATES = ("name_accuracy", "exact_match", "false_call_rate")
AIDS: dict[str, list[str]] = {
    "all aids": [],
    "without grounding": ["--without", "grounding"],
    "without grammar": ["--without", "grammar"],
    "without both": ["--without", "grammar", "--without", "grounding"],
    "without confidence": ["--without", "confidence"],
    "random": ["--random"],
}
PUBLIC = (
    ("bfcl", "bfcl", "BFCL_v4_simple_python.json"),
    ("bfcl", "bfcl", "BFCL_v4_multiple.json"),
    ("bfcl", "bfcl", "BFCL_v4_irrelevance.json"),
    ("acebench", "acebench/data_en", "data_normal_single_turn_single_function.json"),
    ("acebench", "acebench/data_en", "data_normal_similar_api.json"),
    ("acebench", "acebench/data_en", "data_special_irrelevant.json"),
)


def evaluated(file: Path, options: Sequence[str] = ()) -> dict[str, Any]:
    """The report of ``dazi eval calls FILE``."""
    dazi = Path(sys.executable).with_name("dazi")
    with tempfile.TemporaryDirectory() as data:
        done = subprocess.run(
            [dazi, "eval", "calls", file, "--json", *options],
            env={"DAZI_DATA": data, "PATH": "/usr/bin:/bin"},
            stdout=subprocess.PIPE,
            check=False,
        )
    report: dict[str, Any] = json.loads(done.stdout)
    print(f"{file.name} {' '.join(options)}: {report['seconds']:.0f} s", file=sys.stderr)
    return report


def percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}%"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def single_calls() -> None:
    rows = []
    for kind in SETS:
        for language in ("zh", "en"):
            r = evaluated(HELDOUT / kind / f"cases.{language}.jsonl")
            counts = [r["forbidden_executed"], r["unconfirmed"], r["sensitive_unasked"]]
            rates = [percent(r[k]) for k in (*RATES, "schema_valid_rate", "replaced_rate")]
            rows.append([f"`{kind}/cases.{language}`", r["n"], *rates, *counts])
    r = evaluated(HELDOUT / "others" / "cases.jsonl", ["--company", str(HELDOUT / "others")])
    counts = [r["forbidden_executed"], r["unconfirmed"], r["sensitive_unasked"]]
    rates = [percent(r[k]) for k in (*RATES, "schema_valid_rate", "replaced_rate")]
    rows.append(["`others/cases` (tools never seen)", r["n"], *rates, *counts])
    table(
        (
            *("held out", "n", "tool name", "exact call", "false calls", "schema-valid"),
            *(
                "replies replaced",
                "forbidden executed",
                "sensitive unconfirmed",
                "sensitive unasked",
            ),
        ),
        rows,
    )


def dialogues() -> None:
    rows = []
    for kind in SETS:
        r = evaluated(HELDOUT / kind / "dialogues.jsonl")
        rates = [percent(r[k]) for k in ("dialogue_success", "turn_success", "approvals_respected")]
        rows.append([f"`{kind}/dialogues`", r["dialogues"], *rates, r["forbidden_executed"]])
    head = ("held out", "n", "dialogues right", "turns right", "approvals respected")
    table((*head, "forbidden executed"), rows)


def ablations() -> None:
    """On the set that nobody looked at."""
    rows = []
    for name, options in AIDS.items():
        row: list[object] = [name]
        for language in ("zh", "en"):
            r = evaluated(HELDOUT / "test" / f"cases.{language}.jsonl", options)
            row += [percent(r[k]) for k in (*RATES, "schema_valid_rate")]
        rows.append(row)
    rates = ("name", "exact", "false calls", "schema-valid")
    table(("", *(f"zh {r}" for r in rates), *(f"en {r}" for r in rates)), rows)


def confusion() -> None:
    pairs: dict[tuple[str, str], int] = {}
    for language in ("zh", "en"):
        r = evaluated(HELDOUT / "test" / f"cases.{language}.jsonl")
        for expected, got in r["confusion"].items():
            for name, count in got.items():
                if name != expected:
                    pairs[expected, name] = pairs.get((expected, name), 0) + count
    most = sorted(pairs.items(), key=lambda p: -p[1])[:12]
    table(("expected", "proposed instead", "times"), [(*pair, n) for pair, n in most])


PARTS = {
    "calls": single_calls,
    "dialogues": dialogues,
    "ablations": ablations,
    "confusion": confusion,
}


def public(folder: Path, limit: int) -> None:
    rows = []
    for form, where, name in PUBLIC:
        file = folder / where / name
        if file.exists():
            r = evaluated(file, ["--format", form, "--limit", str(limit)])
            rows.append([f"{form} `{name}`", r["n"], *(percent(r[k]) for k in RATES)])
    table(("public data", "n", "tool name", "exact call", "false calls"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--public", type=Path, help="folder that holds bfcl/ and acebench/")
    parser.add_argument("--limit", type=int, default=200, help="cases of each public file; 0: all")
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    args = parser.parse_args()
    for part in args.parts:
        PARTS[part]()
    if args.public:
        public(args.public, args.limit)


if __name__ == "__main__":
    main()
