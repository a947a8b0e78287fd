"""What a system administrator does to an experiment, each time after a word of theirs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from nicegui import ui

from dazi.console import experiments_texts as texts
from dazi.console.acts import act, ask, button, tell
from dazi.console.pieces import div
from dazi.console.state import Scene
from dazi.core.principal import Principal
from dazi.ops.experiments.model import Experiment
from dazi.ops.experiments.service import MAY, ExperimentService

Does = Callable[[Principal, str], Awaitable[object]]


def acts(
    scene: Scene,
    service: ExperimentService,
    experiment: Experiment,
    again: Callable[[], Awaitable[None]],
) -> None:
    """Buttons for what may be done now."""
    _Acts(scene, service, experiment, again).draw()


class _Acts:
    def __init__(
        self,
        scene: Scene,
        service: ExperimentService,
        experiment: Experiment,
        again: Callable[[], Awaitable[None]],
    ) -> None:
        self._scene, self._service = scene, service
        self._experiment, self._again = experiment, again
        self._name = experiment.name

    def draw(self) -> None:
        e, service = self._experiment, self._service
        alive = [a.name for a in e.plan.treatments if a.name not in e.stopped]
        with div("dz-trial-acts"):
            for what, does in (
                ("start", service.start),
                ("pause", service.pause),
                ("resume", service.resume),
                ("stop", service.stop),
            ):
                if e.state in MAY[what]:
                    self._button(what, self._by_name(does))
            for arm in alive if e.state in MAY["stop_arm"] and len(alive) > 1 else ():
                self._button("stop_arm", partial(self._stop_arm, arm), arm)
            for arm in alive if e.state in MAY["promote"] else ():
                self._button("promote", partial(self._promote, arm), arm)
        if e.state in MAY["shares"]:
            self._shares(alive)

    def _button(
        self, what: str, do: Callable[[Principal], Awaitable[object]], arm: str = ""
    ) -> None:
        language = self._scene.language
        word = texts.DO[what](language).format(arm=arm)
        question = texts.ASK[what](language).format(arm=arm)
        button(word, lambda: self._ask(question, word, do), f"dz-button dz-do-{what}")

    def _ask(self, question: str, word: str, do: Callable[[Principal], Awaitable[object]]) -> None:
        async def agreed() -> None:
            async def work(by: Principal) -> str:
                said = await do(by)
                return said if isinstance(said, str) else texts.DONE(self._scene.language)

            told = await act(self._scene, work)
            if told is not None:
                tell(told)
                await self._again()

        ask(self._scene, question, word, agreed)

    def _by_name(self, does: Does) -> Callable[[Principal], Awaitable[object]]:
        return lambda by: does(by, self._name)

    async def _stop_arm(self, arm: str, by: Principal) -> object:
        return await self._service.stop_arm(by, self._name, arm)

    async def _promote(self, arm: str, by: Principal) -> str:
        return (await self._service.promote(by, self._name, arm))(self._scene.language)

    def _shares(self, alive: list[str]) -> None:
        language = self._scene.language
        fields: dict[str, Any] = {}
        with div("dz-trial-acts dz-shares"):
            for arm in alive:
                share = f"{self._experiment.shares.get(arm, 0.0) * 100:g}"
                label = texts.SHARE_OF(language).format(arm=arm)
                fields[arm] = ui.input(label, value=share).props(
                    "outlined dense inputmode=decimal maxlength=6"
                )
            word = texts.DO["shares"](language)
            button(word, lambda: self._set(fields), "dz-button-quiet dz-do-shares")

    def _set(self, fields: dict[str, Any]) -> None:
        language = self._scene.language
        try:
            shares = {arm: float(field.value) / 100 for arm, field in fields.items()}
        except ValueError:
            tell(texts.NOT_NUMBER(language), wrong=True)
            return
        told = ", ".join(f"{arm} {share * 100:g}%" for arm, share in shares.items())
        question = texts.ASK["shares"](language).format(shares=told)
        self._ask(
            question,
            texts.DO["shares"](language),
            lambda by: self._service.set_shares(by, self._name, shares),
        )
