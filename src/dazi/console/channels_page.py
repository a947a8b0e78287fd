"""One's own bindings in messaging channels."""

from __future__ import annotations

from nicegui import ui

from dazi.console import channel_texts as texts
from dazi.console.acts import act, button, confirm
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.state import Scene
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.gateway.channels.service import ChannelService


async def draw(scene: Scene) -> None:
    language, channels = scene.language, scene.state.channels
    with div("dz-page"):
        head(scene)
        heading(texts.CHANNELS(language))
        if channels is None:
            ui.label(texts.NONE(language)).classes("dz-muted dz-none")
            return
        ui.label(texts.HINT(language)).classes("dz-muted")
        page = ChannelsPage(scene, channels)
        await page.refresh()


class ChannelsPage:
    def __init__(self, scene: Scene, channels: ChannelService) -> None:
        self._scene = scene
        self._channels = channels
        self._list = div("dz-facts").props("aria-live=polite")
        button(texts.CODE(scene.language), self._code, "dz-button-main dz-bind")
        self._said = ui.label().classes("dz-code dz-bind-code").props("role=status")

    async def refresh(self) -> None:
        language, who = self._scene.language, self._scene.principal
        bound = {b.channel for b in await self._channels.bindings.list(who.tenant, who.user)}
        self._list.clear()
        with self._list:
            for name in self._channels.names:
                line = self._channels.line(name)
                known = bool(await line.identities.name_of(who.tenant, who.user))
                shown = texts.NAMES.get(line.section.kind, Text(name, name))(language)
                state = texts.BOUND if known else texts.NOT_BOUND
                if known and name not in bound:
                    state = texts.BY_OPERATOR
                with div("dz-fact"):
                    ui.label(f"{shown} · {state(language)}").classes("dz-fact-text")
                    if name in bound:
                        self._unbind(name)

    def _unbind(self, name: str) -> None:
        language = self._scene.language

        async def undo(by: Principal) -> None:
            await self._channels.unbind(by, name)

        async def agreed() -> None:
            await act(self._scene, undo)
            await self.refresh()

        button(
            texts.UNBIND(language),
            lambda: confirm(self._scene, texts.UNBIND_ASKS(language), agreed),
            "dz-button dz-unbind",
        )

    async def _code(self) -> None:
        code = await act(self._scene, self._channels.bindings.code)
        if code is not None:
            self._said.set_text(texts.CODE_SAYS(self._scene.language).format(code=code))
