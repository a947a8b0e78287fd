"""Does our grader of BFCL agree with the published one?

    python -m bench.evals.agree --data EVALDATA/bfcl --published VENV/bin/python

makes outputs, right and wrong, grades each with both, and writes ``bench/results/evals_agreement.md`` and
``.json``. The second holds the published grader's verdicts by line and kind of output, none of the data: with
them a test checks our grader where the data is and the package is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.evals.outputs import Made, outputs, sampled
from bench.tables import Table
from dazi.lab.evals.bfcl.grader import grade, program_of
from dazi.lab.evals.bfcl.reading import UNANSWERED, files, read

RESULTS = Path(__file__).resolve().parent.parent / "results"
SEED, LINES = 20261130, 14


def made_of(folder: Path, seed: int = SEED, lines: int = LINES) -> Iterator[Made]:
    """Of every category that has answers."""
    for category, path in files(folder).items():
        if not category.endswith(UNANSWERED):
            for line in sampled(read(category, path), lines, seed):
                yield from outputs(line, seed)


def ours(made: Made) -> bool:
    line = made.line
    return not grade(line.category, line.functions, line.answers, made.output)


def published(python: str, cases: Sequence[Made]) -> list[bool | None]:
    script = Path(__file__).with_name("published.py")
    text = "\n".join(
        json.dumps(
            {
                "id": m.line.id,
                "kind": m.kind,
                "category": m.line.category,
                "program": program_of(m.line.category),
                "functions": m.line.functions,
                "answers": m.line.answers,
                "output": m.output,
            }
        )
        for m in cases
    )
    done = subprocess.run(
        [python, str(script)], input=text, capture_output=True, text=True, check=True
    )
    sys.stderr.write(done.stderr)
    return [json.loads(line) for line in done.stdout.split()]


def as_json(cases: Sequence[Made], verdicts: Sequence[bool | None], version: str) -> dict[str, Any]:
    told: dict[str, dict[str, dict[str, bool | None]]] = {}
    for made, verdict in zip(cases, verdicts, strict=True):
        of_line = told.setdefault(made.line.category, {}).setdefault(made.line.id, {})
        of_line[made.kind] = verdict
    return {
        "made": time.strftime("%Y-%m-%d", time.gmtime()),
        "published": version,
        "seed": SEED,
        "lines": LINES,
        "verdicts": told,
    }


def tables(cases: Sequence[Made], verdicts: Sequence[bool | None]) -> list[Table]:
    rows: dict[str, Counter[str]] = {}
    differ = Table("differ", "Outputs on which they differ", ("line", "kind", "ours", "published"))
    for made, theirs in zip(cases, verdicts, strict=True):
        row = rows.setdefault(made.line.category, Counter())
        mine = ours(made)
        row["n"] += 1
        row["right" if theirs else "failed" if theirs is None else "wrong"] += 1
        if theirs is None:
            continue
        if mine == theirs:
            row["agree"] += 1
        else:
            differ.rows.append((made.line.id, made.kind, str(mine), str(theirs)))
    columns = ("category", "outputs", "right", "wrong", "it fails itself", "agreement")
    agreement = Table("agreement", "Our grader and the published one", columns)
    rows["all"] = sum(rows.values(), Counter())
    for category, row in rows.items():
        judged = row["right"] + row["wrong"]
        share = f"{row['agree']}/{judged}"
        agreement.rows.append(
            (category, row["n"], row["right"], row["wrong"], row["failed"], share)
        )
    refused = [
        m.line.id for m, v in zip(cases, verdicts, strict=True) if m.kind == "right" and v is False
    ]
    if refused:
        agreement.notes.append(
            f"Of {sum(m.kind == 'right' for m in cases)} outputs made of the first accepted values the "
            f"published grader refuses {len(refused)} ({', '.join(refused)}), and so do we: it takes the "
            "quotes of texts in a Java array for part of them, and an answer may hold an argument that its "
            "function does not declare."
        )
    return [agreement, differ]


def markdown(found: Sequence[Table], data: Mapping[str, Any]) -> str:
    head = (
        "# The grader of BFCL beside the published one\n\n"
        f"{data['made']}; bfcl-eval {data['published']}; seed {data['seed']}, {data['lines']} lines a "
        "category; `python -m bench.evals.agree --data EVALDATA/bfcl --published VENV/bin/python`\n\n"
        "Outputs are made of the accepted answers (`bench/evals/outputs.py`): the right one, other accepted "
        "values, and some fifty ways of being wrong or nearly right. `irrelevance` and `relevance` have no "
        "answers to compare with: there a call is wrong, or right, and nothing else is looked at.\n\n"
    )
    return head + "\n".join(t.markdown() for t in found if t.rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--published", required=True, help="a Python that has bfcl-eval")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    cases = list(made_of(given.data))
    verdicts = published(given.published, cases)
    version = subprocess.run(
        [given.published, "-c", "import importlib.metadata as m; print(m.version('bfcl-eval'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    data = as_json(cases, verdicts, version)
    found = tables(cases, verdicts)
    (given.out / "evals_agreement.json").write_text(json.dumps(data, separators=(",", ":")) + "\n")
    (given.out / "evals_agreement.md").write_text(markdown(found, data))
    for table in found:
        print(table.text())


if __name__ == "__main__":
    main()
