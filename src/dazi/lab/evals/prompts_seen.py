"""What a model was given to read, kept beside what it made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from dazi.core.engine import Engine, EngineEvent, GenerateRequest, ModelProfile


class Overheard:
    """``engine``, with the texts of the requests it was asked in ``prompts``, unless they are not to be
    kept. Closing it leaves the engine open for others."""

    def __init__(self, engine: Engine, *, keep: bool = True) -> None:
        self._engine = engine
        self._keep = keep
        self.prompts: list[str] = []

    @property
    def profile(self) -> ModelProfile:
        return self._engine.profile

    def count_tokens(self, request: GenerateRequest) -> int:
        return self._engine.count_tokens(request)

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        if self._keep:
            self.prompts.append("\n".join(m.content for m in request.messages))
        async for event in self._engine.generate(request):
            yield event

    async def warm(self, request: GenerateRequest) -> None:
        await self._engine.warm(request)

    async def close(self) -> None:
        """It is others' too."""
