"""The turn loop: decide, act, observe, answer.

The model decides and words; the router acts; the host checks what is said and draws tables and
charts from results. Budgets end what the model would not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from itertools import count

from dazi.agent.acting import Acting
from dazi.agent.asked import Asked
from dazi.agent.attribution import attributed
from dazi.agent.check import AnswerChecker
from dazi.agent.closing import out_of_budget, to_close
from dazi.agent.context import (
    CLIENT_TOOL,
    Budget,
    Conversation,
    TurnRequest,
    gather_evidence,
    last_said,
    results_of,
)
from dazi.agent.offering import Offering
from dazi.agent.reminding import reminded
from dazi.agent.rendering import drawn
from dazi.agent.shown import Shown
from dazi.agent.speaking import Round, speak
from dazi.agent.taught import Taught
from dazi.agent.turn_records import (
    begun,
    end_body,
    figures,
    learned,
    start_body,
    told,
    yuan,
)
from dazi.agent.turn_state import CONCISE_TOKENS, Turn
from dazi.agent.window import Window
from dazi.audit.ledger import Ledger
from dazi.core.company import Company
from dazi.core.engine import Engine, ModelChanged, ModelProfile, Pinned, Sampling
from dazi.core.experiments import Variants
from dazi.core.language import Text
from dazi.core.learning import Learner
from dazi.core.messages import CallText, Message, dumps
from dazi.core.turn import (
    AnswerDelta,
    CallFinished,
    TurnEvent,
    TurnFinished,
    TurnStarted,
)
from dazi.guard.engine import Guard
from dazi.guard.hiding_engine import hiding
from dazi.memory.threads import Kept
from dazi.observe.observer import Observer
from dazi.prompt.choose import ToolChooser
from dazi.router.approval import Ticket
from dazi.router.dispatch import FunctionRouter, TurnContext
from dazi.router.view import markdown_table

STOOD_IN = Text(
    "\n\n(主用模型暂时连不上,这次由备用模型 {m} 回答。)",
    "\n\n(The usual model is out of reach; {m} answered in its place.)",
)
DECIDED = {True: Text("确认", "Confirmed"), False: Text("取消", "Cancelled")}
"""What the thread remembers a person as saying when they decide a confirmation."""


class Agent:
    """Runs turns. Holds no state of its own: whatever a turn needs comes in its request."""

    def __init__(
        self,
        company: Company,
        engine: Engine,
        router: FunctionRouter,
        ledger: Ledger,
        budget: Budget | None = None,
        guard: Guard | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.company = company
        self.engine = engine
        self.router = router
        self.ledger = ledger
        self.budget = budget or Budget()
        self.guard = guard or Guard()
        self.observer = observer or Observer()
        self.variants: Variants | None = None
        """Chooses what turns are made with, as long as that is not what ships."""
        self.learner: Learner | None = None
        """Is told how turns end, where anybody learns from it."""
        self.chooser = ToolChooser(company.tools.values())
        self._window: Window | None = None
        self._learn_replies()

    def _learn_replies(self) -> None:
        replies = self.engine.profile.replies
        self._taught = Taught(replies)
        self._asked = Asked(self.chooser, replies)

    @property
    def _offering(self) -> Offering:
        return Offering(self.company, self.engine.profile, self.chooser, self.router.policy)

    async def run(
        self, request: TurnRequest, remembered: list[Kept]
    ) -> AsyncGenerator[TurnEvent, None]:
        """Answer ``request.said``. New messages of the thread are put into ``remembered``."""
        turn = self._begin(request)
        turn.talk.hear(request.said)
        self._note_start(turn)
        middle = self._told(turn) if request.reply else self._loop(turn)
        yield TurnStarted(request.turn, request.thread)
        try:
            async with aclosing(self._to_the_end(turn, middle, remembered)) as events:
                async for event in events:
                    yield event
            return
        except ModelChanged as e:
            if not turn.untouched:
                raise
            other = self._with_model(e.profile)
        async with aclosing(other._once_more(request, remembered)) as events:
            async for event in events:
                yield event

    async def _once_more(
        self, request: TurnRequest, remembered: list[Kept]
    ) -> AsyncGenerator[TurnEvent, None]:
        """A turn that is on record already, from its beginning."""
        turn = self._begin(request)
        turn.talk.hear(request.said)
        turn.again = True
        async with aclosing(self._to_the_end(turn, self._loop(turn), remembered)) as events:
            async for event in events:
                yield event

    def _with_model(self, profile: ModelProfile) -> Agent:
        """One that makes its prompts for that model."""
        engine = Pinned(self.engine, profile)
        other = Agent(
            self.company,
            engine,
            self.router,
            self.ledger,
            self.budget,
            self.guard,
            self.observer,
        )
        other.variants, other.learner = self.variants, self.learner
        return other

    async def resume(
        self, request: TurnRequest, ticket: Ticket, remembered: list[Kept]
    ) -> AsyncGenerator[TurnEvent, None]:
        """Go on after a person decided ``ticket``."""
        turn = self._begin(request)
        self._note_start(turn)
        decided = self._decided(turn, ticket)
        yield TurnStarted(request.turn, request.thread)
        async with aclosing(self._to_the_end(turn, decided, remembered)) as events:
            async for event in events:
                yield event

    async def _to_the_end(
        self, turn: Turn, middle: AsyncGenerator[TurnEvent, None], remembered: list[Kept]
    ) -> AsyncGenerator[TurnEvent, None]:
        """A turn that breaks off, because its listener left or a part failed, is recorded too."""
        broken = "error"
        try:
            async with aclosing(middle):
                async for event in middle:
                    if (given := turn.shown.event(event)) is not None:
                        turn.gave(given)
                        yield given
            if turn.by is not None and turn.by.fallback:
                said = turn.say(STOOD_IN(turn.request.language).format(m=turn.by.model))
                if (given := turn.shown.event(said)) is not None:
                    yield given
            if (rest := turn.shown.rest()) is not None:
                turn.gave(rest)
                yield rest
            async with aclosing(self._end(turn, remembered)) as ending:
                async for event in ending:
                    yield event
        except ModelChanged:
            turn.ended = turn.untouched and not turn.again  # it is begun once more
            raise
        except (GeneratorExit, asyncio.CancelledError):
            broken = "cancelled"
            raise
        finally:
            if not turn.ended:
                turn.reason = broken
                self._record(turn, turn.shown.answer.strip(), remembered)

    async def _told(self, turn: Turn) -> AsyncGenerator[TurnEvent, None]:
        yield turn.say(turn.request.reply)
        turn.reason = "answer"

    async def _decided(self, turn: Turn, ticket: Ticket) -> AsyncGenerator[TurnEvent, None]:
        request = turn.request
        approved = ticket.state == "approved"
        decide = self.router.confirmed if approved else self.router.rejected
        record = await decide(ticket, turn.context)
        turn.records.append(record)
        yield CallFinished(record)
        if ticket.decided_by == request.principal.user:
            word = DECIDED[approved](request.language)
            turn.talk.hear(f"{word}: {ticket.reason}" if ticket.reason else word)
        elif ticket.reason:
            turn.context.evidence.found("approver:reason", ticket.reason)
        turn.talk.proposed("", [CallText(record.id, record.name, dumps(dict(record.arguments)))])
        turn.talk.answered([record])
        done = record.outcome == "ok"
        mends = bool(ticket.reason) and not approved and not self.engine.profile.concise
        if not done:
            # Whatever the model goes on to say: that it was not done is the host's to tell.
            yield turn.say(record.message + ("\n\n" if mends else ""))
        if done or mends:
            async with aclosing(self._loop(turn, tools=not done)) as events:
                async for event in events:
                    yield event

    # --- the loop ------------------------------------------------------------------------------

    @property
    def window(self) -> Window:
        """What fits into the engine's context."""
        made, rules = self._window, self.budget.context
        if made is None or made.engine is not self.engine or made.rules is not rules:
            made = self._window = Window(self.engine, rules)
        return made

    def _begin(self, request: TurnRequest) -> Turn:
        span, request = begun(self.observer.tracer, request)
        said = request.said or last_said(request.history)
        reminder = reminded(request.recalled, said, self.engine.profile)
        evidence = gather_evidence(self.company, request, reminder)
        choice = self._offering.choose(request)
        tools = choice.offered
        names = frozenset(t.name for t in tools)
        context = TurnContext(
            request.turn,
            request.thread,
            request.principal,
            request.language,
            evidence,
            names,
            budget_s=self.budget.seconds,
            trace=span.context,
        )
        profile = self.engine.profile
        if self._taught.replies is not profile.replies:
            self._learn_replies()
        asked = self._asked if profile.concise else None
        variants, variant = self.variants, None
        if variants is not None:
            variant = variants.of(request.principal, request.thread, request.language)
        talk = Conversation(self.company, request, profile, asked, reminder, variant)
        ids = (f"call_{request.turn[-8:]}_{n}" for n in count())
        shown = Shown(self.guard, request.principal, request.language)
        began = time.perf_counter()
        return Turn(
            request, talk, context, tools, began, ids, shown, span, variant=variant, choice=choice
        )

    async def _loop(self, turn: Turn, *, tools: bool = True) -> AsyncGenerator[TurnEvent, None]:
        for _ in range(self.budget.rounds):
            if self._spent(turn):
                break
            until = asyncio.get_running_loop().time() + turn.left(self.budget)
            done = Round(until=until, observer=self.observer)
            try:
                async with aclosing(self._round(turn, done, tools=tools)) as speaking:
                    async for event in speaking:
                        yield event
            except ModelChanged:
                if not turn.records:
                    raise
                break  # what was found is told without a model
            finally:
                turn.served(done.by, done.usage, self.engine.profile.name)
                turn.requests += done.requests
                turn.replaced += done.replaced
            if done.late:
                break
            turn.wanted += [n for n in done.wanted if n not in turn.wanted]
            if not done.calls:
                if said := to_close(turn, done, self._offering):
                    yield turn.say(said)
                turn.reason = turn.reason or "answer"
                turn.cut_short = done.cut_short
                return
            acting = Acting(self.router, self._offering, self.budget)
            async with aclosing(acting.act(turn, done)) as acts:
                async for event in acts:
                    yield event
            if turn.reason:
                return
        turn.reason = "budget"
        yield turn.say(out_of_budget(turn, self.company))

    async def _round(
        self, turn: Turn, done: Round, *, tools: bool
    ) -> AsyncGenerator[TurnEvent, None]:
        results = results_of(self.company, turn.records)
        evidence = turn.context.evidence
        # Nobody taught it to speak of a caller's own tools: then values are checked, not sentences.
        taught = None if evidence.of(CLIENT_TOOL) or not self._taught.replies else self._taught
        needless = frozenset[str]()
        if taught and tools and not turn.records:
            needless = self._asked.needless(
                turn.talk.messages[-1].content, evidence.today, turn.request.history
            )
        checker = AnswerChecker.over(evidence, results, taught, needless)
        limit = min(self.budget.tokens, CONCISE_TOKENS if self.engine.profile.concise else 10**9)
        offered = (
            self._offering.offered(turn.tools, turn.request, evidence, turn.records)
            if tools
            else ()
        )
        if turn.variant is not None and turn.variant.tools:
            offered = turn.variant.described(offered, turn.request.language)
        turn.asked = True
        sampling = turn.request.sampling or Sampling(max_tokens=limit)
        request = turn.talk.generate_request(offered, sampling)
        if request.tool_choice == "required" and turn.records and not turn.request.client_tools:
            request = replace(request, tool_choice="auto")
        exact = turn.request.show_context
        fitted = self.window.fit(request, turn.talk.layers(), turn.talk.fold(), exact=exact)
        request, turn.fitted = fitted.request, fitted
        engine = hiding(self.engine, self.guard, turn.request.principal)
        async with aclosing(speak(engine, request, checker, done, turn.ids)) as events:
            async for event in events:
                if isinstance(event, AnswerDelta):
                    turn.answer += event.text
                yield event

    # --- answering -----------------------------------------------------------------------------

    async def _end(self, turn: Turn, remembered: list[Kept]) -> AsyncGenerator[TurnEvent, None]:
        drawings = drawn(self.company, turn.records, turn.request.language)
        attachments = attributed(
            [turn.shown.attachment(a) for a in drawings], turn.shown.answer.strip()
        )
        for attachment in attachments:
            yield attachment
        tables = [markdown_table(a) for a in attachments if a.kind == "table"]
        answer = "\n\n".join([turn.shown.answer.strip(), *tables]).strip()
        await asyncio.shield(self._record(turn, answer, remembered))
        yield TurnFinished(
            answer,
            tuple(turn.shown.call(r) for r in turn.records),
            turn.usage,
            turn.ms,
            turn.reason or "answer",  # type: ignore[arg-type]
            attachments,
            turn.replaced,
            tuple(turn.client_calls),
            turn.cut_short,
            turn.fitted.report if turn.fitted is not None else None,
            turn.by,
            yuan(turn, self.engine.profile, self.budget.prices),
        )

    def _record(self, turn: Turn, answer: str, remembered: list[Kept]) -> asyncio.Future[None]:
        """Hand over what is to be remembered, and put the turn's end into the ledger."""
        turn.ended = True
        given = turn.shown.answer.strip()
        if given and not turn.client_calls:
            turn.talk.add(Message("assistant", given))
        remembered += turn.talk.added
        ms, profile = turn.ms, self.engine.profile
        cost = yuan(turn, profile, self.budget.prices)
        body = end_body(turn, answer, ms, cost)
        self.observer.turn(told(turn, profile, ms, cost))
        request = turn.request
        if turn.variant is not None and turn.asked and self.variants is not None:
            self.variants.after(turn.variant, request.principal, figures(turn, ms, cost))
        done = self.ledger.put("answer", request.principal.user, request.turn, body)
        if self.learner is not None and turn.reason not in ("cancelled", "error"):
            self.learner.ended(learned(turn, self.company, answer))
        return done

    # --- budgets ---------------------------------------------------------------------------------

    def _spent(self, turn: Turn) -> bool:
        return turn.left(self.budget) <= 0 or len(turn.records) >= self.budget.calls

    def _note_start(self, turn: Turn) -> None:
        body = start_body(turn, self.engine.profile)
        self.ledger.put("turn", turn.request.principal.user, turn.request.turn, body)
