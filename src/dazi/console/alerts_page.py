"""``/alerts``: what fires, what is done about it, and what is watched for."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from nicegui import ui

from dazi.console import alert_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.alert_silence import ask_silence
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.refusal import forbidden
from dazi.console.sparkline import sparkline
from dazi.console.state import Scene
from dazi.core.principal import Principal
from dazi.ops.alerts.book import Silence
from dazi.ops.alerts.message import SEVERITY_NAMES
from dazi.ops.alerts.rules import shown
from dazi.ops.alerts.service import AlertService, NewSilence, Shown, may_act, may_see

PATH = "/alerts"
STYLE = Path(__file__).with_name("alerts.css")
LOOK_S = 10.0
MOST_PAST = 50
Do = Callable[[Principal], Awaitable[object]]


async def draw(scene: Scene) -> None:
    language, service = scene.language, scene.state.alerts
    ui.add_css(STYLE)
    with div("dz-page dz-alerts"):
        head(scene)
        if not may_see(scene.principal):
            forbidden(texts.FORBIDDEN(language), "dz-alerts-refused")
            return
        heading(texts.ALERTS(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        if service is None:
            ui.label(texts.OFF(language)).classes("dz-none")
            return
        page = _Page(scene, service)
    await page.refresh()
    ui.timer(LOOK_S, page.look)


class _Page:
    def __init__(self, scene: Scene, service: AlertService) -> None:
        self._scene, self._language, self._service = scene, scene.language, service
        self._acts = may_act(scene.principal)
        self._seen: object = None
        self._body = div()

    async def look(self) -> None:
        """Drawn anew only where something is other than it was: a focus stays where it is."""
        if not self._scene.visit.ended:
            await self.refresh(only_new=True)

    async def refresh(self, *, only_new: bool = False) -> None:
        service, by = self._service, self._scene.principal
        found = service.shown(by)
        quiet = sorted(
            (s for s in service.book.silences.values() if s.until > service.clock()),
            key=lambda s: s.until,
        )
        seen = (
            found, quiet, service.store_well(),
            [(n, s.sent, bool(s.failing)) for n, s in service.states(by).items()],
        )  # fmt: skip
        if (only_new and seen == self._seen) or self._body.is_deleted:
            return
        now = service.clock()
        courses = await asyncio.to_thread(lambda: [service.course(s, now) for s in found])
        past = await self._past()
        self._seen = seen
        self._body.clear()
        with self._body:
            self._draw(list(zip(found, courses, strict=True)), quiet, past)

    async def _past(self) -> Sequence[Sequence[str]]:
        try:
            found = await self._service.past(self._scene.principal, MOST_PAST)
        except Exception:  # the database is away: what fires matters more than what did
            return []
        rules = self._service.book.rules
        return [
            (
                rules[p.rule].text(self._language) if p.rule in rules else p.rule,
                ", ".join(f"{k}={v}" for k, v in p.labels),
                _when(p.fired), _when(p.ended),
                shown(p.worst, rules[p.rule].unit)
                if p.worst is not None and p.rule in rules else "",
                p.acked_by,
            )
            for p in found
        ]  # fmt: skip

    def _draw(
        self,
        found: Sequence[tuple[Shown, Sequence[float | None]]],
        quiet: Sequence[Silence],
        past: Sequence[Sequence[str]],
    ) -> None:
        language = self._language
        if not self._service.store_well():
            ui.label(texts.IN_MEMORY(language)).classes("dz-alert-warn").props("role=status")
        open_ = [(s, c) for s, c in found if s.ack is None and s.silence is None]
        handled = [(s, c) for s, c in found if (s, c) not in open_]
        self._group(texts.NOW(language), open_, texts.NOTHING(language), "now")
        if handled:
            self._group(texts.HANDLED(language), handled, "", "handled")
        if quiet:
            heading(texts.SILENCES(language), 2)
            for s in quiet:
                self._silence(s)
        heading(texts.ROUTES(language), 2)
        self._routes()
        heading(texts.PAST(language), 2)
        columns = ("rule", "labels", "from", "to", "worst", "by")
        self._table("past", columns, past, texts.NO_PAST(language))
        heading(texts.RULES(language), 2)
        self._table("rules", ("rule", "severity", "value", "limit"), self._rules(), "")
        if off := self._service.alerting.off:
            names = ", ".join(off)
            ui.label(texts.OFF_RULES(language).format(names=names)).classes("dz-muted")

    # --- what fires ------------------------------------------------------------------------------

    def _group(
        self,
        title: str,
        found: Sequence[tuple[Shown, Sequence[float | None]]],
        none: str,
        name: str,
    ) -> None:
        heading(title, 2)
        with div(f"dz-alert-list dz-alerts-{name}").props("aria-live=polite"):
            for s, course in found:
                self._alert(s, course)
            if not found:
                ui.label(none).classes("dz-muted dz-none")

    def _alert(self, s: Shown, course: Sequence[float | None]) -> None:
        language, a, rule = self._language, s.alert, s.rule
        handled = "dz-alert-handled" if s.ack or s.silence else ""
        with div(f"dz-alert dz-alert-{a.severity} {handled}") as card:
            card.props["data-alert"] = a.fingerprint
            with div("dz-alert-head"):
                ui.label(SEVERITY_NAMES[a.severity](language)).classes("dz-alert-severity")
                ui.label(rule.text(language))
                if a.labels:
                    revealed(a.label_text, "dz-code dz-alert-of")
                if a.state == "pending":
                    ui.label(texts.PENDING(language)).classes("dz-tag")
                if a.flapping:
                    ui.label(texts.FLAPPING(language)).classes("dz-tag")
            value = "–" if a.value is None else shown(a.value, rule.unit)
            said = [
                f"{texts.VALUE(language)} {value}",
                f"{texts.LIMIT(language)} {shown(rule.limit, rule.unit)}",
                texts.SINCE(language).format(when=_when(a.since)),
            ]
            if s.ack:
                said.append(texts.ACKED(language).format(who=s.ack.who))
            if s.silence:
                said.append(texts.SILENCED(language).format(until=_when(s.silence.until)))
            with div("dz-alert-said"):
                revealed("  ·  ".join(said), "dz-muted")
            if drawn := sparkline(course, rule.limit, texts.COURSE(language)):
                ui.html(drawn, sanitize=False).classes("dz-alert-course")
            if rule.does(language):
                with div("dz-alert-does"):
                    ui.label(f"{texts.DO(language)}: {rule.does(language)}")
            if self._acts and a.state == "firing":
                with div("dz-alert-acts"):
                    if s.ack is None:
                        do = self._doing(lambda by: self._service.acknowledge(by, a.fingerprint))
                        button(texts.ACK(language), do, "dz-button dz-alert-ack")
                    if s.silence is None:
                        button(
                            texts.SILENCE(language),
                            lambda: self._ask(s),
                            "dz-button dz-alert-silence",
                        )

    def _ask(self, s: Shown) -> None:
        labels = {k: re.escape(v) for k, v in s.alert.labels}

        async def made(seconds: float, why: str, only_this: bool) -> None:
            new = NewSilence(re.escape(s.alert.rule), seconds, why, labels if only_this else {})
            await self._doing(lambda by: self._service.silence(by, new))()

        ask_silence(self._language, s.rule.text(self._language), bool(labels), made)

    def _silence(self, s: Silence) -> None:
        language = self._language
        with div("dz-alert-quiet"):
            of = ", ".join([s.rule, *(f"{k}={v}" for k, v in s.labels.items())])
            revealed(of, "dz-code dz-alert-of")
            revealed(s.why)
            until = texts.SILENCED(language).format(until=_when(s.until))
            revealed(f"{s.who} · {until}", "dz-muted")
            if self._acts:
                do = self._doing(lambda by: self._service.lift(by, s.id), texts.LIFTED(language))
                button(texts.LIFT(language), do, "dz-button dz-alert-lift")

    # --- routes and rules ------------------------------------------------------------------------

    def _routes(self) -> None:
        language = self._language
        states = self._service.states(self._scene.principal)
        if not states:
            ui.label(texts.NO_ROUTES(language)).classes("dz-muted")
        for name, state in states.items():
            with div("dz-alert-route") as line:
                line.props["data-route"] = name
                ui.label(name).classes("dz-code")
                if state.trouble is not None and state.failing:
                    revealed(state.trouble(language), "dz-alert-bad")
                else:
                    well = texts.ROUTE_WELL if state.last else texts.ROUTE_NEW
                    ui.label(well(language))
                ui.label(texts.SENT(language).format(n=state.sent)).classes("dz-muted")
                if self._acts and name in self._service.delivery.routes:
                    button(texts.TEST(language), lambda n=name: self._test(n), "dz-button")  # type: ignore[misc]

    async def _test(self, name: str) -> None:
        state = await act(self._scene, lambda by: self._service.test(by, name))
        await self.refresh()
        if state is not None:
            failing = state.trouble if state.failing else None
            said = failing or texts.TESTED
            with self._body:  # the button that was pressed is drawn anew
                tell(f"{name}: {said(self._language)}", wrong=failing is not None)

    def _rules(self) -> Iterable[Sequence[str]]:
        language = self._language
        for rule in self._service.alerting.rules:
            read = self._service.readings(rule.name)
            values = [
                " ".join([*(v for _, v in r.labels), shown(r.value, rule.unit)])
                for r in read
                if r.value is not None
            ]
            yield (
                f"{rule.text(language)} ({rule.name})",
                SEVERITY_NAMES[rule.severity](language),
                ", ".join(values[:5]) or "–",
                shown(rule.limit, rule.unit),
            )

    def _table(
        self, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]], none: str
    ) -> None:
        rows = list(rows)
        if not rows:
            ui.label(none).classes("dz-muted")
            return
        with (
            div("dz-scroll").props("tabindex=0"),
            ui.element("table").classes(f"dz-alert-table dz-alerts-{name}"),
        ):
            with ui.element("thead"), ui.element("tr"):
                for column in columns:
                    with ui.element("th").props("scope=col"):
                        ui.label(texts.COLUMNS[column](self._language))
            with ui.element("tbody"):
                for row in rows:
                    with ui.element("tr"):
                        for cell in row:
                            with ui.element("td"):
                                revealed(cell)

    def _doing(self, do: Do, done: str = "") -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            async def really(by: Principal) -> bool:
                await do(by)
                return True

            well = await act(self._scene, really)
            await self.refresh()
            if well and done:
                with self._body:
                    tell(done)

        return work


def _when(at: float) -> str:
    return time.strftime("%m-%d %H:%M", time.localtime(at))
