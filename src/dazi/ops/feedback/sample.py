"""A sample to train on, made from an entry: personal data replaced by the guard's stand-ins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import Struct

from dazi.audit.private import Private
from dazi.core.engine import GenerateRequest
from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.core.messages import CallText, Message, dumps
from dazi.guard.engine import Guard
from dazi.guard.hiding import Hider
from dazi.guard.rules import Hidden
from dazi.ops.feedback.model import Call, Content, Entry
from dazi.ops.feedback.turns import NOT_RUN

SampleKind = Literal["chat", "call", "qa", "text", "class"]
LONGEST_RESULT = 4_000
"""Characters of a result's JSON; with a longer one the sample ends before it."""
MOST_MESSAGES, LONGEST_MESSAGE = 40, 8_000
WELL = frozenset({"ok", "not_found", "needs_confirmation", "client"})
"""Outcomes of calls that were right to propose."""


class SampleCall(Struct, forbid_unknown_fields=True):
    name: str
    arguments: dict[str, Any]


class SampleMessage(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """``name``: of the tool whose result it is."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: list[SampleCall] = []
    name: str = ""


class Sample(Struct, forbid_unknown_fields=True):
    """As a line of a dataset has it (docs/*/learning.md)."""

    id: str
    conversation: str
    kind: SampleKind
    language: Language
    messages: list[SampleMessage]
    tools: list[str]
    role: str
    today: str
    source: dict[str, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """``role`` of whom it is about; ``person`` stands for them; ``consent``: on what ground it is used."""

    role: str
    person: str
    consent: str


def proposed(entry: Entry, guard: Guard, origin: Origin) -> Sample | None:
    """What could be learned from ``entry``; ``None`` where nobody said what would have been right."""
    made = _messages(entry.kind, entry.thumb, entry.content)
    if made is None:
        return None
    hidden = without_personal(guard, made)
    c = entry.content
    called = any(m.calls for m in hidden)
    kind: SampleKind = "call" if called else "qa" if entry.kind == "draft" else "chat"
    return Sample(
        sample_id(entry),
        _conversation(entry),
        kind,
        c.language,
        [_plain(m, names) for m, names in zip(hidden, _names(hidden), strict=True)],
        sorted({*c.offered, *(call.name for m in hidden for call in m.calls)}),
        origin.role,
        c.today,
        {
            "kind": "feedback",
            "ref": entry.id,
            "user": origin.person,
            "licence": "company",
            "consent": origin.consent,
        },
    )


def sample_id(entry: Entry) -> str:
    """What its sample is called in datasets."""
    return id_of_sample(entry.id)


def id_of_sample(entry: str) -> str:
    return f"feedback-{entry}"


def checked(given: Mapping[str, Any], like: Sample, guard: Guard) -> Sample:
    """A reviewer's version of ``like``: only its messages and kind are theirs to change, and what is
    personal in them is replaced as well. Raises ``CallerError`` for one that cannot be learned from."""
    try:
        messages = msgspec.convert(given.get("messages"), list[SampleMessage])
        kind = msgspec.convert(given.get("kind", like.kind), SampleKind)
    except msgspec.ValidationError as e:
        said = " ".join(str(e).split())
        raise CallerError(
            "sample", f"样本写得不对:{said}", f"the sample is wrong: {said}"
        ) from None
    roles = [m.role for m in messages]
    long = any(len(m.content) > LONGEST_MESSAGE for m in messages)
    if not messages or len(messages) > MOST_MESSAGES or long:
        raise CallerError(
            "sample",
            f"样本有 1 到 {MOST_MESSAGES} 条消息,每条最多 {LONGEST_MESSAGE} 字",
            f"a sample has 1 to {MOST_MESSAGES} messages of up to {LONGEST_MESSAGE} characters",
        )
    last = messages[-1]
    if "user" not in roles or last.role != "assistant" or not (last.content or last.tool_calls):
        raise CallerError(
            "sample",
            "样本要有用户的话,并以助手的回答或调用结尾",
            "a sample needs the user's words and ends with the assistant's answer or call",
        )
    hidden = without_personal(guard, [_message(m, i) for i, m in enumerate(messages)])
    plain = [_plain(m, given.name or "") for m, given in zip(hidden, messages, strict=True)]
    tools = sorted({*like.tools, *(c.name for m in plain for c in m.tool_calls)})
    return msgspec.structs.replace(like, messages=plain, kind=kind, tools=tools)


def without_personal(guard: Guard, messages: Sequence[Message]) -> list[Message]:
    """The same with stand-ins for whatever the guard recognises, the same one for the same thing."""
    every = frozenset(r.type for r in guard.recognisers)
    hider = Hider(guard, Hidden(every, every, every))
    return list(hider.request(GenerateRequest(tuple(messages))).messages)


def hidden_text(guard: Guard, text: str) -> str:
    """One text with stand-ins, as reviewers see it."""
    (message,) = without_personal(guard, [Message("user", text)])
    return message.content


def hidden_data(guard: Guard, value: Any) -> Any:
    """Arguments, or a result, with stand-ins; text where that is no JSON any more."""
    if value is None:
        return None
    (message,) = without_personal(guard, [Message("tool", dumps(value))])
    try:
        return json.loads(message.content)
    except ValueError:
        return message.content


def person_in(private: Private, user: str) -> str:
    """Stands for somebody in datasets, in a way that nobody can find out by trying names; as long as
    their key is there it is the same every time."""
    return private.digest(user, "datasets")[:32]


def leading(roles: Sequence[str], included: Mapping[str, frozenset[str]]) -> str:
    """Of somebody's roles the one that says the most: it includes most of the others."""
    return max(sorted(roles), key=lambda r: len(included.get(r, frozenset({r}))), default="")


def _messages(kind: str, thumb: str, c: Content) -> list[Message] | None:
    match kind:
        case "answer":
            last = c.correction or (c.answer if thumb == "up" else "")
            if not last or not c.said:
                return None
            called, whole = _called(c.calls)
            if whole:
                return [Message("user", c.said), *called, Message("assistant", last)]
            # The answer rests on what is not here: nobody should learn to give it without. A call that
            # was right is worth learning by itself.
            ends = thumb == "up" and not c.correction and called and called[-1].calls
            return [Message("user", c.said), *called] if ends else None
        case "call":
            if not c.said or c.right is None or not c.calls:
                return None
            call = CallText("c0", c.calls[0].name, dumps(dict(c.right)))
            return [Message("user", c.said), Message("assistant", "", (call,))]
        case "draft":
            if not c.said or not c.sent:
                return None
            return [Message("user", c.said), Message("assistant", c.sent)]
    return None


def _called(calls: Sequence[Call]) -> tuple[list[Message], bool]:
    """The calls with their results, and whether that is all of them: up to the first one whose result is
    not known or too long, which is the last message, or that did not go well, which is left out."""
    out: list[Message] = []
    for i, call in enumerate(calls):
        if call.outcome in NOT_RUN:
            continue
        if call.outcome not in WELL:
            return out, False
        made = CallText(f"c{i}", call.name, dumps(dict(call.arguments)))
        out.append(Message("assistant", "", (made,)))
        result = "" if call.result is None else dumps(call.result)
        if not result or len(result) > LONGEST_RESULT:
            return out, False
        out.append(Message("tool", result, (), made.id))
    return out, True


def _names(messages: Sequence[Message]) -> list[str]:
    """Of the tools whose results these are."""
    by_call = {c.id: c.name for m in messages for c in m.calls}
    return [by_call.get(m.call_id, "") if m.role == "tool" else "" for m in messages]


def _message(m: SampleMessage, i: int) -> Message:
    calls = tuple(
        CallText(f"c{i}_{n}", c.name, dumps(c.arguments)) for n, c in enumerate(m.tool_calls)
    )
    return Message(m.role, m.content, calls)


def _plain(m: Message, name: str) -> SampleMessage:
    calls = [SampleCall(c.name, json.loads(c.arguments)) for c in m.calls]
    return SampleMessage(m.role, m.content, calls, name)


def _conversation(entry: Entry) -> str:
    """Tells conversations apart and says nothing else: callers name theirs."""
    where = entry.content.thread or entry.item
    told = json.dumps([entry.tenant, entry.user, where])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
