"""What a model is asked, with pseudonyms for what ``guard.yaml`` keeps from it.

They follow from the request alone, numbered as they first come up: nothing is kept between two
requests, a conversation that goes on begins as it did, and no two people have anything in common.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from dazi.core.engine import GenerateRequest
from dazi.core.messages import CallText, Message, dumps
from dazi.core.principal import Principal
from dazi.guard.data import LONG_NUMBER
from dazi.guard.engine import Guard
from dazi.guard.hidden_tools import admitting, told
from dazi.guard.pseudonyms import Place, Pseudonyms
from dazi.guard.rules import Hidden

_DIGITS = len(str(LONG_NUMBER))
_TOKEN = re.compile(
    rf'"(?:[^"\\]|\\.)*"(\s*:)?|(?<![\w.+-])-?[0-9]{{{_DIGITS},}}(?![\w.])', re.DOTALL
)
"""Of JSON: strings, with the colon behind a name, and long integers."""


class Hider:
    """Of one request."""

    def __init__(self, guard: Guard, hidden: Hidden) -> None:
        self._guard = guard
        self._hidden = hidden
        self.pseudonyms = Pseudonyms()

    def request(self, request: GenerateRequest) -> GenerateRequest:
        """``request`` itself where there is nothing to hide."""
        said, every = self._hidden.said, self._hidden.every
        # What stands at the beginning of a prompt is numbered first.
        tools = [told(t, lambda text: self.text(text, said)) for t in request.tools]
        messages = tuple([self._message(m) for m in request.messages])
        prefix = self.text(request.prefix, every)
        stop = tuple(self.text(s, said) for s in request.sampling.stop)
        # Candidates come of more than the messages that are left of a long conversation.
        for tool in tools:
            admitting(tool, self.pseudonyms, self._alike)
        if not self.pseudonyms:
            return request
        return replace(
            request,
            messages=messages,
            tools=tuple([admitting(t, self.pseudonyms, self._alike) for t in tools]),
            prefix=prefix,
            sampling=replace(request.sampling, stop=stop),
        )

    def text(self, text: str, types: frozenset[str]) -> str:
        return self.pseudonyms.hide(text, self._guard.places(text, types))

    def _alike(self, text: str) -> str:
        return self.pseudonyms.hide(text, self._guard.places(text, self._hidden.every), alike=True)

    def _message(self, message: Message) -> Message:
        if message.images:
            raise ValueError("nobody can tell what is in a picture")
        match message.role:
            case "tool":
                content = self._data(message.content, self._hidden.found)
            case "assistant":
                content = self.text(message.content, self._hidden.every)
            case _:
                content = self.text(message.content, self._hidden.said)
        calls = tuple([self._call(c) for c in message.calls])
        return Message(message.role, content, calls, message.call_id)

    def _call(self, call: CallText) -> CallText:
        return CallText(call.id, call.name, self._data(call.arguments, self._hidden.every))

    def _data(self, text: str, types: frozenset[str]) -> str:
        """JSON keeps its form; each text in it is looked at by itself, and behind its name."""
        if not _is_json(text):
            return self.text(text, types)
        name = ""

        def hidden(m: re.Match[str]) -> str:
            nonlocal name
            token = m[0].removesuffix(m[1] or "")
            value = json.loads(token) if token[0] == '"' else token
            given = self.pseudonyms.hide(value, self._labelled(value, "" if m[1] else name, types))
            if m[1]:
                name = value
            return m[0] if given == value else dumps(given) + (m[1] or "")

        return _TOKEN.sub(hidden, text)

    def _labelled(self, value: str, name: str, types: frozenset[str]) -> list[Place]:
        places = self._guard.places(value, types)
        if not name:
            return places
        before = len(name) + 2
        behind = self._guard.places(f"{name}: {value}", types)
        places += [(max(s - before, 0), e - before, t) for s, e, t in behind if e > before]
        return _apart(places)


def hidden_text(guard: Guard, text: str, principal: Principal) -> str:
    """What a person says, for a model that gives nothing back in words."""
    hidden = guard.hidden(principal)
    return text if hidden is None else Hider(guard, hidden).text(text, hidden.said)


def _apart(places: Iterable[Place]) -> list[Place]:
    """Places that overlap become one."""
    out: list[Place] = []
    for start, end, type_ in sorted(places):
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]), out[-1][2])
        else:
            out.append((start, end, type_))
    return out


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return False
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError, msgspec.DecodeError):
        return False
    return True
