"""Contracts: have one reviewed, and those that were; for some, how well the rules do."""

from __future__ import annotations

import time
from pathlib import Path

from nicegui import ui
from nicegui.events import UploadEventArguments

from dazi.apps.contracts.job import ENDINGS, Files
from dazi.apps.contracts.service import ContractService
from dazi.apps.contracts.statistics import RuleQuality
from dazi.console import contract_texts as texts
from dazi.console.acts import act, button, confirm, tell
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, named_upload
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.principal import Principal
from dazi.store.jobs.model import OVER, Job

SHOWN = 50
LOOK_S = 1.5
STYLE = Path(__file__).with_name("contracts.css")


def review_url(job: str) -> str:
    return f"/contracts/{job}"


async def draw(scene: Scene, contracts: ContractService) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-contracts"):
        head(scene)
        heading(texts.CONTRACTS(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        if contracts.may(scene.principal):
            await _Beginning(scene, contracts).refresh()
        reviews = _Reviews(scene, contracts)
        await reviews.refresh()
        if contracts.sees_statistics(scene.principal):
            _quality(scene, await contracts.statistics(scene.principal))

    async def look() -> None:
        if not scene.visit.ended and reviews.waiting:
            await reviews.refresh()

    ui.timer(LOOK_S, look)


class _Beginning:
    """A template is chosen, and what is uploaded is reviewed by it."""

    def __init__(self, scene: Scene, contracts: ContractService) -> None:
        self._scene, self._contracts = scene, contracts
        language = scene.language
        with div("dz-contract-template"):
            self._template = ui.select({"": texts.NO_TEMPLATE(language)}, value="")
            self._template.props("outlined dense options-dense").classes("dz-template")
            self._template.props["label"] = texts.TEMPLATE(language)
            self._own = self._upload(texts.OWN_TEMPLATE(language), self._template_given)
            self._own.classes("dz-own-template")
        self._upload(texts.UPLOAD(language), self._given).classes("dz-contract-upload")

    def _upload(self, label: str, do: object) -> ui.upload:
        largest = self._contracts.largest
        said = texts.REJECTED(self._scene.language).format(mb=largest // 1_000_000)
        made = ui.upload(
            label=label,
            auto_upload=True,
            max_file_size=largest,
            on_upload=do,  # type: ignore[arg-type]
            on_rejected=lambda _: tell(said, wrong=True),
        )
        made.props["accept"] = ",".join(ENDINGS)
        made.props("flat bordered").classes("dz-upload")
        named_upload(made, label)
        return made

    async def refresh(self) -> None:
        language = self._scene.language
        options = {"": texts.NO_TEMPLATE(language)}
        company, own = texts.COMPANYS(language), texts.OWN(language)
        options |= {n: reveal(f"{n} · {company}") for n in self._contracts.conditions.templates}
        for job in await self._contracts.own_templates(self._scene.principal):
            options[job.id] = reveal(f"{job.title} · {own}")
        self._template.set_options(options)

    async def _given(self, event: UploadEventArguments) -> None:
        name, data = event.file.name, await event.file.read()
        template = str(self._template.value or "")
        language = self._scene.language

        async def begin(by: Principal) -> Job:
            return await self._contracts.begin(by, Files(name, data), language, template)

        job = await act(self._scene, begin)
        if job is not None:
            ui.navigate.to(review_url(job.id))

    async def _template_given(self, event: UploadEventArguments) -> None:
        name, data = event.file.name, await event.file.read()
        language = self._scene.language

        async def add(by: Principal) -> Job:
            return await self._contracts.add_template(by, name, data, language)

        job = await act(self._scene, add)
        if job is None:
            return

        async def look() -> None:
            now = await self._contracts.jobs.store.get(job.id, self._scene.principal)
            if now.state not in OVER:
                return
            timer.cancel()
            if now.state == "done":
                await self.refresh()
                self._template.set_value(job.id)
                tell(texts.TEMPLATE_KEPT(language).format(name=name))
            elif now.error is not None:
                tell(now.error.text(language), wrong=True)

        timer = ui.timer(LOOK_S, look)


class _Reviews:
    def __init__(self, scene: Scene, contracts: ContractService) -> None:
        self._scene, self._contracts = scene, contracts
        self.waiting = False
        ui.label(texts.REVIEWS(scene.language)).classes("dz-thread-day")
        self._list = ui.element("ul").classes("dz-documents dz-reviews")

    async def refresh(self) -> None:
        by, store = self._scene.principal, self._contracts.jobs.store
        found = await self._contracts.reviews(by, SHOWN)
        self.waiting = any(j.state not in OVER for j in found)
        jobs = [await store.get(j.id, by) if j.state == "done" else j for j in found]
        self._list.clear()
        with self._list:
            for job in jobs:
                self._row(job)
            if not jobs:
                with ui.element("li"):
                    ui.label(texts.NONE(self._scene.language)).classes("dz-muted dz-none")

    def _row(self, job: Job) -> None:
        language = self._scene.language
        with ui.element("li").classes(f"dz-managed-row dz-review dz-review-{job.state}"):
            with ui.element("a").classes("dz-managed-words") as link:
                link.props["href"] = review_url(job.id)
                ui.label(reveal(job.title)).classes("dz-managed-name")
                when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created))
                ui.label(f"{when} · {self._told(job)}").classes("dz-muted")
            if job.state in OVER:
                question = texts.DELETE_REVIEW(language).format(name=job.title)
                button(
                    "×", lambda: confirm(self._scene, question, lambda: self._delete(job)),
                    "dz-button-quiet dz-delete",
                )  # fmt: skip

    def _told(self, job: Job) -> str:
        language = self._scene.language
        if job.state == "done" and isinstance(job.result, dict):
            return texts.COUNTS(language).format(**job.result)
        if job.state == "failed" and job.error is not None:
            return reveal(job.error.text(language))
        more = f" {job.fraction:.0%}" if job.state == "running" else ""
        return texts.STATES[job.state](language) + more

    async def _delete(self, job: Job) -> None:
        await act(self._scene, lambda by: self._contracts.jobs.store.delete(job.id, by))
        await self.refresh()


def _quality(scene: Scene, found: list[RuleQuality]) -> None:
    language = scene.language
    with ui.element("details").classes("dz-quality"):
        with ui.element("summary").classes("dz-thread-day"):
            ui.label(texts.QUALITY(language))
        ui.label(texts.QUALITY_HINT(language)).classes("dz-muted")
        judged = [q for q in found if q.precision is not None]
        if not judged:
            ui.label(texts.NOBODY(language)).classes("dz-muted dz-none")
            return
        columns = [
            {
                "name": f"c{n}",
                "field": f"c{n}",
                "label": label,
                "align": "left" if n == 0 else "right",
            }
            for n, label in enumerate(texts.QUALITY_COLUMNS(language).split(","))
        ]
        rows = [
            {"id": q.rule, "c0": q.rule + (f" ({texts.DOUBTFUL(language)})" if q.doubtful else ""),
             "c1": q.shown, "c2": q.accepted, "c3": q.rejected, "c4": q.corrected,
             "c5": f"{q.precision:.0%} ({q.low:.0%}–{q.high:.0%})"}
            for q in judged
        ]  # fmt: skip
        ui.table(rows=rows, columns=columns, row_key="id").props("flat dense").classes("dz-table")
        with ui.element("a").classes("dz-back") as link:
            link.props["href"] = "/contracts/statistics.json"
            ui.label(texts.EXPORT(language))
