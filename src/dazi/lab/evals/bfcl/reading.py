"""BFCL v4 files: ``BFCL_v4_CATEGORY.json`` with the answers in ``possible_answer/`` beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.core.engine import OfferedTool
from dazi.core.errors import CallerError
from dazi.lab.evals.bfcl.grader import Program, program_of

PREFIX = "BFCL_v4_"
CATEGORIES = (
    "simple_python",
    "simple_java",
    "simple_javascript",
    "multiple",
    "parallel",
    "parallel_multiple",
    "irrelevance",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
    "live_irrelevance",
    "live_relevance",
)
"""What is graded by the calls alone. ``multi_turn_*``, judged by the state of simulated systems, are read by
``conversations``. Not graded: ``memory``, ``web_search``, ``format_sensitivity``."""
UNANSWERED = ("irrelevance", "relevance")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_STANDARD = {"dict": "object", "float": "number", "tuple": "array", "list": "array"}
_LANGUAGE = {"java": "Java", "javascript": "JavaScript"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line. Names of functions are such as servers take, in ``functions``, ``answers`` and ``tools``
    alike. ``before`` and ``said``: the conversation; ``system``: what stands before it."""

    id: str
    category: str
    system: str
    before: tuple[tuple[str, str], ...]
    said: str
    functions: tuple[Mapping[str, Any], ...]
    answers: tuple[Mapping[str, Any], ...]
    tools: tuple[OfferedTool, ...]


def name_of(function: str) -> str:
    """Servers take no dots in a function's name."""
    return _NOT_IN_NAMES.sub("_", function)[:64]


def files(folder: Path) -> dict[str, Path]:
    """Category -> file, of those that are there and can be graded."""
    found = {c: folder / f"{PREFIX}{c}.json" for c in CATEGORIES}
    return {c: path for c, path in found.items() if path.is_file()}


def read(category: str, path: Path) -> list[Line]:
    """Raises ``CallerError`` for a file that cannot be read or is not of this format."""
    beside = path.parent / "possible_answer" / path.name
    silent = category.endswith(UNANSWERED)
    try:
        answers = {} if silent else {a["id"]: a["ground_truth"] for a in json_lines(beside)}
        return [_line(category, d, answers.get(d["id"], ())) for d in json_lines(path)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as e:
        told = f"{type(e).__name__}: {e}"
        raise CallerError(
            "bfcl", f"{path} 不是 BFCL v4 的格式:{told}", f"{path} is not BFCL v4: {told}"
        ) from None


def json_lines(path: Path) -> Iterator[Any]:
    """Raises ``OSError``, and ``ValueError`` for a line that is no JSON."""
    for text in path.read_text(encoding="utf-8").split("\n"):
        if text.strip():
            yield json.loads(text)


def _line(category: str, data: Any, answers: Sequence[Mapping[str, Any]]) -> Line:
    *before, last = data["question"][0]
    functions = tuple({**f, "name": name_of(f["name"])} for f in data["function"])
    program = program_of(category)
    return Line(
        data["id"],
        category,
        "\n\n".join(m["content"] for m in before if m["role"] == "system"),
        tuple((m["role"], m["content"]) for m in before if m["role"] != "system"),
        last["content"],
        functions,
        tuple({name_of(name): v for name, v in a.items()} for a in answers),
        tuple(tool_of(f, program) for f in functions),
    )


def tool_of(function: Mapping[str, Any], program: Program = "python") -> OfferedTool:
    """A function of the data as a model is offered it."""
    parameters = function.get("parameters") or {"type": "dict", "properties": {}}
    if program != "python":
        parameters = _as_text(parameters, _LANGUAGE[program])
    return OfferedTool(function["name"], function.get("description", ""), standard(parameters))


def _as_text(parameters: Mapping[str, Any], language: str) -> Mapping[str, Any]:
    """Every argument is text in that language's own writing."""
    properties = {}
    for name, p in parameters["properties"].items():
        items = (p.get("items") or {}).get("type", "")
        told = f"{language} {p['type']}" + (f" of {items}" if items else "")
        description = f"{p.get('description', '')} Written as a {told} literal.".strip()
        properties[name] = {"type": "string", "description": description}
    return {**parameters, "properties": properties}


def standard(schema: Any) -> Any:
    """JSON Schema with its standard names of types; ``any`` is no type at all."""
    if isinstance(schema, list):
        return [standard(s) for s in schema]
    if not isinstance(schema, Mapping):
        return schema
    out = {k: standard(v) for k, v in schema.items()}
    kind = out.get("type")
    if isinstance(kind, str):
        if kind == "any":
            del out["type"]
        else:
            out["type"] = _STANDARD.get(kind, kind)
    return out
