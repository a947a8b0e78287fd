"""Who may read a document: everybody, roles, departments, users."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from nicegui import ui

from dazi.console import knowledge_texts as texts
from dazi.console.acts import button
from dazi.console.pieces import div, named_dialog
from dazi.console.state import Scene
from dazi.console.texts import BACK
from dazi.console.visible import reveal
from dazi.core.language import Text

Save = Callable[[list[str] | None], Awaitable[object]]
"""Takes labels, or ``None`` for those of the source."""


class ReadersDialog:
    """``of_source``: a source has readers of its own only."""

    def __init__(
        self, scene: Scene, readers: Collection[str], save: Save, *, of_source: bool = False
    ) -> None:
        language = scene.language
        self._save = save
        roles = ["all", *(f"role:{r}" for r in sorted(scene.state.company.roles))]
        known = [r for r in sorted(readers) if r in roles]
        with named_dialog(texts.READERS(language)) as self._dialog, div("dz-dialog dz-readers"):
            ui.label(texts.READERS(language)).classes("dz-dialog-title")
            options = {r: words_of(r, scene) for r in roles}
            self._roles = ui.select(options, multiple=True, value=known).props(
                "outlined dense use-chips options-dense"
            )
            self._roles.props["label"] = texts.ROLES(language)
            self._departments = self._named(texts.DEPARTMENTS(language), readers, "department")
            self._users = self._named(texts.USERS(language), readers, "user")
            with div("dz-dialog-actions"):
                if not of_source:
                    button(texts.AS_SOURCE(language), self._as_source, "dz-button-quiet dz-later")
                button(BACK(language), self._dialog.close, "dz-button-quiet")
                button(texts.SAVE(language), self._chosen, "dz-button-main dz-save")
        self._dialog.on("hide", lambda _: self._dialog.delete(), args=[])
        self._dialog.open()

    def _named(self, label: str, readers: Collection[str], kind: str) -> ui.input:
        names = [r.partition(":")[2] for r in sorted(readers) if r.startswith(f"{kind}:")]
        return (
            ui.input(label, value=", ".join(names)).props("outlined dense").classes(f"dz-{kind}s")
        )

    async def _chosen(self) -> None:
        labels = list(self._roles.value or ())
        for kind, field in (("department", self._departments), ("user", self._users)):
            names = str(field.value or "").replace("，", ",").split(",")
            labels += [f"{kind}:{n.strip()}" for n in names if n.strip()]
        await self._done(labels)

    async def _as_source(self) -> None:
        await self._done(None)

    async def _done(self, labels: list[str] | None) -> None:
        self._dialog.close()
        await self._save(labels)


def words_of(label: str, scene: Scene) -> str:
    """A reader's label for people."""
    kind, _, name = label.partition(":")
    names = scene.state.company.role_names
    if label == "all":
        return texts.EVERYBODY(scene.language)
    if kind == "role":
        return (names.get(name) or Text(name, name))(scene.language)
    return reveal(name)
