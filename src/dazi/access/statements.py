"""Cedar text cut into its statements, so that each has a name and a line to point at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cedarpy

from dazi.core.company import PolicySource
from dazi.core.errors import ConfigError

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|;', re.DOTALL)
_BLANK = re.compile(r"(?:\s|//[^\n]*(?:\n|\Z))*")
_CONTAINS = ("contains", "containsAny", "containsAll")


@dataclass(frozen=True)
class Statement:
    """One ``permit`` or ``forbid``. ``name`` is its ``@id``, or file and line without one."""

    name: str
    text: str
    path: str
    line: int
    parsed: Mapping[str, Any]

    def concerns(self, action: str, groups: frozenset[str]) -> bool:
        """Can it apply to this action? What its head rules out need never be evaluated."""
        head = self.parsed["action"]
        if head["op"] == "All":
            return True
        named = head["entities"] if "entities" in head else [head["entity"]]
        ids = {entity["id"] for entity in named}
        return action in ids if head["op"] == "==" else bool(ids & {action, *groups})

    @cached_property
    def roles(self) -> frozenset[str]:
        """Roles it names."""
        return frozenset(
            str(node["id"]) for node in _nodes(self.parsed) if node.get("type") == "Role"
        )

    @cached_property
    def mentions(self) -> frozenset[tuple[str, ...]]:
        """What it looks at in the context: ``("args", "amount")``; ``("args",)`` is all of them."""
        return frozenset(_mentions(self.parsed))

    @cached_property
    def approvers(self) -> frozenset[str]:
        """Roles it looks for in ``context.approved_by``."""
        return self._looked_for("approved_by")

    @cached_property
    def signals(self) -> frozenset[str]:
        """Labels it looks for in ``context.signals``."""
        return self._looked_for("signals")

    def _looked_for(self, field: str) -> frozenset[str]:
        out: set[str] = set()
        for node in _nodes(self.parsed):
            for test in _CONTAINS:
                sides = node.get(test)
                if isinstance(sides, Mapping) and _context_path(sides.get("left")) == (field,):
                    out.update(_literals(sides.get("right")))
        return frozenset(out)


def statements_of(source: PolicySource) -> list[Statement]:
    """Every statement of a file. Raises ``ConfigError`` with the line of one that is not Cedar."""
    pieces = list(_cut(source.text))
    # All at once first: to go into Cedar's parser takes longer than what it does there.
    bodies = _bodies_of(source.text)
    if bodies is None or len(bodies) != len(pieces):
        bodies = [_body_of(source.path, text, line) for text, line in pieces]
    out: list[Statement] = []
    for (text, line), body in zip(pieces, bodies, strict=True):
        given = body.get("annotations", {}).get("id") or ""
        name = given or f"{source.path.rpartition('/')[2]}:{line}"
        out.append(Statement(name, text, source.path, line, body))
    return out


def _bodies_of(text: str) -> list[Any] | None:
    """Of all statements, in their order; ``None`` where something is wrong with one."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError:
        return None
    found = parsed["staticPolicies"]
    names = [f"policy{i}" for i in range(len(found))]
    if parsed.get("templates") or found.keys() != set(names):
        return None
    return [found[name] for name in names]


def _body_of(path: str, text: str, line: int) -> Any:
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as e:
        raise ConfigError(path, line, f"Cedar 语法错误:{e}", f"not valid Cedar: {e}") from None
    if parsed.get("templates"):
        raise ConfigError(
            path,
            line,
            "这里不能用模板(?principal、?resource);请写明对象",
            "templates (?principal, ?resource) are not used here; name the entity",
        )
    return next(iter(parsed["staticPolicies"].values()))


def _cut(text: str) -> Iterator[tuple[str, int]]:
    start = 0
    for token in [*_TOKEN.finditer(text), None]:
        if token is not None and token[0] != ";":
            continue
        end = token.end() if token else len(text)
        blank = _BLANK.match(text, start, end)
        begin = blank.end() if blank else start
        if text[begin:end].strip():
            yield text[begin:end], text.count("\n", 0, begin) + 1
        start = end


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def _mentions(node: Any) -> Iterator[tuple[str, ...]]:
    path = _context_path(node)
    if path is not None:
        yield path[:2]
    elif isinstance(node, Mapping):
        for inner in node.values():
            yield from _mentions(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _mentions(inner)


def _context_path(node: Any) -> tuple[str, ...] | None:
    """``context.args.amount``, or ``context.args has amount``, as its names; ``None`` if the node
    is anything else."""
    if not isinstance(node, Mapping):
        return None
    if node.get("Var") == "context":
        return ()
    access = node.get(".") or node.get("has")
    if not isinstance(access, Mapping):
        return None
    left = _context_path(access.get("left"))
    return None if left is None else (*left, str(access.get("attr")))


def _literals(node: Any) -> Iterator[str]:
    for inner in _nodes(node):
        if isinstance(inner.get("Value"), str):
            yield inner["Value"]
