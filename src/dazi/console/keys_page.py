"""``/keys``: one's own API keys, and everybody's for a security administrator."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui

from dazi.access.duties import may
from dazi.access.keys import ApiKey, Draft, Made
from dazi.console import key_texts as texts
from dazi.console.acts import act, ask, button, tell
from dazi.console.audit_page import moment
from dazi.console.key_form import KeyForm
from dazi.console.once import show_once
from dazi.console.page_head import head
from dazi.console.people_page import STYLE
from dazi.console.pieces import div, heading
from dazi.console.refusal import refused
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.errors import AccessError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal

PATH = "/keys"
SHOWN = 50
FORBIDDEN = Text("全部密钥是给安全管理员看的。", "All keys are for security administrators.")


async def draw(scene: Scene, address: Mapping[str, str]) -> None:
    """``show=all``: everybody's; ``after``: the key that the page before ended with."""
    language = scene.language
    ui.add_css(STYLE)
    everybody = address.get("show") == "all"
    with div("dz-page dz-people-page dz-keys-page"):
        head(scene)
        heading(texts.KEYS(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        if may(scene.principal, "keys.read"):
            with ui.element("nav").classes("dz-filters"):
                _tab(PATH, texts.OWN(language), here=not everybody)
                _tab(f"{PATH}?show=all", texts.ALL(language), here=everybody)
        listed = KeyList(scene, everybody, address.get("after", ""))
        try:
            found = await listed.read(scene.principal)
        except AccessError:
            refused(scene, FORBIDDEN)
            return
        listed.show(found)


def _tab(path: str, label: str, *, here: bool) -> None:
    with ui.element("a").classes("dz-filter") as link:
        link.props["href"] = path
        if here:
            link.props["aria-current"] = "page"
        ui.label(label)


class KeyList:
    def __init__(self, scene: Scene, everybody: bool, after: str = "") -> None:
        self._scene, self._everybody, self._after = scene, everybody, after
        self._keys = scene.state.access.keys
        self._acts = div("dz-act-row")
        self._list = div("dz-key-list").props("aria-live=polite")
        self._offer()

    def _offer(self) -> None:
        scene, language = self._scene, self._scene.language
        others = may(scene.principal, "keys.create")
        with self._acts:
            if others or self._keys.possible_roles(scene.principal, scene.principal.user):
                button(texts.NEW(language), self._new, "dz-button-main dz-new-key")
            else:
                ui.label(texts.NO_ROLE(language)).classes("dz-muted")

    async def read(self, by: Principal) -> list[ApiKey]:
        """Newest first. Raises ``AccessError``."""
        return await self._keys.keys(by, None if self._everybody else by.user)

    async def _refresh(self) -> None:
        found = await act(self._scene, self.read)
        if found is not None:
            self.show(found)

    def show(self, found: list[ApiKey]) -> None:
        language = self._scene.language
        begin = next((i + 1 for i, k in enumerate(found) if k.id == self._after), 0)
        shown = found[begin : begin + SHOWN]
        self._list.clear()
        with self._list:
            for key in shown:
                self._key(key)
            if not shown:
                ui.label(texts.NONE(language)).classes("dz-none")
            if begin + SHOWN < len(found):
                self._link(texts.MORE(language), f"&after={shown[-1].id}", "dz-keys-next")
            if begin:
                self._link(texts.FIRST(language), "", "dz-keys-first")

    def _link(self, label: str, more: str, classes: str) -> None:
        with ui.element("a").classes(f"dz-button {classes}") as link:
            link.props["href"] = f"{PATH}?show={'all' if self._everybody else 'own'}{more}"
            ui.label(label)

    def _key(self, k: ApiKey) -> None:
        language = self._scene.language
        stands = k.revoked_at is None and time.time() < k.expires
        with div("dz-key"):
            with div("dz-key-words"):
                with div("dz-risk-line"):
                    ui.label(reveal(k.name)).classes("dz-people-name")
                    ui.label(k.prefix).classes("dz-code")
                    _state(k, language)
                whose = (
                    k.user
                    if k.made_by == k.user
                    else f"{k.user} · " + texts.MADE_BY(language).format(by=k.made_by)
                )
                used = (
                    texts.USED(language).format(at=moment(k.last_used))
                    if k.last_used
                    else texts.NEVER_USED(language)
                )
                ui.label(reveal(f"{whose} · {used}")).classes("dz-muted")
                ui.label(reveal(scope_text(k, language))).classes("dz-muted dz-key-scope")
            mine = k.user == self._scene.principal.user
            if stands and (mine or may(self._scene.principal, "keys.revoke")):
                button(texts.REVOKE(language), self._revoking(k), "dz-button-quiet dz-key-revoke")

    def _revoking(self, k: ApiKey) -> Callable[[], None]:
        language = self._scene.language

        async def revoked(by: Principal) -> bool:
            await self._keys.revoke(by, k.id)
            return True

        async def revoke() -> None:
            if await act(self._scene, revoked):
                tell(texts.REVOKED_NOW(language))
                await self._refresh()

        said = texts.REVOKE_ASK(language).format(name=k.name, user=k.user)
        return lambda: ask(self._scene, said, texts.REVOKE(language), revoke)

    def _new(self) -> None:
        KeyForm(self._scene, self._create).open()

    async def _create(self, draft: Draft) -> bool:
        create: Callable[[Principal], Awaitable[Made]] = lambda by: self._keys.create(by, draft)  # noqa: E731
        made = await act(self._scene, create)
        if made is None:
            return False
        title = texts.MADE(self._scene.language).format(name=made.key.name)
        show_once(self._scene, title, made.text, texts.ONCE)
        await self._refresh()
        return True


def _state(k: ApiKey, language: Language) -> None:
    if k.revoked_at is not None:
        said = texts.REVOKED(language).format(at=moment(k.revoked_at), by=k.revoked_by)
        ui.label(reveal(said)).classes("dz-chip dz-chip-bad")
    elif time.time() >= k.expires:
        ui.label(texts.EXPIRED(language)).classes("dz-chip dz-chip-bad")
    else:
        said = texts.STANDS(language).format(at=moment(k.expires))
        ui.label(said).classes("dz-chip dz-chip-good")


def scope_text(k: ApiKey, language: Language) -> str:
    named = (
        (texts.SCOPE_ROLES, k.scope.roles), (texts.SCOPE_TOOLS, k.scope.tools),
        (texts.SCOPE_MODELS, k.scope.models), (texts.SCOPE_CHANNELS, k.scope.channels),
        (texts.SCOPE_NETWORKS, k.scope.networks),
    )  # fmt: skip
    return "; ".join(f"{t(language)}: {', '.join(sorted(v))}" for t, v in named if v)
