"""The reports that a person may run: what each needs, the result on the page, and its files."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui
from nicegui.element import Element

from dazi.apps.reports import html, words
from dazi.apps.reports.asking import recognised, unknown
from dazi.apps.reports.definition import Parameter, Report
from dazi.apps.reports.rendering import FORMATS, FileFormat, rendered
from dazi.apps.reports.result import Run
from dazi.apps.reports.service import ReportService, Wanted
from dazi.console import report_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.principal import Principal


async def draw(scene: Scene, reports: ReportService) -> None:
    language = scene.language
    ui.add_css(html.SCOPED)
    with div("dz-page dz-reports"):
        head(scene)
        heading(texts.REPORTS(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        ReportList(scene, reports)


class ReportList:
    def __init__(self, scene: Scene, reports: ReportService) -> None:
        self._scene, self._reports = scene, reports
        language = scene.language
        self._visible = reports.visible(scene.principal)
        if not self._visible:
            ui.label(texts.NONE(language)).classes("dz-muted dz-none")
            return
        with div("dz-search"):
            self._words = ui.input(placeholder=texts.ASK(language)).props("outlined dense")
            self._words.props["aria-label"] = texts.ASK(language)
            self._words.classes("dz-report-words")
            self._words.on("keydown.enter", self._find, args=[])
            button(texts.FIND(language), self._find, "dz-button-main dz-find-report")
        self._chosen = ui.select(
            {r.name: r.title(language) for r in self._visible},
            value=self._visible[0].name,
            label=texts.REPORTS(language),
            on_change=lambda _: self._ask({}),
        )
        self._chosen.props("outlined dense").classes("dz-report-choice")
        self._form = div("dz-report-form")
        self._result = div("dz-report-result").props("aria-live=polite")
        self._inputs: dict[str, Any] = {}
        self._ask({})

    @property
    def _report(self) -> Report:
        return self._reports.named(str(self._chosen.value))

    def _find(self) -> None:
        said = str(self._words.value or "")
        found = recognised(said, self._visible, self._reports.today())
        if found is None:
            tell(unknown(self._visible).message(self._scene.language), wrong=True)
            return
        self._chosen.value = found.report.name
        self._ask(found.given)

    def _ask(self, given: dict[str, Any] | Any) -> None:
        """The form of the chosen report, with what is known already."""
        report, language = self._report, self._scene.language
        self._inputs = {}
        self._form.clear()
        with self._form:
            ui.label(report.description(language)).classes("dz-muted")
            if report.wants_file:
                ui.label(texts.NEEDS_FILE(language)).classes("dz-none")
                return
            for p in report.parameters:
                self._inputs[p.name] = self._input(p, given.get(p.name, p.default))
            self._mail = ui.input(texts.MAIL(language)).props("outlined dense")
            self._mail.classes("dz-report-mail")
            button(texts.RUN(language), self._run, "dz-button-main dz-run-report")

    def _input(self, p: Parameter, value: Any) -> Any:
        language = self._scene.language
        if p.type == "enum":
            options = {v: p.labels[v](language) for v in p.values}
            made: Any = ui.select(options, value=value, label=p.label(language), multiple=p.many)
        else:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            made = ui.input(p.label(language), value="" if shown is None else str(shown))
        made.props("outlined dense").classes(f"dz-parameter dz-parameter-{p.name}")
        return made

    async def _run(self) -> None:
        language = self._scene.language
        given = {n: i.value for n, i in self._inputs.items() if i.value not in ("", None, [])}
        wanted = Wanted(
            self._report.name, language, given, mail_to=str(self._mail.value or "").strip()
        )
        self._result.clear()
        with self._result:
            ui.label(texts.RUNNING(language)).classes("dz-muted")

        async def made(by: Principal) -> Run:
            return await self._reports.run(by, wanted)

        run = await act(self._scene, made)
        self._result.clear()
        if run is not None:
            with self._result:
                self._show(run)

    def _show(self, run: Run) -> None:
        language = self._scene.language
        with div("dz-report-files"):
            ui.label(texts.SAVE_AS(language)).classes("dz-muted")
            for format in FORMATS:
                self._save(run, format)
        if run.mail is not None:
            said = texts.WAITS if run.mail.ticket else texts.MAILED
            told = said(language).format(outcome=run.mail.outcome, message=run.mail.message)
            ui.label(reveal(told)).classes("dz-report-mailed")
        # Made by us of escaped texts and drawings of our own: nothing in it is anybody's markup.
        body: Element = ui.html(html.body(run), sanitize=False)
        body.classes("dz-report").props["aria-label"] = words.title(run)

    def _save(self, run: Run, format: FileFormat) -> None:
        async def save() -> None:
            async def made(by: Principal) -> Any:
                folder = self._reports.company.folder
                return await asyncio.to_thread(rendered, run, format, folder)

            file = await act(self._scene, made)
            if file is not None:
                ui.download.content(file.data, file.name, file.type)

        button(texts.LABELS[format], save, f"dz-button dz-save-{format}")
