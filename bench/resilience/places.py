"""Whether a server's places are all free: as many requests as it has are let in at once."""

from __future__ import annotations

import asyncio
import secrets

from bench.resilience.client import Question, ask
from bench.resilience.model import Connection, Model, Seen
from bench.resilience.waiting import until
from bench.upstream import MODEL

WITHIN_S = 20.0


async def free(port: int, model: Model, places: int, user: str = "admin", name: str = MODEL) -> int:
    """How many of ``places`` requests get to the model before any of them is answered. The server
    must have no queue, so that one without a place is refused."""
    mark, release = f"place-{secrets.token_hex(4)}", asyncio.Event()
    before, inside = model.mood, 0

    def hold(connection: Connection, seen: Seen) -> None:
        nonlocal inside
        if mark not in seen.said:
            before(connection, seen)
            return
        inside += 1

        async def later() -> None:
            await release.wait()
            connection.well(seen)

        connection.later(later())

    model.mood = hold
    asked = [
        asyncio.ensure_future(ask(port, Question(mark, user=user, model=name), WITHIN_S))
        for _ in range(places)
    ]
    await until(lambda: inside + sum(a.done() for a in asked) >= places, WITHIN_S)
    found = inside
    release.set()
    await asyncio.gather(*asked)
    model.mood = before
    return found
