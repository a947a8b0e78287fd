"""What a model may write, as a grammar in xgrammar's EBNF dialect.

Two layers: the JSON of one call to one of the offered tools (``call_grammar``), and a whole output
around it (``output_grammar``): free text in which ``<tool_call>`` switches to that JSON and back,
nothing but calls, or text in which no call can be opened.

Strings and numbers are unbounded: a bounded class costs a compiled state per repetition, and the
token budget bounds them anyway. A schema that uses what is not understood here (``$ref``,
``allOf``, ``not`` ...) becomes "any JSON value": wider than the schema, and never an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

from dazi.core.engine import OfferedTool, ToolChoice
from dazi.core.messages import dumps
from dazi.inference.pattern import literal, pattern_body
from dazi.inference.spans import span_body, units
from dazi.inference.template import (
    CALL_HEAD,
    CALL_MIDDLE,
    CALL_OPEN,
    CALL_TAIL,
    THINK_CLOSE,
    THINK_OPEN,
)

QUOTE = r'"\""'
_PRELUDE = {
    "str": r'"\"" chr* "\""',
    "chr": r'[^"\\\x00-\x1f] | "\\" ["\\/bfnrt]',
    "int": '"-"? uint',
    "uint": '"0" | [1-9] [0-9]*',
    "num": 'int ("." [0-9]+)? ([eE] [-+]? [0-9]+)?',
    "unum": 'uint ("." [0-9]+)? ([eE] [-+]? [0-9]+)?',
    "bool": '"true" | "false"',
    "null": '"null"',
    "any": "str | num | bool | null | arr | obj",
    "arr": '"[" (any (", " any)*)? "]"',
    "obj": r'"{" (str ": " any (", " str ": " any)*)? "}"',
}
_BARE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false")
_NAME = re.compile(r"\b[a-z]+\b")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]')
# Compiling holds up every request, so its cost is bounded: beyond these a schema is simplified.
# Measured with a vocabulary of 5,800: 1,000 values 0.4 s, 500 optional properties 9 s, a span text
# of 1,000 units 0.2 s, 100 kB of rules 1 s.
_DEPTH = 6
_MOST_PROPERTIES = 64
_MOST_VALUES = 512
_MOST_UNITS = 1500
_LONGEST = 100_000


class _Uncallable(Exception):
    """A required parameter has no admissible value."""


class _Rules:
    """Rules by name; equal bodies share one rule."""

    def __init__(self) -> None:
        self.size = 0
        self._names: dict[str, str] = {}

    def add(self, body: str) -> str:
        self.size += 0 if body in self._names else len(body)
        return self._names.setdefault(body, f"r{len(self._names)}")

    def text(self, root: str) -> str:
        """The grammar: ``root``, the rules made so far, and what they use of the prelude."""
        bodies = [("root", root)] + [(name, body) for body, name in self._names.items()]
        used: dict[str, None] = {}
        waiting = [body for _, body in bodies]
        while waiting:
            for name in _NAME.findall(_STRING.sub(" ", waiting.pop())):
                if name in _PRELUDE and name not in used:
                    used[name] = None
                    waiting.append(_PRELUDE[name])
        bodies += [(name, _PRELUDE[name]) for name in used]
        return "".join(f"{name} ::= {body}\n" for name, body in bodies)


def call_grammar(tools: Sequence[OfferedTool]) -> str | None:
    """A grammar of one call's JSON object, or ``None`` when none of ``tools`` can be called."""
    rules, call = _call(tools)
    return rules.text(call) if call else None


def output_grammar(
    tools: Sequence[OfferedTool], choice: ToolChoice, *, thinking: bool = False
) -> str | None:
    """A grammar of the whole output, or ``None`` when it needs no constraint.

    With ``thinking`` a ``<think>`` block may come first, in which calls are not recognised. With
    tools of which none can be called, or must be, the output is text without ``<tool_call>``.
    """
    if not tools:
        return None
    rules, call = _call(tools) if choice != "none" else (_Rules(), None)
    if call is None:
        return rules.text(_free(excludes=(CALL_OPEN,)))
    block = f'"\\n" {call} {literal(_AFTER_CALL)}'
    if choice == "required":
        one = rules.add(f"{literal(CALL_OPEN)} {block}")
        body = f'{one} ("\\n" {one})*'
    else:
        body = rules.add(_free((CALL_OPEN, rules.add(block))))
    if not thinking:
        return rules.text(rules.add(body))
    thought = rules.add(_free(stop=THINK_CLOSE))
    return rules.text(f"({literal(THINK_OPEN)} {thought} [\\n]*)? {rules.add(body)}")


_AFTER_CALL = CALL_TAIL.removeprefix("}")


def _free(
    tag: tuple[str, str] | None = None, *, stop: str = "", excludes: tuple[str, ...] = ()
) -> str:
    """Any text; at ``tag``'s text its rule takes over; ``stop`` ends it, else the end token."""
    parts = [f"({literal(tag[0])}, {tag[1]})"] if tag else []
    parts.append(f"stop_eos={'false' if stop else 'true'}")
    parts.append(f"stop_str=({literal(stop)})" if stop else "stop_str=()")
    parts.append(f"loop_after_dispatch={'true' if tag else 'false'}")
    if excludes:
        parts.append(f"excludes=({', '.join(literal(e) for e in excludes)})")
    return f"TagDispatch({', '.join(parts)})"


def _call(tools: Sequence[OfferedTool]) -> tuple[_Rules, str | None]:
    """The rules of a call and the expression for one, ``None`` if there can be none."""
    rules = _Rules()
    call = _one_of(tools, rules, _arguments)
    if rules.size > _LONGEST:
        rules = _Rules()
        call = _one_of(tools, rules, lambda tool, rules: "obj")
    return rules, call


def _one_of(
    tools: Sequence[OfferedTool],
    rules: _Rules,
    arguments_of: Callable[[OfferedTool, _Rules], str],
) -> str | None:
    head = CALL_HEAD.removeprefix(CALL_OPEN + "\n")
    branches = []
    for tool in tools:
        try:
            arguments = arguments_of(tool, rules)
        except _Uncallable:
            continue
        name = json.dumps(tool.name, ensure_ascii=False)[1:-1]
        branches.append(f"{literal(name + CALL_MIDDLE)} {arguments}")
    return f'{literal(head)} {rules.add(" | ".join(branches))} "}}"' if branches else None


def _arguments(tool: OfferedTool, rules: _Rules) -> str:
    def grounded(name: str, schema: Any) -> str | None:
        if name in tool.candidates:
            return rules.add(_candidates(tool.candidates[name], schema))
        if name in tool.spans:
            texts = tool.spans[name]
            if sum(len(units(t)) for t in texts) > _MOST_UNITS:
                return "str"
            body = span_body(texts, rules.add)
            if body is None:
                raise _Uncallable
            return rules.add(f"{QUOTE} ({body}) {QUOTE}")
        return None

    return _object(tool.parameters, rules, 0, grounded)


def _candidates(values: Sequence[str], schema: Any) -> str:
    kind = schema.get("type", "string") if isinstance(schema, Mapping) else "string"
    if kind == "array":
        one = _candidates(values, schema.get("items", {}))
        return f'"[" ({one}) (", " ({one}))* "]"'
    if kind in ("number", "integer", "boolean"):
        literals = [literal(v) for v in values if _BARE.fullmatch(v)]
    else:
        literals = [literal(dumps(v)) for v in values]
    if not literals:
        raise _Uncallable
    if len(literals) > _MOST_VALUES:
        return {"number": "num", "integer": "int", "boolean": "bool"}.get(kind, "str")
    return " | ".join(dict.fromkeys(literals))


def _object(
    schema: Any,
    rules: _Rules,
    depth: int,
    grounded: Callable[[str, Any], str | None] = lambda name, schema: None,
) -> str:
    """The declared properties in their order, required ones always, optional ones perhaps."""
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or len(properties) > _MOST_PROPERTIES:
        return "obj"
    required = schema.get("required")
    needed = [r for r in required if isinstance(r, str)] if _is_list(required) else []
    members: list[tuple[str, bool]] = []
    for name, sub in properties.items():
        try:
            value = grounded(name, sub) or _value(sub, rules, depth + 1)
        except _Uncallable:
            if name in needed:
                raise
            continue
        members.append((f"{literal(dumps(str(name)) + ': ')} {value}", name in needed))
    return rules.add(f'"{{" {_members(members, rules)} "}}"')


def _members(members: Sequence[tuple[str, bool]], rules: _Rules) -> str:
    """Members with a comma between any two that are there: linear in their number.

    ``first`` reads from member i on with nothing written yet, ``rest`` with something written.
    """
    first, rest = '""', ""
    for member, required in reversed(members):
        with_member = f"{member} {rest}".strip()
        first = rules.add(with_member if required else f"{with_member} | {first}")
        comma = f'", " {member}'
        rest = rules.add(f"{comma if required else f'({comma})?'} {rest}".strip())
    return first


def _value(schema: Any, rules: _Rules, depth: int) -> str:
    """A rule or expression for any JSON Schema."""
    if not isinstance(schema, Mapping) or depth > _DEPTH or "$ref" in schema or "allOf" in schema:
        return "any"
    if "const" in schema:
        return literal(dumps(schema["const"]))
    if _is_list(schema.get("enum")) and schema["enum"]:
        return _either([literal(dumps(v)) for v in schema["enum"]], rules)
    for key in ("anyOf", "oneOf"):
        if _is_list(schema.get(key)):
            return _either([_value(s, rules, depth + 1) for s in schema[key]], rules)
    kind = schema.get("type")
    if _is_list(kind):
        return _either([_value({**schema, "type": k}, rules, depth + 1) for k in kind], rules)
    match kind:
        case "string":
            return _string(schema, rules)
        case "integer" | "number":
            low = schema.get("minimum")
            unsigned = isinstance(low, int | float) and low >= 0
            return ("u" if unsigned else "") + ("int" if kind == "integer" else "num")
        case "boolean":
            return "bool"
        case "null":
            return "null"
        case "array":
            one = _value(schema.get("items"), rules, depth + 1)
            some = f'{one} (", " {one})*'
            return rules.add(f'"[" {some} "]"' if schema.get("minItems") else f'"[" ({some})? "]"')
        case "object":
            return _object(schema, rules, depth)
        case _:
            return "any"


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _either(options: Sequence[str], rules: _Rules) -> str:
    if not options or "any" in options or len(options) > _MOST_VALUES:
        return "any"
    return rules.add(" | ".join(dict.fromkeys(options)))


def _string(schema: Mapping[str, Any], rules: _Rules) -> str:
    pattern = schema.get("pattern")
    body = pattern_body(pattern) if isinstance(pattern, str) else None
    return rules.add(f"{QUOTE} {body} {QUOTE}") if body else "str"
