"""Recordings in their files: a header, then one recording a line.

What repeats within a stream (the envelope of its chunks) is listed under ``shared`` and stands as
one private-use character in ``stream``; put back, the bytes are those of the server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

from dazi.core.engine import GenerateRequest, OfferedTool
from dazi.core.messages import Message
from tests.inference.recordings.tools import TOOLS

FOLDER = Path(__file__).parent
_FIRST_MARK = 0xE000
_MARKS = 6
_NOT_TEXT = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer comes to. ``error``: the code of the error in its place."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    usage: tuple[int, int, int] = (0, 0, 0)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    name: str
    body: bytes
    status: int = 200
    tools: tuple[str, ...] = ()
    choice: str = "auto"
    thinking: bool = False
    whole: bool = False
    origin: str = ""
    source: str = ""

    @property
    def request(self) -> GenerateRequest:
        offered = tuple(
            OfferedTool(t["name"], t["description"], t["parameters"])
            for t in map(TOOLS.__getitem__, self.tools)
        )
        return GenerateRequest(
            (Message("user", "嗯"),),
            offered,
            self.choice,  # type: ignore[arg-type]
            thinking=self.thinking,
            whole=self.whole,
        )


@cache
def recordings() -> tuple[tuple[Answer, Outcome], ...]:
    return tuple(_read())


def _read() -> Iterator[tuple[Answer, Outcome]]:
    for file in sorted(FOLDER.glob("*.jsonl")):
        head, *lines = [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]
        for line in lines:
            said = {**head, **line}
            yield (
                Answer(
                    f"{file.stem}: {said['name']}",
                    _whole(said.get("stream", ""), said.get("shared", ())),
                    said.get("status", 200),
                    tuple(said.get("tools", TOOLS)),
                    said.get("choice", "auto"),
                    said.get("thinking", False),
                    said.get("whole", False),
                    said["origin"],
                    said.get("source") or said.get("server", ""),
                ),
                _outcome(said["expect"]),
            )


def _outcome(said: dict[str, Any]) -> Outcome:
    calls = tuple((name, arguments) for name, arguments in said.get("calls", ()))
    p, c, cached = said.get("usage", (0, 0, 0))
    return Outcome(
        said.get("text", ""),
        said.get("reasoning", ""),
        calls,
        said.get("reason", ""),
        (p, c, cached),
        said.get("error", ""),
    )


def _whole(text: str, shared: list[str]) -> bytes:
    for i, part in reversed(list(enumerate(shared))):
        text = text.replace(chr(_FIRST_MARK + i), part)
    return text.encode("utf-8", "surrogateescape")


def json_line(line: dict[str, Any]) -> str:
    """Escaped only where the stream holds bytes that are no UTF-8."""
    text = json.dumps(line, ensure_ascii=False)
    return text if not _NOT_TEXT.search(text) else json.dumps(line)


def packed(answer: Answer, outcome: Outcome, prescribed: str = "") -> dict[str, Any]:
    """The line of a file; what is the default is left out."""
    text = answer.body.decode("utf-8", "surrogateescape")
    shared: list[str] = []
    while len(shared) < _MARKS and (part := _repeated(text)):
        text = text.replace(part, chr(_FIRST_MARK + len(shared)))
        shared.append(part)
    said = {
        "text": outcome.text,
        "reasoning": outcome.reasoning,
        "calls": outcome.calls,
        "reason": outcome.reason,
        "usage": outcome.usage if any(outcome.usage) else None,
        "error": outcome.error,
    }
    line: dict[str, Any] = {
        "name": answer.name,
        "source": answer.source,
        "status": answer.status if answer.status != 200 else None,
        "choice": answer.choice if answer.choice != "auto" else None,
        "thinking": answer.thinking,
        "whole": answer.whole,
        "prescribed": prescribed,
        "shared": shared,
        "stream": text,
        "expect": {k: v for k, v in said.items() if v},
    }
    line = {k: v for k, v in line.items() if v}
    return line if answer.tools == tuple(TOOLS) else {**line, "tools": answer.tools}


def _repeated(text: str) -> str:
    """What is worth most to write only once, of the beginnings and ends of neighbouring lines."""
    lines = [line for line in text.split("\n") if line]
    pairs = list(pairwise(lines))
    found = {_common(a, b) for a, b in pairs}
    found |= {_common(a[::-1], b[::-1])[::-1] for a, b in pairs}
    worth = {part: (text.count(part) - 1) * len(part) for part in found if len(part) > 12}
    best = max(sorted(worth), key=worth.__getitem__, default="")
    return best if worth.get(best, 0) > 40 else ""


def _common(a: str, b: str) -> str:
    """What both begin with."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))
    return "".join(x for x, _ in same)


_CALL = re.compile(
    r'\s*\{\s*"name"\s*:\s*"(?P<name>[^"]*)"\s*,\s*"arguments"\s*:\s*(?P<arguments>.*)\}\s*', re.S
)


def reference(answer: Answer) -> Outcome:
    """What a well-formed answer comes to, read as a whole and in the simplest way.

    For recordings of a server, where it gives the first draft of what is then looked at.
    """
    if answer.status != 200:
        return Outcome(error="?")
    parts = [
        json.loads(line.removeprefix("data: "))
        for line in answer.body.decode().split("\n")
        if line.startswith(("data: {", "{"))
    ]
    choices = [c for part in parts for c in part["choices"]]
    deltas = [c.get("delta") or c.get("message") or {} for c in choices]
    content = "".join(d.get("content") or "" for d in deltas)
    reasoning = "".join(d.get("reasoning") or "" for d in deltas)
    calls: dict[int, list[str]] = {}
    for delta in deltas:
        for place, call in enumerate(delta.get("tool_calls") or ()):
            name, arguments = calls.setdefault(call.get("index", place), ["", ""])
            function = call["function"]
            name += function.get("name") or ""
            arguments += function.get("arguments") or ""
            calls[call.get("index", place)] = [name, arguments]
    said = [(name, arguments or "{}") for name, arguments in calls.values()]
    if answer.thinking and not reasoning and "</think>" in content and "<think>" not in content:
        content = "<think>" + content
    if said:
        content = content.strip()
    if thoughts := re.findall(r"<think>(.*?)(?:</think>|\Z)", content, re.S):
        reasoning += "".join(t.strip() for t in thoughts)
        content = _without(r"<think>.*?(?:</think>|\Z)", content)
    if answer.tools and "<tool_call>" in content:
        blocks = re.findall(r"<tool_call>(.*?)(?:</tool_call>|\Z)", content, re.S)
        content = _without(r"<tool_call>.*?(?:</tool_call>|\Z)", content)
        if answer.choice != "none":
            matches = [_CALL.fullmatch(block) for block in blocks]
            said += [(m["name"], m["arguments"]) if m else ("?", b)
                     for m, b in zip(matches, blocks, strict=True)]  # fmt: skip
    reason = next(c["finish_reason"] for c in reversed(choices) if c["finish_reason"])
    usage = next((p["usage"] for p in reversed(parts) if p.get("usage")), {})
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Outcome(
        content,
        reasoning,
        tuple(said),
        reason if reason == "length" else "tool_calls" if said else "stop",
        (usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0), cached),
    )


def _without(pattern: str, text: str) -> str:
    """Blocks taken out, and the white space around them."""
    first, *rest = re.split(rf"\s*{pattern}\s*", text, flags=re.S)
    return first + "".join(rest)
