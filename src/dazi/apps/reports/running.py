"""Running a report: parameters, calls, tables, calculations, charts, checks, words."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from dazi.apps.reports import narrative, tables
from dazi.apps.reports.calling import Caller
from dazi.apps.reports.definition import CheckSpec, Report, SectionSpec, Step, TableSpec
from dazi.apps.reports.expressions import (
    Expression,
    ExpressionError,
    Scope,
    as_values,
    evaluate,
)
from dazi.apps.reports.formats import written
from dazi.apps.reports.parameters import in_words, settled, told
from dazi.apps.reports.result import (
    Calculation,
    Call,
    Chart,
    Check,
    Paragraph,
    Run,
    Section,
    Table,
)
from dazi.apps.reports.verifying import unbound, verify
from dazi.core.company import Company
from dazi.core.errors import AccessError, CallerError, ConnectorError, OperatorError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal

MOST_CALLS = 400
"""Of one run."""
NOTHING = Text("{step}:没有数据({why})", "{step}: no data ({why})")
FALLBACK = Text(
    "“{title}”一节用的是模板文字:{why}",
    "section “{title}” is in the template's words: {why}",
)
DROPPED = Text(
    "“{title}”一节去掉了模型的 {n} 句话,因为有没绑定的数字:{said}",
    "of section “{title}” {n} sentences of the model were dropped, for numbers that nothing binds: {said}",
)
Told = Callable[[Text, float], None]
Extract = Callable[[Path], Awaitable[list[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Worded:
    """What a model made of a section: ``paragraphs`` that were checked, ``dropped`` sentences that
    failed; ``why``: it said nothing that could stay."""

    paragraphs: tuple[Paragraph, ...]
    dropped: tuple[str, ...] = ()
    why: Text = field(default_factory=lambda: Text("", ""))


Word = Callable[[Section, tuple[Table, ...], Language], Awaitable[Worded]]
"""Words a section by a model; given what the template says and the section's tables."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Of one run. ``now``: ISO 8601. ``word``: where a model is there to write. ``extract``: reads the
    figures of a document; without it no report about a file can be run. ``told``: how far it is."""

    company: Company
    principal: Principal
    today: date
    language: Language
    now: str
    word: Word | None = None
    extract: Extract | None = None
    told: Told = lambda step, fraction: None


def may_run(report: Report, principal: Principal) -> bool:
    return principal.has_role(*report.roles)


async def run(report: Report, given: Mapping[str, Any], caller: Caller, setting: Setting) -> Run:
    """Raises ``AccessError`` where the person may not, ``CallerError`` for wrong parameters,
    ``ConnectorError`` for systems that do not answer, and ``OperatorError`` for a report that cannot
    be made of what they gave, or would say a number that nothing binds."""
    if not may_run(report, setting.principal):
        raise AccessError(
            "forbidden",
            f"你的角色不能出报表 {report.name}",
            f"your role may not run report {report.name}",
        )
    values = settled(report, given, setting.today)
    try:
        done = await _Running(report, values, caller, setting).run()
    except ExpressionError as e:
        raise OperatorError(
            "report",
            f"报表 {report.name} 没法算({report.source}):{e}",
            f"report {report.name} cannot be calculated ({report.source}): {e}",
        ) from e
    verify(done)
    return done


class _Running:
    def __init__(
        self, report: Report, values: dict[str, Any], caller: Caller, setting: Setting
    ) -> None:
        self.report, self.caller, self.setting = report, caller, setting
        self.language = setting.language
        self.given = values
        names: dict[str, Any] = {p.name: as_values(values[p.name]) for p in report.parameters}
        names |= {"today": setting.today.isoformat(), "person": setting.principal.user}
        names["language"] = self.language
        names["company"] = setting.company.name(self.language)
        self.names = names
        self.scope = Scope(names)
        self.calls: list[Call] = []
        self.notes: list[str] = []

    async def run(self) -> Run:
        report, language = self.report, self.language
        for n, step in enumerate(report.steps):
            self.setting.told(
                Text(f"取数:{step.id}", f"calling: {step.id}"), 0.8 * n / len(report.steps)
            )
            self.names[step.id] = await self._step(step)
        self._words_for_values()
        made = self._tables_and_calculations()
        sections = []
        for spec in report.sections:
            sections.append(await self._section(spec, made))
        given = told(report, self.given, language)
        subject = [
            in_words(p, self.given[p.name], language)
            for name in report.subject
            for p in report.parameters
            if p.name == name and self.given[p.name]
        ]
        return Run(
            report.name,
            report.title(language),
            " · ".join(subject),
            report.description(language),
            language,
            self.setting.company.name(language),
            self.setting.principal.user,
            self.setting.now,
            given,
            made,
            tuple(
                Chart(c.id, c.title(language), c.kind, c.table, c.x, _series(c.y, c.table, made))
                for c in report.charts
            ),
            tuple(sections),
            tuple(self._check(c) for c in report.checks),
            self.calculations,
            tuple(self.calls),
            tuple(self.notes),
        )

    # --- what it rests on -----------------------------------------------------------------------

    async def _step(self, step: Step) -> Any:
        if not step.loops:
            return await self._called(step, self.scope)
        out: list[Any] = []
        for bound in self._turns(step):
            found = await self._called(step, self.scope.within(bound))
            if isinstance(found, Mapping):
                out.append({**bound, **found})
            elif isinstance(found, list):
                out.append({**bound, "rows": found})
        return out

    def _turns(self, step: Step) -> Iterator[dict[str, Any]]:
        over = [evaluate(loop.over, self.scope) or [] for loop in step.loops]
        for chosen in itertools.product(*over):
            yield {loop.name: value for loop, value in zip(step.loops, chosen, strict=True)}

    async def _called(self, step: Step, scope: Scope) -> Any:
        if step.file is not None:
            return await self._read(step, evaluate(step.file, scope))
        if len(self.calls) >= MOST_CALLS:
            raise ExpressionError(f"{step.id}: > {MOST_CALLS}")
        arguments = {k: self._argument(v, scope) for k, v in step.arguments.items()}
        arguments = {k: v for k, v in arguments.items() if v is not None}
        try:
            result, call = await self.caller.call(step.id, step.tool, arguments)
        except ConnectorError as e:
            if not step.optional:
                raise
            self._note_nothing(step, e.message(self.language))
            return None
        self.calls.append(call)
        if result is None:
            if not step.optional:
                raise CallerError(
                    "no_data",
                    f"{step.tool} 没有这个数据:{_said(arguments)}",
                    f"{step.tool} has nothing for {_said(arguments)}",
                )
            self._note_nothing(step, _said(arguments))
        return as_values(result)

    def _note_nothing(self, step: Step, why: str) -> None:
        self.notes.append(NOTHING(self.language).format(step=step.id, why=why))

    async def _read(self, step: Step, place: Any) -> Any:
        if place is None and step.optional:
            return None
        if self.setting.extract is None or not place:
            raise CallerError(
                "file",
                "这个报表要读文件,这里不能读;请用命令行 dazi report run",
                "this report reads a file, which cannot be done here; use dazi report run",
            )
        return as_values(await self.setting.extract(Path(str(place))))

    @staticmethod
    def _argument(value: Any, scope: Scope) -> Any:
        if not isinstance(value, Expression):
            return list(value) if isinstance(value, tuple) else value
        found = evaluate(value, scope)
        if isinstance(found, Decimal):
            return int(found) if found == found.to_integral_value() else float(found)
        return found

    # --- what is made of it ---------------------------------------------------------------------

    def _words_for_values(self) -> None:
        """From here on an enum's values stand for what people call them."""
        for p in self.report.parameters:
            if p.type == "enum" and self.given[p.name] is not None:
                many = self.given[p.name] if p.many else [self.given[p.name]]
                words = [p.labels[v](self.language) for v in many]
                self.names[p.name] = words if p.many else words[0]
        for p in self.report.parameters:
            if p.type == "file" and self.given[p.name]:
                self.names[p.name] = in_words(p, self.given[p.name], self.language)

    def _tables_and_calculations(self) -> tuple[Table, ...]:
        """In the order that each can be made in: a calculation may need a table, and a table it."""
        waiting: dict[str, Any] = {t.id: t for t in self.report.tables}
        waiting |= {c.name: c for c in self.report.calculations}
        made: dict[str, Table] = {}
        values: dict[str, Any] = {}
        while waiting:
            before, first = len(waiting), None
            for name, spec in list(waiting.items()):
                try:
                    if isinstance(spec, TableSpec):
                        made[name], found = tables.build(spec, self.scope, self.language)
                    else:
                        values[name] = found = evaluate(spec.value, self.scope)
                except ExpressionError as e:
                    first = first or e  # it may need what comes after it
                    continue
                self.names[name] = found
                del waiting[name]
            if len(waiting) == before and first is not None:
                raise first
        self.calculations = tuple(
            Calculation(
                c.name,
                c.label(self.language),
                c.value.source,
                values[c.name] if isinstance(values[c.name], Decimal | str) else None,
                _shown(values[c.name], c.value.format, self.language),
            )
            for c in self.report.calculations
        )
        return tuple(made[t.id] for t in self.report.tables)

    async def _section(self, spec: SectionSpec, made: tuple[Table, ...]) -> Section:
        section = narrative.section(spec, self.scope, self.language)
        if not spec.model:
            return section
        if self.setting.word is None:
            why = Text("没有设置能写文字的模型", "no model that can write is set")
            return self._as_template(section, why)
        worded = await self.setting.word(
            section, tuple(t for t in made if t.id in spec.tables), self.language
        )
        if worded.dropped:
            said = " / ".join(worded.dropped)
            told = DROPPED(self.language).format(
                title=section.title, n=len(worded.dropped), said=said
            )
            self.notes.append(told)
        checked = [p for p in worded.paragraphs if unbound(p.text, p.bound, self.language) is None]
        if not checked:
            return self._as_template(section, worded.why)
        return replace(section, paragraphs=tuple(checked))

    def _as_template(self, section: Section, why: Text) -> Section:
        told = FALLBACK(self.language).format(title=section.title, why=why(self.language))
        self.notes.append(told)
        return section

    def _check(self, spec: CheckSpec) -> Check:
        left, right = evaluate(spec.left, self.scope), evaluate(spec.right, self.scope)
        if isinstance(left, Decimal) and isinstance(right, Decimal):
            ok = abs(left - right) <= spec.within
        else:
            ok = left == right
        source = f"{spec.left.source} = {spec.right.source}"
        return Check(spec.name(self.language), _plain(left), _plain(right), ok, source)


def _series(names: tuple[str, ...], table: str, made: tuple[Table, ...]) -> tuple[str, ...]:
    """``*`` stands for all columns of numbers of a turned table."""
    if names != ("*",):
        return names
    found = next(t for t in made if t.id == table)
    return tuple(c.name for c in found.columns[1:])


def _plain(value: Any) -> Decimal | str | None:
    return value if isinstance(value, Decimal | str) or value is None else str(value)


def _shown(value: Any, format: str, language: Language) -> str:
    usual = "number" if isinstance(value, Decimal) else "text"
    try:
        return written(value, format or usual, language)
    except (ValueError, TypeError):
        return str(value)


def _said(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v}" for k, v in arguments.items())
