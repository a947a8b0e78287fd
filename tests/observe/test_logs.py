"""Lines of the log: whose request they belong to, and nothing personal in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from dazi.guard.engine import Guard
from dazi.main.logs import without_personal
from dazi.observe.instruments import Registry
from dazi.observe.logs import REQUEST, TRACE, Counting, Form, Lines, log_to

log = logging.getLogger("dazi.test")
MOBILE, IDENTITY = "13812345678", "11010519491231002X"


@pytest.fixture
def said() -> Iterator[Any]:
    root = logging.getLogger()
    level, stream = root.level, io.StringIO()

    def begin(form: Form = "json", lowest: str = "info") -> io.StringIO:
        log_to(stream, form, lowest, clean=without_personal(Guard()))
        return stream

    yield begin
    for handler in [h for h in root.handlers if isinstance(h.formatter, Lines)]:
        root.removeHandler(handler)
    root.setLevel(level)


def test_a_line_is_one_object(said: Any) -> None:
    stream = said()
    REQUEST.set("req-1")
    TRACE.set(f"00-{'a' * 32}-{'b' * 16}-01")
    log.info("started %s\nand on", "well")
    log.debug("not this")
    (line,) = stream.getvalue().splitlines()
    body = json.loads(line)
    assert body.pop("time").endswith("Z")
    assert body == {
        "level": "info",
        "logger": "dazi.test",
        "message": "started well\nand on",
        "request": "req-1",
        "trace_id": "a" * 32,
        "span_id": "b" * 16,
    }
    REQUEST.set("")
    TRACE.set("")


def test_nothing_personal_is_in_a_line(said: Any) -> None:
    stream = said()
    log.warning("the server said: %s lives at %s", MOBILE, IDENTITY)
    try:
        number = MOBILE
        raise ValueError(f"cannot read {number} of {IDENTITY}")
    except ValueError:
        log.exception("failed for 电话 %s", MOBILE)
    text = stream.getvalue()
    assert MOBILE not in text and IDENTITY not in text
    first, second = map(json.loads, text.splitlines())
    assert first["message"] == "the server said: [mobile] lives at [resident_id]"
    assert second["error"]["type"] == "ValueError"
    assert second["error"]["at"][-1] == "ValueError"
    assert "test_nothing_personal_is_in_a_line" in second["error"]["at"][0]


def test_a_check_that_fails_tells_nothing(said: Any) -> None:
    stream = io.StringIO()

    def broken(text: str) -> str:
        raise RuntimeError(text)

    log_to(stream, "json", "info", clean=broken)
    log.warning("a phone: %s", MOBILE)
    wrong = logging.LogRecord("dazi", logging.INFO, "", 1, "%d", ("no number " + MOBILE,), None)
    assert MOBILE not in Lines("json", broken).format(wrong)
    assert MOBILE not in stream.getvalue() and len(stream.getvalue().splitlines()) == 1
    said()


def test_text_for_people(said: Any) -> None:
    stream = said("text")
    log.warning("the disk is full")
    assert stream.getvalue().rstrip().endswith("warning dazi.test: the disk is full")


def test_a_very_long_line_is_cut(said: Any) -> None:
    stream = said()
    log.warning("x" * 50_000)
    assert len(stream.getvalue()) < 5_000


def test_lines_are_counted(said: Any) -> None:
    said()
    counter = Registry().counter("lines", "lines", "level")
    root = logging.getLogger()
    handler = next(h for h in root.handlers if isinstance(h.formatter, Lines))
    handler.addFilter(Counting(counter))
    log.warning("a")
    log.error("b")
    log.debug("c")
    assert counter.values == {("warning",): 1, ("error",): 1}
