"""A model with less help: what each aid is worth, measured.

Only what helps the model is taken away. The router's own checks, grounding among them, stay: no
measurement may do what the product would refuse.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Literal

from dazi.core.engine import Engine, EngineEvent, GenerateRequest, ModelProfile
from dazi.core.tools import Tool
from dazi.prompt.choose import Choice, Request, ToolChooser

Aid = Literal["calls", "grammar", "grounding", "confidence"]
AIDS: tuple[Aid, ...] = ("calls", "grammar", "grounding", "confidence")


class WithoutAids:
    """``engine`` without tools, without the grammar (its output is free text), with a grammar of the
    schema alone (nothing holds arguments to what was said), or free to call however unsure it is.
    ``thinking``: it thinks before each answer."""

    def __init__(self, engine: Engine, without: frozenset[Aid], *, thinking: bool = False) -> None:
        self._engine = engine
        self._without = without
        self._thinking = thinking
        told = [f"without {' '.join(sorted(without))}"] if without else []
        told += ["thinking"] if thinking else []
        self._profile = replace(engine.profile, name=" ".join((engine.profile.name, *told)))

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    def count_tokens(self, request: GenerateRequest) -> int:
        return self._engine.count_tokens(request)

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        if "calls" in self._without:
            request = replace(request, tools=(), tool_choice="none")
        if "grounding" in self._without:
            bare = tuple(replace(t, candidates={}, spans={}, lacking=()) for t in request.tools)
            request = replace(request, tools=bare)
        if "grammar" in self._without:
            request = replace(request, constrained=False)
        if "confidence" in self._without:
            request = replace(request, call_confidence=0.0)
        if self._thinking:
            request = replace(request, thinking=True)
        async for event in self._engine.generate(request):
            yield event

    async def warm(self, request: GenerateRequest) -> None:
        await self._engine.warm(request)

    async def close(self) -> None:
        await self._engine.close()


class EveryTool(ToolChooser):
    """Offers every tool that the person may use: nothing is chosen for the model."""

    def choose(
        self, request: Request, may: Callable[[Tool], bool], limit: int, *, narrow: bool = False
    ) -> Choice:
        return super().choose(request, may, len(self.tools))
