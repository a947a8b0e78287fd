"""A model with less help: what constrained decoding is worth, measured.

Only what helps the model is taken away. The router's own checks, grounding among them, stay: no
measurement may do what the product would refuse.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Literal

from dazi.core.engine import Engine, EngineEvent, GenerateRequest, ModelProfile

Aid = Literal["grammar", "grounding", "confidence"]
AIDS: tuple[Aid, ...] = ("grammar", "grounding", "confidence")


class WithoutAids:
    """``engine`` without the grammar (its output is free text), with a grammar of the schema alone
    (nothing holds arguments to what was said), or free to call however unsure it is."""

    def __init__(self, engine: Engine, without: frozenset[Aid]) -> None:
        self._engine = engine
        self._without = without
        left_out = " ".join(sorted(without))
        self._profile = replace(engine.profile, name=f"{engine.profile.name} without {left_out}")

    @property
    def profile(self) -> ModelProfile:
        return self._profile

    def count_tokens(self, request: GenerateRequest) -> int:
        return self._engine.count_tokens(request)

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        if "grounding" in self._without:
            bare = tuple(replace(t, candidates={}, spans={}, lacking=()) for t in request.tools)
            request = replace(request, tools=bare)
        if "grammar" in self._without:
            request = replace(request, constrained=False)
        if "confidence" in self._without:
            request = replace(request, call_confidence=0.0)
        async for event in self._engine.generate(request):
            yield event

    async def warm(self, request: GenerateRequest) -> None:
        await self._engine.warm(request)

    async def close(self) -> None:
        await self._engine.close()
