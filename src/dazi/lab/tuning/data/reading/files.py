"""Samples out of files that people have: JSON Lines in the usual forms, CSV, plain text.

A line is one of the forms of lab data (``messages``, a question and an answer, a text, a text and its
label), or Alpaca's and ShareGPT's. What is none of them is refused by its line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.messages import Role
from dazi.lab.tuning.data.recipe import Fields, FileSource
from dazi.lab.tuning.data.samples import Call, Draft, Kind, Origin, Said, Sample, identified
from dazi.lab.tuning.data.work import Refusing
from dazi.ops.datasets.folders import lines
from dazi.ops.datasets.people import MARK

LONGEST_LINE = 4_000_000
"""Bytes."""
_ROLES: Mapping[str, Role] = {
    "human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant",
    "system": "system", "tool": "tool", "function": "tool", "observation": "tool",
}  # fmt: skip
_MILLISECONDS = 1e11
"""From here on a time is in milliseconds: in seconds it would be the year 5138."""
_MARK = re.compile(f"[0-9a-f]{{{MARK}}}")
"""A person as datasets have them."""
_KINDS: Mapping[Any, Kind] = {"chat": "chat", "call": "call", "qa": "qa", "text": "text"}


class _NoSample(Exception):
    """The line holds none of the known forms."""


def format_of(source: FileSource, path: Path) -> str:
    return source.format or {".csv": "csv", ".txt": "txt", ".md": "txt"}.get(path.suffix, "jsonl")


def read_file(source: FileSource, path: Path, name: str, refuse: Refusing) -> Iterator[Draft]:
    """Samples of ``path``; ``name`` is what references call it."""
    form = format_of(source, path)
    if form == "txt":
        yield from _paragraphs(source, path, name)
        return
    for number, row in _csv_rows(path) if form == "csv" else _json_rows(path):
        ref = f"{name}:{number}"
        if not isinstance(row, dict):
            refuse.ref(ref, "unreadable")
            continue
        try:
            draft = _draft(row, source.fields, ref)
        except _NoSample:
            refuse.ref(ref, "no_sample")
            continue
        draft.passage = source.passages and draft.sample.kind == "text"
        yield draft


def _json_rows(path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines(path), 1):
        if len(line) > LONGEST_LINE:
            yield number, None
            continue
        try:
            yield number, msgspec.json.decode(line.removeprefix(b"\xef\xbb\xbf"))
        except (msgspec.DecodeError, RecursionError):
            yield number, None


def _csv_rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Numbered by where they end, as spreadsheets show them."""
    csv.field_size_limit(LONGEST_LINE)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.DictReader(file)
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error:
                yield rows.line_num, None
                continue
            yield rows.line_num, {k: v for k, v in row.items() if isinstance(k, str) and v}


def _paragraphs(source: FileSource, path: Path, name: str) -> Iterator[Draft]:
    """Parts between blank lines."""
    held: list[str] = []
    begin = 1
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                if not held:
                    begin = number
                held.append(line.rstrip())
            elif held:
                yield _text("\n".join(held), f"{name}:{begin}", source)
                held = []
    if held:
        yield _text("\n".join(held), f"{name}:{begin}", source)


def _text(text: str, ref: str, source: FileSource) -> Draft:
    sample = Sample("", ref, "text", "", [Said("assistant", text)], Origin("file", ref))
    return identified(Draft(sample, title=ref, passage=source.passages))


def _draft(row: Mapping[str, Any], f: Fields, ref: str) -> Draft:
    kind, messages, label = _said(row, f)
    if not any(m.content.strip() or m.tool_calls for m in messages):
        raise _NoSample
    given = row.get(f.conversation)
    tools = row.get("tools")
    sample = Sample(
        "",
        f"{ref.rpartition(':')[0]}#{given}" if given not in (None, "") else ref,
        kind,
        str(row.get(f.language, "")),
        messages,
        Origin("file", ref, user=str(row.get(f.user, "") or "")),
        tools=[t for t in tools if isinstance(t, str)] if isinstance(tools, list) else [],
        label=label,
        role=str(row.get("role", "") or ""),
        today=_day(row.get("today")),
    )
    draft = Draft(sample, at=_time(row.get(f.at)), title=ref)
    source = row.get("source")
    if isinstance(source, dict):
        _inherited(draft, source)
    return identified(draft)


def _inherited(draft: Draft, source: Mapping[str, Any]) -> None:
    """Of another dataset: what is known of it stays known, and whose it is above all."""
    origin = draft.sample.source
    origin.licence = str(source.get("licence", "") or "")
    user = str(source.get("user", "") or "")
    if origin.user or not user:
        return
    origin.user = user
    if _MARK.fullmatch(user):
        draft.marked = True
        origin.consent = str(source.get("consent", "") or "")


def _said(row: Mapping[str, Any], f: Fields) -> tuple[Kind, list[Said], str]:
    """Kind, messages and label. Raises ``_NoSample``."""
    listed = row.get(f.messages, row.get("conversations"))
    if isinstance(listed, list):
        return _talk(row, [_message(m) for m in listed if isinstance(m, dict)])
    if isinstance(row.get("instruction"), str) and isinstance(row.get("output"), str):
        asked = "\n".join(p for p in (row["instruction"], row.get("input") or "") if p)
        return "qa", [Said("user", asked), Said("assistant", row["output"])], ""
    question, answer, text = row.get(f.question), row.get(f.answer), row.get(f.text)
    if isinstance(question, str) and isinstance(answer, str):
        return "qa", [Said("user", question), Said("assistant", answer)], ""
    if isinstance(text, str):
        if isinstance(row.get(f.label), str | int):
            return "class", [Said("user", text)], str(row[f.label])
        return "text", [Said("assistant", text)], ""
    raise _NoSample


def _talk(row: Mapping[str, Any], messages: list[Said]) -> tuple[Kind, list[Said], str]:
    if isinstance(row.get("label"), str):
        return "class", messages, row["label"]
    if not any(m.role == "assistant" for m in messages):
        raise _NoSample
    if any(m.tool_calls for m in messages):
        return "call", messages, ""
    return _KINDS.get(row.get("kind"), "chat"), messages, ""


def _message(given: Mapping[str, Any]) -> Said:
    role = _ROLES.get(str(given.get("role", given.get("from", ""))))
    content = given.get("content", given.get("value", ""))
    if role is None or not isinstance(content, str | None):
        raise _NoSample
    calls = [_call(c) for c in given.get("tool_calls") or () if isinstance(c, dict)]
    learn = given.get("learn") is not False
    return Said(role, content or "", calls, str(given.get("name", "") or ""), learn)


def _call(given: Mapping[str, Any]) -> Call:
    """As OpenAI writes it, or plainly with ``name`` and ``arguments``."""
    inner = given.get("function", given)
    if not isinstance(inner, dict) or not isinstance(inner.get("name"), str):
        raise _NoSample
    arguments = inner.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments)
        except (msgspec.DecodeError, RecursionError):
            raise _NoSample from None
    if not isinstance(arguments, dict):
        raise _NoSample
    return Call(inner["name"], arguments)


def _day(given: Any) -> str:
    """As ISO 8601; empty where it is none."""
    try:
        return date.fromisoformat(given).isoformat() if isinstance(given, str) else ""
    except ValueError:
        return ""


def _time(given: Any) -> float:
    """Seconds since the epoch, of a number (milliseconds too) or of ISO 8601; 0 where it is neither, or
    a time that has not come: nothing is said after an erasure by being dated ahead."""
    try:
        if isinstance(given, str) and not given.replace(".", "", 1).isdigit():
            at = datetime.fromisoformat(given).timestamp() if given else 0.0
        elif isinstance(given, int | float | str) and not isinstance(given, bool):
            at = float(given)
            at = at / 1000 if at >= _MILLISECONDS else at
        else:
            return 0.0
    except (ValueError, OverflowError):
        return 0.0
    return at if at <= (datetime.now(UTC) + timedelta(days=1)).timestamp() else 0.0
