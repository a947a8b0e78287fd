"""A kept thread as the events it once was, so that it is drawn as a live one is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from dazi.agent.attribution import attributed
from dazi.agent.rendering import drawn
from dazi.console.texts import OUTCOMES
from dazi.core.company import Company
from dazi.core.language import Language, language_of
from dazi.core.messages import CallText
from dazi.core.turn import (
    AnswerDelta,
    CallFinished,
    CallProposed,
    CallRecord,
    Outcome,
    TurnEvent,
)
from dazi.memory.threads import Kept
from dazi.router.wording import outcome_text


@dataclass(frozen=True, slots=True)
class PastTurn:
    said: str
    events: tuple[TurnEvent, ...]

    @property
    def waits(self) -> bool:
        """Whether it ended with the question for a confirmation, which no model wrote."""
        records = [e.record for e in self.events if isinstance(e, CallFinished)]
        return any(r.outcome == "needs_confirmation" for r in records)


def replay(kept: Iterable[Kept], company: Company) -> list[PastTurn]:
    """Turns, oldest first. Times are not kept, so records have none."""
    turns: list[PastTurn] = []
    said: str | None = None
    of_turn: list[Kept] = []
    for k in kept:
        if k.message.role == "user":
            if said is not None:
                turns.append(_turn(said, of_turn, company))
            said, of_turn = k.message.content, []
        else:
            of_turn.append(k)
    if said is not None:
        turns.append(_turn(said, of_turn, company))
    return turns


def _turn(said: str, kept: list[Kept], company: Company) -> PastTurn:
    language = language_of(said)
    events: list[TurnEvent] = []
    records: list[CallRecord] = []
    calls: dict[str, CallText] = {}
    for k in kept:
        if k.message.role == "tool":
            call = calls.get(k.message.call_id) or CallText(k.message.call_id, k.tool, "{}")
            records.append(_record(call, k, company, language))
            events.append(CallFinished(records[-1]))
        elif k.message.role == "assistant":
            if k.message.content:
                events.append(AnswerDelta(k.message.content))
            for call in k.message.calls:
                calls[call.id] = call
                events.append(CallProposed(call.id, call.name, call.arguments))
    answer = "".join(e.text for e in events if isinstance(e, AnswerDelta))
    drawings = attributed(drawn(company, records, language), answer)
    return PastTurn(said, (*events, *drawings))


def _record(call: CallText, kept: Kept, company: Company, language: Language) -> CallRecord:
    content = _json(kept.message.content)
    told = content.get("error") if kept.result is None else "ok"
    outcome: Outcome = next((o for o in OUTCOMES if o == told), "failed")
    message = (
        outcome_text(outcome, company.tools.get(call.name), language) if outcome != "ok" else ""
    )
    return CallRecord(call.id, call.name, _json(call.arguments), outcome, kept.result, message)


def _json(text: str) -> dict[str, Any]:
    try:
        data = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return data if isinstance(data, dict) else {}
