"""Is a function call what BFCL accepts? The rules of its published grader of abstract syntax trees
(Patil et al., "The Berkeley Function Calling Leaderboard", ICML 2025; package ``bfcl-eval``), written
anew. ``bench/evals/agree.py`` grades the same outputs with both and says where they differ.

Of every argument the data lists the values that are right; an empty text among them says that it may be
left out. Types are exact (``True`` is no integer, an integer is a float). Texts are compared without case,
spaces and some punctuation, in lists and objects too, one level deep; what lies deeper has to be equal.
Lists keep their order. Calls of the parallel categories may come in any order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dazi.lab.evals.bfcl.literals import LISTS, READERS

Program = Literal["python", "java", "javascript"]
Function = Mapping[str, Any]
Output = Sequence[Mapping[str, Any]]
"""Calls as ``{name: arguments}``."""

PYTHON_TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
_LISTED = frozenset({"array", "tuple"})
_LEFT_OUT = re.compile(r"[ ,./\-_*^]")
OMITTED = ""
"""Among accepted values: the argument may be left out."""


def program_of(category: str) -> Program:
    """The programming language of a category's functions."""
    if "javascript" in category:
        return "javascript"
    return "java" if "java" in category else "python"


def grade(category: str, functions: Sequence[Function], answers: Output, output: Output) -> str:
    """What is wrong with ``output`` in a few words; empty when nothing is. Categories in which no call is
    right (``irrelevance``), or any (``relevance``), have no answers."""
    if "irrelevance" in category:
        return "called" if output else ""
    if "relevance" in category:
        return "" if output else "no call"
    if len(output) != len(answers):
        return f"{len(output)} calls for {len(answers)}"
    program = program_of(category)
    if "parallel" not in category:
        only = functions[0] if "multiple" not in category else _named(functions, answers[0])
        return _call(only, output[0], answers[0], program)
    left = list(range(len(output)))
    for answer in answers:
        # The first that fits is taken, as the published grader does: an earlier call may then stand in
        # the way of a later one that only it would have fitted.
        function = _named(functions, answer)
        wrong = ""
        for at in left:
            wrong = _call(function, output[at], answer, program)
            if not wrong:
                left.remove(at)
                break
        else:
            return wrong or "no call left"
    return ""


def _named(functions: Sequence[Function], answer: Mapping[str, Any]) -> Function | None:
    name = next(iter(answer))
    return next((f for f in functions if f["name"] == name), None)


def _call(
    function: Function | None, made: Mapping[str, Any], answer: Mapping[str, Any], program: Program
) -> str:
    if function is None:
        return "the answer names no function"
    name, accepted = function["name"], next(iter(answer.values()))
    if name not in made:
        return f"not {name}"
    given = made[name]
    declared = function["parameters"]["properties"]
    for needed in function["parameters"].get("required", ()):
        if needed not in given:
            return f"{needed} is missing"
    for argument, value in given.items():
        if argument not in declared or argument not in accepted:
            return f"{argument} is too much"
        if wrong := _argument(value, declared[argument], accepted[argument], program):
            return f"{argument}: {wrong}"
    for argument, values in accepted.items():
        if argument not in given and OMITTED not in values:
            return f"{argument} is missing"
    return ""


def _argument(
    value: Any, declared: Mapping[str, Any], accepted: Sequence[Any], program: Program
) -> str:
    kind = declared["type"]
    items = str((declared.get("items") or {}).get("type", ""))
    inner: type | None = None
    if program == "python":
        types = PYTHON_TYPES
        if kind in _LISTED:
            inner = types.get(items)
        if kind == "float" and type(value) is int:
            value = float(value)
    else:
        types, read = READERS[program]
        if not isinstance(value, str):
            return "not written as text"
        if kind in LISTS:
            inner = types.get(items)
        value = read(value, kind, items if kind in LISTS else "")
    outer = types.get(kind)
    if outer is None:
        return f"no type {kind}"
    right_type, variable = _typed(value, accepted, outer, inner)
    if not right_type:
        return f"not of type {kind}"
    return "" if _accepted(value, accepted, None if variable else outer, inner) else "wrong value"


def _typed(
    value: Any, accepted: Sequence[Any], outer: type, inner: type | None
) -> tuple[bool, bool]:
    """Is the type right, and is it that of the accepted values instead of the declared one? The data
    writes a variable's name where a program would pass one."""
    told = next((type(a) for a in accepted if a != OMITTED), None)
    members: Any = value
    if type(value) is not outer:
        return (True, True) if told is not None and type(value) is told else (False, False)
    variable = told is not None and told is not outer
    if inner is None:
        return True, variable
    fits = any(
        not isinstance(option, list) or all(_typed(v, option, inner, None)[0] for v in members)
        for option in accepted
    )
    return fits, variable


def _accepted(value: Any, accepted: Sequence[Any], outer: type | None, inner: type | None) -> bool:
    """``outer`` is ``None`` for a variable, which has to be equal."""
    if outer is dict:
        return any(_object(value, option) for option in accepted)
    if outer is list and inner is dict:
        return any(_objects(value, option) for option in accepted)
    if outer is str:
        return plain(value) in [plain(option) for option in accepted if isinstance(option, str)]
    if outer is list:
        return [plain(v) for v in value] in [
            [plain(o) for o in option] for option in accepted if isinstance(option, list | str)
        ]
    return value in accepted


def _objects(value: Sequence[Any], option: Any) -> bool:
    return len(value) == len(option) and all(map(_object, value, option))


def _object(value: Mapping[str, Any], option: Any) -> bool:
    if not isinstance(option, Mapping) or not value.keys() <= option.keys():
        return False
    missing = (OMITTED not in values for key, values in option.items() if key not in value)
    return not any(missing) and all(
        plain(v) in [plain(o) for o in option[key]] for key, v in value.items()
    )


def plain(value: Any) -> Any:
    """A text as it is compared; anything else as it is."""
    if not isinstance(value, str):
        return value
    return _LEFT_OUT.sub("", value).lower().replace("'", '"')
