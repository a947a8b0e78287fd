"""What every act on a page has in common: who acts, and what is told of an error."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from nicegui import ui

from dazi.console import texts
from dazi.console.pieces import div, named_dialog
from dazi.console.sign_in import safe_return, sign_in_url
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.errors import DaziError
from dazi.core.principal import Principal

T = TypeVar("T")

log = logging.getLogger("dazi.console")


async def act(scene: Scene, work: Callable[[Principal], Awaitable[T]]) -> T | None:
    """With the rights that the person has now; an error is told, and then there is no result."""
    principal = await scene.visit.principal()
    if principal is None:
        here = ui.context.client.request.url.path
        ui.navigate.to(sign_in_url("ended", return_to=safe_return(here)))
        return None
    try:
        return await work(principal)
    except DaziError as e:
        tell(e.message(scene.language), wrong=True)
    except Exception:
        log.exception("an act failed on a page")
        tell(texts.UNEXPECTED(scene.language), wrong=True)
    return None


def tell(said: str, *, wrong: bool = False) -> None:
    ui.notify(reveal(said), type="negative" if wrong else "positive", multi_line=True)


def confirm(scene: Scene, question: str, do: Callable[[], Awaitable[object]]) -> None:
    """Ask before something that cannot be taken back."""
    _asked(
        scene, question, texts.DELETE(scene.language), do, ("dz-confirm-delete", "dz-delete-now")
    )


def ask(scene: Scene, question: str, word: str, do: Callable[[], Awaitable[object]]) -> None:
    """Ask before something that others will notice; ``word`` agrees."""
    _asked(scene, question, word, do, ("dz-confirm-act", "dz-act-now"))


def _asked(
    scene: Scene,
    question: str,
    word: str,
    do: Callable[[], Awaitable[object]],
    classes: tuple[str, str],
) -> None:
    language, page = scene.language, ui.context.client
    with named_dialog(reveal(question)) as dialog, div(f"dz-dialog {classes[0]}"):
        ui.label(reveal(question))

        async def agreed() -> None:
            dialog.close()
            with page:  # the dialog may be gone before the work is done
                await do()

        with div("dz-dialog-actions"):
            button(texts.BACK(language), dialog.close, "dz-button-quiet")
            button(word, agreed, f"dz-button {classes[1]}")
    dialog.on("hide", lambda _: dialog.delete(), args=[])
    dialog.open()


def button(label: str, do: Callable[[], object], classes: str) -> ui.button:
    made = ui.button(label, on_click=lambda _: do(), color=None)
    return made.props("unelevated no-caps dense").classes(classes)
