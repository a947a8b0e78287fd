"""What a model may write, as a grammar in xgrammar's EBNF dialect.

Two layers: the JSON of one call to one of the offered tools (``call_grammar``), and a whole output
around it (``output_grammar``): free text in which ``<tool_call>`` switches to that JSON and back,
nothing but calls, or text in which no call can be opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from dazi.core.engine import OfferedTool, ToolChoice
from dazi.core.messages import dumps
from dazi.inference.jsonrules import MOST_VALUES, QUOTE, NoValue, Rules, object_rule
from dazi.inference.pattern import literal
from dazi.inference.spans import span_body, units
from dazi.inference.template import (
    CALL_HEAD,
    CALL_MIDDLE,
    CALL_OPEN,
    CALL_TAIL,
    THINK_CLOSE,
    THINK_OPEN,
)

_BARE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false")
# Compiling holds up every request, so its cost is bounded. Measured with a vocabulary of 5,800: a
# span text of 1,000 units 0.2 s, 100 kB of rules 1 s.
_MOST_UNITS = 1500
_LONGEST = 100_000


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
    rules, call = _call(tools) if choice != "none" else (Rules(), None)
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


def _call(tools: Sequence[OfferedTool]) -> tuple[Rules, str | None]:
    """The rules of a call and the expression for one, ``None`` if there can be none."""
    rules = Rules()
    arguments: dict[str, str] = {}
    for tool in tools:
        if tool.closed:
            continue
        if tool.lacking:
            arguments[tool.name] = literal("{}")
            continue
        with suppress(NoValue):
            arguments[tool.name] = _arguments(tool, rules)
    if rules.size > _LONGEST:
        rules = Rules()
        arguments = dict.fromkeys(arguments, "obj")
    head = CALL_HEAD.removeprefix(CALL_OPEN + "\n")
    branches = [f"{literal(_inside(name) + CALL_MIDDLE)} {a}" for name, a in arguments.items()]
    return rules, f'{literal(head)} {rules.add(" | ".join(branches))} "}}"' if branches else None


def _inside(text: str) -> str:
    """``text`` as it stands inside a JSON string."""
    return dumps(text)[1:-1]


def _arguments(tool: OfferedTool, rules: Rules) -> str:
    def grounded(name: str, schema: Any) -> str | None:
        if name in tool.candidates:
            return rules.add(_candidates(tool.candidates[name], schema))
        if name in tool.spans:
            texts = tool.spans[name]
            if sum(len(units(t)) for t in texts) > _MOST_UNITS:
                return "str"
            body = span_body(texts, rules.add)
            if body is None:
                raise NoValue
            return rules.add(f"{QUOTE} ({body}) {QUOTE}")
        return None

    return object_rule(tool.parameters, rules, grounded=grounded)


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
        raise NoValue
    if len(literals) > MOST_VALUES:
        return {"number": "num", "integer": "int", "boolean": "bool"}.get(str(kind), "str")
    return " | ".join(dict.fromkeys(literals))
