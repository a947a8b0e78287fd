"""One person's conversation in one browser tab."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from urllib.parse import quote

from nicegui import background_tasks, ui
from nicegui.element import Element

from dazi.agent.asking import Ask
from dazi.console import texts
from dazi.console.answers import Answer, Begin, Stopped
from dazi.console.call_card import CallCard
from dazi.console.composer import Composer
from dazi.console.confirmation import ConfirmDialog, Waiting
from dazi.console.history import PastTurn
from dazi.console.pieces import div
from dazi.console.sign_in import sign_in_url
from dazi.console.sources import PassageDialog
from dazi.console.state import Scene
from dazi.console.thumbs import STYLE, Thumbs
from dazi.console.turn_view import TurnView
from dazi.console.visits import Visits
from dazi.console.why import Past, Why
from dazi.core.errors import DaziError
from dazi.core.messages import Image
from dazi.core.turn import CallFinished, ConfirmationNeeded, TurnEvent
from dazi.gateway.images import image_of
from dazi.gateway.translate import PICTURE as SENT_ALONE
from dazi.router.approval import Ticket

WATCH_S = 2.0
"""How often a page asks whether somebody else has decided."""
NO_LONGER_WAITING = frozenset({"already_decided", "expired", "ticket"})

logger = logging.getLogger("dazi.console")


class Chat:
    """Takes questions and decisions to the service and draws what comes back.

    ``turns`` is where turns are drawn; ``welcome`` goes when the first one comes; ``on_settled`` is
    called when a turn has ended.
    """

    def __init__(
        self,
        scene: Scene,
        thread: str | None,
        turns: Element,
        visits: Visits,
        on_settled: Callable[[], object],
    ) -> None:
        self.scene = scene
        self.thread = thread or f"web_{secrets.token_urlsafe(12)}"
        limit = scene.state.max_message_chars
        able = scene.state.service.pictures.able
        self.composer = Composer(scene.language, limit, self.ask, self.stop, pictures=able)
        self.welcome: Element | None = None
        self._addressed = thread is not None
        self._spoken = False
        self._turns = turns
        self._on_settled = on_settled
        self._client = ui.context.client
        self._visits = visits
        self._making: Answer | None = None
        self._waiting: dict[str, tuple[Waiting, CallCard]] = {}
        self._choices: dict[str, bool] = {}
        self._fresh: list[Waiting] = []
        self._dialog: ConfirmDialog | None = None
        self._submitted: set[str] = set()
        self._watch = ui.timer(WATCH_S, self._look, active=False)
        ui.add_css(STYLE)

    # --- what a person does ----------------------------------------------------------------------

    def ask(self, text: str, pictures: Sequence[str] = ()) -> None:
        """``pictures``: data URLs."""
        language = self.scene.language
        if self._making is not None:
            self.composer.refused(texts.BUSY(language))
            return
        try:
            images = tuple(image_of(url, "picture") for url in pictures)
        except DaziError as e:
            self.composer.refused(e.message(language))
            return
        said = text if text.strip() or not images else SENT_ALONE
        service = self.scene.state.service
        self._start(
            Answer(said, images),
            lambda principal: service.ask(
                Ask(principal, self.thread, said, show_context=True, images=images)
            ),
        )

    def stop(self) -> None:
        if self._making is not None:
            self._making.stop()

    def sign_out(self) -> None:
        """The session is over, and with it the answer that is made in it."""
        if not self._client.is_deleted:
            self._client.open(sign_in_url("ended"))

    def _decide(self, ticket: str, approve: bool) -> None:
        said = (texts.SAID_YES if approve else texts.SAID_NO)(self.scene.language)
        service = self.scene.state.service
        self._choices[ticket] = approve
        self._start(
            Answer(said, ticket=ticket),
            lambda principal: service.decide(principal, ticket, approve),
        )

    # --- a turn ----------------------------------------------------------------------------------

    def _start(self, answer: Answer, begin: Begin) -> None:
        self.composer.set_running(True)
        self._making = answer
        background_tasks.create(self._made(answer, begin), name="console page")

    async def _made(self, answer: Answer, begin: Begin) -> None:
        """Have it made, by whoever is signed in now, and listen."""
        principal = await self.scene.visit.principal()
        if principal is None:
            self._making = None
            self.sign_out()
            return
        visit, visits = self.scene.visit, self._visits
        mark = f"answer {id(answer)}"
        # It ends with the session also where the page has been closed.
        visits.watch(mark, principal, visit.copy(), answer.stop)
        self.scene.state.answers.begin(
            principal, self.thread, answer, begin, lambda: visits.forget(mark)
        )
        await self._listen(answer, sent=True)

    def attach(self, answer: Answer) -> None:
        """Show one that is being made already."""
        self.composer.set_running(True)
        self._making = answer
        background_tasks.create(self._listen(answer, sent=False), name="console page")

    def _settled(self) -> None:
        self._making = None
        self.composer.set_running(False)
        self._name_in_address()
        self._on_settled()
        if self._fresh:
            self._review(self._fresh.pop(0))

    async def _listen(self, answer: Answer, *, sent: bool) -> None:
        """``sent``: what it answers was sent from here, and no longer stands where it was typed."""
        view: TurnView | None = None
        language, said = self.scene.language, answer.said
        with self._client:
            try:
                async with aclosing(answer.heard()) as events:
                    async for event in events:
                        if self._client.is_deleted:
                            return  # it goes on without us
                        view = view or self._begin(answer, sent=sent)
                        self._show(event, view)
            except Stopped:
                if view is not None and not self._client.is_deleted:
                    view.stopped()
            except DaziError as e:
                if e.code in NO_LONGER_WAITING:
                    self._settle_card(answer.ticket, None)
                self._refuse(said, view, e.message(language), asked=sent and not answer.ticket)
            except Exception:
                logger.exception("a turn failed on a page")
                self._refuse(
                    said, view, texts.UNEXPECTED(language), asked=sent and not answer.ticket
                )
            if not self._client.is_deleted:
                self._settled()

    def _begin(self, answer: Answer, *, sent: bool) -> TurnView:
        if self.welcome is not None:
            self.welcome.delete()
            self.welcome = None
        self._spoken = True
        self._bubble(answer.said, answer.images)
        if sent:
            self.composer.taken()
        self._name_in_address()
        return self._view(live=True)

    def _show(self, event: TurnEvent, view: TurnView) -> None:
        view.show(event)
        if isinstance(event, CallFinished) and event.record.outcome != "needs_confirmation":
            self._note_decision(event)
        elif isinstance(event, ConfirmationNeeded):
            waiting = Waiting.of_event(event)
            self._await_decision(waiting, view.cards[event.call])
            if not waiting.approver:
                self._fresh.append(waiting)

    def _refuse(self, said: str, view: TurnView | None, message: str, *, asked: bool) -> None:
        """An error: it is told, and the text goes back to where it was typed."""
        if self._client.is_deleted:
            return
        if view is None and asked:
            self.composer.refused(message)
            return
        (view or self._view(live=False)).fail(message)
        if asked:
            self.composer.give_back(said)

    def _name_in_address(self) -> None:
        """Once something was said in a thread, the address names it."""
        if self._spoken and not self._addressed:
            self._addressed = True
            path = f"/t/{quote(self.thread, safe='')}"
            ui.run_javascript(f"history.replaceState(null, '', '{path}')")

    # --- confirmations -----------------------------------------------------------------------------

    def _await_decision(self, waiting: Waiting, card: CallCard) -> None:
        if waiting.approver:
            names = self.scene.state.company.role_names
            card.waits_for(names[waiting.approver](self.scene.language))
            self._submitted.add(waiting.ticket)
            self._watch.activate()
            return
        self._waiting[waiting.ticket] = waiting, card
        card.offer_review(lambda: self._review(waiting))

    async def _look(self) -> None:
        """Has somebody decided what was submitted here? Then the thread has gone on without us."""
        tickets = self.scene.state.service.tickets
        states = [await tickets.is_finished(t) for t in self._submitted]
        if any(states) and self._making is None:
            self._watch.deactivate()
            ui.navigate.to(f"/t/{quote(self.thread, safe='')}")

    def _review(self, waiting: Waiting) -> None:
        if self._making is not None or self._dialog is not None:
            return
        if waiting.ticket in self._waiting:
            self._dialog = ConfirmDialog(self.scene, waiting, self._answer)

    def _answer(self, ticket: str, approve: bool | None) -> None:
        """``None``: put off."""
        self._dialog = None
        if approve is not None:
            self._decide(ticket, approve)

    def _note_decision(self, event: CallFinished) -> None:
        """A decision changes the card that waited for it, also when it was made in words (then
        "rejected" may be the person's word or the system's)."""
        ticket, done = event.record.ticket, event.record.outcome != "rejected"
        self._settle_card(ticket, self._choices.pop(ticket, True if done else None))

    def _settle_card(self, ticket: str, approved: bool | None) -> None:
        found = self._waiting.pop(ticket, None)
        if found is not None and not self._client.is_deleted:
            found[1].decided(approved)

    # --- drawing -----------------------------------------------------------------------------------

    def replay(self, past: list[PastTurn], tickets: list[Ticket]) -> None:
        """Draw what was said before; what still waits for the person can be reviewed."""
        asked: list[tuple[str, str, CallCard]] = []
        for number, turn in enumerate(past):
            self._bubble(turn.said)
            later = sum(t.said == turn.said for t in past[number + 1 :])
            view = self._view(live=False, past=Past(turn.said, later, time.time()))
            for event in turn.events:
                view.show(event)
                if isinstance(event, CallFinished) and event.record.outcome == "needs_confirmation":
                    asked.append((event.record.name, event.record.id, view.cards[event.record.id]))
            view.end()
            if turn.events and not turn.waits:
                view.label_as_generated()
        newest = sorted(tickets, key=lambda t: -t.at)
        for name, call, card in reversed(asked):
            ticket = next((t for t in newest if t.tool == name and t.call == call), None)
            if ticket is None:
                card.decided(None)
            else:
                newest.remove(ticket)
                self._await_decision(Waiting.of_ticket(ticket), card)

    def _bubble(self, said: str, images: Sequence[Image] = ()) -> None:
        with self._turns, div("dz-said"), div("dz-bubble"):
            for image in images:
                shown = ui.element("img").classes("dz-sent-picture")
                shown.props["src"], shown.props["alt"] = (
                    image.url,
                    texts.PICTURE(self.scene.language),
                )
            ui.label(said)

    def _view(self, *, live: bool, past: Past | None = None) -> TurnView:
        state = self.scene.state
        knowledge, system = state.knowledge, state.system
        why = Why(self.scene, system, self.thread) if system is not None else None
        service = state.feedback
        thumbs = Thumbs(self.scene, service, why) if service is not None and why else None
        return TurnView(
            self._turns,
            self.scene.state.company,
            self.scene.language,
            live=live,
            show=PassageDialog(self.scene, knowledge).show if knowledge is not None else None,
            why=(lambda fresh: why.button(fresh, past)) if why is not None else None,
            thumbs=(lambda fresh: thumbs.draw(fresh, past)) if thumbs is not None else None,
        )
