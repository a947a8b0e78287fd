"""The control: an engine that chooses by chance.

It goes through the same prompt, tool choice, router and checks as a model. If it does well, code
is choosing the tools, and the model's score means nothing.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    Done,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    OfferedTool,
    TextDelta,
    Usage,
)
from dazi.core.messages import dumps
from dazi.inference.spans import units

REPLY = "好的。"
LONGEST_SPAN = 12
"""In units (a hanzi or a word): about what a title or a reason takes."""


class RandomEngine:
    """Each decision is, with equal chances, one of the offered tools that can be called, or none.

    Arguments are valid by construction, as an engine's constrained decoding would make them: drawn
    from the candidates, spans, enums and bounds that the request offers; an optional one is given
    half of the time. The same request always gets the same answer, in whatever order requests come.
    ``profile`` should be that of the model it is compared with.
    """

    def __init__(self, profile: ModelProfile, seed: int = 0) -> None:
        self._profile = replace(profile, name=f"random/{profile.name}")
        self._seed = seed

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        said = [(m.role, m.content, [c.arguments for c in m.calls]) for m in request.messages]
        draw = _Draw(random.Random(f"{self._seed} {request.prefix} {said}"))
        tool = draw.tool(request)
        if tool is None:
            yield TextDelta(REPLY)
            yield Done("stop", Usage())
            return
        arguments = dumps(draw.arguments(tool))
        yield CallStarted(0, tool.name)
        yield CallArgumentsDelta(0, arguments)
        yield CallDone(0, tool.name, arguments)
        yield Done("tool_calls", Usage())

    def count_tokens(self, request: GenerateRequest) -> int:
        return sum(len(m.content) for m in request.messages)

    async def warm(self, request: GenerateRequest) -> None:
        return None

    async def close(self) -> None:
        return None


class _Draw:
    """What chance makes of one request."""

    def __init__(self, chance: random.Random) -> None:
        self._random = chance

    def tool(self, request: GenerateRequest) -> OfferedTool | None:
        if request.tool_choice == "none":
            return None
        options: list[OfferedTool | None] = [t for t in request.tools if _callable(t)]
        if request.tool_choice != "required" or not options:
            options.append(None)
        return self._random.choice(options)

    def arguments(self, tool: OfferedTool) -> dict[str, Any]:
        required = tool.parameters.get("required", ())
        out: dict[str, Any] = {}
        for name, schema in tool.parameters.get("properties", {}).items():
            if _blocked(tool, name) or (name not in required and self._random.random() < 0.5):
                continue
            out[name] = self._value(tool, name, schema)
        return out

    def _value(self, tool: OfferedTool, name: str, schema: Mapping[str, Any]) -> Any:
        pick = self._random.choice
        kind = schema.get("type")
        if name in tool.candidates:
            value = pick(tool.candidates[name])
            return _number(value) if kind in ("number", "integer") else value
        if "enum" in schema:
            return pick(schema["enum"])
        if kind == "array":
            items = list(schema.get("items", {}).get("enum", ()))
            return self._random.sample(items, self._random.randint(min(1, len(items)), len(items)))
        if kind == "boolean":
            return pick([True, False])
        if kind in ("number", "integer"):
            return self._random.randint(1, 20)
        return self._span(tool.spans.get(name, ())) or "x"

    def _span(self, texts: Sequence[str]) -> str:
        """A contiguous part of one of ``texts``, cut where an engine's grammar would cut."""
        texts = [t for t in texts if t.strip()]
        if not texts:
            return ""
        parts = units(self._random.choice(texts))
        first = self._random.randrange(len(parts))
        length = self._random.randint(1, min(LONGEST_SPAN, len(parts) - first))
        taken = parts[first : first + length]
        return "".join(unit.gap + unit.text for unit in taken).strip()


def _callable(tool: OfferedTool) -> bool:
    blocked = (_blocked(tool, name) for name in tool.parameters.get("required", ()))
    return not tool.closed and not any(blocked)


def _blocked(tool: OfferedTool, name: str) -> bool:
    return (name in tool.candidates and not tool.candidates[name]) or (
        name in tool.spans and not any(t.strip() for t in tool.spans[name])
    )


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value
