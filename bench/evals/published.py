"""Verdicts of the published grader. Runs in an environment of its own that has the package ``bfcl-eval``
(``pip install --no-deps bfcl-eval`` is enough): a line of JSON in (category, functions, answers, output), a
line out: ``true``, ``false``, or ``null`` where the grader itself fails.

Its table of models imports the clients of every provider; the grader reads one flag of it, whether names lose
their dots. A table of one model, whose names are as they are here, stands in its place.
"""

from __future__ import annotations

import importlib
import json
import sys
import types


class Flags:
    underscore_to_dot = False


def checker():
    table = types.ModuleType("bfcl_eval.constants.model_config")
    table.MODEL_CONFIG_MAPPING = {"plain": Flags}
    sys.modules[table.__name__] = table
    module = importlib.import_module("bfcl_eval.eval_checker.ast_eval.ast_checker")
    languages = importlib.import_module("bfcl_eval.constants.enums").Language
    return module.ast_checker, languages


def main() -> None:
    check, languages = checker()
    for line in sys.stdin:
        case = json.loads(line)
        language = {
            "python": languages.PYTHON,
            "java": languages.JAVA,
            "javascript": languages.JAVASCRIPT,
        }[case["program"]]
        verdict = None
        try:
            found = check(
                case["functions"],
                case["output"],
                case["answers"],
                language,
                case["category"],
                "plain",
            )
            verdict = bool(found["valid"])
        except Exception as e:  # whatever it does with an output is its verdict
            print(f"{case['id']} {case['kind']}: {type(e).__name__}: {e}", file=sys.stderr)
        print(json.dumps(verdict), flush=True)


if __name__ == "__main__":
    main()
