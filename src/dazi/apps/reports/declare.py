"""``reports/*.yaml`` of a company folder -> ``definition.Report``. Every mistake says file and line.

Checked here: that expressions can be read and begin from names that there are; that no literal text
of a template holds a number; that the tools exist, only read, and may be used by the roles that may run
the report.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dazi.apps.reports.anomalies import LIMITS, Rule
from dazi.apps.reports.definition import (
    Argument,
    AskWords,
    CalculationSpec,
    ChartSpec,
    CheckSpec,
    ColumnSpec,
    Loop,
    Parameter,
    Part,
    Pivot,
    Report,
    SectionSpec,
    Step,
    TableSpec,
    Template,
)
from dazi.apps.reports.expressions import Expression, ExpressionError, parse
from dazi.apps.reports.formats import FORMATS
from dazi.apps.reports.shapes import (
    ChartFile,
    CheckFile,
    ColumnFile,
    ParameterFile,
    PartFile,
    ReportFile,
    SectionFile,
    StepFile,
    TableFile,
    Words,
)
from dazi.apps.reports.templates import template_of
from dazi.core.company import Company
from dazi.core.errors import ConfigError
from dazi.core.language import Text
from dazi.packs.layers import layers_of
from dazi.router.yaml_source import YamlSource

KNOWN = frozenset({"today", "person", "company", "language"})
"""Names that every report has."""
FOLDER = "reports"


def load_reports(company: Company, only: str = "") -> dict[str, Report]:
    """By name, which is the file's; none where there is no such folder. ``only``: the one of that name,
    if there is one, and the others are not read. Raises ``ConfigError``."""
    paths = layers_of(company.folder).glob(f"{FOLDER}/*.yaml")
    named = [path for path in paths if path.stem == only]
    return {path.stem: load_report(path, company) for path in named or paths}


def load_report(path: Path, company: Company) -> Report:
    source = YamlSource(path)
    try:
        file = ReportFile.model_validate(source.data)
    except ValidationError as e:
        first = e.errors()[0]
        where = [p for p in first["loc"] if isinstance(p, str | int)]
        said = f"{'.'.join(map(str, where))}: {first['msg']}"
        raise source.error(where, said, said) from None
    return _Reader(source, company, file).report(path.stem)


class _Reader:
    def __init__(self, source: YamlSource, company: Company, file: ReportFile) -> None:
        self.source, self.company, self.file = source, company, file
        self.names = {*KNOWN, *file.parameters, *file.steps, *file.calculations, *file.tables}

    def report(self, name: str) -> Report:
        file = self.file
        self._unique_names()
        for role in file.roles:
            if role not in self.company.roles:
                raise self._wrong(("roles",), f"没有角色 “{role}”", f"there is no role “{role}”")
        report = Report(
            name,
            _text(file.name),
            _text(file.description),
            frozenset(file.roles),
            tuple(self._parameter(n, p) for n, p in file.parameters.items()),
            tuple(self._step(n, s) for n, s in file.steps.items()),
            tuple(self._table(n, t) for n, t in file.tables.items()),
            tuple(
                CalculationSpec(
                    n, _text(c.label), self._read(("calculations", n, "value"), c.value)
                )
                for n, c in file.calculations.items()
            ),
            tuple(self._chart(n, c) for n, c in file.charts.items()),
            tuple(self._check(n, c) for n, c in enumerate(file.checks)),
            tuple(self._section(n, s) for n, s in file.sections.items()),
            AskWords(tuple(map(tuple, file.ask.all_of)), tuple(file.ask.also)),
            tuple(file.subject),
            str(self.source.path),
        )
        for given in report.subject:
            if given not in file.parameters:
                raise self._wrong(("subject",), f"没有参数 “{given}”", f"no parameter “{given}”")
        return report

    def _unique_names(self) -> None:
        seen: set[str] = set(KNOWN)
        for part in ("parameters", "steps", "calculations", "tables"):
            for name in getattr(self.file, part):
                if name in seen or not name.isidentifier():
                    raise self._wrong(
                        (part, name),
                        f"名字 “{name}” 重复,或不能作名字",
                        f"the name “{name}” is taken, or cannot be one",
                    )
                seen.add(name)

    def _parameter(self, name: str, p: ParameterFile) -> Parameter:
        named = p.values if isinstance(p.values, dict) else {v: v for v in p.values}
        if (p.type == "enum") != bool(named):
            raise self._wrong(
                ("parameters", name),
                "enum 参数要列出 values,别的参数没有",
                "an enum parameter has values; others have none",
            )
        return Parameter(
            name,
            p.type,
            _text(p.label or name),
            p.default,
            p.required and p.default is None,
            p.many,
            tuple(named),
            {v: _text(w) for v, w in named.items()},
            p.pattern,
            p.minimum,
            p.maximum,
        )

    def _step(self, name: str, s: StepFile) -> Step:
        at = ("steps", name)
        if bool(s.tool) == bool(s.file):
            raise self._wrong(at, "写 tool 或 file,其一", "write a tool or a file, one of them")
        loops = tuple(Loop(n, self._read((*at, "loop", n), over)) for n, over in s.loop.items())
        if s.file:
            return Step(name, "", {}, loops, s.optional, self._read((*at, "file"), s.file))
        self._tool(at, s.tool)
        known = {p.name for p in self.company.tools[s.tool].parameters}
        inner = {loop.name for loop in loops}
        arguments: dict[str, Argument] = {}
        for key, value in s.arguments.items():
            if key not in known:
                raise self._wrong(
                    (*at, "arguments", key),
                    f"{s.tool} 没有参数 “{key}”",
                    f"{s.tool} has no parameter “{key}”",
                )
            arguments[key] = self._argument((*at, "arguments", key), value, inner)
        return Step(name, s.tool, arguments, loops, s.optional)

    def _tool(self, at: tuple[str, ...], name: str) -> None:
        tool = self.company.tools.get(name)
        if tool is None:
            raise self._wrong((*at, "tool"), f"没有工具 “{name}”", f"there is no tool “{name}”")
        if tool.effect != "read":
            raise self._wrong(
                (*at, "tool"), f"{name} 不是只读的,报表不能用", f"{name} does more than read"
            )
        for role in self.file.roles:
            if tool.roles.isdisjoint(self.company.roles[role]):
                raise self._wrong(
                    (*at, "tool"),
                    f"角色 {role} 不能用 {name},也就不能出这个报表",
                    f"role {role} may not use {name}, so it cannot run this report",
                )

    def _argument(self, at: tuple[str, ...], value: Any, inner: set[str]) -> Argument:
        if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
            return self._read(at, value[1:-1], inner)
        return tuple(value) if isinstance(value, list) else value

    def _table(self, name: str, t: TableFile) -> TableSpec:
        at = ("tables", name)
        if bool(t.columns) == bool(t.pivot):
            raise self._wrong(
                at, "写 columns 或 pivot,其一", "write columns or a pivot, one of them"
            )
        rules = []
        for n, a in enumerate(t.anomalies):
            for column in (a.column, *([a.against] if a.method == "year" else [])):
                if column not in t.columns:
                    raise self._wrong(
                        (*at, "anomalies", n),
                        f"没有列 “{column}”",
                        f"there is no column “{column}”",
                    )
            limit = a.limit if a.limit is not None else LIMITS[a.method]
            rules.append(Rule(a.column, a.method, limit, a.against))
        columns = tuple(self._column((*at, "columns"), n, c) for n, c in t.columns.items())
        pivot = None
        if t.pivot is not None:
            p, place = t.pivot, (*at, "pivot")
            self._format(place, p.format)
            pivot = Pivot(
                self._free(place, p.row),
                _text(p.label),
                self._free(place, p.column),
                self._free(place, p.value),
                p.format,
            )
        return TableSpec(
            name,
            _text(t.title),
            self._read((*at, "rows"), t.rows),
            columns,
            t.key,
            {n: self._read((*at, "join", n), e) for n, e in t.join.items()},
            self._free((*at, "group"), t.group) if t.group else None,
            pivot,
            t.sort,
            t.limit,
            tuple(rules),
        )

    def _column(self, at: tuple[str, ...], name: str, c: ColumnFile) -> ColumnSpec:
        self._format((*at, name), c.format)
        value = self._free((*at, name), c.value or name)
        return ColumnSpec(name, _text(c.label), value, c.format, c.total)

    def _chart(self, name: str, c: ChartFile) -> ChartSpec:
        at = ("charts", name)
        table = self.file.tables.get(c.table)
        if table is None:
            raise self._wrong((*at, "table"), f"没有表 “{c.table}”", f"no table “{c.table}”")
        if table.columns:
            for column in (c.x, *c.y):
                if column not in table.columns:
                    raise self._wrong(at, f"没有列 “{column}”", f"there is no column “{column}”")
        return ChartSpec(name, _text(c.title), c.kind, c.table, c.x, tuple(c.y))

    def _check(self, n: int, c: CheckFile) -> CheckSpec:
        at = ("checks", n)
        left, right = self._read((*at, "left"), c.left), self._read((*at, "right"), c.right)
        return CheckSpec(_text(c.name), left, right, c.within)

    def _section(self, name: str, s: SectionFile) -> SectionSpec:
        at = ("sections", name)
        for part, known in (("tables", self.file.tables), ("charts", self.file.charts)):
            for id in getattr(s, part):
                if id not in known:
                    raise self._wrong((*at, part), f"没有 “{id}”", f"there is no “{id}”")
        parts = tuple(self._part((*at, "parts", n), p) for n, p in enumerate(s.parts))
        return SectionSpec(name, _text(s.title), parts, tuple(s.tables), tuple(s.charts), s.model)

    def _part(self, at: tuple[str | int, ...], p: PartFile) -> Part:
        name, each = next(iter(p.each.items()), ("", ""))
        inner = {name} if name else set()
        words = _text(p.text)
        made: dict[str, Template] = {}
        for language, text in (("zh", words.zh or words.en), ("en", words.en or words.zh)):
            try:
                made[language] = template_of(text)
            except ExpressionError as e:
                raise self._wrong((*at, "text"), str(e), str(e)) from None
            for piece in made[language].pieces:
                if isinstance(piece, Expression):
                    self._begins((*at, "text"), piece, inner)
                    if not piece.names:
                        raise self._wrong(
                            (*at, "text"),
                            f"“{piece.source}” 不是取自数据、参数或计算",
                            f"“{piece.source}” comes of no cell, parameter or calculation",
                        )
        return Part(
            made,
            self._read((*at, "when"), p.when) if p.when else None,
            self._read((*at, "each"), each) if each else None,
            name,
            p.quote,
        )

    def _read(self, at: tuple[str | int, ...], text: str, inner: Iterable[str] = ()) -> Expression:
        read = self._free(at, text)
        self._begins(at, read, inner)
        return read

    def _free(self, at: tuple[str | int, ...], text: str) -> Expression:
        """Of names that are known when it is evaluated: a row's fields."""
        try:
            return parse(text)
        except ExpressionError as e:
            raise self._wrong(at, f"表达式不对:{e}", f"no expression: {e}") from None

    def _begins(self, at: tuple[str | int, ...], read: Expression, inner: Iterable[str]) -> None:
        loops = {n for s in self.file.steps.values() for n in s.loop} if at[0] == "steps" else set()
        unknown = read.names - self.names - set(inner) - loops
        if unknown:
            name = sorted(unknown)[0]
            raise self._wrong(at, f"没有 “{name}” 这个名字", f"there is nothing named “{name}”")

    def _format(self, at: tuple[str, ...], name: str) -> None:
        if name not in FORMATS:
            known = ", ".join(FORMATS)
            raise self._wrong(at, f"没有格式 “{name}”,可用:{known}", f"no format “{name}”: {known}")

    def _wrong(self, at: Iterable[str | int], zh: str, en: str) -> ConfigError:
        return self.source.error(tuple(at), zh, en)


def _text(words: Words) -> Text:
    return Text.of(words)  # type: ignore[arg-type]
