"""Lines of the log: one JSON object each, or text for a terminal.

A line says which request it belongs to. What may hold something personal (a message, an error's
words) goes through ``clean`` before it leaves the process; a traceback is told without the values in
it: only which places of the program it went through, and the kind of the error.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, Literal

import msgspec

from dazi.observe.instruments import Counter

Form = Literal["text", "json"]
Clean = Callable[[str], str]
REQUEST: ContextVar[str] = ContextVar("dazi.request", default="")
"""The id of the request that is being worked on, set where it comes in."""
TRACE: ContextVar[str] = ContextVar("dazi.trace", default="")
"""Its ``traceparent``, where it belongs to a trace."""
LONGEST = 4_000
CUT = "…"
DEEPEST = 20


def as_it_is(text: str) -> str:
    return text


class Lines(logging.Formatter):
    """Formats records; never raises for what is in one."""

    def __init__(self, form: Form, clean: Clean = as_it_is) -> None:
        super().__init__()
        self._form = form
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        try:
            said = record.getMessage()
        except Exception:  # a wrong placeholder must not lose the line
            said = str(record.msg)
        said = self._told(said)
        error = record.exc_info[1] if record.exc_info else None
        if self._form == "text":
            time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
            line = f"{time} {record.levelname.lower()} {record.name}: {said}"
            return f"{line}\n  {chr(10).join(places(error))}" if error else line
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        body: dict[str, object] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": said,
        }
        if request := REQUEST.get():
            body["request"] = request
        if trace := TRACE.get():
            _, body["trace_id"], body["span_id"], _ = trace.split("-")
        if error is not None:
            body["error"] = {"type": type(error).__qualname__, "at": places(error)}
        return msgspec.json.encode(body).decode()

    def _told(self, said: str) -> str:
        said = said if len(said) <= LONGEST else said[:LONGEST] + CUT
        try:
            return self._clean(said)
        except Exception:  # what could not be looked through is not told
            return "(a line that could not be checked)"


def places(error: BaseException) -> list[str]:
    """Where an error came from, innermost last: files, lines and functions, no values."""
    frames = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    out = [f"{f.filename.rpartition('/src/')[2] or f.filename}:{f.lineno} {f.name}" for f in frames]
    cause = error.__cause__ or error.__context__
    name = type(error).__qualname__
    return [*out, f"{name} (from {type(cause).__qualname__})" if cause else name]


class Counting(logging.Filter):
    """Counts lines by level, and lets all pass."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self._counter = counter

    def filter(self, record: logging.LogRecord) -> bool:
        self._counter.add((record.levelname.lower(),))
        return True


def log_to(
    stream: IO[str] | None, form: Form, level: str, *, clean: Clean = as_it_is
) -> logging.Handler:
    """Send what this process logs to ``stream`` (standard error) in that form. What was set up before
    by an earlier call is replaced."""
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h.formatter, Lines)]:
        root.removeHandler(old)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(form, clean))
    root.addHandler(handler)
    root.setLevel(level.upper())
    for noisy in ("uvicorn.access", "aiosqlite", "asyncio", "httpx", "mcp"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    return handler
