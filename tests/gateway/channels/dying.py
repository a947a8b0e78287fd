"""A process that takes one message and ends in the middle, as if it had been killed.

``python -m tests.gateway.channels.dying COMPANY DATA WHEN [MESSAGE]``: ``WHEN`` is ``effect`` (after a
tool has changed something, before the answer), ``answer`` (before its answer is kept), ``send`` (once the
vendor has the first part, before that is noted) or ``never``, which ends when nothing waits any more.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from sqlalchemy import text

from dazi.gateway.channels import inbox as inbox_module
from dazi.gateway.channels import service as service_module
from dazi.gateway.channels.protocol import Address, Incoming, Part
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from tests.fakes.engine import Reply, ScriptedEngine, call
from tests.gateway.conftest import TODAY

BOOK = {"room": "B204", "date": "2025-04-04", "start": "14:00", "end": "15:00"}
SAID = "订 B204 会议室,2025-04-04 14:00 到 15:00"


def die() -> None:
    os._exit(9)


async def main(company: Path, data: Path, when: str, message: str) -> None:
    service_module.LEASE_S = 0.5
    rounds = 0

    def script(_: object) -> Reply:
        nonlocal rounds
        rounds += 1
        if when == "send" or when == "never":
            raise AssertionError("there is an answer already")
        if rounds == 1:
            return [call("book_room", **BOOK)]
        if when == "effect":
            die()
        return "订好了:B204。"

    settings = Settings(company=company, data=data, today=TODAY)
    runtime = await open_runtime(settings, engine=ScriptedEngine(script))
    channels = runtime.channels
    assert channels is not None
    channel = channels.line("wecom").channel
    send, ready = channel.send, channels.inbox.ready

    async def sending(to: Address, part: Part) -> None:
        await send(to, part)
        if when == "send":
            die()

    async def readied(*given: object, **more: object) -> object:
        if when == "answer":
            die()
        return await ready(*given, **more)  # type: ignore[arg-type]

    channel.send = sending  # type: ignore[method-assign]
    channels.inbox.ready = readied  # type: ignore[method-assign, assignment]
    if message:
        asked = Incoming(message, "E1003", 1_700_000_000.0, text=SAID)
        assert await channels.inbox.put("wecom", asked, "staff", 0.0)
    work = asyncio.create_task(channels.run())
    states = "('received', 'answering', 'ready')"
    query = text(f"SELECT count(*) FROM channel_messages WHERE state IN {states}")
    async with asyncio.timeout(30):
        while True:
            async with runtime.database.read() as connection:
                if not (await connection.execute(query)).scalar_one():
                    break
            await asyncio.sleep(0.05)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await runtime.close()


if __name__ == "__main__":
    assert inbox_module.OPEN
    at, kept, moment = sys.argv[1:4]
    asyncio.run(main(Path(at), Path(kept), moment, sys.argv[4] if len(sys.argv) > 4 else ""))
