"""Two prompt versions side by side, line by line."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from dazi.console import prompts_texts as texts
from dazi.console.pieces import div, heading, revealed
from dazi.console.state import Scene
from dazi.core.language import Language
from dazi.ops.prompts.model import Difference
from dazi.ops.prompts.service import PromptService


class Comparing:
    """Two versions, line by line; what is new has a + before it and what is gone a -, so that nobody
    has to tell colours apart."""

    def __init__(self, scene: Scene, service: PromptService) -> None:
        self._scene, self._service = scene, service
        self._offering = False
        language = scene.language
        with ui.element("section").props(f"aria-label='{texts.COMPARE(language)}'"):
            heading(texts.COMPARE(language), 2)
            with div("dz-compare-of"):
                self._old = ui.select([0], label=texts.FROM(language), value=0)
                self._new = ui.select([0], label=texts.TO(language), value=0)
                for one in (self._old, self._new):
                    one.props("outlined dense options-dense").on_value_change(self._chosen)
            self._shown = div("dz-diff").props("aria-live=polite")

    async def offer(self, numbers: list[int], old: int, new: int) -> None:
        names = {n: texts.NUMBER(self._scene.language).format(n=n) for n in numbers}
        self._offering = True
        self._old.set_options(names, value=old)
        self._new.set_options(names, value=new)
        self._offering = False
        await self._show()

    async def _chosen(self) -> None:
        if not self._offering:  # else both are chosen first
            await self._show()

    async def _show(self) -> None:
        old, new = int(self._old.value), int(self._new.value)
        found = await self._service.compared(self._scene.principal, old, new)
        self._shown.clear()
        with self._shown:
            if not found:
                ui.label(texts.SAME(self._scene.language)).classes("dz-muted dz-diff-same")
            for difference in found:
                drawn(difference, self._scene.language)


def part_name(part: str, language: Language) -> str:
    if part in texts.PARTS:
        return texts.PARTS[part](language)
    if part.startswith("tool:"):
        _, name, *rest = part.split(":")
        return texts.TOOL_PART(language).format(name=name, language=rest[0] if rest else "zh, en")
    return part


def drawn(difference: Difference, language: Language) -> None:
    tags: Mapping[str, str] = {"added": "ins", "removed": "del", "same": "span"}
    ui.label(part_name(difference.part, language)).classes("dz-block-head")
    with div("dz-diff-part dz-mono"):
        for line in difference.lines:
            with ui.element(tags[line.mark]).classes(f"dz-diff-line dz-diff-{line.mark}"):
                ui.label(line.sign).classes("dz-diff-sign").props(
                    f"role=img aria-label='{texts.MARKS[line.mark](language)}'"
                )
                revealed(line.text or " ", "dz-diff-text")
