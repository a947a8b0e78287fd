"""``/audit``: looking for records of the ledger, verifying it, and taking what was found away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from dazi.access.auditing import LedgerReading
from dazi.audit.paging import Page
from dazi.audit.search import Found
from dazi.console import audit_query
from dazi.console import audit_texts as texts
from dazi.console import texts as common
from dazi.console.acts import act
from dazi.console.audit_query import Asked
from dazi.console.audit_steps import joined
from dazi.console.audit_verify import Verification
from dazi.console.fields import choice, form, submit, text_field
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.refusal import refused
from dazi.console.state import Scene
from dazi.core.errors import AccessError
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.core.turn import Outcome

PATH = audit_query.PATH
STYLE = Path(__file__).with_name("audit.css")
SHOWN = 50
SHORT = 120


async def draw(scene: Scene, address: Mapping[str, str]) -> None:
    language, reading = scene.language, scene.state.reading
    ui.add_css(STYLE)
    with div("dz-page dz-audit"):
        head(scene)
        heading(texts.AUDIT(language))
        if reading is None:
            ui.label(texts.IN_MEMORY(language)).classes("dz-none")
            return
        asked = audit_query.asked(address)
        try:
            found = await reading.page(scene.principal, asked.query, SHOWN, asked.before)
        except AccessError:
            refused(scene, texts.FORBIDDEN)
            return
        ui.label(texts.HINT(language)).classes("dz-muted")
        if reading.may(scene.principal, "audit.verify"):
            Verification(scene, reading)
        _form(scene, reading, asked)
        if asked.wrong:
            ui.label(texts.WRONG_TIME(language)).classes("dz-job-error").props("role=alert")
        _listed(scene, reading, asked, found)


def _form(scene: Scene, reading: LedgerReading, asked: Asked) -> None:
    language, given = scene.language, asked.given
    tools = sorted(scene.state.company.tools)
    with form(audit_query.PATH, texts.LOOK_FOR(language), "dz-audit-form"):
        text_field("q", texts.WORDS(language), given["q"])
        text_field("user", texts.USER(language), given["user"])
        nothing = ("", texts.ANY(language))
        kinds = [(k, f"{texts.KINDS[k](language)} ({k})") for k in audit_query.KINDS]
        choice("kind", texts.KIND(language), given["kind"], [nothing, *kinds])
        known = [*tools, *({given["tool"]} - {"", *tools})]
        choice("tool", texts.TOOL(language), given["tool"], [nothing, *((t, t) for t in known)])
        ends = [(o, f"{common.OUTCOMES[o](language)} ({o})") for o in common.OUTCOMES]
        choice("outcome", texts.OUTCOME(language), given["outcome"], [nothing, *ends])
        text_field("turn", texts.TURN(language), given["turn"])
        text_field("thread", texts.THREAD(language), given["thread"])
        text_field("since", texts.SINCE(language), given["since"], kind="datetime-local")
        text_field("until", texts.UNTIL(language), given["until"], kind="datetime-local")
        with div("dz-audit-acts"):
            submit(texts.FIND(language))
            if asked.anything:
                with ui.element("a").classes("dz-button-quiet") as clear:
                    clear.props["href"] = audit_query.PATH
                    ui.label(texts.CLEAR(language))
            if reading.may(scene.principal, "audit.export"):
                _export(language)


def _export(language: Language) -> None:
    """The same form, sent elsewhere."""
    with div("dz-audit-export").props("role=group") as group:
        group.props["aria-label"] = texts.EXPORT(language)
        ui.label(texts.EXPORT(language)).classes("dz-muted")
        with ui.element("label").classes("dz-audit-sealed"):
            ui.element("input").props("type=checkbox name=sealed value=1")
            ui.label(texts.SEALED(language))
        for name, said in (("jsonl", "JSON Lines"), ("csv", "CSV")):
            submit(said, "dz-button", formaction=audit_query.EXPORT, name="format", value=name)


def _listed(scene: Scene, reading: LedgerReading, asked: Asked, found: Page) -> None:
    language = scene.language
    if not found.found:
        said = texts.NONE(language)
        if found.before is not None:
            said = texts.NONE_SO_FAR(language).format(n=found.looked, seq=found.before)
        ui.label(said).classes("dz-none").props("role=status")
    with ui.element("ol").classes("dz-records") as listed:
        listed.props["aria-label"] = texts.RECORDS(language)
        for f in found.found:
            with ui.element("li"):
                _Row(scene, reading, f)
    with div("dz-audit-more"):
        if found.before is not None:
            label = texts.OLDER if len(found.found) == SHOWN else texts.GO_ON
            with ui.element("a").classes("dz-button dz-older") as link:
                link.props["href"] = asked.address(found.before)
                ui.label(label(language))
        if asked.before is not None:
            with ui.element("a").classes("dz-button-quiet dz-newest") as link:
                link.props["href"] = asked.address()
                ui.label(texts.NEWEST(language))


class _Row:
    """One record; its fields are drawn when it is opened, and not before."""

    def __init__(self, scene: Scene, reading: LedgerReading, found: Found) -> None:
        self._scene, self._reading, self._found = scene, reading, found
        self._drawn = False
        r, language = found.record, scene.language
        with ui.element("details").classes("dz-record") as row:
            row.on("toggle", self._opened, args=[])
            with ui.element("summary"):
                ui.label(f"{r.seq}").classes("dz-record-seq")
                ui.label(moment(r.at)).classes("dz-record-at")
                kind = texts.KINDS.get(r.kind)
                ui.label(kind(language) if kind else r.kind).classes("dz-chip dz-chip-quiet")
                ui.label(r.user[:SHORT]).classes("dz-record-user")
                _summary(found, language)
            self._inside = div("dz-record-inside")

    async def _opened(self) -> None:
        if self._drawn:
            return
        self._drawn = True

        async def may(by: Principal) -> bool:
            return self._reading.may(by, "audit.read")

        if await act(self._scene, may):
            with self._inside:
                fields(self._found, self._scene.language)


def _summary(found: Found, language: Language) -> None:
    """What tells of the system; nothing personal."""
    told = found.content.fields
    named = told.get("tool") or told.get("act") or told.get("rule")
    if named:
        ui.label(str(named)[:SHORT]).classes("dz-code")
    if found.record.kind != "call":  # what came of one is a record of its own
        outcome_chip(told, language)


def outcome_chip(told: Mapping[str, object], language: Language) -> None:
    outcome = told.get("outcome")
    if isinstance(outcome, str) and outcome:
        known = common.OUTCOMES.get(_outcome(outcome)) if outcome in common.OUTCOMES else None
        tone = {"ok": "good", "needs_confirmation": "wait", "not_found": "quiet"}.get(
            outcome, "bad"
        )
        ui.label(known(language) if known else outcome).classes(f"dz-chip dz-chip-{tone}")
    elif "refused" in told:
        ui.label(texts.REFUSED(language)).classes("dz-chip dz-chip-bad")
    elif told.get("ok") is False or "failed" in told:
        ui.label(texts.FAILED(language)).classes("dz-chip dz-chip-bad")
    elif told.get("ok") is True:
        ui.label(texts.SIGNED_IN(language)).classes("dz-chip dz-chip-good")


def _outcome(text: str) -> Outcome:
    return text  # type: ignore[return-value]


def fields(found: Found, language: Language) -> None:
    """All that a record says, opened where there is a key, and its place in the chain."""
    r, content = found.record, found.content
    if content.state in texts.NOT_READABLE:
        ui.label(texts.NOT_READABLE[content.state](language)).classes("dz-job-error")
    with ui.element("dl").classes("dz-audit-fields"):
        for name, value in sorted(content.fields.items()):
            if name not in texts.NOT_READABLE:
                line(name, joined(value), mono=True)
        line(texts.PREVIOUS(language), r.previous)
        line(texts.HASH(language), r.hash)
    if r.turn:
        turn_link(r.turn, texts.REPLAY(language))


def line(label: str, said: str, *, mono: bool = False) -> Element:
    with ui.element("dt").classes("dz-mono" if mono else ""):
        ui.label(label)
    with ui.element("dd") as made:
        revealed(said)
    return made


def turn_url(turn: str) -> str:
    return f"/audit/turn/{quote(turn, safe='')}"


def turn_link(turn: str, label: str) -> None:
    with ui.element("a").classes("dz-job-link dz-turn-link") as link:
        link.props["href"] = turn_url(turn)
        ui.icon("timeline").props("aria-hidden=true")
        ui.label(label)


def moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
