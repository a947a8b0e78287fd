"""A person's background jobs: how far each is, what it came to, and what comes again."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from dazi.console import job_texts as texts
from dazi.console.acts import act, button, confirm
from dazi.console.job_routes import file_url
from dazi.console.job_schedules import ScheduleList
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, icon_button, revealed
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.store.jobs.model import OVER, Job
from dazi.store.jobs.service import JobService

SHOWN = 30
LOOK_S = 1.0
"""How often the page looks while something is under way."""
IDLE_S = 10.0
"""And while nothing is."""
LONG_ANSWER = 600


async def draw(scene: Scene, jobs: JobService) -> None:
    language = scene.language
    with div("dz-page dz-jobs-page"):
        head(scene)
        heading(texts.JOBS(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        listed = JobList(scene, jobs)
        await listed.refresh()
        await ScheduleList(scene, jobs).refresh()
    ui.timer(LOOK_S, listed.look)


class JobList:
    """Each job is a card; a card is drawn again only when what it shows has changed."""

    def __init__(self, scene: Scene, jobs: JobService) -> None:
        self._scene, self._jobs = scene, jobs
        self._limit = SHOWN
        self._cards: dict[str, tuple[object, Element]] = {}
        self._order: list[str] = []
        self._looked = 0.0
        self._busy = False
        with div("dz-job-actions"):
            export = texts.EXPORT(scene.language)
            button(export, self._export, "dz-button-quiet dz-export-all")
        self._list = div("dz-jobs").props("aria-live=polite")
        self._more = div()

    async def look(self) -> None:
        if self._scene.visit.ended:
            return
        if self._busy or time.monotonic() - self._looked >= IDLE_S:
            await self.refresh()

    async def refresh(self) -> None:
        store, by = self._jobs.store, self._scene.principal
        found = await store.list(by, limit=self._limit + 1)
        shown = [
            await store.get(j.id, by) if j.state == "done" else j for j in found[: self._limit]
        ]
        self._looked = time.monotonic()
        self._busy = any(j.state not in OVER for j in shown)
        if self._list.is_deleted:
            return
        if [j.id for j in shown] != self._order:
            self._list.clear()
            self._cards.clear()
            self._order = [j.id for j in shown]
        for job in shown:
            self._show(job)
        if not shown and not self._cards:
            self._list.clear()
            with self._list:
                ui.label(texts.NONE(self._scene.language)).classes("dz-muted dz-none")
        self._more.clear()
        if len(found) > self._limit:
            with self._more:
                older = texts.OLDER(self._scene.language)
                button(older, self._show_more, "dz-button-quiet dz-older-jobs")

    async def _show_more(self) -> None:
        self._limit += SHOWN
        await self.refresh()

    def _show(self, job: Job) -> None:
        seen = (job.state, job.step, round(job.fraction, 3), job.stopping, job.attempts, job.error)
        known = self._cards.get(job.id)
        if known is not None and known[0] == seen:
            return
        if known is None:
            with self._list:
                card = div()
        else:
            card = known[1]
            card.clear()
        self._cards[job.id] = seen, card
        card.classes(replace=f"dz-job dz-job-{job.state}")
        card.props["data-job"] = job.id
        with card:
            self._draw(job)

    def _draw(self, job: Job) -> None:
        language = self._scene.language
        with div("dz-job-head"):
            ui.label(texts.STATES[job.state](language)).classes("dz-tag dz-job-state")
            revealed(job.title, "dz-job-title")
            ui.label(_when(job)).classes("dz-muted")
            if job.state not in OVER:
                icon_button("close", texts.CANCEL(language), self._doing(self._cancel, job))
            else:
                if job.state in ("failed", "cancelled"):
                    icon_button("refresh", texts.RETRY(language), self._doing(self._retry, job))
                icon_button("delete", texts.REMOVE(language), lambda: self._remove(job))
        if job.state == "running":
            bar = ui.linear_progress(value=job.fraction, show_value=False)
            bar.props(f"rounded aria-label='{job.fraction:.0%}'").classes("dz-job-bar")
            ui.label("  ·  ".join(_progress(job, language))).classes("dz-muted dz-job-step")
        if job.error is not None and job.state != "done":
            ui.label(reveal(job.error.text(language))).classes("dz-job-error")
        self._result(job)

    def _result(self, job: Job) -> None:
        language, result = self._scene.language, job.result
        if isinstance(result, dict):
            answer = result.get("answer")
            if isinstance(answer, str) and answer:
                cut = answer if len(answer) <= LONG_ANSWER else f"{answer[:LONG_ANSWER]}…"
                revealed(cut, "dz-job-answer")
            if result.get("waits"):
                ui.label(texts.WAITS(language)).classes("dz-job-waits")
            if isinstance(thread := result.get("thread"), str):
                _link(f"/t/{quote(thread, safe='')}", "chat", texts.OPEN_THREAD(language))
        for file in job.files:
            _link(file_url(job.id, file.name), "download", f"{file.name} ({_size(file.size)})")

    async def _export(self) -> None:
        async def begin(by: Principal) -> object:
            return await self._jobs.begin(by, "export", {}, language=self._scene.language)

        await act(self._scene, begin)
        await self.refresh()

    def _doing(
        self, work: Callable[[Principal, Job], Awaitable[object]], job: Job
    ) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            await act(self._scene, lambda by: work(by, job))
            await self.refresh()

        return do

    async def _cancel(self, by: Principal, job: Job) -> object:
        return await self._jobs.store.cancel(job.id, by)

    async def _retry(self, by: Principal, job: Job) -> object:
        found = await self._jobs.store.retry(job.id, by)
        if self._jobs.workers is not None:
            self._jobs.workers.wake()
        return found

    def _remove(self, job: Job) -> None:
        async def remove(by: Principal, job: Job) -> None:
            await self._jobs.store.delete(job.id, by)

        question = texts.REMOVE_ASK(self._scene.language).format(title=job.title)
        confirm(self._scene, question, self._doing(remove, job))


def _link(url: str, icon: str, label: str) -> None:
    with ui.element("a").classes("dz-job-link") as a:
        a.props["href"] = url
        ui.icon(icon)
        ui.label(reveal(label))


def _progress(job: Job, language: Language) -> list[str]:
    out = [f"{job.fraction:.0%}"]
    if job.stopping:
        return [*out, texts.STOPPING(language)]
    if step := job.step(language):
        out.append(step)
    if job.attempts > 1:
        out.append(texts.TRIES(language).format(n=job.attempts))
    left = job.left_s()
    if left is not None:
        seconds = left < 100
        told = texts.LEFT_S if seconds else texts.LEFT_MIN
        out.append(told(language).format(n=round(left) if seconds else round(left / 60)))
    return out


def _when(job: Job) -> str:
    return time.strftime("%m-%d %H:%M", time.localtime(job.created))


def _size(n: int) -> str:
    return f"{n:,} B" if n < 10_000 else f"{n / 1000:,.0f} kB"
