"""What a turn was, put together from its records and from the conversation that it was in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from dazi.audit.records import Record
from dazi.core.errors import NotFound
from dazi.core.language import language_of
from dazi.core.principal import Principal
from dazi.memory.threads import Numbered
from dazi.ops.feedback.model import Call, Content

NOT_RUN = frozenset({"invalid", "unknown_tool", "ungrounded"})
"""Outcomes of proposals that no model should learn from."""


def begun_by(records: Sequence[Record], principal: Principal) -> dict[str, Any]:
    """The body of the record that began the turn. Raises ``NotFound`` for somebody else's turn as for
    none, and for one that has no conversation."""
    first = next((r for r in records if r.kind == "turn"), None)
    body = body_of(first) if first is not None and first.user == principal.user else {}
    if not body.get("thread") or not body.get("said"):
        raise unknown()
    return body


def content_of(records: Sequence[Record], kept: Sequence[Numbered], today: str) -> Content:
    """``records`` of one turn, opened, oldest first, and the latest of the conversation, from which the
    results come: the ledger has only their digests."""
    begun = next((body_of(r) for r in records if r.kind == "turn"), {})
    ended = [r for r in records if r.kind == "answer"]
    answer = body_of(ended[-1]) if ended else {}
    said = str(begun.get("said", ""))
    return Content(
        said,
        str(answer.get("answer", "")),
        tuple(_calls(records, _results(records, kept))),
        language_of(said),
        tuple(begun.get("roles", ())),
        str(begun.get("thread", "")),
        str(begun.get("model", "")),
        str(begun.get("version", "")),
        today,
        tuple(begun.get("offered", ())),
    )


def _calls(records: Sequence[Record], results: Mapping[str, Any]) -> list[Call]:
    found: dict[str, Call] = {}
    for r in records:
        if r.kind not in ("decision", "call", "outcome"):
            continue
        body = body_of(r)
        call, before = str(body.get("call", "")), found.get(str(body.get("call", "")))
        outcome = str(body.get("outcome", "")) if r.kind != "call" else ""
        arguments = body.get("arguments") or (before.arguments if before else {})
        name = str(body.get("tool", "")) or (before.name if before else "")
        outcome = outcome or (before.outcome if before else "")
        found[call] = Call(name, arguments, outcome, results.get(call))
    return list(found.values())


def _results(records: Sequence[Record], kept: Sequence[Numbered]) -> dict[str, Any]:
    """By call. Ids of calls are the turn's own, so that no other turn's result is taken."""
    calls = {str(body_of(r).get("call", "")) for r in records}
    return {
        n.kept.message.call_id: n.kept.result
        for n in kept
        if n.kept.message.role == "tool" and n.kept.message.call_id in calls
    }


def body_of(record: Record) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(record.body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def unknown() -> NotFound:
    return NotFound("turn", "没有这一轮的记录", "there is no record of this turn")
