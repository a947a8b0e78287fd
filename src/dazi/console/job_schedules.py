"""What comes again: the list of a person's schedules, and a form for a new one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from nicegui import ui

from dazi.apps.questions import NAME
from dazi.console import job_texts as texts
from dazi.console.acts import act, button, confirm
from dazi.console.pieces import div, heading, icon_button, revealed
from dazi.console.state import Scene
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.store.jobs.schedules import Schedule
from dazi.store.jobs.service import JobService

DAYS: Mapping[str, tuple[str, Text]] = {
    "day": ("* * *", texts.EVERY_DAY),
    "workday": ("* * 1-5", texts.WORKDAYS),
    "week": ("* * 1", texts.EVERY_WEEK),
    "month": ("1 * *", texts.EVERY_MONTH),
}
_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class ScheduleList:
    def __init__(self, scene: Scene, jobs: JobService) -> None:
        self._scene, self._jobs = scene, jobs
        language = scene.language
        heading(texts.SCHEDULES(language), 2)
        self._list = div("dz-schedules").props("aria-live=polite")
        with div("dz-schedule-form"):
            self._question = ui.input(placeholder=texts.QUESTION(language))
            self._question.props("outlined dense").classes("dz-schedule-question")
            self._question.props["aria-label"] = texts.QUESTION(language)
            choices = {name: label(language) for name, (_, label) in DAYS.items()}
            self._day = ui.select(choices, value="week", label=texts.WHEN(language))
            self._day.props("outlined dense").classes("dz-schedule-day")
            self._hour = ui.input(texts.AT(language), value="08:00")
            self._hour.props("outlined dense mask=##:##").classes("dz-schedule-hour")
            button(texts.SAVE_RULE(language), self._add, "dz-button-main dz-add-schedule")

    async def refresh(self) -> None:
        found = await self._jobs.schedules.list(self._scene.principal)
        if self._list.is_deleted:
            return
        self._list.clear()
        with self._list:
            for rule in found:
                self._row(rule)
            if not found:
                none = texts.NO_SCHEDULES(self._scene.language)
                ui.label(none).classes("dz-muted dz-none")

    def _row(self, rule: Schedule) -> None:
        language = self._scene.language
        with div("dz-schedule"):
            revealed(rule.title, "dz-job-title")
            when = time.strftime("%m-%d %H:%M", time.localtime(rule.due))
            told = texts.NEXT(language).format(when=when) if rule.enabled else texts.OFF(language)
            ui.label(f"{told}  ({rule.cron})").classes("dz-muted")
            on = ui.switch(value=rule.enabled, on_change=lambda e: self._switch(rule, e.value))
            on.props["aria-label"] = texts.SWITCH(language)
            icon_button("delete", texts.REMOVE(language), self._asking(rule))

    async def _add(self) -> None:
        question = str(self._question.value or "").strip()
        language = self._scene.language

        async def add(by: Principal) -> object:
            hour = _HOUR.fullmatch(str(self._hour.value or "").strip())
            if hour is None:
                raise CallerError("time", texts.HOUR.zh, texts.HOUR.en)
            days = DAYS[str(self._day.value)][0]
            cron = f"{int(hour[2])} {int(hour[1])} {days}"
            title = question[:60] or texts.NEW(language)
            arguments = {"question": question}
            return await self._jobs.schedule(by, NAME, arguments, cron, title, language=language)

        if await act(self._scene, add) is not None:
            self._question.set_value("")
            await self.refresh()

    async def _switch(self, rule: Schedule, on: bool) -> None:
        async def change(by: Principal) -> object:
            return await self._jobs.schedules.change(rule.id, by, enabled=on)

        await act(self._scene, change)
        await self.refresh()

    def _asking(self, rule: Schedule) -> Callable[[], None]:
        async def remove(by: Principal) -> None:
            await self._jobs.schedules.remove(rule.id, by)

        async def agreed() -> None:
            await act(self._scene, remove)
            await self.refresh()

        question = texts.REMOVE_RULE_ASK(self._scene.language).format(title=rule.title)
        return lambda: confirm(self._scene, question, agreed)
