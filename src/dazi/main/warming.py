"""The model's first words: prompts whose beginnings many requests share, before anybody asks.

A model server that cannot be reached yet does not keep the service from starting: containers start in
any order. Until it has been reached, ``/readyz`` says so and it is tried again and again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from dazi.core.engine import GenerateRequest, OfferedTool
from dazi.core.errors import DaziError
from dazi.core.language import Language
from dazi.core.messages import Message
from dazi.main.runtime import Runtime
from dazi.ops.prompts.model import VERSION_0
from dazi.prompt.system import system_text

LANGUAGES: tuple[Language, ...] = ("zh", "en")
AGAIN_S = 3.0
LATER = frozenset({"model_unreachable", "model_busy"})
"""What a server that is starting answers with; anything else is somebody's mistake."""

log = logging.getLogger("dazi.model")


async def warm(runtime: Runtime) -> DaziError | None:
    """Why it cannot be reached yet, if that is so. Raises what waiting would not mend."""
    try:
        for request in warm_requests(runtime):
            await runtime.engine.warm(request)
    except DaziError as e:
        if e.code not in LATER:
            raise
        return e
    runtime.model_reached = True
    return None


async def keep_trying(runtime: Runtime, *, every_s: float = AGAIN_S) -> None:
    """Until the model has been reached. What goes wrong otherwise is told once and tried again
    too: we are serving already."""
    told = ""
    while not runtime.model_reached:
        await asyncio.sleep(every_s)
        try:
            error = await warm(runtime)
        except DaziError as e:
            error = e
        if error is not None and error.code != told:
            told = error.code
            log.warning("the model cannot be used yet: %s", error)
    log.info("the model has been reached")


def warm_requests(runtime: Runtime) -> Iterator[GenerateRequest]:
    """Prompts whose beginnings many requests will share: the system turn of each language and
    role, with the tools in the order they are offered in."""
    profile = runtime.engine.profile
    company = runtime.company
    chosen = runtime.experiments.board.active if runtime.experiments is not None else VERSION_0
    for language in LANGUAGES:
        if profile.concise:
            text = system_text(language, company.name, runtime.today(), frozenset(), concise=True)
            yield GenerateRequest((Message("system", text), Message("user", "你好")))
            continue
        for role, included in company.roles.items():
            tools = [t for t in company.tools.values() if not t.roles.isdisjoint(included)]
            if not tools or len(tools) > profile.offered_tools:
                continue
            text = system_text(
                language,
                company.name,
                runtime.today(),
                frozenset({role}),
                concise=False,
                template=chosen.content.template(language),
            )
            told = chosen.content.tools
            offered = tuple(
                OfferedTool(t.name, told.get(t.name, t.description)(language), t.schema(language))
                for t in tools
            )
            yield GenerateRequest((Message("system", text), Message("user", "你好")), offered)
