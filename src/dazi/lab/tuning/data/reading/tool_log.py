"""Samples out of the audit ledger: what somebody said, and the calls that it led to and that succeeded.

Only turns whose person can still be read count, and of those only the ones in which every call came
to something: a call that was refused is no model for anybody.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dazi.audit.sealing import Sealing
from dazi.audit.search import Found, Query, matching
from dazi.lab.tuning.data.recipe import ToolLogSource
from dazi.lab.tuning.data.samples import Call, Draft, Origin, Said, Sample, identified
from dazi.lab.tuning.data.work import Refusing
from dazi.store.database import Database

DAY_S = 86_400.0
OPEN = 5_000
"""Turns that are looked at together; one that has not ended by then has none."""
GOOD = frozenset({"ok", "needs_confirmation"})


@dataclass(slots=True)
class _Turn:
    at: float
    user: str
    said: str
    thread: str
    roles: list[str]
    offered: list[str]
    calls: dict[str, Call] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)


async def read_tool_log(
    source: ToolLogSource, database: Database, sealing: Sealing, refuse: Refusing
) -> AsyncIterator[Draft]:
    since = time.time() - source.days * DAY_S if source.days else None
    turns: OrderedDict[str, _Turn] = OrderedDict()
    async for found in matching(database, sealing, Query(since=since)):
        number, fields = found.record.turn, found.content.fields
        if found.record.kind == "turn":
            if found.content.state not in ("open", "plain"):
                refuse.ref(f"turn:{number}", "unreadable")
            elif said := str(fields.get("said", "")).strip():
                turns[number] = _begun(found, said)
                if len(turns) > OPEN:
                    turns.popitem(last=False)
        elif number not in turns:
            continue
        elif found.record.kind in ("call", "decision", "outcome"):
            _note(turns[number], fields)
        elif found.record.kind == "answer":
            draft = _draft(number, turns.pop(number))
            if draft is not None:
                yield draft


def _begun(found: Found, said: str) -> _Turn:
    f = found.content.fields
    return _Turn(
        found.record.at,
        found.record.user,
        said,
        str(f.get("thread", "")),
        _texts(f.get("roles")),
        _texts(f.get("offered")),
    )


def _texts(given: Any) -> list[str]:
    return [str(v) for v in given] if isinstance(given, list) else []


def _note(turn: _Turn, fields: Mapping[str, Any]) -> None:
    call, tool = str(fields.get("call", "")), str(fields.get("tool", ""))
    arguments = fields.get("arguments")
    if tool and isinstance(arguments, dict):
        turn.calls[call] = Call(tool, arguments)
    if outcome := fields.get("outcome"):
        turn.outcomes[call] = str(outcome)


def _draft(number: str, turn: _Turn) -> Draft | None:
    if not turn.calls or not all(turn.outcomes.get(c) in GOOD for c in turn.calls):
        return None
    calls = list(turn.calls.values())
    ref = f"turn:{number}"
    sample = Sample(
        "",
        f"thread:{turn.thread}" if turn.thread else ref,
        "call",
        "",
        [Said("user", turn.said), Said("assistant", "", calls)],
        Origin("tool_log", ref, user=turn.user),
        tools=turn.offered or list(dict.fromkeys(c.name for c in calls)),
        role=turn.roles[0] if len(turn.roles) == 1 else "",
        today=time.strftime("%Y-%m-%d", time.localtime(turn.at)),
    )
    return identified(Draft(sample, at=turn.at))
