"""The compliance matrix, run on demand: its progress, its results, and the report as a file."""

from __future__ import annotations

import json
import time

from fastapi import FastAPI, Request
from fastapi.responses import Response
from nicegui import ui

from dazi.console import compliance_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.compliance_run import Compliance
from dazi.console.frame import language_of_request
from dazi.console.operators import answers_for_records
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.pool_page import STYLE
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.console.thread_routes import saved_as
from dazi.console.visits import Visits
from dazi.core.errors import AccessError
from dazi.core.principal import Principal
from dazi.ops.compliance.matrix import load_matrix
from dazi.ops.compliance.page import html
from dazi.ops.compliance.report import STATEMENT, Chapter, Judged, Report, as_json
from dazi.ops.compliance.results import Status
from dazi.ops.compliance.table import counted
from dazi.ops.compliance.wording import MEND, RECORDS, STATUS

PATH = "/compliance"
LOOK_S = 0.5


async def draw(scene: Scene, compliance: Compliance) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-system dz-compliance"):
        head(scene)
        heading(texts.COMPLIANCE(language))
        if not answers_for_records(scene.principal):
            forbidden(texts.FORBIDDEN(language))
            return
        ui.label(texts.HINT(language)).classes("dz-muted")
        ui.label(STATEMENT(language)).classes("dz-muted")
        _Page(scene, compliance)


class _Page:
    def __init__(self, scene: Scene, compliance: Compliance) -> None:
        self._scene, self._compliance = scene, compliance
        self._shown: Report | None = None
        self._was_running = False
        language = scene.language
        with ui.element("fieldset").classes("dz-comply-chosen"):
            with ui.element("legend").classes("dz-muted"):
                ui.label(texts.FRAMEWORKS(language))
            self._chosen = {
                f.key: ui.checkbox(f.name(language), value=True).classes(f"dz-framework-{f.key}")
                for f in load_matrix()
            }
        with div("dz-system-acts"):
            self._go = button(texts.RUN(language), self._begin, "dz-button-main dz-comply-run")
            self._halt = button(texts.STOP(language), compliance.stop, "dz-button dz-comply-stop")
            self._told = ui.label("").classes("dz-muted dz-comply-told").props("role=status")
        self._bar = ui.linear_progress(0, show_value=False, size="6px").props("aria-hidden=true")
        self._results = div("dz-comply-results")
        self._look()
        ui.timer(LOOK_S, self._look)

    async def _begin(self) -> None:
        chosen = tuple(key for key, box in self._chosen.items() if box.value)
        language = self._scene.language
        if not chosen:
            tell(texts.CHOOSE(language), wrong=True)
            return

        async def work(who: Principal) -> None:
            if not answers_for_records(who):
                raise AccessError("forbidden", texts.FORBIDDEN.zh, texts.FORBIDDEN.en)
            self._compliance.begin(chosen)

        await act(self._scene, work)
        self._look()

    def _look(self) -> None:
        if self._scene.visit.ended:
            return
        c, language = self._compliance, self._scene.language
        self._go.set_enabled(not c.running)
        self._halt.set_visibility(c.running)
        self._bar.set_visibility(c.running)
        done, of = c.progress
        if c.running:
            self._bar.set_value(done / of if of else 0)
            said = texts.RUNNING if of else texts.STARTING
            self._told.set_text(said(language).format(done=done, of=of))
        elif self._was_running or not self._told.text:
            self._told.set_text(self._after())
        self._was_running = c.running
        if c.report is not self._shown or not self._results.default_slot.children:
            self._shown = c.report
            self._draw()

    def _after(self) -> str:
        c, language = self._compliance, self._scene.language
        if c.failed is not None:
            return str(c.failed)
        if c.stopped:
            return texts.STOPPED(language)
        if c.report is None:
            return texts.NONE(language)
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(c.report.at))
        return texts.LAST(language).format(time=at)

    def _draw(self) -> None:
        language, report = self._scene.language, self._shown
        self._results.clear()
        with self._results:
            if report is None:
                ui.label("")
                return
            with div("dz-system-acts"):
                for kind, said in (("html", texts.SAVE_HTML), ("json", texts.SAVE_JSON)):
                    with ui.element("a").classes(f"dz-button dz-save-{kind}") as link:
                        link.props["href"] = f"{PATH}/report.{kind}"
                        ui.label(said(language))
            for chapter in report.chapters:
                _chapter(chapter, self._scene)


def _chapter(chapter: Chapter, scene: Scene) -> None:
    language = scene.language
    with ui.element("details").classes("dz-chapter") as box:
        box.props["data-framework"] = chapter.framework.key
        with ui.element("summary"):
            ui.label(chapter.framework.name(language)).classes("dz-chapter-name")
            ui.label(counted(chapter, language)).classes("dz-muted")
        order = {Status.FAIL: 0}
        for judged in sorted(chapter.items, key=lambda j: order.get(j.status, 1)):
            _item(judged, scene)


def _item(j: Judged, scene: Scene) -> None:
    language = scene.language
    with div("dz-item"):
        with div("dz-item-head"):
            ui.label(j.item.id).classes("dz-mono dz-muted")
            ui.label(j.item.title(language)).classes("dz-item-title")
            ui.label(STATUS[j.status](language)).classes(f"dz-tag dz-status-{j.status.value}")
        with ui.element("ul"):
            for seen in j.evidence:
                with ui.element("li").classes("" if seen.ok else "dz-seen-bad"):
                    revealed(seen.text(language))
            for mend in j.mend:
                with ui.element("li"):
                    revealed(f"{MEND(language)}: {mend(language)}")
        if j.records and j.status is Status.FAIL:
            numbers = ", ".join(map(str, j.records))
            ui.label(f"{RECORDS(language)}: {numbers}").classes("dz-muted")
        if j.item.note is not None:
            revealed(j.item.note(language), "dz-muted")


def add_routes(app: FastAPI, compliance: Compliance, visits: Visits) -> None:
    async def report(request: Request, kind: str) -> Response:
        found = await visits.of(request)
        if found is None:
            return Response(status_code=401)
        if not answers_for_records(found[0]):
            return Response(status_code=403)
        made = compliance.report
        if made is None or kind not in ("html", "json"):
            return Response(status_code=404)
        if kind == "html":
            text, type = html(made, language_of_request(request)), "text/html; charset=utf-8"
        else:
            text, type = _json(made), "application/json"
        headers = saved_as(f"compliance-{time.strftime('%Y%m%d', time.localtime(made.at))}.{kind}")
        del headers["x-content-generator"]  # nothing of it was written by a model
        return Response(text, media_type=type, headers=headers)

    app.add_api_route(
        f"{PATH}/report.{{kind}}", report, include_in_schema=False, response_model=None
    )


def _json(report: Report) -> str:
    return json.dumps(as_json(report), ensure_ascii=False, indent=1)
