"""Runs in the Python of an environment with ``bfcl-eval``, as a file and not as a module of ours: BFCL's
simulated systems, asked by ``systems.py`` in JSON lines.

It imports nothing of Dazi. ``{"do": ...}``, and what is answered:

- ``hello``: ``{"version"}`` once everything that the systems need has been imported
- ``begin`` with ``id``, ``classes``, ``config``: systems in the item's first state
- ``call`` with ``name``, ``arguments``: ``{"result"}``, a text
- ``judge`` with ``turns`` (of each its steps, of each its calls) and ``truth``: ``{"valid", "kind", "why",
  "details", "turns"}``, the verdict of ``multi_turn_checker``; ``turns``: how many are right before the first
  that is not

Whatever goes wrong is ``{"error"}``.
"""

from __future__ import annotations

import json
import keyword
import os
import sys
from importlib import import_module, metadata
from typing import Any

MEMORY = 2 << 30
"""Bytes of address space, where the system bounds it: one call may ask for a number of a billion digits."""
SHOWN = 2_000
"""Characters of a verdict's details that go back."""
CHECKER = "bfcl_eval.eval_checker.multi_turn_eval"


class Systems:
    """Of one item. The package keeps an instance of a system under the name of a model and an item: what
    is asked live and what the verdict is made of must not have the same."""

    def __init__(self, id: str, classes: list[str], config: dict[str, Any]) -> None:
        self.utils = import_module(f"{CHECKER}.multi_turn_utils")
        self.id, self.classes, self.config = id, classes, config
        self.functions = {
            name
            for system in self._run([])[1].values()
            for name in dir(system)
            if not name.startswith("_") and callable(getattr(system, name))
        }

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        (result,), _ = self._run([self.written(name, arguments)])
        return str(result)

    def judge(self, turns: list[Any], truth: list[list[str]]) -> dict[str, Any]:
        """The package ends at the first wrong turn without always saying which it is: it is asked of the
        first turn, then of the first two, and so on."""
        checker = import_module(f"{CHECKER}.multi_turn_checker")
        made = [[[self.written(**c) for c in step] for step in turn if step] for turn in turns]
        entry = {"id": self.id, "initial_config": self.config, "involved_classes": self.classes}
        category = self.id.rsplit("_", 1)[0]
        for n in range(1, len(truth) + 1):
            given = (made[:n], truth[:n], entry, category, f"first_{n}")
            found = checker.multi_turn_checker(*given)
            if not found["valid"]:
                details = found.get("details") or {}
                some = details.get("differences") or details.get("missing_items") or ""
                return {
                    "valid": False,
                    "kind": str(found.get("error_type", "")),
                    "why": str(found.get("error_message", "")),
                    "details": str(some)[:SHOWN],
                    "turns": n - 1,
                }
        return {"valid": True, "kind": "", "why": "", "details": "", "turns": len(truth)}

    def written(self, name: str, arguments: dict[str, Any]) -> str:
        """The call as the package takes it. It evaluates that text: nothing may stand in it but the name of
        a function that there is, names of arguments, and values as literals."""
        if name not in self.functions:
            raise ValueError(f"there is no function {name}")
        if odd := [a for a in arguments if not a.isidentifier() or keyword.iskeyword(a)]:
            raise ValueError(f"{odd[0]!r} is no name of an argument")
        return f"{name}({', '.join(f'{a}={v!r}' for a, v in arguments.items())})"

    def _run(self, calls: list[str]) -> Any:
        return self.utils.execute_multi_turn_func_call(
            calls,
            self.config,
            self.classes,
            "asked",
            self.id,
            long_context="long_context" in self.id,
        )


def hello() -> dict[str, Any]:
    import_module(f"{CHECKER}.multi_turn_checker")
    backends = import_module("bfcl_eval.constants.executable_backend_config")
    for name in needed(backends.CLASS_FILE_PATH_MAPPING):
        import_module(name)
    return {"version": metadata.version("bfcl-eval")}


def needed(modules: dict[str, str]) -> list[str]:
    """Without those of other categories, which want more."""
    return [m for name, m in modules.items() if not name.startswith(("WebSearch", "MemoryAPI"))]


def answer(
    request: dict[str, Any], systems: Systems | None
) -> tuple[dict[str, Any], Systems | None]:
    do = request.pop("do")
    if do == "hello":
        return hello(), systems
    if do == "begin":
        return {}, Systems(**request)
    if systems is None:
        raise ValueError("begin comes first")
    if do == "call":
        return {"result": systems.call(**request)}, systems
    return systems.judge(**request), systems


def bound() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, OSError, ValueError):  # not on every system
        pass


def main() -> None:
    """The protocol has the pipes to itself: what is printed goes to standard error, and nobody reads from
    standard input."""
    asked, told = (
        os.fdopen(os.dup(0), encoding="utf-8"),
        os.fdopen(os.dup(1), "w", encoding="utf-8"),
    )
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    bound()
    systems: Systems | None = None
    for line in asked:
        try:
            out, systems = answer(json.loads(line), systems)
        except Exception as e:  # an edge: whoever asked is told
            out = {"error": f"{type(e).__name__}: {e}"}
        told.write(json.dumps(out) + "\n")
        told.flush()


if __name__ == "__main__":
    main()
    sys.exit(0)
