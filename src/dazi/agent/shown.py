"""What leaves a turn, after the guard: words as they stream, tables, charts and results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.core.turn import (
    AnswerDelta,
    Attachment,
    CallFinished,
    CallRecord,
    ReasoningStep,
    TurnEvent,
)
from dazi.guard.data import guarded_data
from dazi.guard.engine import Guard
from dazi.guard.stream import StreamFilter


class Shown:
    """Of one turn. ``answer`` is what was given out of it."""

    def __init__(self, guard: Guard, principal: Principal, language: Language) -> None:
        self._guard = guard
        self._principal = principal
        self._language = language
        self._said: StreamFilter | None = None
        self._thought: StreamFilter | None = None
        self._nothing = not guard.rules.of("output", principal)
        if not self._nothing:
            self._said = StreamFilter(guard, principal, language)
            self._thought = StreamFilter(guard, principal, language)
        self.answer = ""

    def event(self, event: TurnEvent) -> TurnEvent | None:
        """``event`` as it may be given out; nothing of it yet where that is not clear."""
        match event:
            case AnswerDelta(text):
                return self._delta(self._said.push(text) if self._said else text)
            case ReasoningStep(text) if self._thought:
                text = self._thought.push(text)
                return ReasoningStep(text) if text else None
            case CallFinished(record):
                return CallFinished(self.call(record))
            case Attachment():
                return self.attachment(event)
            case _:
                return event

    def rest(self) -> TurnEvent | None:
        return self._delta(self._said.finish()) if self._said else None

    def call(self, record: CallRecord) -> CallRecord:
        if self._nothing or record.result is None:
            return record
        return replace(record, result=self._data(record.result))

    def attachment(self, attachment: Attachment) -> Attachment:
        if self._nothing:
            return attachment
        data: Mapping[str, Any] = self._data(attachment.data)
        return replace(attachment, data=data)

    def _delta(self, text: str) -> AnswerDelta | None:
        self.answer += text
        return AnswerDelta(text) if text else None

    def _data(self, data: Any) -> Any:
        return guarded_data(self._guard, data, "output", self._principal, self._language)
