"""One model of an engine that has several."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from dazi.core.engine import Engine, EngineEvent, GenerateRequest, ModelProfile


class OneModel:
    """``engine``, asked for the model that is ``profile``'s, by its name, whatever else it would choose."""

    def __init__(self, engine: Engine, profile: ModelProfile) -> None:
        self.engine = engine
        self.profile = profile

    def _of_it(self, request: GenerateRequest) -> GenerateRequest:
        return replace(request, model=self.profile.name)

    def count_tokens(self, request: GenerateRequest) -> int:
        return self.engine.count_tokens(self._of_it(request))

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        async for event in self.engine.generate(self._of_it(request)):
            yield event

    async def warm(self, request: GenerateRequest) -> None:
        await self.engine.warm(self._of_it(request))

    async def close(self) -> None:
        await self.engine.close()
