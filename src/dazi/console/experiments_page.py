"""``/experiments``: all of them; ``/experiments/{name}``: what one says so far."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from nicegui import ui

from dazi.console import experiments_texts as texts
from dazi.console.experiment_acts import acts
from dazi.console.experiment_charts import sequence_chart
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.console.style import EXPERIMENTS_STYLE
from dazi.core.language import Language
from dazi.ops.experiments.analysis import ArmCount, Comparison
from dazi.ops.experiments.deciding import shown
from dazi.ops.experiments.metrics import metric
from dazi.ops.experiments.model import Event, Experiment
from dazi.ops.experiments.plan import Arm, percent
from dazi.ops.experiments.sequential import LEAST
from dazi.ops.experiments.service import ExperimentService, Looked
from dazi.ops.prompts.rights import may_change, may_read

PATH = "/experiments"
Again = Callable[[], Awaitable[None]]


def _begun(scene: Scene) -> bool:
    """Whether whoever looks may see anything."""
    ui.add_css(EXPERIMENTS_STYLE)
    head(scene)
    if may_read(scene.principal):
        return True
    forbidden(texts.FORBIDDEN(scene.language), "dz-experiments-refused")
    return False


async def draw(scene: Scene, service: ExperimentService) -> None:
    language = scene.language
    with div("dz-page dz-experiments"):
        if not _begun(scene):
            return
        heading(texts.EXPERIMENTS(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        if not may_change(scene.principal):
            ui.label(texts.READ_ONLY(language)).classes("dz-muted")
        found = await service.all(scene.principal)
        if not found:
            ui.label(texts.NONE(language)).classes("dz-muted dz-none")
        with div("dz-trials"):
            for experiment in found:
                with ui.element("a").classes("dz-trial") as link:
                    link.props["href"] = f"{PATH}/{experiment.name}"
                    with div("dz-version-head"):
                        ui.label(experiment.name).classes("dz-version-name")
                        _state(experiment, language)
                        ui.label(" / ".join(a.name for a in experiment.plan.arms)).classes(
                            "dz-muted"
                        )
                    if experiment.plan.why:
                        revealed(experiment.plan.why, "dz-version-note")


def draw_not_found(scene: Scene) -> None:
    with div("dz-page dz-experiments"):
        if _begun(scene):
            ui.label(texts.NOT_FOUND(scene.language)).classes("dz-none")


async def draw_one(scene: Scene, service: ExperimentService, name: str) -> None:
    """Raises ``NotFound``."""
    if not may_read(scene.principal):
        with div("dz-page dz-experiments"):
            _begun(scene)
        return
    looked = await service.look(scene.principal, name)  # before anything is drawn
    with div("dz-page dz-experiments"):
        _begun(scene)
        heading(name)
        body = div("dz-trial-body")

        async def again() -> None:
            fresh = await service.look(scene.principal, name)
            body.clear()
            with body:
                _One(scene, service, fresh, again)

        with body:
            _One(scene, service, looked, again)


class _One:
    """An experiment as it is now."""

    def __init__(
        self, scene: Scene, service: ExperimentService, looked: Looked, again: Again
    ) -> None:
        self._language = scene.language
        self._looked = looked
        language, experiment = scene.language, looked.experiment
        with div("dz-version-head"):
            _state(experiment, language)
            ui.label(_about(experiment, language)).classes("dz-muted")
        if experiment.plan.why:
            revealed(experiment.plan.why, "dz-version-note")
        with div("dz-decision").props("role=status"):
            for line in looked.decision:
                revealed(line(language), "dz-decision-line")
        if may_change(scene.principal):
            acts(scene, service, experiment, again)
        else:
            ui.label(texts.READ_ONLY(language)).classes("dz-muted")
        heading(texts.ARMS(language), 2)
        self._arms()
        heading(texts.COURSE(language), 2)
        self._courses()
        self._promised()
        heading(texts.LOG(language), 2)
        with div("dz-trial-log"):
            for event in reversed(looked.events):
                revealed(_logged(event, language))

    def _arms(self) -> None:
        language, plan = self._language, self._looked.experiment.plan
        deciding = metric(plan.metric)
        names = (
            *(t(language) for t in (texts.ARM, texts.MADE_OF, texts.SHARE, texts.SUBJECTS)),
            *(t(language) for t in (texts.COUNTED, texts.TURNS)),
            deciding.label(language),
        )
        with div("dz-table-scroll").props("tabindex=0"), ui.element("table").classes("dz-arms"):
            with ui.element("thead"), ui.element("tr"):
                for name in names:
                    with ui.element("th").props("scope=col"):
                        ui.label(name)
            with ui.element("tbody"):
                for count in self._looked.analysis.arms:
                    with ui.element("tr").props(f"data-arm={count.name}"):
                        for cell in self._cells(count):
                            with ui.element("td"):
                                revealed(cell)

    def _cells(self, count: ArmCount) -> tuple[str, ...]:
        language, experiment = self._language, self._looked.experiment
        plan = experiment.plan
        name = count.name
        if name == plan.control.name:
            name = texts.FIRST(language).format(name=name)
        elif name in experiment.stopped:
            name = texts.STOPPED(language).format(name=name)
        mean = (
            shown(metric(plan.metric), count.mean, signed=False)(language)
            if count.mean is not None
            else "-"
        )
        share = percent(count.share) if experiment.state in ("running", "paused") else "-"
        made = _made_of(plan.arm(count.name), language)
        numbers = (f"{n:,}" for n in (count.subjects, count.counted, count.turns))
        return (name, made, share, *numbers, mean)

    def _courses(self) -> None:
        language, plan = self._language, self._looked.experiment.plan
        drawn = [c for c in self._looked.analysis.comparisons if c.path]
        if not drawn:
            ui.label(texts.NOT_YET(language).format(least=LEAST)).classes("dz-muted dz-not-yet")
            return
        sure = 1 - plan.alpha / len(plan.treatments)
        ui.label(texts.COURSE_HINT(language).format(sure=sure)).classes("dz-muted")
        with div("dz-trial-charts"):
            for c in drawn:
                title = texts.COURSE_OF(language).format(arm=c.arm, metric=c.metric.label(language))
                with ui.element("figure"):
                    ui.label(title).classes("dz-block-head")
                    chart = ui.echart(sequence_chart(c, language)).classes("dz-chart")
                    chart.props("role=img")
                    said = _between(c, language)
                    chart.props["aria-label"] = f"{title}: {said}"
                    with ui.element("figcaption").classes("dz-muted"):
                        ui.label(said)

    def _promised(self) -> None:
        language, plan = self._language, self._looked.experiment.plan
        heading(texts.GUARDRAILS(language), 2)
        for guardrail in plan.guardrails:
            m = metric(guardrail.metric)
            margin = shown(m, guardrail.margin)(language).removeprefix("+")
            said = texts.GUARDRAIL(language).format(metric=m.label(language), margin=margin)
            ui.label(said).classes("dz-guardrail")
        heading(texts.RAMP(language), 2)
        for step in plan.ramp:
            shares = ", ".join(f"{n} {percent(s)}" for n, s in step.shares.items())
            ui.label(texts.STEP(language).format(hours=step.hours, shares=shares))


def _between(c: Comparison, language: Language) -> str:
    if c.lower is None or c.upper is None:
        return ""
    lower, upper = (shown(c.metric, v)(language) for v in (c.lower, c.upper))
    return f"{shown(c.metric, c.estimate)(language)} [{lower}, {upper}]"


def _state(experiment: Experiment, language: Language) -> None:
    kind = texts.CHIPS[experiment.state]
    ui.label(texts.STATES[experiment.state](language)).classes(f"dz-chip dz-chip-{kind} dz-state")


def _about(experiment: Experiment, language: Language) -> str:
    plan = experiment.plan
    return texts.ABOUT(language).format(
        unit=texts.UNIT[plan.unit](language),
        metric=metric(plan.metric).label(language),
        window=plan.window_hours,
        holdout=plan.holdout,
    )


def _made_of(arm: Arm, language: Language) -> str:
    parts = [
        texts.CURRENT(language)
        if arm.prompt is None
        else texts.PROMPT(language).format(n=arm.prompt)
    ]
    if arm.model:
        parts.append(texts.MODEL(language).format(m=arm.model))
    return ", ".join(parts)


def _logged(event: Event, language: Language) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(event.at))
    who = event.by or texts.BY_ITSELF(language)
    act = texts.ACTS[event.act](language) if event.act in texts.ACTS else event.act
    return "  ".join(part for part in (when, who, act, event.detail) if part)
