"""What is left of older turns: a line for each call and its outcome, and what a person told.

Values stay as they were written, so that an order number of the third turn can still be used in the
three-hundredth. Nothing here asks a model.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dazi.core.language import Language, Text, language_of
from dazi.core.messages import CallText, Message
from dazi.core.tools import Tool

PERSON = "person"
MOST_SENTENCES = 8
"""So many sentences of one message, the most specific first."""
LONGEST_SENTENCE = 200
LONGEST_VALUE = 80
MOST_VALUES = 8
DONE = Text("已完成", "done")
OPEN = Text("未完成", "not done")
OUTCOMES: Mapping[str, Text] = {
    "needs_confirmation": Text("等待确认", "waits for confirmation"),
    "not_found": Text("没有找到", "not found"),
    "rejected": Text("未同意", "declined"),
    "forbidden": Text("没有权限", "not allowed"),
}

UNSOURCED = frozenset({"invalid", "ungrounded"})
"""Outcomes of calls whose arguments nobody has said and no system has told."""

_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]?")
_RUN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9][A-Za-z0-9_-]{3,63}(?![A-Za-z0-9])")
_VALUE = re.compile(
    r"\d{4}-\d{2}-\d{2}|\d{1,2}月\d{1,2}[日号]|\d[\d,.]*\s{0,2}(?:元|块|万|%|美元)"
    r"|(?:CNY|RMB|USD|[$¥￥])\s{0,2}\d|[\w.+-]{1,64}@[\w-]{1,63}\.",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"我(?:们)?的.{1,20}?(?:是|为|叫|在|改)|我(?:叫|姓|住|在.{1,12}?(?:工作|上班))"
    r"|我.{0,4}?(?:喜欢|偏好|习惯|希望|讨厌|过敏)|(?:地址|电话|邮箱|微信|抬头)(?:是|为|:|：|改)"
    r"|请?记住|以后都?(?:请|用|要|不要|别)"
    r"|\bmy\s+(?:\w+\s+){1,3}(?:is|are)\b|\bI(?:'m| am)\s+(?:called|allergic|at|in|from)\b"
    r"|\bI\s+(?:\w+\s+)?(?:prefer|like|dislike|live|work)\b|\bremember\b|\bfrom now on\b",
    re.IGNORECASE,
)
ABOUT_PERSON, WITH_ID, WITH_VALUE, PLAIN = 3, 2, 1, 0
"""How specific an event is. Those that are least so go first."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was said or done. ``subject``: what it is about; a later event about the same
    takes its place. ``label``: where its values come from, as evidence has it; ``ids`` stand in it.
    ``weight``: how specific it is."""

    subject: str
    outcome: str
    label: str
    ids: tuple[str, ...] = ()
    weight: int = PLAIN

    @property
    def text(self) -> str:
        return f"{self.subject} → {self.outcome}" if self.outcome else self.subject


def events_of(messages: Sequence[Message], tools: Mapping[str, Tool]) -> list[Event]:
    """In the order of ``messages``, which begin and end with whole turns."""
    answers = {m.call_id: m.content for m in messages if m.role == "tool"}
    out: list[Event] = []
    language: Language = "zh"
    for message in messages:
        if message.role == "user":
            language = language_of(message.content)
            out += _told(message.content)
        for call in message.calls:
            event = _called(call, tools.get(call.name), answers.get(call.id), language)
            if event is not None:
                out.append(event)
    return out


def merged(events: Iterable[Event]) -> list[Event]:
    """Of events about the same the last, where it came."""
    out: dict[tuple[str, str], Event] = {}
    for event in events:
        out.pop((event.subject, event.label), None)
        out[event.subject, event.label] = event
    return [*out.values()]


def bounded(events: Sequence[Event], limit: int, count: Callable[[str], int]) -> list[Event]:
    """What of ``events`` takes no more than ``limit`` tokens by ``count``.

    The oldest and least specific go first; of those with ids the ids stay longest.
    """
    kept: list[Event | None] = [*events]
    costs = [count(e.text) + 1 for e in events]
    over = sum(costs) - limit
    for shrink, weights in _STAGES:
        for i, event in enumerate(kept):
            if over <= 0:
                return [e for e in kept if e is not None]
            if event is None or event.weight not in weights:
                continue
            less = shrink(event)
            cost = count(less.text) + 1 if less else 0
            if cost < costs[i]:
                over -= costs[i] - cost
                kept[i], costs[i] = less, cost
    return [e for e in kept if e is not None]


def _nothing(event: Event) -> None:
    return None


def _unless_ids(event: Event) -> Event | None:
    return event if event.ids else None


def _ids_alone(event: Event) -> Event:
    return replace(event, subject=" ".join(event.ids), outcome="") if event.ids else event


_STAGES: tuple[tuple[Callable[[Event], Event | None], frozenset[int]], ...] = (
    (_nothing, frozenset({PLAIN})),
    (_nothing, frozenset({WITH_VALUE})),
    (_ids_alone, frozenset({WITH_ID})),
    (_unless_ids, frozenset({ABOUT_PERSON})),
    (_ids_alone, frozenset({ABOUT_PERSON})),
    (_nothing, frozenset({WITH_ID, ABOUT_PERSON})),
)
"""What is done to events of these weights, oldest first, until they fit."""


def ids_in(text: str) -> tuple[str, ...]:
    """Codes and long numbers, in order, each once."""
    runs = (m[0].rstrip("-_") for m in _RUN.finditer(unicodedata.normalize("NFKC", text)))
    return tuple(dict.fromkeys(r for r in runs if _is_id(r)))


def _is_id(run: str) -> bool:
    digits = sum(c.isdigit() for c in run)
    if any(c.isalpha() for c in run):
        return digits > 1
    return digits >= 6 and _VALUE.fullmatch(run) is None


def _told(text: str) -> list[Event]:
    found: list[Event] = []
    for piece in _pieces(text):
        ids = ids_in(piece)
        if _OWN.search(piece):
            found.append(Event(piece, "", PERSON, ids, ABOUT_PERSON))
        elif ids or _VALUE.search(piece):
            found.append(Event(piece, "", PERSON, ids, WITH_ID if ids else WITH_VALUE))
    best = sorted(range(len(found)), key=lambda i: -found[i].weight)[:MOST_SENTENCES]
    return [found[i] for i in sorted(best)]


def _pieces(text: str) -> Iterator[str]:
    """Sentences, long ones cut: no pattern ever sees more at once."""
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        for start in range(0, len(sentence), LONGEST_SENTENCE):
            yield sentence[start : start + LONGEST_SENTENCE]


def _called(
    call: CallText, tool: Tool | None, answer: str | None, language: Language
) -> Event | None:
    """``None`` where the model meant a tool that there is not. What it wrote itself is told only where
    the router has found a source for it: an event is evidence later on."""
    told = _json(answer) if answer is not None else None
    failed = str(told.get("error", "")) if isinstance(told, Mapping) else ""
    if failed == "unknown_tool":
        return None
    sourced = tool is not None and answer is not None and failed not in UNSOURCED
    arguments = _json(call.arguments)
    values = arguments.values() if sourced and isinstance(arguments, Mapping) else ()
    given = ", ".join(_scalar(v) for v in values if v not in (None, "", []))
    what = (tool.description(language) if tool else call.name).rstrip("。.").split("\n")[0]
    subject = what[:LONGEST_VALUE]
    if given:
        subject += f"({given[: 3 * LONGEST_VALUE]})"
    outcome = _outcome(told, tool, language) if answer is not None else OPEN(language)
    ids = ids_in(f"{subject} {outcome}")
    label = tool.label if tool else f"tool:{call.name}"
    return Event(subject, outcome, label, ids, WITH_ID if ids else WITH_VALUE)


def _outcome(content: Any, tool: Tool | None, language: Language) -> str:
    if isinstance(content, Mapping):
        error = content.get("error")
        if isinstance(error, str):
            known = OUTCOMES.get(error)
            return known(language) if known else error
        pairs = list(_pairs(content))
        if pairs:
            changed = tool is not None and tool.effect != "read"
            return ", ".join([DONE(language), *pairs] if changed else pairs)
        return DONE(language)
    return (
        _scalar(content)[: 2 * LONGEST_VALUE] if content not in (None, "", []) else DONE(language)
    )


def _pairs(content: Mapping[str, Any]) -> Iterator[str]:
    """The values that a result shows, of a list the first rows."""
    for name, value in [*content.items()][:MOST_VALUES]:
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            for row in value[:MOST_VALUES]:
                yield " ".join(_scalar(v) for v in [*row.values()][:4])
        elif value not in (None, "", [], {}):
            yield f"{name} {_scalar(value)}"


def _scalar(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return " ".join(text.split())[:LONGEST_VALUE]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
