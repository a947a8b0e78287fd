"""JSON Schema as rules of a grammar: any schema gives one, the plainer ones an exact one.

Objects have their properties in declared order. What is not understood (``$ref``, ``allOf``,
``not`` ...) becomes "any JSON value": wider than the schema, and never an error. Strings and
numbers are unbounded: a bounded class costs a compiled state per repetition, and the token budget
bounds them anyway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

from dazi.core.messages import dumps
from dazi.inference.pattern import literal, pattern_body

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
_NAME = re.compile(r"\b[a-z]+\b")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]')
# Compiling holds up every request, so its cost is bounded: beyond these a schema is simplified.
# Measured with a vocabulary of 5,800: 1,000 values 0.4 s, 500 optional properties 9 s.
MOST_VALUES = 512
_MOST_PROPERTIES = 64
_DEPTH = 6


class NoValue(Exception):
    """A required member has no admissible value."""


class Rules:
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


def object_rule(
    schema: Any,
    rules: Rules,
    depth: int = 0,
    grounded: Callable[[str, Any], str | None] = lambda name, schema: None,
) -> str:
    """The declared properties in their order, required ones always, optional ones perhaps.

    ``grounded`` may give a member's value by its name and schema. Raises ``NoValue``, as it may.
    """
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(properties, Mapping) or len(properties) > _MOST_PROPERTIES:
        return "obj"
    required = schema.get("required")
    needed = [r for r in required if isinstance(r, str)] if _is_list(required) else []
    members: list[tuple[str, bool]] = []
    for name, sub in properties.items():
        try:
            value = grounded(name, sub) or _value(sub, rules, depth + 1)
        except NoValue:
            if name in needed:
                raise
            continue
        members.append((f"{literal(dumps(str(name)) + ': ')} {value}", name in needed))
    return rules.add(f'"{{" {_members(members, rules)} "}}"')


def _members(members: Sequence[tuple[str, bool]], rules: Rules) -> str:
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


def _value(schema: Any, rules: Rules, depth: int) -> str:
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
            return object_rule(schema, rules, depth)
        case _:
            return "any"


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _either(options: Sequence[str], rules: Rules) -> str:
    if not options or "any" in options or len(options) > MOST_VALUES:
        return "any"
    return rules.add(" | ".join(dict.fromkeys(options)))


def _string(schema: Mapping[str, Any], rules: Rules) -> str:
    pattern = schema.get("pattern")
    body = pattern_body(pattern) if isinstance(pattern, str) else None
    return rules.add(f"{QUOTE} {body} {QUOTE}") if body else "str"
