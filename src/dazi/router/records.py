"""Small pieces of a call's record: its key, its audit body, the earlier results it draws on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dazi.core.messages import CallText
from dazi.core.tools import Tool
from dazi.core.turn import CallRecord

LONGEST_NAME = 100
MOST_LEVELS = 32


def earlier_results(arguments: Mapping[str, Any], done: Sequence[CallRecord]) -> tuple[Any, ...]:
    """The earlier results that the call names, or all of them."""
    numbered = [(str(i), r) for i, r in enumerate(done, 1) if r.outcome == "ok"]
    wanted = arguments.get("results")
    return tuple(
        {"name": r.name, "arguments": dict(r.arguments), "result": r.result}
        for i, r in numbered
        if not isinstance(wanted, Sequence) or i in wanted
    )


def example_of(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    """What a tool declares it answers, about the very thing that was asked for.

    A reply about another order or another day than the one in the call would mislead whoever reads on.
    """
    example = tool.example if tool.example is not None else {}
    if not isinstance(example, Mapping):
        return example
    return {k: arguments.get(k, v) for k, v in example.items()}


def writable(proposed: CallText) -> CallText:
    """The proposal in characters that can be written down: half of a surrogate pair is none, and a
    call that cannot be recorded would be answered to nobody."""
    parts = (proposed.id, proposed.name[:LONGEST_NAME], proposed.arguments)
    return CallText(*(part.encode("utf-8", "replace").decode() for part in parts))


def loosely(arguments: str) -> dict[str, Any]:
    """The model's arguments for the record of a refusal, however odd they are."""
    try:
        data = msgspec.json.decode(arguments)
    except (ValueError, RecursionError):
        data = None
    if data is None or not _shallow(data, MOST_LEVELS):
        return {"text": arguments[:1000]}
    return data if isinstance(data, dict) else {"value": data}


def digest_of(content: Any) -> str:
    """SHA-256 of its JSON. It is kept nowhere but in what the ledger seals: bare, it could be found
    by trying."""
    text = msgspec.json.encode(content, enc_hook=str, order="sorted")
    return hashlib.sha256(text).hexdigest()


def _shallow(data: Any, levels: int) -> bool:
    """What is nested more deeply may be read and still not be written again."""
    if isinstance(data, dict):
        data = list(data.values())
    return not isinstance(data, list) or (levels > 0 and all(_shallow(d, levels - 1) for d in data))


def audit_body(record: CallRecord, detail: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "call": record.id,
        "tool": record.name,
        "arguments": record.arguments,
        "outcome": record.outcome,
    }
    if record.result is not None:
        body["result"] = digest_of(record.result)
    if record.ticket:
        body["ticket"] = record.ticket
    if record.signals:
        body |= {"signals": record.signals, "score": round(record.score, 3)}
    body.update({k: v for k, v in detail.items() if v and k != "arguments"})
    return body
