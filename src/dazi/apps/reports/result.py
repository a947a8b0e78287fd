"""A report that has been run: what it rests on and what it says, in one language, as data.

Everything a reader is shown is made of this, and it is what a job keeps. Numbers are decimals, in JSON
strings of them; ``as_json`` and ``of_json`` are each other's inverse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from dazi.apps.reports.anomalies import Method
from dazi.core.language import Language

if TYPE_CHECKING:
    Value = Decimal | str | None
else:  # what is read back has been told apart before it is converted
    Value = Any
VERSION = 1


@dataclass(frozen=True, slots=True)
class Bound:
    """A piece of a text, from ``start`` to ``end``: what ``expression`` gave, written as ``format``.
    ``sources``: the cells, parameters and calculations it was read from."""

    start: int
    end: int
    expression: str
    format: str
    value: Value | list[Any]
    text: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """``origin``: whose words; ``document``: quoted from a company document."""

    text: str
    bound: tuple[Bound, ...] = ()
    bullet: bool = False
    origin: Literal["template", "model", "document"] = "template"


@dataclass(frozen=True, slots=True)
class Section:
    """``tables`` and ``charts``: the ids of what stands under the text."""

    id: str
    title: str
    paragraphs: tuple[Paragraph, ...]
    tables: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """``total``: a sum stands below; ``source``: the expression that its cells come of."""

    name: str
    label: str
    format: str
    source: str = ""
    total: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A cell that stands out; see ``anomalies.Anomaly``."""

    row: int
    column: str
    method: Method
    expected: Decimal
    measure: Decimal


@dataclass(frozen=True, slots=True)
class Table:
    """``rows``: cells by column. ``notes``: how what is marked was found."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Value], ...]
    totals: dict[str, Value] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    notes: tuple[Paragraph, ...] = ()

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def marked(self, row: int, column: str = "") -> bool:
        return any(m.row == row and column in ("", m.column) for m in self.marks)


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns ``y`` of a table over its column ``x``."""

    id: str
    title: str
    kind: Literal["bar", "line"]
    table: str
    x: str
    y: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call. ``reference``: the turn by which the ledger has it; ``at`` in ISO 8601; ``rows``:
    how many it gave; ``outcome`` as in ``core.turn``."""

    step: str
    tool: str
    system: str
    arguments: dict[str, Any]
    outcome: str
    rows: int
    at: str
    ms: float
    reference: str


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    left: Value
    right: Value
    ok: bool
    expression: str


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter as it was settled. ``text``: in words."""

    name: str
    label: str
    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Calculation:
    name: str
    label: str
    expression: str
    value: Value
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """``outcome`` of the call that mails it; ``ticket``: what waits for a person's word."""

    to: str
    outcome: str
    message: str
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """``notes``: what a reader must know of it, such as a step that gave nothing. ``made_at`` in ISO
    8601; ``subject``: of which period or thing, in words."""

    report: str
    title: str
    subject: str
    description: str
    language: Language
    company: str
    user: str
    made_at: str
    parameters: tuple[Given, ...]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]
    sections: tuple[Section, ...]
    checks: tuple[Check, ...]
    calculations: tuple[Calculation, ...]
    calls: tuple[Call, ...]
    notes: tuple[str, ...] = ()
    mail: Mail | None = None
    version: int = VERSION

    def table(self, id: str) -> Table:
        return next(t for t in self.tables if t.id == id)

    def chart(self, id: str) -> Chart:
        return next(c for c in self.charts if c.id == id)

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if not c.ok)

    @property
    def modelled(self) -> bool:
        """Has a model worded any of it?"""
        return any(p.origin == "model" for s in self.sections for p in s.paragraphs)


_TAGGED = "decimal:"


def as_json(run: Run) -> bytes:
    return msgspec.json.format(
        msgspec.json.encode(_tagged(msgspec.to_builtins(run, builtin_types=(Decimal,)))), indent=1
    )


def as_data(run: Run) -> Any:
    """As a job keeps it."""
    return msgspec.json.decode(as_json(run))


def of_json(data: bytes) -> Run:
    """Raises ``ValueError`` for what is no report that was run."""
    try:
        return msgspec.convert(_untagged(msgspec.json.decode(data)), Run, strict=False)
    except (msgspec.MsgspecError, ArithmeticError) as e:
        raise ValueError(str(e)) from e


def _tagged(data: Any) -> Any:
    """A decimal and a text of the same digits must not become one."""
    if isinstance(data, Decimal):
        return f"{_TAGGED}{data}"
    if isinstance(data, dict):
        return {k: _tagged(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_tagged(v) for v in data]
    return data


def _untagged(data: Any) -> Any:
    if isinstance(data, str) and data.startswith(_TAGGED):
        return Decimal(data.removeprefix(_TAGGED))
    if isinstance(data, dict):
        return {k: _untagged(v) for k, v in data.items()}
    if isinstance(data, list):
        return [_untagged(v) for v in data]
    return data
