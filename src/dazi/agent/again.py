"""A chart of what was talked about: earlier calls are made again, so that there is something to draw.

「这两个部门画个柱状图」 refers to results of earlier messages. They are read again rather than remembered:
policy decides anew, the figures are those of now, and each call is in the audit log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

from dazi.core.company import Company
from dazi.core.errors import ModelError
from dazi.core.messages import CallText, dumps
from dazi.core.tools import Tool
from dazi.core.turn import CallRecord
from dazi.memory.threads import Kept
from dazi.router.records import digest_of, loosely
from dazi.router.schema import canonicalise, parse_arguments

MOST = 8
_TWO = re.compile(r"[两俩]|\b(?:both|two)\b", re.IGNORECASE)


def needs_results(tool: Tool | None) -> bool:
    return tool is not None and bool(tool.operation.get("needs_results"))


def earlier_calls(company: Company, history: Sequence[Kept], today: date) -> dict[str, CallText]:
    """The latest reads of one tool that the thread holds results of, in the order of the thread.

    By their canonical arguments: the same thing in other words is the same call.
    """
    found: dict[str, CallText] = {}
    name = ""
    for call in _answered(company, history):
        if call.name != (name or call.name) or len(found) == MOST:
            break
        name = call.name
        with suppress(ModelError):
            tool = company.tools[name]
            arguments = canonicalise(tool, parse_arguments(tool, call.arguments), today)
            found.setdefault(digest_of([name, arguments]), call)
    return dict(reversed(found.items()))


def _answered(company: Company, history: Sequence[Kept]) -> Iterator[CallText]:
    """Reads that brought results, latest first."""
    answered: set[str] = set()
    for kept in reversed(history):
        if kept.message.role == "tool" and kept.result is not None:
            answered.add(kept.message.call_id)
        for call in reversed(kept.message.calls):
            tool = company.tools.get(call.name)
            if tool and tool.effect == "read" and not needs_results(tool) and call.id in answered:
                yield call


def to_read_again(
    company: Company, history: Sequence[Kept], done: Sequence[CallRecord], said: str, today: date
) -> list[CallText]:
    """What has to be read again before this turn's results can be drawn: nothing if they suffice.

    A single result of a single row is nothing to compare: then earlier ones of its kind join it.
    """
    fresh = [r for r in done if r.outcome == "ok"]
    alone = fresh[0] if len(fresh) == 1 else None
    if fresh and (alone is None or company.tools[alone.name].result.shape != "one"):
        return []
    earlier = earlier_calls(company, history, today)
    if alone is not None:
        earlier.pop(digest_of([alone.name, alone.arguments]), None)
    calls = [c for c in earlier.values() if alone is None or c.name == alone.name]
    most = (2 if _TWO.search(said) else MOST) - len(fresh)
    return calls[-most:]


def of_all(company: Company, call: CallText) -> CallText:
    """Numbers of results were those before some were read again: all of them are meant."""
    tool = company.tools.get(call.name)
    if tool is None or not needs_results(tool):
        return call
    numbers = {p.name for p in tool.parameters if p.default == "@results"}
    kept = {k: v for k, v in loosely(call.arguments).items() if k not in numbers}
    return replace(call, arguments=dumps(kept))
