"""``/review``: what people said, for those who review it; ``/review/e/{entry}``: one of it."""

from __future__ import annotations

import difflib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from nicegui import ui

from dazi.console import gaps_page
from dazi.console import review_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.own_page import OwnPage
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.refusal import forbidden
from dazi.console.review_tabs import GAPS, PATH, tabs
from dazi.console.state import ConsoleState, Scene
from dazi.console.thumbs import STYLE
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.ops.feedback.model import KINDS, REASONS, STATES, THUMBS, State, Wanted
from dazi.ops.feedback.rights import may_review, may_see_names
from dazi.ops.feedback.sample import Sample, SampleKind
from dazi.ops.feedback.service import LONGEST_WHY, Act, FeedbackService, Reviewed

SHOWN = 100
LONGEST_SHOWN = 160


def own_pages(state: ConsoleState) -> Iterator[OwnPage]:
    if (service := state.feedback) is not None:
        yield OwnPage(PATH, lambda scene, r: draw(scene, service, r.query_params))
        yield OwnPage(
            f"{PATH}/e/{{entry}}",
            lambda scene, r: draw_one(scene, service, r.path_params["entry"]),
            draw_not_found,
        )
    if (gaps := state.gaps) is not None:
        yield OwnPage(GAPS, lambda scene, _: gaps_page.draw(scene, gaps))


async def draw(scene: Scene, service: FeedbackService, given: Mapping[str, str]) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-review-page"):
        head(scene)
        if not may_review(scene.principal):
            forbidden(texts.FORBIDDEN(language), "dz-review-refused")
            return
        heading(texts.REVIEW(language))
        tabs(scene, PATH)
        ui.label(texts.HINT(language)).classes("dz-muted")
        state: State = next((s for s in STATES if s == given.get("state")), "new")
        _filters(language, state)
        found = await service.find(scene.principal, Wanted(state, limit=SHOWN))
        with div("dz-review-list"):
            for reviewed in found:
                _row(scene, reviewed)
            if not found:
                ui.label(texts.NONE(language)).classes("dz-muted dz-none")


def draw_not_found(scene: Scene) -> None:
    ui.add_css(STYLE)
    with div("dz-page dz-review-page"):
        head(scene)
        heading(texts.NOT_FOUND(scene.language))


async def draw_one(scene: Scene, service: FeedbackService, id: str) -> None:
    """Raises ``NotFound``, before anything is drawn."""
    if not may_review(scene.principal):
        ui.add_css(STYLE)
        with div("dz-page dz-review-page"):
            head(scene)
            forbidden(texts.FORBIDDEN(scene.language), "dz-review-refused")
        return
    found = await service.get(scene.principal, id)
    ui.add_css(STYLE)
    with div("dz-page dz-review-page"):
        head(scene)
        with ui.element("a").classes("dz-back") as link:
            link.props["href"] = PATH
            ui.icon("arrow_back").props("aria-hidden=true")
            ui.label(texts.BACK(scene.language))
        _One(scene, service, found)


def _filters(language: Language, state: str) -> None:
    with ui.element("nav").classes("dz-review-filters") as nav:
        nav.props["aria-label"] = texts.SHOW(language)
        for name, label in STATES.items():
            if name == "open":
                continue
            with ui.element("a").classes("dz-review-filter") as link:
                link.props["href"] = PATH if name == "new" else f"{PATH}?state={name}"
                if name == state:
                    link.props["aria-current"] = "true"
                ui.label(label(language))


def _row(scene: Scene, r: Reviewed) -> None:
    c = r.entry.content
    with ui.element("a").classes("dz-review-row") as link:
        link.props["href"] = f"{PATH}/e/{r.entry.id}"
        link.props["data-entry"] = r.entry.id
        _told(scene, r)
        with div("dz-review-said"):
            revealed(c.said[:LONGEST_SHOWN])
        with div("dz-muted"):
            revealed((c.comment or c.correction or c.sent or c.answer)[:LONGEST_SHOWN])


def _told(scene: Scene, r: Reviewed) -> None:
    """In a line: what it is about, how it was found, by whom, and whether it may be learned from."""
    language, e = scene.language, r.entry
    with div("dz-review-head"):
        ui.label(KINDS[e.kind](language)).classes("dz-tag")
        ui.label(THUMBS[e.thumb](language)).classes(f"dz-review-{e.thumb}")
        if e.reason in REASONS:
            ui.label(REASONS[e.reason](language))
        used = texts.AGREED if e.consent else texts.BY_COMPANY if r.usable else texts.NO_CONSENT
        told = (_who(scene, r), _when(e.at), used(language))
        ui.label(" · ".join(told)).classes("dz-muted")


def _who(scene: Scene, r: Reviewed) -> str:
    e = r.entry
    if may_see_names(scene.principal):
        return scene.state.name_of(e.giver, e.tenant, scene.language)
    return texts.SOMEBODY(scene.language).format(mark=e.id[:4])


class _One:
    def __init__(self, scene: Scene, service: FeedbackService, found: Reviewed) -> None:
        self._scene, self._service, self._language = scene, service, scene.language
        self._fields: list[tuple[str, str, Any, Any]] = []
        self._body = div()
        self._draw(found)

    def _draw(self, r: Reviewed) -> None:
        language, e, c = self._language, r.entry, r.entry.content
        self._body.clear()
        with self._body:
            heading(KINDS[e.kind](language))
            _told(self._scene, r)
            if e.decided is not None:
                decided = texts.DECIDED(language).format(
                    state=STATES[e.state](language), when=_when(e.decided), who=e.decided_by
                )
                revealed(f"{decided} {e.why}".strip(), "dz-muted dz-review-decided")
            if e.dataset:
                ui.label(texts.IN_DATASET(language).format(name=e.dataset)).classes("dz-muted")
            self._part(texts.SAID, c.said)
            self._part(texts.ANSWER, c.answer)
            if c.calls:
                told = [f"{k.name}({_json(k.arguments)}) → {k.outcome}" for k in c.calls]
                told = [
                    t if k.result is None else f"{t}\n{_json(k.result)[:2000]}"
                    for t, k in zip(told, c.calls, strict=True)
                ]
                self._part(texts.CALLS, "\n".join(told), code=True)
            self._part(texts.FEEDBACK, c.comment)
            if c.right is not None:
                self._part(texts.RIGHT, _json(c.right), code=True)
            if c.correction:
                self._difference(texts.CORRECTED, c.answer, c.correction)
            if c.draft:
                self._difference(texts.DRAFT, c.draft, c.sent)
            self._sample(r)
            self._acts(r)

    def _part(self, title: Text, text: str, *, code: bool = False) -> None:
        if not text:
            return
        with div("dz-review-part"):
            heading(title(self._language), 2)
            with ui.element("pre" if code else "div").classes("dz-review-text") as shown:
                if code:
                    shown.props("tabindex=0")
                revealed(text)

    def _difference(self, title: Text, old: str, new: str) -> None:
        with div("dz-review-part"):
            heading(title(self._language), 2)
            ui.html(marked(old, new), sanitize=False).classes("dz-review-text")

    def _sample(self, r: Reviewed) -> None:
        language = self._language
        with div("dz-review-part"):
            heading(texts.SAMPLE(language), 2)
            hint = texts.TO_WRITE if r.sample is None else texts.SAMPLE_HINT
            ui.label(hint(language)).classes("dz-muted")
            with div("dz-sample"):
                self._fields = [
                    self._field(*m) for m in messages_of(r.sample, r.entry.content.said)
                ]

    def _field(self, role: str, text: str, calls: str, name: str) -> tuple[str, str, Any, Any]:
        label = texts.ROLES[role](self._language) + (f" {name}" if name else "")
        with div(f"dz-sample-message dz-sample-{role}"):
            ui.label(label).classes("dz-muted")
            made = ui.textarea(value=text).props("outlined dense autogrow")
            made.props["aria-label"] = label
            called = None
            if calls:
                called = ui.textarea(value=calls).props("outlined dense autogrow")
                called.props["aria-label"] = texts.CALLS_JSON(self._language)
        return role, name, made, called

    def _acts(self, r: Reviewed) -> None:
        language = self._language
        with div("dz-review-acts"):
            accept = button(
                texts.ACCEPT(language),
                lambda: self._decide(r, "accept"),
                "dz-button-main dz-accept",
            )
            if not r.usable:
                accept.disable()
            why = ui.input(texts.WHY_NOT(language)).props(f"outlined dense maxlength={LONGEST_WHY}")
            self._why = why
            button(texts.REFUSE(language), lambda: self._decide(r, "refuse"), "dz-button dz-refuse")
            button(
                texts.PRIVATE(language), lambda: self._decide(r, "private"), "dz-button dz-private"
            )

    async def _decide(self, r: Reviewed, what: Act) -> None:
        sample = None
        if what == "accept":
            try:
                sample = self._written(r.sample)
            except ValueError:
                tell(texts.WRONG_CALLS(self._language), wrong=True)
                return

        async def work(by: Principal) -> Reviewed:
            return await self._service.decide(
                by, r.entry.id, what, str(self._why.value or ""), sample
            )

        done = await act(self._scene, work)
        if done is not None and not self._body.is_deleted:
            self._draw(done)
            with self._body:
                tell(
                    texts.DONE(self._language).format(
                        state=STATES[done.entry.state](self._language)
                    )
                )

    def _written(self, before: Sample | None) -> dict[str, Any]:
        """The sample as it stands in the fields. Raises ``ValueError``."""
        messages = []
        for role, name, text, called in self._fields:
            calls = json.loads(str(called.value or "[]")) if called is not None else []
            message = {"role": role, "content": str(text.value or ""), "tool_calls": calls}
            messages.append(message | ({"name": name} if name else {}))
        return {"messages": messages, "kind": kind_of(messages, before)}


def messages_of(sample: Sample | None, said: str) -> list[tuple[str, str, str, str]]:
    """Role, text, calls as JSON and the tool's name of each message; where there is no sample yet, what
    was said and an empty answer."""
    if sample is None:
        return [("user", said, "", ""), ("assistant", "", "", "")]
    return [
        (
            m.role,
            m.content,
            _json([{"name": c.name, "arguments": c.arguments} for c in m.tool_calls])
            if m.tool_calls
            else "",
            m.name,
        )
        for m in sample.messages
    ]


def kind_of(messages: Sequence[Mapping[str, Any]], before: Sample | None) -> SampleKind:
    """What a sample is as it was written: only a call makes it another than it was."""
    if any(m["tool_calls"] for m in messages):
        return "call"
    return before.kind if before is not None and before.kind != "call" else "chat"


def marked(old: str, new: str) -> str:
    """``old`` as it became ``new``, as HTML: what went and what came."""
    out = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            out.append(escape(old[a:b]))
            continue
        if b > a:
            out.append(f"<del>{escape(old[a:b])}</del>")
        if d > c:
            out.append(f"<ins>{escape(new[c:d])}</ins>")
    return "".join(out)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
