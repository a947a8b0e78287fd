"""Tool calls of samples: each must be one that the company's own door would let through.

A call fits its tool's declaration, dates and periods can be read, and a grounded value was said by the
person or by an earlier result. What the router asks of a model is asked of what a model is taught.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from dazi.core.errors import ModelError
from dazi.core.language import Language
from dazi.core.messages import dumps
from dazi.core.tools import Tool
from dazi.lab.tuning.data.samples import Call, Said, Sample
from dazi.router.grounding import Evidence
from dazi.router.schema import canonicalise, parse_arguments

LONGEST_NAME = 60


class CallCheck:
    """Holds the calls of a sample against the tools that there are."""

    def __init__(self, tools: Mapping[str, Tool], today: date) -> None:
        self._tools = tools
        self._today = today

    def fault(self, sample: Sample) -> str:
        """Why the calls of it cannot be taught; empty where they can."""
        if not any(m.tool_calls for m in sample.messages):
            return ""
        day = _day(sample.today) or self._today
        evidence = Evidence(day)
        for message in sample.messages:
            for call in message.tool_calls:
                if why := self._wrong(call, evidence, day):
                    return f"{why}:{call.name[:LONGEST_NAME]}"
            self._heard(evidence, message)
        if unknown := next((t for t in sample.tools if t not in self._tools), ""):
            return f"unknown_tool:{unknown[:LONGEST_NAME]}"
        return ""

    def _wrong(self, call: Call, evidence: Evidence, day: date) -> str:
        tool = self._tools.get(call.name)
        if tool is None:
            return "unknown_tool"
        try:
            given = parse_arguments(tool, dumps(call.arguments))
            canonicalise(tool, given, day)
        except ModelError:
            return "bad_arguments"
        for name, value in given.items():
            p = tool.parameter(name)
            if p is None or not p.grounded:
                continue
            values = value if isinstance(value, list) else [value]
            if any(evidence.supports(p, v) is None for v in values):
                return "not_grounded"
        return ""

    def _heard(self, evidence: Evidence, message: Said) -> None:
        if message.role == "user":
            evidence.said(message.content)
        elif message.role == "tool":
            tool = self._tools.get(message.name)
            evidence.found(tool.label if tool else f"tool:{message.name}", _data(message.content))


def _data(content: str) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        return content


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def as_offered(tool: Tool, language: Language) -> dict[str, Any]:
    """As ``tools.json`` has it."""
    return {
        "name": tool.name,
        "description": tool.description(language),
        "parameters": tool.schema(language),
    }
