"""Stage 3: personal data becomes stand-ins, the same one for the same value all through a conversation.

A stand-in is what a model sees when the guard pseudonymises (``[手机1]``), so that what is learnt is
what is met later. What is recognised is the guard's business; after replacing, its recognisers look
again, and a sample in which they still find something is refused. Whose a sample is becomes a mark.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from dazi.guard.data import LONG_NUMBER
from dazi.guard.engine import Guard
from dazi.guard.pseudonyms import Pseudonyms
from dazi.lab.tuning.data.samples import Draft, Sample, identified
from dazi.lab.tuning.data.work import Refusing, Replay, Step

REMEMBERED = 10_000
"""Conversations whose stand-ins are kept while others come in between."""


class Personal:
    """``replace``: else samples with personal data are refused. ``mark``: of a person's name."""

    def __init__(self, guard: Guard, mark: Callable[[str], str], *, replace: bool) -> None:
        self._guard = guard
        self._mark = mark
        self._replace = replace
        self._types = frozenset(r.type for r in guard.recognisers)
        self._known: OrderedDict[str, Pseudonyms] = OrderedDict()

    def fault(self, draft: Draft) -> str:
        """Why it cannot be used; empty where it can. Changes what it says."""
        sample = draft.sample
        if self._any(sample):
            if not self._replace:
                return "personal"
            names = self._of(sample.conversation)
            for message in sample.messages:
                message.content = self._hidden(message.content, names)
                for call in message.tool_calls:
                    call.arguments = self._mapped(call.arguments, names, "")
            sample.label = self._hidden(sample.label, names)
            identified(draft)  # or a number could be found by trying: the id was made of it
            if self._any(sample):
                return "personal_left"
        sample.conversation = self._named(sample)
        if sample.source.user and not draft.marked:
            sample.source.user = self._mark(sample.source.user)
        return ""

    def _named(self, sample: Sample) -> str:
        """Its conversation; a mark where a file calls that by a number or the person's name."""
        about, _, given = sample.conversation.partition("#")
        if given and (given == sample.source.user or self._guard.places(given, self._types)):
            return f"{about}#{self._mark(sample.conversation)}"
        return sample.conversation

    def _of(self, conversation: str) -> Pseudonyms:
        found = self._known.pop(conversation, None) or Pseudonyms()
        self._known[conversation] = found
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _any(self, sample: Sample) -> bool:
        return any(self._guard.places(text, self._types) for text in _all_texts(sample))

    def _hidden(self, text: str, names: Pseudonyms, label: str = "") -> str:
        """``label``: the name that a value stands behind, by which some are known only."""
        places = self._guard.places(text, self._types)
        if not places and label:
            ahead = len(label) + 2
            behind = self._guard.places(f"{label}: {text}", self._types)
            places = [(start - ahead, end - ahead, t) for start, end, t in behind if start >= ahead]
        return names.hide(text, places, alike=True)

    def _mapped(self, data: Any, names: Pseudonyms, label: str) -> Any:
        if isinstance(data, dict):
            return {k: self._mapped(v, names, str(k)) for k, v in data.items()}
        if isinstance(data, list):
            return [self._mapped(v, names, label) for v in data]
        if isinstance(data, str):
            return self._hidden(data, names, label)
        if _is_long(data):
            hidden = self._hidden(str(data), names, label)
            return data if hidden == str(data) else hidden
        return data


def _is_long(data: Any) -> bool:
    return isinstance(data, int) and not isinstance(data, bool) and abs(data) >= LONG_NUMBER


def _all_texts(sample: Sample) -> Iterator[str]:
    for message in sample.messages:
        yield message.content
        for call in message.tool_calls:
            yield from _texts(call.arguments, "")
    yield sample.label


def _texts(data: Any, label: str) -> Iterator[str]:
    """Values by themselves and behind their names."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _texts(value, str(name))
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value, label)
    elif isinstance(data, str) or _is_long(data):
        yield str(data)
        if label:
            yield f"{label}: {data}"


def replaced(personal: Personal) -> Step:
    def step(drafts: Replay, refuse: Refusing) -> Iterator[Draft]:
        for draft in drafts():
            if why := personal.fault(draft):
                refuse(draft, why)
            else:
                yield draft

    return step
