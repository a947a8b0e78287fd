"""One contract's review: the document with its highlights, the findings beside it, and a word on each."""

from __future__ import annotations

from functools import partial

from nicegui import ui
from nicegui.element import Element

from dazi.apps.contracts.outputs import words
from dazi.apps.contracts.outputs.page import document
from dazi.apps.contracts.outputs.words import value_of
from dazi.apps.contracts.reviewed import Remark, Reviewed
from dazi.apps.contracts.service import ContractService, Opened
from dazi.apps.contracts.verdicts import FIELD, LONGEST, Said, Verdict, Word
from dazi.console import contract_texts as texts
from dazi.console.acts import act, button
from dazi.console.contract_routes import file_url
from dazi.console.contracts_page import LOOK_S, STYLE, review_url
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, named_dialog, revealed
from dazi.console.state import Scene
from dazi.console.visible import reveal, reveal_html
from dazi.core.principal import Principal
from dazi.store.jobs.model import OVER, Job


async def draw(scene: Scene, contracts: ContractService, id: str) -> None:
    """Raises ``NotFound``."""
    opened = await contracts.open(scene.principal, id)
    ui.add_css(STYLE)
    with div("dz-page dz-contract-page"):
        head(scene)
        with ui.element("a").props("href=/contracts").classes("dz-back"):
            ui.icon("arrow_back")
            ui.label(texts.CONTRACTS(scene.language))
        if opened.done is not None:
            _View(scene, contracts, opened, opened.done).draw()
        else:
            _Waiting(scene, contracts, opened.job).draw()


def draw_not_found(scene: Scene) -> None:
    with div("dz-page"):
        head(scene)
        with div("dz-empty"):
            ui.icon("search_off").classes("dz-empty-icon")
            heading(texts.NOT_FOUND(scene.language))
            with ui.element("a").props("href=/contracts").classes("dz-new dz-new-inline"):
                ui.label(texts.CONTRACTS(scene.language))


class _Waiting:
    """Until it is done, how far it is; then the page is drawn anew."""

    def __init__(self, scene: Scene, contracts: ContractService, job: Job) -> None:
        self._scene, self._contracts, self._job = scene, contracts, job

    def draw(self) -> None:
        heading(reveal(self._job.title))
        self._told = ui.label("").classes("dz-muted").props("aria-live=polite")
        self._bar = ui.linear_progress(show_value=False).classes("dz-review-progress")
        self._acts = div("dz-managed-acts")
        self._show(self._job)
        if self._job.state not in OVER:
            self._timer = ui.timer(LOOK_S / 2, self._look)

    def _show(self, job: Job) -> None:
        language = self._scene.language
        parts = [texts.STATES[job.state](language), job.step(language)]
        if (left := job.left_s()) is not None:
            parts.append(texts.LEFT(language).format(s=round(left)))
        if job.error is not None:
            parts.append(job.error.text(language))
        self._told.set_text(reveal(" · ".join(p for p in parts if p)))
        self._bar.set_value(job.fraction)
        self._bar.set_visibility(job.state not in OVER)
        self._acts.clear()
        with self._acts:
            if job.state not in OVER:
                button(texts.CANCEL(language), self._cancel, "dz-button")
            elif job.state != "done":
                button(texts.AGAIN(language), self._again, "dz-button")

    async def _look(self) -> None:
        if self._scene.visit.ended:
            return
        job = await self._contracts.jobs.store.get(self._job.id, self._scene.principal)
        if job.state == "done":
            self._timer.cancel()
            ui.navigate.to(review_url(job.id))
            return
        if job.state in OVER:
            self._timer.cancel()
        self._show(job)

    async def _cancel(self) -> None:
        await act(self._scene, lambda by: self._contracts.jobs.store.cancel(self._job.id, by))

    async def _again(self) -> None:
        jobs = self._contracts.jobs
        if await act(self._scene, lambda by: jobs.store.retry(self._job.id, by)) is not None:
            if jobs.workers is not None:
                jobs.workers.wake()
            ui.navigate.to(review_url(self._job.id))


class _View:
    def __init__(
        self, scene: Scene, contracts: ContractService, opened: Opened, done: Reviewed
    ) -> None:
        self._scene, self._contracts, self._done = scene, contracts, done
        self._job = opened.job
        self._verdicts = dict(opened.verdicts)
        self._cards: dict[str, Element] = {}

    def draw(self) -> None:
        done, language = self._done, self._scene.language
        with div("dz-contract-head"):
            with div("dz-contract-names"):
                heading(reveal(done.title or done.name))
                under = done.name + (f" ⇄ {done.template}" if done.template else "")
                ui.label(reveal(under)).classes("dz-muted")
            with div("dz-contract-files"):
                there = {f.name for f in self._job.files}
                for name, text in texts.FILES.items():
                    if name in there:
                        with ui.element("a").classes("dz-contract-file") as link:
                            link.props["href"] = file_url(self._job.id, name)
                            ui.label(text(language))
        self._aside = div()
        with div("dz-contract-body") as body:
            with div("dz-contract-text").props(f'lang="{done.language}" tabindex=0'):
                ui.html("".join(document(done, reveal_html)), sanitize=False)
            with div("dz-contract-side"):
                self._side(body)

    def _side(self, body: Element) -> None:
        done, language = self._done, self._scene.language
        with div("dz-contract-tools"):
            ui.label(texts.FINDINGS(language).format(n=len(done.remarks))).classes("dz-side-head")
            levels = {k: v(language) for k, v in texts.LEVELS.items()}
            start = "medium" if any(r.severity != "low" for r in done.remarks) else "low"

            def choose(level: str) -> None:
                body.classes(
                    remove=" ".join(f"dz-only-{x}" for x in levels), add=f"dz-only-{level}"
                )

            ui.toggle(levels, value=start, on_change=lambda e: choose(e.value)).props(
                "no-caps dense unelevated"
            ).classes("dz-levels")
            choose(start)
        for remark in done.remarks:
            self._finding(remark)
        if not done.remarks:
            ui.label(texts.NOTHING(language)).classes("dz-muted dz-none")
        ui.label(texts.FIELDS(language)).classes("dz-side-head")
        said = {f.name: f for f in done.fields}
        for name, text in words.FIELDS.items():
            with div("dz-field"):
                ui.label(text(language)).classes("dz-muted dz-field-name")
                ui.label(reveal(value_of(done, name) or "—")).classes("dz-field-value")
                quote = said[name].quote if name in said else ""
                self._word_on(f"{FIELD}{name}", value_of(done, name), quote)
        ui.label(words.NOTE(language)).classes("dz-muted")
        if any(r.by == "model" for r in done.remarks):
            ui.label(words.NOTE_MODEL(language)).classes("dz-muted")

    def _finding(self, r: Remark) -> None:
        language = self._scene.language
        with div(f"dz-finding dz-{r.severity}"):
            ui.html(f'<a id="f-{r.id}"></a>', sanitize=False)
            with div("dz-finding-head"):
                ui.label(words.label(r, language)).classes("dz-finding-label")
                place = words.where(r, language)
                if r.spot is not None:
                    with ui.element("a").classes("dz-finding-place") as link:
                        link.props["href"] = f"#m-{r.id}"
                        link.props["title"] = texts.JUMP(language)
                        ui.label(reveal(place or texts.JUMP(language)))
                elif place:
                    ui.label(reveal(place)).classes("dz-finding-place")
            ui.label(reveal(r.message(language)))
            if r.quote:
                revealed(r.quote, "dz-finding-quote")
            if r.suggestion(language):
                said = f"{words.SUGGESTED(language)}: {r.suggestion(language)}"
                ui.label(reveal(said)).classes("dz-finding-suggestion")
            self._word_on(r.id, r.suggestion(language), r.quote)

    def _word_on(self, item: str, proposed: str, quote: str) -> None:
        card = self._cards[item] = div("dz-verdict")
        self._show(item, card, proposed, quote)

    def _show(self, item: str, card: Element, proposed: str, quote: str) -> None:
        language = self._scene.language
        verdict = self._verdicts.get(item)
        card.clear()
        with card:
            if verdict is not None:
                said = verdict.said
                text = texts.SAID[said.verdict](language).format(value=said.value or said.note)
                if said.note and said.verdict != "correct":
                    text += f": {said.note}"
                ui.label(reveal(text)).classes(f"dz-said dz-said-{said.verdict}")
                button(
                    texts.WITHDRAW(language),
                    lambda: self._withdraw(item, card, proposed, quote),
                    "dz-button-quiet",
                )
                return
            for word, label in texts.WORDS.items():
                button(
                    label(language),
                    partial(self._said, item, word, card, proposed, quote),
                    f"dz-button-quiet dz-{word}",
                )

    async def _said(self, item: str, word: Word, card: Element, proposed: str, quote: str) -> None:
        if word == "accept":
            await self._put(Said(item, word), card, proposed, quote)
            return
        language = self._scene.language
        # Not among the buttons: they are drawn anew while it is open.
        name = texts.WORDS[word](language)
        with self._aside, named_dialog(name) as dialog, div("dz-dialog dz-verdict-dialog"):
            if quote:
                revealed(quote, "dz-finding-quote")
            value = None
            if word == "correct":
                value = ui.textarea(texts.VALUE(language), value=proposed)
                value.props(f"outlined autofocus autogrow maxlength={LONGEST}")
            note = ui.textarea(texts.NOTE(language))
            note.props(f"outlined autogrow maxlength={LONGEST}")

            async def save() -> None:
                said = Said(item, word, str(note.value or ""), str(value.value) if value else "")
                if await self._put(said, card, proposed, quote):
                    dialog.close()

            with div("dz-dialog-actions"):
                button(texts.CANCEL(language), dialog.close, "dz-button-quiet")
                button(texts.SAVE(language), save, "dz-button-main dz-save-verdict")
        dialog.on("hide", lambda _: dialog.delete(), args=[])
        dialog.open()

    async def _put(self, said: Said, card: Element, proposed: str, quote: str) -> bool:
        async def judge(by: Principal) -> Verdict:
            return await self._contracts.judge(by, self._job.id, said)

        verdict = await act(self._scene, judge)
        if verdict is None:
            return False
        self._verdicts[said.item] = verdict
        self._show(said.item, card, proposed, quote)
        return True

    async def _withdraw(self, item: str, card: Element, proposed: str, quote: str) -> None:
        async def back(by: Principal) -> bool:
            await self._contracts.withdraw(by, self._job.id, item)
            return True

        if await act(self._scene, back):
            self._verdicts.pop(item, None)
            self._show(item, card, proposed, quote)
