"""Arguments and results as labels and values for people; exact, nothing rounded away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from dazi.console import texts
from dazi.console.abilities import remark, short
from dazi.core.language import Language
from dazi.core.tools import Parameter, Tool
from dazi.router.view import cell, label

ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Field:
    """``note`` explains a value that was not given (then ``given`` is false)."""

    label: str
    value: str
    given: bool = True
    note: str = ""


def argument_fields(
    tool: Tool | None,
    arguments: Mapping[str, Any],
    language: Language,
    *,
    missing: bool = False,
    sources: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> list[Field]:
    """In the order of the declaration; ``missing`` also lists what was left out and what that
    means. ``sources``: of values that nobody said, where they came from."""
    fields: list[Field] = []
    known = tool.parameters if tool else ()
    for p in known:
        name = short(p.description, language) or p.name
        if p.name in arguments:
            value = _argument(p, arguments[p.name], language)
            fields.append(Field(name, value, note=_from(sources.get(p.name, ()), language)))
        elif missing:
            fields.append(
                Field(name, texts.NOT_GIVEN(language), False, remark(p.description, language))
            )
    declared = {p.name for p in known}
    return fields + [
        Field(k, exact(v, language)) for k, v in arguments.items() if k not in declared
    ]


def _from(labels: tuple[str, ...], language: Language) -> str:
    if not labels:
        return ""
    said = []
    for source in labels:
        kind, _, name = source.partition(":")
        words = texts.SOURCES.get(kind)
        said.append(f"{words(language)} {name}".strip() if words else source)
    return texts.FROM(language).format(sources="、".join(said))


def _argument(p: Parameter, value: Any, language: Language) -> str:
    if isinstance(value, list):
        return "、".join(_argument(p, v, language) for v in value)
    words = p.labels.get(str(value))
    if words is not None:
        return words(language)
    amount = p.type == "number" and isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if amount else exact(value, language)


def exact(value: Any, language: Language) -> str:
    """A value without loss: ``1,234.50``, but ``0.001`` as it stands."""
    match value:
        case str():
            return value
        case bool():
            return (texts.YES if value else texts.NO)(language)
        case float() if round(value, 2) == value:
            return f"{value:,.2f}".removesuffix(".00")
        case None | int() | float():
            return "" if value is None else str(value)
        case _:
            return msgspec.json.encode(value, enc_hook=str).decode()


@dataclass(frozen=True, slots=True)
class Shown:
    """A result as people see it: fields, and rows under columns if it has any."""

    fields: tuple[Field, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    total: int = 0


def result_shown(tool: Tool | None, result: Any, language: Language) -> Shown:
    if tool is None or not isinstance(result, Mapping):
        return Shown((Field("", exact(result, language)),)) if result is not None else Shown()
    rules = tool.result
    rows = result.get(rules.rows) if rules.shape == "many" else None
    if not isinstance(rows, list):
        return Shown(tuple(_fields(tool, result, rules.shown or tuple(result), language)))
    whole = [n for n in result if n in rules.labels and n not in rules.shown and n != rules.rows]
    names = [n for n in rules.shown if any(_has(r, n) for r in rows)]
    return Shown(
        tuple(_fields(tool, result, whole, language)),
        tuple(label(tool, n, language) for n in names),
        tuple(tuple(cell(r.get(n)) for n in names) for r in rows[:ROWS_SHOWN]),
        len(rows),
    )


def _fields(
    tool: Tool, result: Mapping[str, Any], names: tuple[str, ...] | list[str], language: Language
) -> list[Field]:
    return [
        Field(label(tool, n, language), _result(result[n], language))
        for n in names
        if _has(result, n)
    ]


def _has(row: Mapping[str, Any], name: str) -> bool:
    return row.get(name) not in (None, "", [])


def _result(value: Any, language: Language) -> str:
    parts = value if isinstance(value, list) else [value]
    plain = all(isinstance(v, str | int | float) for v in parts)
    return cell(value) if plain else exact(value, language)
