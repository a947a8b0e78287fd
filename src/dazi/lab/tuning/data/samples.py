"""A sample on its way into a dataset, and as it is written there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Literal, get_args

import msgspec

from dazi.core.language import Language, language_of
from dazi.core.messages import Role, dumps

Kind = Literal["chat", "call", "qa", "text", "class"]
SourceKind = Literal["thread", "ticket", "tool_log", "document", "file", "phrasings", "feedback"]
ID = 16


class Call(msgspec.Struct):
    name: str
    arguments: dict[str, Any] = {}


class Said(msgspec.Struct, omit_defaults=True):
    """``name``: of a tool's result, the tool. ``learn``: of an assistant's message, whether it is
    taught or only part of the story."""

    role: Role
    content: str = ""
    tool_calls: list[Call] = []
    name: str = ""
    learn: bool = True


class Origin(msgspec.Struct, omit_defaults=True):
    """``ref`` finds the source again; ``span``: characters of the passage that an answer is.
    ``user`` is the person's name until it is made a mark (``personal``)."""

    kind: SourceKind
    ref: str
    user: str = ""
    licence: str = ""
    consent: str = ""
    span: tuple[int, int] | None = None
    by: str = ""
    """The model that wrote it, where one did."""


class Sample(msgspec.Struct, omit_defaults=True):
    """What the dataset holds of it."""

    id: str
    conversation: str
    kind: Kind
    language: str
    messages: list[Said]
    source: Origin
    tools: list[str] = []
    label: str = ""
    role: str = ""
    today: str = ""


class Draft(msgspec.Struct, omit_defaults=True):
    """A sample under way, with what nobody needs later.

    ``of``: which of the recipe's sources. ``at``: when it was said, in seconds since the epoch, 0 where
    nobody knows. ``rated``: below 0 where people said that it did not help. ``path``: headings above a
    passage; ``title``: its document's. ``group``: what must not be parted. ``marked``: it was in another
    dataset, and its person is a mark already.
    """

    sample: Sample
    of: int = 0
    at: float = 0.0
    rated: int = 0
    title: str = ""
    path: list[str] = []
    group: int = -1
    passage: bool = False
    marked: bool = False


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Draft).decode


def identified(draft: Draft) -> Draft:
    """With an id that follows from where it comes from and what it says."""
    s = draft.sample
    content = msgspec.json.encode([s.source.kind, s.source.ref, s.messages, s.label])
    s.id = hashlib.sha256(content).hexdigest()[:ID]
    if s.language not in get_args(Language):
        s.language = language_of(" ".join(m.content for m in s.messages if m.role == "user"))
    return draft


def said(sample: Sample) -> Iterator[str]:
    """Every text of it that somebody wrote, calls as JSON; results of tools not."""
    for message in sample.messages:
        if message.role == "tool":
            continue
        if message.content:
            yield message.content
        for call in message.tool_calls:
            yield f"{call.name} {dumps(call.arguments)}"


def whole(sample: Sample) -> str:
    return "\n".join([*said(sample), sample.label] if sample.label else said(sample))
