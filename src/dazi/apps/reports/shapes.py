"""What a report's file may hold, before anything in it is understood."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dazi.apps.reports.anomalies import Method
from dazi.apps.reports.definition import ParameterType

Words = str | dict[Literal["zh", "en"], str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ParameterFile(_Strict):
    type: ParameterType
    label: Words = ""
    default: Any = None
    required: bool = True
    many: bool = False
    values: list[str] | dict[str, Words] = []
    pattern: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None


class StepFile(_Strict):
    tool: str = ""
    file: str = ""
    arguments: dict[str, Any] = {}
    loop: dict[str, str] = {}
    optional: bool = False


class ColumnFile(_Strict):
    label: Words
    value: str = ""
    format: str = "text"
    total: bool = False


class PivotFile(_Strict):
    row: str
    label: Words
    column: str
    value: str
    format: str


class AnomalyFile(_Strict):
    column: str
    method: Method
    against: str = ""
    limit: Decimal | None = None


class TableFile(_Strict):
    title: Words
    rows: str
    key: str = ""
    join: dict[str, str] = {}
    group: str = ""
    pivot: PivotFile | None = None
    columns: dict[str, ColumnFile] = {}
    sort: str = ""
    limit: int = Field(0, ge=0)
    anomalies: list[AnomalyFile] = []


class CalculationFile(_Strict):
    label: Words
    value: str


class ChartFile(_Strict):
    title: Words
    kind: Literal["bar", "line"] = "bar"
    table: str
    x: str
    y: list[str] = Field(min_length=1)


class CheckFile(_Strict):
    name: Words
    left: str
    right: str
    within: Decimal = Decimal(0)


class PartFile(_Strict):
    text: Words
    when: str = ""
    each: dict[str, str] = {}
    quote: bool = False


class SectionFile(_Strict):
    title: Words
    parts: list[PartFile] = []
    tables: list[str] = []
    charts: list[str] = []
    model: bool = False


class AskFile(_Strict):
    all_of: list[list[str]] = []
    also: list[str] = []


class ReportFile(_Strict):
    name: Words
    description: Words
    roles: list[str] = Field(min_length=1)
    subject: list[str] = []
    ask: AskFile = AskFile()
    parameters: dict[str, ParameterFile] = {}
    steps: dict[str, StepFile] = Field(min_length=1)
    calculations: dict[str, CalculationFile] = {}
    tables: dict[str, TableFile] = {}
    charts: dict[str, ChartFile] = {}
    checks: list[CheckFile] = []
    sections: dict[str, SectionFile] = Field(min_length=1)
