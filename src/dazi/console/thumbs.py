"""Two thumbs below an answer, and a few words for whoever wants to say more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nicegui import ui
from nicegui.element import Element

from dazi.console import review_texts as texts
from dazi.console.acts import act, button
from dazi.console.pieces import div
from dazi.console.state import Scene
from dazi.console.why import Fresh, Past, Why
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.ops.feedback.model import LONGEST_ANSWER, LONGEST_COMMENT, REASONS, Given, Thumb
from dazi.ops.feedback.service import FeedbackService

STYLE = Path(__file__).with_name("review.css")
_ICONS: dict[Thumb, str] = {"up": "thumb_up", "down": "thumb_down"}


class Thumbs:
    """Makes those of one conversation. ``why`` finds the number of an answer's turn."""

    def __init__(self, scene: Scene, service: FeedbackService, why: Why) -> None:
        self._scene, self._service, self._why = scene, service, why

    def draw(self, fresh: Fresh, past: Past | None = None) -> None:
        """Where it is called."""

        async def turn(who: Principal) -> str:
            return await self._why.turn(who, fresh, past)

        _Row(self._scene, self._service, turn)


class _Row:
    def __init__(self, scene: Scene, service: FeedbackService, turn: Callable[..., object]) -> None:
        self._scene, self._service, self._turn = scene, service, turn
        self._language = scene.language
        self._chosen: Thumb | None = None
        self._before: str | None = None
        self._reason = ""
        self._chips: dict[str, Element] = {}
        with div("dz-thumbs") as row:
            row.props["role"], row.props["aria-label"] = "group", texts.HELPFUL(self._language)
            self._buttons = {t: self._button(t) for t in _ICONS}
        self._more = div("dz-thumb-more")

    def _button(self, thumb: Thumb) -> Element:
        label = (texts.UP if thumb == "up" else texts.DOWN)(self._language)
        made = ui.element("button").classes(f"dz-thumb dz-thumb-{thumb}")
        made.props("type=button aria-pressed=false")
        made.props["aria-label"] = made.props["title"] = label
        made.on("click", lambda: self._press(thumb), args=[])
        with made:
            ui.icon(_ICONS[thumb]).props("aria-hidden=true")
        return made

    async def _press(self, thumb: Thumb) -> None:
        """Once more takes it back. What was said on an earlier page, with its words, is shown first."""
        if self._before is None:
            self._before = await self._said_before()
            if self._before is None:
                return
            if self._before == thumb:
                self._show(thumb)
                self._tell(texts.BEFORE)
                return
        chosen = None if self._chosen == thumb else thumb
        if await self._say(chosen):
            self._show(chosen)
            self._ask()

    async def _said_before(self) -> str | None:
        """The thumb, empty where nothing was said; ``None`` where it cannot be known."""

        async def work(who: Principal) -> str:
            turn = str(await self._turn(who))  # type: ignore[misc]
            found = await self._service.of_turn(who, turn)
            return found.thumb if found is not None else ""

        return await act(self._scene, work)

    def _show(self, chosen: Thumb | None) -> None:
        self._chosen, self._reason = chosen, ""
        for name, made in self._buttons.items():
            made.props["aria-pressed"] = "true" if name == chosen else "false"

    def _tell(self, said: Text) -> None:
        self._more.clear()
        with self._more:
            ui.label(said(self._language)).classes("dz-thumb-said").props("role=status")

    async def _say(self, thumb: Thumb | None, given: Given | None = None) -> bool:
        async def work(who: Principal) -> bool:
            turn = str(await self._turn(who))  # type: ignore[misc]
            if thumb is None:
                await self._service.take_back(who, turn)
            else:
                await self._service.give(who, turn, given or Given(thumb))
            return True

        return bool(await act(self._scene, work)) and not self._more.is_deleted

    def _ask(self) -> None:
        language, thumb = self._language, self._chosen
        self._more.clear()
        self._chips.clear()
        with self._more:
            said = (texts.TAKEN_BACK if thumb is None else texts.THANKS)(language)
            ui.label(said).classes("dz-thumb-said").props("role=status")
            if thumb is None:
                return
            with div("dz-thumb-form"):
                if thumb == "down":
                    with div("dz-chips") as chips:
                        chips.props["role"], chips.props["aria-label"] = (
                            "group",
                            texts.WHY(language),
                        )
                        for name, reason in REASONS.items():
                            self._chips[name] = self._chip(name, reason(language))
                comment = _field(texts.COMMENT(language), LONGEST_COMMENT, "dz-thumb-comment")
                correction = (
                    _field(texts.CORRECTION(language), LONGEST_ANSWER, "dz-thumb-correction")
                    if thumb == "down"
                    else None
                )
                consent = ui.checkbox(texts.CONSENT(language)).classes("dz-thumb-consent")

                async def send() -> None:
                    given = Given(
                        thumb, self._reason, str(comment.value or ""),
                        str(correction.value or "") if correction is not None else "",
                        bool(consent.value),
                    )  # fmt: skip
                    if await self._say(thumb, given):
                        self._more.clear()
                        with self._more:
                            ui.label(texts.THANKS(language)).classes(
                                "dz-thumb-said dz-thumb-sent"
                            ).props("role=status")

                button(texts.SEND(language), send, "dz-button dz-thumb-send")

    def _chip(self, name: str, label: str) -> Element:
        made = (
            ui.element("button").classes("dz-chip-choice").props("type=button aria-pressed=false")
        )
        made.props["data-reason"] = name
        made.on("click", lambda: self._choose(name), args=[])
        with made:
            ui.label(label)
        return made

    def _choose(self, name: str) -> None:
        self._reason = "" if self._reason == name else name
        for other, made in self._chips.items():
            made.props["aria-pressed"] = "true" if other == self._reason else "false"


def _field(label: str, longest: int, classes: str) -> ui.textarea:
    made = ui.textarea(placeholder=label).classes(f"dz-thumb-field {classes}")
    made.props(f"outlined dense autogrow maxlength={longest}")
    made.props["aria-label"] = label
    return made
