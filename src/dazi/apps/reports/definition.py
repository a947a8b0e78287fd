"""A report as its file declares it (``reports/NAME.yaml``); read by ``declare.py``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from dazi.apps.reports.anomalies import Rule
from dazi.apps.reports.expressions import Expression
from dazi.core.language import Text

ParameterType = Literal["month", "quarter", "date", "enum", "string", "integer", "number", "file"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """``default``: as a person would say it (``last month``); ``None``: it must be given. ``many``: a
    list of such values. ``labels``: an enum's values in words."""

    name: str
    type: ParameterType
    label: Text
    default: Any = None
    required: bool = True
    many: bool = False
    values: tuple[str, ...] = ()
    labels: Mapping[str, Text] = None  # type: ignore[assignment]
    pattern: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """The step is done for each value of ``over``, under ``name``."""

    name: str
    over: Expression


Argument = Expression | str | int | float | bool | tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """A tool call. ``rows``: the list in its result that counts as its rows. ``optional``: without a
    result the report goes on; its rows are none. ``file``: read a document in place of a call."""

    id: str
    tool: str
    arguments: Mapping[str, Argument]
    loops: tuple[Loop, ...] = ()
    optional: bool = False
    file: Expression | None = None


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    name: str
    label: Text
    value: Expression
    format: str
    total: bool = False


@dataclass(frozen=True, slots=True)
class Pivot:
    """A column for each value of ``column``, with ``value`` in it; a row for each value of ``row``."""

    row: Expression
    row_label: Text
    column: Expression
    value: Expression
    format: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    """``join``: other rows with the same ``key``, under a name. ``group``: rows with the same value of
    it become one, with them as ``rows`` and the value as ``group``."""

    id: str
    title: Text
    rows: Expression
    columns: tuple[ColumnSpec, ...] = ()
    key: str = ""
    join: Mapping[str, Expression] = None  # type: ignore[assignment]
    group: Expression | None = None
    pivot: Pivot | None = None
    sort: str = ""
    limit: int = 0
    anomalies: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class CalculationSpec:
    name: str
    label: Text
    value: Expression


@dataclass(frozen=True, slots=True)
class ChartSpec:
    id: str
    title: Text
    kind: Literal["bar", "line"]
    table: str
    x: str
    y: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckSpec:
    name: Text
    left: Expression
    right: Expression
    within: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts and expressions in turn, beginning with a text."""

    pieces: tuple[str | Expression, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, or with ``each`` one for every value of it, under ``name``. ``quote``: what is
    quoted is a document's."""

    text: Mapping[str, Template]
    when: Expression | None = None
    each: Expression | None = None
    name: str = ""
    quote: bool = False


@dataclass(frozen=True, slots=True)
class SectionSpec:
    """``model``: a model may word it; the parts are what stands there where it does not."""

    id: str
    title: Text
    parts: tuple[Part, ...]
    tables: tuple[str, ...] = ()
    charts: tuple[str, ...] = ()
    model: bool = False


@dataclass(frozen=True, slots=True)
class AskWords:
    """How people ask for it: a request that names one of each of ``all_of`` may mean it; each of
    ``also`` makes that likelier."""

    all_of: tuple[tuple[str, ...], ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """``roles``: who may run it. ``subject``: the parameters that its title is told with."""

    name: str
    title: Text
    description: Text
    roles: frozenset[str]
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    tables: tuple[TableSpec, ...]
    calculations: tuple[CalculationSpec, ...]
    charts: tuple[ChartSpec, ...]
    checks: tuple[CheckSpec, ...]
    sections: tuple[SectionSpec, ...]
    ask: AskWords = AskWords()
    subject: tuple[str, ...] = ()
    source: str = ""

    @property
    def tools(self) -> frozenset[str]:
        return frozenset(s.tool for s in self.steps if s.tool)

    @property
    def wants_model(self) -> bool:
        return any(s.model for s in self.sections)

    @property
    def wants_file(self) -> bool:
        return any(p.type == "file" for p in self.parameters)
