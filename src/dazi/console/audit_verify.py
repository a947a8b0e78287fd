"""Verifying the whole ledger from the page: it tells how far it is, and can be stopped."""

from __future__ import annotations

import asyncio

from nicegui import ui

from dazi.access.auditing import LedgerReading
from dazi.audit.telling import verdict
from dazi.audit.verify import Verified
from dazi.console import audit_texts as texts
from dazi.console.acts import act, button
from dazi.console.pieces import div
from dazi.console.state import Scene
from dazi.core.principal import Principal


class Verification:
    """A few records at a time, so that others' pages go on."""

    def __init__(self, scene: Scene, reading: LedgerReading) -> None:
        self._scene, self._reading = scene, reading
        self._task: asyncio.Task[Verified] | None = None
        self._stopped = False
        self._all = self._seq = 0
        language = scene.language
        with div("dz-block dz-verify"):
            with div("dz-act-row"):
                self._begin = button(texts.VERIFY(language), self._run, "dz-button dz-verify-all")
                self._stop = button(texts.STOP(language), self._cancel, "dz-button dz-verify-stop")
                self._how_far = ui.label("").classes("dz-muted").props("role=status")
            self._bar = ui.linear_progress(0, show_value=False).classes("dz-job-bar")
            self._bar.props["aria-label"] = texts.VERIFY(language)
            self._result = div("dz-verify-result").props("role=status")
        self._show_running(False)
        ui.context.client.on_delete(self._cancel)

    async def _run(self) -> None:
        if self._task is None:
            await act(self._scene, self._verify)

    async def _verify(self, by: Principal) -> None:
        self._result.clear()
        self._stopped, self._seq = False, 0
        self._all = await self._reading.last(by)
        self._told(0)
        self._task = asyncio.create_task(self._reading.verify(by, self._told), name="verify ledger")
        self._show_running(True)
        try:
            self._show(await self._task)
        except asyncio.CancelledError:
            if not self._stopped:  # it is we who are to end
                self._task.cancel()
                raise
            self._say(texts.STOPPED(self._scene.language).format(seq=self._seq), "quiet")
        finally:
            self._task = None
            self._show_running(False)

    def _cancel(self) -> None:
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    def _told(self, seq: int) -> None:
        self._seq = seq
        self._bar.set_value(seq / self._all if self._all else 1)
        said = texts.VERIFYING(self._scene.language)
        self._how_far.set_text(said.format(seq=seq, all=self._all))

    def _show(self, found: Verified) -> None:
        said = verdict(found)(self._scene.language)
        self._say(said, "good" if found.bad is None else "bad")
        if found.bad is not None:
            with self._result, ui.element("a").classes("dz-job-link") as link:
                link.props["href"] = f"/audit?before={found.bad.seq + 1}"
                ui.label(texts.BAD_RECORD(self._scene.language).format(seq=found.bad.seq))

    def _say(self, said: str, tone: str) -> None:
        with self._result:
            ui.label(said).classes(f"dz-verdict dz-verdict-{tone}")

    def _show_running(self, running: bool) -> None:
        self._begin.set_enabled(not running)
        self._stop.set_visibility(running)
        self._bar.set_visibility(running)
        self._how_far.set_visibility(running)
