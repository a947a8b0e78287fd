"""What a person needs to know of a conversation that is handed to them, by code.

What was asked, what was looked up and came out, what is open, and the last messages. A model may word
it; ``worded`` keeps its words only if every number and id in them was in the conversation.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dazi.core.language import Language, Text, language_of
from dazi.core.messages import Message
from dazi.core.tools import Tool
from dazi.memory.events import events_of, ids_in

MOST_ASKED, MOST_LOOKED_UP, LAST = 6, 8, 6
LONGEST = 300
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_THANKS = re.compile(r"\s*(谢谢|多谢|好的?|嗯|ok|okay|thanks?( you)?|hi|hello|您好|你好)\W*", re.I)
ASKED = Text("客户问了", "Asked")
LOOKED_UP = Text("查过", "Looked up")
OPEN = Text("还没解决", "Open")
NOTHING = Text("还没有对话。", "Nothing was said yet.")
WHY_OPEN: Mapping[str, Text] = {
    "not_found": Text("没有查到", "nothing was found"),
    "forbidden": Text("客户自己无权办理", "the customer may not do this"),
    "needs_confirmation": Text("等待确认", "waits for confirmation"),
    "unavailable": Text("系统不可用", "the system was unavailable"),
    "timeout": Text("系统超时", "the system took too long"),
    "unanswered": Text("最后一句还没有回答", "the last message has no answer"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """``who``: customer, assistant."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """``open``: what did not work out, with the reason. ``orders``: that the host looked up with
    success for this customer. ``wording``: a model's words for it, checked."""

    language: Language
    asked: tuple[str, ...] = ()
    looked_up: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    last: tuple[Said, ...] = ()
    orders: tuple[str, ...] = ()
    wording: str = ""

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def text(self) -> str:
        language = self.language
        parts = [
            f"{head(language)}:\n" + "\n".join(f"- {line}" for line in lines)
            for head, lines in (
                (ASKED, self.asked),
                (LOOKED_UP, self.looked_up),
                (OPEN, self.open),
            )
            if lines
        ]
        return "\n".join(([self.wording] if self.wording else []) + parts) or NOTHING(language)


def summarise(
    messages: Sequence[Message], tools: Mapping[str, Tool], order_parameter: str = ""
) -> Summary:
    """Of a thread's messages in order."""
    said = [m for m in messages if m.role == "user"]
    language = language_of(*(m.content for m in reversed(said))) if said else "zh"
    asked = [_short(m.content) for m in said if not _THANKS.fullmatch(m.content)]
    found = events_of(messages, tools)
    calls = [e for e in found if e.label != "person"]
    last = [
        Said("customer" if m.role == "user" else "assistant", _short(m.content))
        for m in messages
        if m.role in ("user", "assistant") and m.content.strip()
    ]
    return Summary(
        language,
        tuple(dict.fromkeys(asked))[-MOST_ASKED:],
        tuple(dict.fromkeys(_short(e.text) for e in calls))[-MOST_LOOKED_UP:],
        tuple(_open(messages, tools, language)),
        tuple(last[-LAST:]),
        verified_orders(messages, order_parameter),
    )


def verified_orders(messages: Sequence[Message], parameter: str) -> tuple[str, ...]:
    """Orders that a call gave a result for: the one it was asked about, and of several in a result
    those that the customer named. What nobody looked up, or was not found, is none."""
    if not parameter:
        return ()
    answers = {m.call_id: _json(m.content) for m in messages if m.role == "tool"}
    said = {i for m in messages if m.role == "user" for i in ids_in(m.content.upper())}
    out: dict[str, None] = {}
    for message in messages:
        for call in message.calls:
            answer = answers.get(call.id)
            if not isinstance(answer, Mapping) or "error" in answer:
                continue
            arguments = _json(call.arguments)
            given = arguments.get(parameter) if isinstance(arguments, Mapping) else None
            shown = list(_values(answer, parameter))
            if given and (not shown or str(given) in shown):
                out[str(given)] = None
            out |= dict.fromkeys(s for s in shown if s in said)
    return tuple(out)


def unfounded(text: str, conversation: Iterable[str]) -> list[str]:
    """Numbers and ids in ``text`` that nobody and no result in the conversation has said."""
    told = unicodedata.normalize("NFKC", "\n".join(conversation)).upper()
    known = set(_NUMBER.findall(told)) | {i.upper() for i in ids_in(told)}
    plain = unicodedata.normalize("NFKC", text).upper()
    return [x for x in (*_NUMBER.findall(plain), *ids_in(plain)) if x not in known]


def _open(
    messages: Sequence[Message], tools: Mapping[str, Tool], language: Language
) -> Iterable[str]:
    answers = {m.call_id: _json(m.content) for m in messages if m.role == "tool"}
    done: dict[tuple[str, str], str] = {}
    for message in messages:
        for call in message.calls:
            answer = answers.get(call.id)
            error = answer.get("error") if isinstance(answer, Mapping) else None
            done[call.name, call.arguments] = str(error) if isinstance(error, str) else ""
    for (name, arguments), error in done.items():
        if error:
            tool = tools.get(name)
            what = tool.description(language) if tool else name
            given = _json(arguments)
            shown = ", ".join(str(v) for v in given.values()) if isinstance(given, Mapping) else ""
            why = WHY_OPEN[error](language) if error in WHY_OPEN else error
            yield _short(f"{what}({shown}): {why}")
    spoken = [m for m in messages if m.role == "user" or (m.role == "assistant" and m.content)]
    if spoken and spoken[-1].role == "user":
        yield f"{_short(spoken[-1].content)}: {WHY_OPEN['unanswered'](language)}"


def _values(found: Any, name: str) -> Iterable[str]:
    if isinstance(found, Mapping):
        if isinstance(found.get(name), str):
            yield found[name]
        for value in found.values():
            yield from _values(value, name)
    elif isinstance(found, list):
        for value in found:
            yield from _values(value, name)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
