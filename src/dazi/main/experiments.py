"""Prompt versions and experiments, wired to the assistant."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from dazi.access.recording import Record
from dazi.core.company import Company
from dazi.core.engine import Engine, GenerateRequest, models_of
from dazi.core.experiments import Variants
from dazi.core.messages import Message
from dazi.ops.experiments.board import Board
from dazi.ops.experiments.service import ExperimentService
from dazi.ops.experiments.store import ExperimentStore
from dazi.ops.experiments.watching import Watch
from dazi.ops.prompts.service import Model, PromptService
from dazi.ops.prompts.store import PromptStore
from dazi.store.database import Database

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Experimenting:
    service: ExperimentService
    board: Board
    watch: Watch

    def beside(self) -> Iterator[Coroutine[Any, Any, None]]:
        """What goes on while we serve."""
        yield self.board.run()
        yield self.watch.run()


async def open_experiments(runtime: Runtime, record: Record) -> Experimenting:
    """With the assistant told what is in use."""
    agent = runtime.service.agent

    def tell(variants: Variants | None) -> None:
        agent.variants = variants

    made = experimenting(
        runtime.database, runtime.company, record, tell, lambda: agent.engine, runtime.today
    )
    await made.board.look()
    return made


def experimenting(
    database: Database,
    company: Company,
    record: Record,
    tell: Callable[[Variants | None], None] = lambda _: None,
    engine: Callable[[], Engine | None] = lambda: None,
    today: Callable[[], date] = date.today,
) -> Experimenting:
    """Without an engine there is nobody to be told, and lengths are checked in characters."""
    versions, store = PromptStore(database), ExperimentStore(database)
    board = Board(versions, store, tell, time.time)

    def model() -> Model | None:
        found = engine()
        return Model(found.profile, measured_by(found)) if found is not None else None

    def models() -> tuple[str, ...]:
        found = engine()
        return models_of(found) if found is not None else ()

    learn: Callable[[], Awaitable[None]] = board.look
    prompts = PromptService(versions, company, record, learn, model, today)
    service = ExperimentService(store, prompts, board, record, models)
    return Experimenting(service, board, Watch(store, board, record))


def measured_by(engine: Engine) -> Callable[[str], int]:
    """Tokens of a system text, by the engine's own count."""

    def measure(text: str) -> int:
        return engine.count_tokens(GenerateRequest((Message("system", text),)))

    return measure
