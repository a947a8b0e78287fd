"""Risk: what waits for a person, one transaction with its reasons and a decision, and the model."""

from __future__ import annotations

from nicegui import ui
from nicegui.element import Element

from dazi.apps.risk.card import card, drift_text, thresholds_text
from dazi.apps.risk.cases import LONGEST_NOTE, Decision, Waiting
from dazi.apps.risk.events import Outcome, Transaction
from dazi.apps.risk.service import Batch, Case, RiskService
from dazi.apps.risk.shelf import version_of
from dazi.apps.risk.wording import TITLES
from dazi.console import risk_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.markdown import to_html
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.refusal import forbidden
from dazi.console.risk_charts import past_chart, reasons_chart, thresholds_chart
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.language import Language
from dazi.core.principal import Principal

SHOWN = 50


def transaction_url(id: str) -> str:
    return f"/risk/t/{id}"


def report_url(which: str) -> str:
    return f"/risk/report/{which}.pdf"


async def draw(scene: Scene, service: RiskService) -> None:
    """The queue, for whoever may review."""
    language = scene.language
    with _page(scene):
        if not service.may(scene.principal):
            _refused(language)
            return
        heading(texts.RISK(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        queue = Queue(scene, service)
        await queue.refresh()


class Queue:
    def __init__(self, scene: Scene, service: RiskService) -> None:
        self._scene, self._service = scene, service
        language = scene.language
        with div("dz-risk-tools"):
            button(texts.SCORE_DAY(language), self._score, "dz-button-main dz-score-day")
            if service.may(scene.principal, "manage"):
                _link("/risk/model", texts.MODEL(language), "dz-button dz-model-link")
        self._list = div("dz-risk-list").props("aria-live=polite")

    async def refresh(self) -> None:
        async def look(by: Principal) -> list[tuple[Waiting, Transaction | None]]:
            return await self._service.shown_queue(by, SHOWN)

        found = await act(self._scene, look) or []
        self._list.clear()
        with self._list:
            for waiting, transaction in found:
                _row(waiting, transaction, self._scene.language)
            if not found:
                ui.label(texts.NONE(self._scene.language)).classes("dz-muted dz-none")

    async def _score(self) -> None:
        async def score(by: Principal) -> Batch:
            return await self._service.batch(by)

        done = await act(self._scene, score)
        if done is not None:
            said = texts.SCORED(self._scene.language)
            tell(said.format(day=done.day, n=done.transactions, m=len(done.waiting)))
            await self.refresh()


def _row(w: Waiting, t: Transaction | None, language: Language) -> None:
    with ui.element("a").classes(f"dz-risk-row dz-risk-{w.action}") as row:
        row.props["href"] = transaction_url(w.transaction)
        with div("dz-risk-score"):
            ui.label(f"{100 * w.score:.0f}")
        with div("dz-risk-what"):
            with div("dz-risk-line"):
                ui.label(w.transaction).classes("dz-mono")
                if t is not None:
                    ui.label(reveal(t.account)).classes("dz-muted")
                    ui.label(f"{t.at:%Y-%m-%d %H:%M}").classes("dz-muted")
            with div("dz-risk-chips"):
                for code in w.codes[:4]:
                    ui.label(TITLES[code](language) if code in TITLES else code).classes("dz-tag")
        if t is not None:
            ui.label(f"{t.currency} {t.amount_cents / 100:,.2f}").classes("dz-risk-amount")


async def draw_case(scene: Scene, service: RiskService, id: str) -> None:
    """One transaction. Raises ``NotFound``."""
    with _page(scene):
        if not service.may(scene.principal):
            _refused(scene.language)
            return
        await CasePage(scene, service, id).refresh()


class CasePage:
    def __init__(self, scene: Scene, service: RiskService, id: str) -> None:
        self._scene, self._service, self._id = scene, service, id
        self._room = div("dz-risk-case")

    async def refresh(self) -> None:
        found = await self._service.case(self._scene.principal, self._id)
        self._room.clear()
        with self._room:
            self._draw(found)

    def _draw(self, found: Case) -> None:
        language, told = self._scene.language, found.assessment
        t, e = told.seen.transaction, told.explanation
        _link("/risk", texts.BACK(language), "dz-muted dz-risk-back")
        with div("dz-risk-head"):
            heading(f"{t.id} · {t.currency} {t.amount_cents / 100:,.2f}")
            ui.label(texts.SCORE(language).format(score=f"{100 * e.score:.1f}")).classes(
                f"dz-risk-badge dz-risk-{told.proposal.action}"
            )
            ui.label(texts.LEVELS[told.proposal.action](language)).classes("dz-muted")
        with div("dz-risk-part"):
            ui.label(texts.WORDS(language)).classes("dz-risk-title")
            ui.label(reveal(told.account(language).text)).classes("dz-risk-words")
        if e.reasons:
            with div("dz-risk-part"):
                ui.label(texts.WHY(language)).classes("dz-risk-title")
                ui.echart(reasons_chart(e.reasons, language)).classes("dz-chart dz-risk-reasons")
        with div("dz-risk-part"):
            ui.label(texts.PAST(language)).classes("dz-risk-title")
            ui.echart(past_chart(found.past, t, language)).classes("dz-chart dz-risk-past")
        self._decide(language)
        if found.decisions:
            with div("dz-risk-part"):
                ui.label(texts.DECIDED(language)).classes("dz-risk-title")
                for decision in found.decisions:
                    self._said(decision, language)

    def _said(self, d: Decision, language: Language) -> None:
        who = self._scene.state.name_of(d.user, self._scene.principal.tenant, language)
        note = f"({d.note})" if d.note else ""
        said = texts.SAID(language).format(
            user=who or "-", what=texts.OUTCOMES[d.outcome](language), note=note
        )
        ui.label(reveal(said)).classes("dz-risk-decision")

    def _decide(self, language: Language) -> None:
        with div("dz-risk-decide"):
            note = ui.input(texts.NOTE(language)).props(f"dense outlined maxlength={LONGEST_NOTE}")
            note.classes("dz-risk-note")

            async def decided(outcome: Outcome) -> None:
                async def decide(by: Principal) -> Decision:
                    return await self._service.decide(by, self._id, outcome, str(note.value or ""))

                if await act(self._scene, decide) is not None:
                    tell(texts.KEPT(language).format(what=texts.OUTCOMES[outcome](language)))
                    await self.refresh()

            button(texts.IS_GENUINE(language), lambda: decided("genuine"), "dz-button dz-genuine")
            button(texts.IS_FRAUD(language), lambda: decided("fraud"), "dz-button-main dz-fraud")


async def draw_model(scene: Scene, service: RiskService) -> None:
    """The model in use: its card, what thresholds mean, drift."""
    language = scene.language
    with _page(scene):
        if not service.may(scene.principal, "manage"):
            _refused(language)
            return
        made = await service.model(scene.principal)
        drifts = await service.drift(scene.principal)
        _link("/risk", texts.BACK(language), "dz-muted dz-risk-back")
        version = texts.VERSION(language).format(version=version_of(made))
        ui.label(version).classes("dz-muted dz-risk-version")
        with div("dz-risk-downloads"):
            for which, name in (
                ("card", texts.CARD), ("thresholds", texts.CURVE), ("drift", texts.DRIFT),
            ):  # fmt: skip
                label = texts.DOWNLOAD(language).format(what=name(language))
                _link(report_url(which), label, "dz-button")
        with div("dz-risk-part"):
            ui.label(texts.CURVE(language)).classes("dz-risk-title")
            rows = made.quality.thresholds.rows
            ui.echart(thresholds_chart(rows, language)).classes("dz-chart dz-risk-curve")
        for said in (
            thresholds_text(made.quality, made.thresholds, language),
            drift_text(drifts, language),
            card(made.model, made.quality, (), language),
        ):
            with div("dz-risk-part dz-markdown").props("tabindex=0"):
                ui.html(to_html(said), sanitize=False)


def draw_not_found(scene: Scene) -> None:
    with div("dz-page"):
        ui.label(texts.NOT_THERE(scene.language)).classes("dz-none")
        _link("/risk", texts.BACK(scene.language), "dz-button")


def _refused(language: Language) -> None:
    forbidden(texts.FORBIDDEN(language), "dz-risk-refused")


def _link(href: str, label: str, classes: str) -> None:
    with ui.element("a").classes(classes) as link:
        link.props["href"] = href
        ui.label(label)


def _page(scene: Scene) -> Element:
    page = div("dz-page dz-risk")
    with page:
        head(scene)
    return page
