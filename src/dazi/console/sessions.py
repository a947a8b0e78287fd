"""Who is signed in on the pages: random tokens, kept in memory, gone when the process ends.

The cookie holds nothing but the token, so there is nothing in it to forge or to read, and signing
out ends it for every tab at once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

COOKIE = "dazi_session"
LIFETIME_S = 12 * 3600.0
IDLE_S = 2 * 3600.0
MOST = 10_000


@dataclass(slots=True, eq=False)
class Session:
    """``pages`` are told, by tab, when the session ends. Times are monotonic, in seconds."""

    token: str
    user: str
    began: float
    seen: float
    ended: bool = False
    pages: dict[str, Callable[[], None]] = field(default_factory=dict)


class Sessions:
    """Sessions by token. ``clock`` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_token: dict[str, Session] = {}

    def begin(self, user: str) -> Session:
        """A new token at each sign-in: one planted before it is worth nothing."""
        now = self._clock()
        for old in [s for s in self._by_token.values() if self._stale(s, now)]:
            self._end(old)
        while len(self._by_token) >= MOST:
            self._end(min(self._by_token.values(), key=lambda s: s.seen))
        session = Session(secrets.token_urlsafe(32), user, now, now)
        self._by_token[session.token] = session
        return session

    def find(self, token: str | None) -> Session | None:
        session = self._by_token.get(token or "")
        return session if session is not None and self.alive(session) else None

    def alive(self, session: Session) -> bool:
        """Whether it still stands; looking keeps it from idling out."""
        now = self._clock()
        if not session.ended and self._stale(session, now):
            self._end(session)
        session.seen = now
        return not session.ended

    def end(self, token: str | None) -> None:
        session = self._by_token.get(token or "")
        if session is not None:
            self._end(session)

    def _stale(self, session: Session, now: float) -> bool:
        return now - session.began > LIFETIME_S or now - session.seen > IDLE_S

    def _end(self, session: Session) -> None:
        session.ended = True
        self._by_token.pop(session.token, None)
        for leave in list(session.pages.values()):
            leave()
        session.pages.clear()
