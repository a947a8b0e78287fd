"""``/audit/turn/TURN``: a turn step by step, and its place in the chain."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from dazi.access.auditing import LedgerReading
from dazi.access.cedar import CedarPolicy
from dazi.audit.links import Piece
from dazi.audit.search import Found
from dazi.audit.telling import fault_text
from dazi.console import audit_texts as texts
from dazi.console.acts import act, button
from dazi.console.audit_page import STYLE, line, moment, outcome_chip
from dazi.console.audit_steps import Gate, Step, Told, Where, told
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, icon_button, revealed
from dazi.console.refusal import refused
from dazi.console.state import Scene
from dazi.core.errors import AccessError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal

SCRIPT = Path(__file__).with_name("audit_turn.js")
SHORT_HASH = 12
NEAREST = 0.03
"""Of the bar, between two ticks."""
ICONS = {
    "turn": "chat_bubble_outline", "call": "bolt", "decision": "block", "outcome": "task_alt",
    "answer": "forum", "route": "alt_route", "job": "schedule",
}  # fmt: skip
GATE_ICONS = {
    "passed": "check", "stopped": "close", "waits": "hourglass_empty", "needless": "remove",
    "beyond": "more_horiz", "untold": "question_mark",
}  # fmt: skip


async def draw(scene: Scene, turn: str) -> None:
    """Raises ``NotFound``."""
    language, reading = scene.language, scene.state.reading
    ui.add_css(STYLE)
    with div("dz-page dz-audit dz-audit-turn"):
        head(scene)
        if reading is None:
            ui.label(texts.IN_MEMORY(language)).classes("dz-none")
            return
        try:
            found = await reading.turn(scene.principal, turn)
        except AccessError:
            refused(scene, texts.FORBIDDEN)
            return
        with ui.element("a").props("href=/audit").classes("dz-back"):
            ui.icon("arrow_back").props("aria-hidden=true")
            ui.label(texts.TO_AUDIT(language))
        heading(texts.TURN_TITLE(language))
        ui.label(turn).classes("dz-mono dz-muted dz-turn-id")
        whole = told(found, where_of(scene))
        _figures(whole, language)
        _bar(whole, language)
        _steps(whole, language)
        if reading.may(scene.principal, "audit.verify"):
            _Chain(scene, reading, found)
    ui.add_body_html(f"<script>{SCRIPT.read_text('utf-8')}</script>")


def draw_not_found(scene: Scene) -> None:
    with div("dz-page"):
        head(scene)
        ui.label(texts.NO_TURN(scene.language)).classes("dz-none")


def where_of(scene: Scene) -> Where:
    policy, folder = scene.state.service.agent.router.policy, scene.state.company.folder

    def where(name: str) -> str:
        found = policy.where(name) if isinstance(policy, CedarPolicy) else None
        if found is None:
            return ""
        path = Path(found.path)
        shown = path.relative_to(folder) if path.is_relative_to(folder) else path
        return f"{shown}:{found.line}"

    return where


def _figures(whole: Told, language: Language) -> None:
    shown = [
        (texts.USER, whole.user),
        (texts.BEGAN, moment(whole.at)),
        (texts.TOOK, span(whole.ms)),
        (texts.CALLS, str(whole.calls)),
        (texts.RECORDS, str(len(whole.steps))),
    ]
    if whole.tokens is not None:
        shown.append((texts.TOKENS, f"{whole.tokens[0]:,} / {whole.tokens[1]:,}"))
    if whole.cost is not None:
        shown.append((texts.COST, f"{whole.cost:.4f}"))
    with ui.element("dl").classes("dz-turn-figures"):
        for label, said in shown:
            with div():
                line(label(language), said)


def _bar(whole: Told, language: Language) -> None:
    """A tick for each step, where it was in time; those of one moment stand side by side."""
    end = max(whole.ms / 1000, whole.steps[-1].after, 0.001)
    with div("dz-turn-tools"):
        with div("dz-turn-buttons"):
            earlier, later = texts.EARLIER_STEP(language), texts.LATER_STEP(language)
            icon_button("chevron_left", earlier, lambda: None).classes("dz-step-back")
            icon_button("chevron_right", later, lambda: None).classes("dz-step-on")
            where = ui.label("").classes("dz-step-where").props("role=status aria-live=polite")
            where.props["data-said"] = texts.STEP(language)
            ui.label(texts.KEYS(language)).classes("dz-muted dz-step-keys")
        with div("dz-time").props("role=group") as bar:
            bar.props["aria-label"] = texts.BAR(language)
            div("dz-time-done").props("aria-hidden=true")
            places = spread([min(1.0, step.after / end) for step in whole.steps])
            for i, (step, place) in enumerate(zip(whole.steps, places, strict=True)):
                tick = (
                    ui.element("button")
                    .props("type=button")
                    .classes(f"dz-tick dz-step-{step.tone}")
                )
                tick.style(f"left: {place * 100:.2f}%")
                tick.props["data-step"] = str(i)
                tick.props["aria-label"] = tick.props["title"] = (
                    f"{_title(step, language)}, {span(step.after * 1000)}"
                )
        with div("dz-time-ends dz-muted").props("aria-hidden=true"):
            ui.label("0")
            ui.label(span(end * 1000))


def spread(places: list[float]) -> list[float]:
    """Shares of the bar, in order and far enough from each other to be pressed."""
    gap = min(NEAREST, 1 / max(1, len(places) - 1))
    out: list[float] = []
    for place in places:
        out.append(max(place, out[-1] + gap) if out else place)
    limit = 1.0
    for i in range(len(out) - 1, -1, -1):
        out[i] = min(out[i], limit)
        limit = out[i] - gap
    return out


def _steps(whole: Told, language: Language) -> None:
    with ui.element("ol").classes("dz-steps") as listed:
        listed.props["aria-label"] = texts.TURN_TITLE(language)
        for step in whole.steps:
            with ui.element("li").classes(f"dz-step dz-step-{step.tone}").props("tabindex=-1"):
                ui.icon(ICONS.get(step.kind, "article")).classes("dz-step-icon")
                with div("dz-step-body"):
                    _step(step, language)


def _step(step: Step, language: Language) -> None:
    with div("dz-step-head"):
        ui.label(_title(step, language)).classes("dz-step-title")
        outcome_chip({"outcome": step.outcome}, language)
        ui.label(f"+{span(step.after * 1000)}").classes("dz-muted dz-step-at")
    content = step.found.content
    if content.state in texts.NOT_READABLE:
        ui.label(texts.NOT_READABLE[content.state](language)).classes("dz-job-error")
    if step.lines:
        with ui.element("dl").classes("dz-audit-fields"):
            for each in step.lines:
                said = each.said if isinstance(each.said, str) else each.said(language)
                line(each.label(language), said)
    if step.gates:
        with ui.element("ol").classes("dz-gates") as gates:
            gates.props["aria-label"] = texts.GATES_HINT(language)
            gates.props["title"] = texts.GATES_HINT(language)
            for gate in step.gates:
                _gate(gate, language)
    with ui.element("details").classes("dz-step-more"):
        with ui.element("summary"):
            ui.label(f"{texts.NUMBER(language)} {step.found.record.seq}")
        _hashes(step, language)


def _hashes(step: Step, language: Language) -> None:
    r = step.found.record
    with ui.element("dl").classes("dz-audit-fields"):
        line(texts.PREVIOUS(language), r.previous)
        line(texts.HASH(language), r.hash)


def _title(step: Step, language: Language) -> str:
    known = texts.KINDS.get(step.kind)
    title = known(language) if known else step.kind
    return f"{title} · {step.tool}" if step.tool else title


def _gate(gate: Gate, language: Language) -> None:
    with ui.element("li").classes(f"dz-gate dz-gate-{gate.state} dz-gate-{gate.name}"):
        ui.icon(GATE_ICONS[gate.state]).props("aria-hidden=true")
        with div("dz-gate-words"):
            ui.label(texts.GATES[gate.name](language)).classes("dz-gate-name")
            ui.label(texts.STATES[gate.state](language)).classes("dz-gate-state")
            for said in gate.told:
                revealed(said(language), "dz-gate-said")


def span(ms: float) -> str:
    return f"{ms / 1000:.2f} s" if ms >= 1000 else f"{ms:.0f} ms"


class _Chain:
    """The turn's records in the chain, once somebody asks."""

    def __init__(self, scene: Scene, reading: LedgerReading, turn: list[Found]) -> None:
        self._scene, self._reading, self._turn = scene, reading, turn
        language = scene.language
        heading(texts.CHAIN(language), 2)
        ui.label(texts.CHAIN_HINT(language)).classes("dz-muted")
        with div("dz-act-row"):
            button(texts.VERIFY_TURN(language), self._run, "dz-button dz-verify-turn")
        self._result = div("dz-verify-result").props("role=status")

    async def _run(self) -> None:
        async def verified(by: Principal) -> Piece:
            # As it stands now, and not as it was when the page was drawn.
            turn = await self._reading.turn(by, self._turn[0].record.turn)
            return await self._reading.verify_turn(by, turn)

        piece = await act(self._scene, verified)
        if piece is not None:
            self._result.clear()
            with self._result:
                self._show(piece)

    def _show(self, piece: Piece) -> None:
        language, bad = self._scene.language, piece.walked.bad
        if bad is not None:
            said, tone = fault_text(bad)(language), "bad"
        else:
            said = texts.PIECE_GOOD(language).format(low=piece.after + 1, high=piece.walked.end)
            said += self._signature(piece, language)
            tone = "good" if piece.signed is not None else "quiet"
        ui.label(said).classes(f"dz-verdict dz-verdict-{tone}")
        with div("dz-scroll").props("tabindex=0"), ui.element("table").classes("dz-rows dz-links"):
            with ui.element("thead"), ui.element("tr"):
                for title in (texts.NUMBER, texts.PREVIOUS, texts.HASH, texts.CHAIN):
                    with ui.element("th").props("scope=col"):
                        ui.label(title(language))
            with ui.element("tbody"):
                for link in piece.links:
                    wrong = not link.whole or link.follows is False
                    with ui.element("tr").classes("dz-link-bad" if wrong else ""):
                        for said in (
                            str(link.seq),
                            link.previous[:SHORT_HASH],
                            link.hash[:SHORT_HASH],
                        ):
                            with ui.element("td"):
                                ui.label(said).classes("dz-mono")
                        with ui.element("td"):
                            ui.label(_of_link(link.whole, link.follows)(language))

    def _signature(self, piece: Piece, language: Language) -> str:
        signed = piece.signed
        if signed is None:
            return texts.UNSIGNED(language)
        return texts.SIGNED_BY(language).format(
            seq=signed.seq, at=moment(signed.at), key=signed.key
        )


def _of_link(whole: bool, follows: bool | None) -> Text:
    if not whole:
        return texts.CHANGED
    if follows is None:
        return texts.BEFORE_GONE
    return texts.FITS if follows else texts.UNLINKED
