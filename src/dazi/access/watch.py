"""Whoever holds something open for a person learns when that person may hold it no more.

In this process at once, in others when they look next (see ``changes``): together within the poll,
two seconds, and the time of one query.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from dazi.access.changes import Changes
from dazi.access.keyring import Keyring
from dazi.access.people import People
from dazi.access.sessions import Sessions
from dazi.core.errors import AccessError
from dazi.core.principal import Principal

Why = Literal["account", "rights", "key", "session", "expired"]
End = Callable[[Why], None]
log = logging.getLogger("dazi.access")


@dataclass(frozen=True, slots=True)
class Handle:
    """What a live stream rests on: the principal with these roles, and the session (its id) or the
    key (its id) that it came by. ``until``: seconds since the epoch."""

    principal: Principal
    session: str = ""
    key: str = ""
    until: float | None = None


@dataclass(slots=True, eq=False)
class _Hold:
    handle: Handle
    end: End
    ended: bool = False


class Watch:
    """``clock``: seconds since the epoch."""

    def __init__(
        self,
        changes: Changes,
        people: People,
        keyring: Keyring,
        sessions: Sessions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._people = people
        self._keyring = keyring
        self._sessions = sessions
        self._clock = clock
        self._holds: set[_Hold] = set()
        changes.follow(self.learn)  # after those who are asked here

    @property
    def held(self) -> int:
        return len(self._holds)

    @asynccontextmanager
    async def hold(self, handle: Handle, end: End) -> AsyncIterator[None]:
        """``end`` is called, once, when ``handle`` stands no more; it must not block. Raises
        ``AccessError`` where it does not stand now."""
        hold = _Hold(handle, end)
        self._holds.add(hold)  # before looking, so that nothing falls between the two
        timer = None
        try:
            if (why := await self._why(hold.handle)) is not None:
                raise AccessError(
                    "revoked", f"登录或密钥已失效({why})", f"signed out or revoked ({why})"
                )
            if hold.ended:
                raise AccessError("revoked", "登录或密钥已失效", "signed out or revoked")
            if handle.until is not None:
                left = max(0.0, handle.until - self._clock())
                timer = asyncio.get_running_loop().call_later(left, self._end, hold, "expired")
            yield
        finally:
            self._holds.discard(hold)
            if timer is not None:
                timer.cancel()

    async def learn(self) -> None:
        """Look at every handle again."""
        holds = list(self._holds)
        ids = [h.handle.session for h in holds if h.handle.session]
        standing = await self._sessions.standing(ids) if ids else frozenset()
        for hold in holds:
            why = self._now(hold.handle)
            if why is None and hold.handle.session and hold.handle.session not in standing:
                why = "session"
            if why is not None:
                self._end(hold, why)

    async def _why(self, handle: Handle) -> Why | None:
        if handle.session and not await self._sessions.standing([handle.session]):
            return "session"
        return self._now(handle)

    def _now(self, handle: Handle) -> Why | None:
        """From memory."""
        if handle.until is not None and self._clock() >= handle.until:
            return "expired"
        if handle.key and not self._keyring.stands(handle.key):
            return "key"
        principal = handle.principal
        account = self._people.account(principal.tenant, principal.user)
        if account is None or account.disabled:
            return "account"
        if principal.roles - self._people.roles(principal.tenant, principal.user):
            return "rights"
        return None

    def _end(self, hold: _Hold, why: Why) -> None:
        if hold.ended:
            return
        hold.ended = True
        self._holds.discard(hold)
        try:
            hold.end(why)
        except Exception:  # one that cannot be ended must not keep the others alive
            log.exception("a stream could not be ended")
