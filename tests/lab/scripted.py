"""An engine that does what a test says, and the assistant around it with its tools' effects off."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from dazi.core.engine import (
    CallDone,
    CallStarted,
    Done,
    Engine,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    TextDelta,
    Usage,
)
from dazi.core.messages import dumps
from dazi.lab.evals.runner import Runner, principals
from dazi.main.company import load_company
from dazi.main.runtime import assemble
from dazi.main.settings import Settings, demo_folder

Call = tuple[str, Mapping[str, Any]]
Decision = str | Sequence[Call]
"""What the model says, or the calls it makes."""
LARGE = ModelProfile("scripted", 8192, offered_tools=20)
HELDOUT = Path(__file__).resolve().parents[2] / "models" / "mini" / "heldout" / "dev"


class Scripted:
    """``script``: the person's words -> the decisions that follow them, one a round.

    Words that are not in it, and rounds after the last, get a plain 「好的。」.
    """

    def __init__(
        self, script: Mapping[str, Sequence[Decision]], profile: ModelProfile = LARGE
    ) -> None:
        self.script = script
        self.profile = profile
        self.requests: list[GenerateRequest] = []

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        self.requests.append(request)
        said = max(i for i, m in enumerate(request.messages) if m.role == "user")
        done = sum(m.role == "assistant" for m in request.messages[said:])
        decisions = self.script.get(request.messages[said].content, ())
        decision: Decision = decisions[done] if done < len(decisions) else "好的。"
        if isinstance(decision, str):
            yield TextDelta(decision)
            yield Done("stop", Usage(1, 1))
            return
        for index, (name, arguments) in enumerate(decision):
            yield CallStarted(index, name)
            yield CallDone(index, name, dumps(arguments))
        yield Done("tool_calls", Usage(1, 1))

    def count_tokens(self, request: GenerateRequest) -> int:
        return 1

    async def warm(self, request: GenerateRequest) -> None:
        return None

    async def close(self) -> None:
        return None


loaded_company = cache(load_company)


@asynccontextmanager
async def assistant(engine: Engine, concurrency: int = 4) -> AsyncIterator[Runner]:
    with tempfile.TemporaryDirectory() as data:
        company = loaded_company(demo_folder())
        settings = Settings(company=company.folder, data=Path(data), audit="memory")
        runtime = await assemble(settings, company, {}, engine, Path(data), effects=False)
        try:
            yield Runner(
                runtime.service, principals(runtime.company, runtime.directory), concurrency
            )
        finally:
            await runtime.close()
