"""What stands in a report's braces: ``growth(sales.total, before.total)|change``.

A small language read with Python's own parser and evaluated here, node by node: names, fields, list
places, the functions of ``functions.py``, ``+ - * /``, comparisons, ``and or not``, ``a if c else b``. Nothing
else exists in it, so a report can reach nothing but its own data. Numbers are decimals.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, DivisionByZero, InvalidOperation
from functools import lru_cache
from typing import Any

from dazi.apps.reports.formats import FORMATS
from dazi.apps.reports.functions import FUNCTIONS

LONGEST = 500
"""Characters of one expression."""
PLACE = "_place"
"""In a row: which row of which table it is. No expression can name it."""
_ARITHMETIC: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_COMPARE: Mapping[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.In: lambda a, b: a in b,
}  # fmt: skip


class ExpressionError(ValueError):
    """An expression that is none, or that its data cannot answer."""


@dataclass(frozen=True, slots=True)
class Expression:
    """``format``: the name after the bar; empty where there is none."""

    source: str
    tree: ast.expr = field(compare=False, repr=False)
    format: str = ""

    @property
    def names(self) -> frozenset[str]:
        """The names that it begins from: parameters, steps, tables, calculations."""
        return frozenset(
            n.id
            for n in ast.walk(self.tree)
            if isinstance(n, ast.Name) and n.id not in FUNCTIONS and n.id not in ("none",)
        )


@lru_cache(maxsize=4_096)
def parse(source: str) -> Expression:
    """Raises ``ExpressionError`` for what is none."""
    text = source.strip()
    if not text or len(text) > LONGEST:
        raise ExpressionError(f"“{source[:80]}”")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as e:
        raise ExpressionError(f"“{source}”: {e}") from None
    name = ""
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        if not isinstance(tree.right, ast.Name) or tree.right.id not in FORMATS:
            known = ", ".join(FORMATS)
            raise ExpressionError(f"“{source}”: {ast.unparse(tree.right)} — {known}")
        name, tree = tree.right.id, tree.left
    _allowed(tree, source)
    return Expression(text, tree, name)


def _allowed(tree: ast.expr, source: str) -> None:
    for node in ast.walk(tree):
        match node:
            case ast.Name() | ast.Load() | ast.Subscript() | ast.List() | ast.IfExp():
                pass
            case ast.Attribute() if not node.attr.startswith("_"):
                pass
            case ast.Constant() if isinstance(node.value, str | int) or node.value is None:
                pass
            case ast.Constant() if isinstance(node.value, float):
                pass
            case ast.Call() if isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
                if node.keywords:
                    raise ExpressionError(f"“{source}”: {ast.unparse(node)}")
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                pass
            case ast.UnaryOp() if isinstance(node.op, ast.USub | ast.Not):
                pass
            case ast.Compare() if all(type(o) in _COMPARE for o in node.ops):
                pass
            case ast.BoolOp() | ast.operator() | ast.unaryop() | ast.cmpop() | ast.boolop():
                pass
            case _:
                raise ExpressionError(f"“{source}”: {type(node).__name__}")


@dataclass(slots=True)
class Scope:
    """Names and what they stand for; ``inner`` names cover the others."""

    values: Mapping[str, Any]
    outer: Scope | None = None
    read: list[str] = field(default_factory=list)
    """What was looked at, as paths: the cells that a value rests on."""

    def within(self, values: Mapping[str, Any]) -> Scope:
        return Scope(values, self, self.read)

    def find(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.outer
        raise ExpressionError(name)


def evaluate(expression: Expression, scope: Scope) -> Any:
    """Raises ``ExpressionError`` for names there are none of and values that do not fit."""
    try:
        return _value(expression.tree, scope)
    except ExpressionError as e:
        raise ExpressionError(f"“{expression.source}”: {e}") from None
    except (TypeError, ValueError, AttributeError, IndexError, KeyError, InvalidOperation) as e:
        raise ExpressionError(f"“{expression.source}”: {e}") from None


def traced(expression: Expression, scope: Scope) -> tuple[Any, tuple[str, ...]]:
    """The value, and the paths that it was read from."""
    start = len(scope.read)
    value = evaluate(expression, scope)
    return value, tuple(dict.fromkeys(scope.read[start:]))


def _value(node: ast.expr, scope: Scope) -> Any:
    match node:
        case ast.Constant(value=bool(value)):
            return value
        case ast.Constant(value=int(value) | float(value)):
            return Decimal(str(value))
        case ast.Constant(value=value):
            return value
        case ast.Name(id="none"):
            return None
        case ast.Name(id=name):
            scope.read.append(name)
            return scope.find(name)
        case ast.Attribute() | ast.Subscript():
            return _path(node, scope)
        case ast.List(elts=parts):
            return [_value(p, scope) for p in parts]
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name](*(_value(a, scope) for a in args))
        case ast.BinOp(left=left, op=op, right=right):
            return _combined(op, _value(left, scope), _value(right, scope))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, scope)
            return None if value is None else -value
        case ast.UnaryOp(operand=operand):
            return not _value(operand, scope)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(p, scope) for p in parts)
        case ast.BoolOp(values=parts):
            return any(_value(p, scope) for p in parts)
        case ast.IfExp(test=test, body=body, orelse=other):
            return _value(body if _value(test, scope) else other, scope)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return _holds(_value(left, scope), ops, [_value(r, scope) for r in rest])
    raise ExpressionError(ast.unparse(node))


def _combined(op: ast.operator, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    try:
        return _ARITHMETIC[type(op)](left, right)
    except DivisionByZero:
        return None


def _holds(left: Any, ops: Sequence[ast.cmpop], rest: Sequence[Any]) -> bool:
    for op, right in zip(ops, rest, strict=True):
        orders = isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
        if orders and (left is None or right is None):
            return False
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def _path(node: ast.Attribute | ast.Subscript, scope: Scope) -> Any:
    held = _value(node.value, scope)
    if isinstance(node, ast.Attribute):
        found = field_of(held, node.attr)
        step = f".{node.attr}"
    else:
        place = _value(node.slice, scope)
        found = _item(held, place)
        step = f"[{place}]"
    row = held.get(PLACE) if isinstance(held, Mapping) else None
    scope.read.append(f"{row or ast.unparse(node.value)}{step}")
    return found


def field_of(held: Any, name: str) -> Any:
    """A field of a row; of rows, that column; of nothing, nothing."""
    if held is None:
        return None
    if isinstance(held, Mapping):
        if name not in held:
            raise ExpressionError(name)
        return held[name]
    if isinstance(held, Sequence) and not isinstance(held, str):
        return [field_of(row, name) for row in held]
    raise ExpressionError(name)


def _item(held: Any, place: Any) -> Any:
    """A place in a list, or the row whose name it is."""
    if held is None:
        return None
    if isinstance(place, str) and isinstance(held, Sequence):
        return next((r for r in held if place in _named(r)), None)
    return held[int(place)] if isinstance(place, Decimal) else held[place]


def _named(row: Any) -> Iterator[Any]:
    if isinstance(row, Mapping):
        yield from list(row.values())[:1]


def as_values(data: Any) -> Any:
    """JSON-like data with decimals for numbers."""
    if isinstance(data, bool) or data is None:
        return data
    if isinstance(data, int | float):
        return Decimal(str(data))
    if isinstance(data, Mapping):
        return {str(k): as_values(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [as_values(v) for v in data]
    return data
