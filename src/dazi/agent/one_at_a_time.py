"""One answer at a time in a thread; many threads at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager

from dazi.core.errors import CallerError
from dazi.core.principal import Principal


class OneAtATime:
    """Of this process."""

    def __init__(self) -> None:
        self._busy: dict[tuple[str, str, str], asyncio.Event] = {}

    @contextmanager
    def taken(self, principal: Principal, thread: str) -> Iterator[None]:
        """Raises ``CallerError`` while another answer is being made there."""
        key = (principal.tenant, principal.user, thread)
        if key in self._busy:
            raise CallerError(
                "thread_busy",
                "这个会话里上一条还没答完,请等它结束再发",
                "the last message of this thread is still being answered; wait for it to finish",
            )
        self._busy[key] = asyncio.Event()
        try:
            yield
        finally:
            self._busy.pop(key).set()

    @asynccontextmanager
    async def when_free(self, principal: Principal, thread: str) -> AsyncGenerator[None]:
        """As ``taken``, after waiting for the answer that is being made there."""
        key = (principal.tenant, principal.user, thread)
        while (busy := self._busy.get(key)) is not None:
            await busy.wait()
        with self.taken(principal, thread):
            yield
