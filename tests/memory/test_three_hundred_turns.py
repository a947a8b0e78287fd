"""A conversation of 300 turns: the budget holds in every round, and what was planted is still known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

import dazi
from bench import memory
from dazi.core.engine import GenerateRequest
from dazi.core.principal import Principal
from dazi.inference.embedded import EmbeddedEngine
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings, demo_folder

MINI = Path(dazi.__file__).parent / "models" / "mini"


class Watched(memory.Words):
    """Checks what it is asked: within the budget, and calls with their results."""

    limit = 0

    def look(self, request: GenerateRequest) -> None:
        used = self.count_tokens(request) + request.sampling.max_tokens
        assert used <= self.limit, f"{used} of {self.limit}"
        known: set[str] = set()
        for message in request.messages:
            assert message.role != "tool" or message.call_id in known
            known |= {c.id for c in message.calls}

    async def generate(self, request: GenerateRequest) -> AsyncIterator[object]:  # type: ignore[override]
        self.look(request)
        async for event in super().generate(request):
            yield event


async def opened(folder: Path, words: Watched, **options: int) -> tuple[Runtime, Principal]:
    settings = Settings(company=demo_folder(), data=folder, today=memory.TODAY, **options)
    runtime = await open_runtime(settings, engine=words)
    words.limit = settings.context_rules().total(words.profile.context_tokens)
    return runtime, runtime.access.people.principal("customer", "test")


@pytest.mark.parametrize("tokens", [0, 4_400])
async def test_what_was_planted_is_known_at_the_end(tmp_path: Path, tokens: int) -> None:
    words = Watched()
    runtime, customer = await opened(tmp_path, words, context_tokens=tokens)
    try:
        await memory.converse(runtime, customer)
        assert len(words.requests) > memory.TURNS
        found = await memory.given(runtime, customer, words, memory.QUESTION)
        for turn, (_, value) in memory.PLANTED.items():
            assert value in found.before, turn
        assert memory.LIVE in found.behind
        assert found.report.tokens <= found.report.limit
        for layer, lost in (("middle", (3, 40, 120)), ("long", (200,)), ("short", (299,))):
            memory.without(runtime, layer)
            found = await memory.given(runtime, customer, words, memory.QUESTION)
            gone = tuple(n for n, (_, v) in memory.PLANTED.items() if v not in found.before)
            assert gone == lost, layer
    finally:
        await runtime.close()


async def test_the_bundled_models_own_count_and_form(tmp_path: Path) -> None:
    """By its tokenizer every round fits; and it is given the order only once a message leans on it."""
    engine = EmbeddedEngine(MINI)
    words = Watched(replace(engine.profile, replies=()))
    words.count_tokens = engine.count_tokens  # type: ignore[method-assign]
    runtime, customer = await opened(tmp_path, words)
    try:
        await memory.converse(runtime, customer, 130)
        kept = [m.content for r in words.requests[-3:] for m in r.messages]
        assert not any(memory.FIRST in text for text in kept)
        for n in range(6):
            async for _ in runtime.service.ask(memory.Ask(customer, memory.THREAD, f"闲聊{n}")):
                pass
        found = await memory.given(runtime, customer, words, "刚才那个订单号的订单到哪了")
        assert memory.FIRST in found.before
        assert found.report.tokens <= found.report.limit
    finally:
        await runtime.close()
        engine.shut()


async def test_a_budget_that_is_ignored_is_noticed(tmp_path: Path) -> None:
    words = Watched()
    runtime, customer = await opened(tmp_path, words)
    words.limit = 1_500
    try:
        with pytest.raises(AssertionError, match="of 1500"):
            await memory.converse(runtime, customer, 20)
    finally:
        await runtime.close()
