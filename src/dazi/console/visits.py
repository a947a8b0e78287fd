"""Who is signed in in the tabs that are open: asked again before each action, and told at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request

from dazi.access.control import Access
from dazi.access.sessions import Session
from dazi.access.watch import Handle
from dazi.core.errors import AccessError
from dazi.core.language import Text
from dazi.core.principal import Principal

CHANNEL = "web"
COOKIE = "dazi_session"
MOST_NOTES = 1000
LOOK_S = 30.0
"""How often an open tab looks whether its session has idled out."""

log = logging.getLogger("dazi.console")


@dataclass(slots=True, eq=False)
class Visit:
    """A session as one tab has it. ``ended``: it is over, whatever the tab still shows."""

    access: Access
    token: str = field(repr=False)
    session: Session
    ended: bool = False

    def copy(self) -> Visit:
        """The same session, for something that outlives the tab."""
        return Visit(self.access, self.token, self.session, self.ended)

    async def principal(self) -> Principal | None:
        """With the rights they have now. Asking is a sign of life."""
        found = None
        if not self.ended:
            found = await self.access.sign_in.principal(self.token, CHANNEL)
        self.ended = found is None
        return found[0] if found else None


class Visits:
    """The visits of this process, by tab."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._watched: dict[str, asyncio.Task[None]] = {}
        self._notes: dict[str, Text] = {}

    def note(self, token: str, text: Text) -> None:
        """What to tell on the next page that this session gets."""
        if len(self._notes) >= MOST_NOTES:
            self._notes.clear()
        self._notes[token] = text

    def noted(self, token: str) -> Text | None:
        return self._notes.pop(token, None)

    async def of(self, request: Request) -> tuple[Principal, Visit] | None:
        """Whoever is signed in, with no step left to do."""
        token = request.cookies.get(COOKIE, "")
        found = await self.access.sign_in.principal(token, CHANNEL)
        return (found[0], Visit(self.access, token, found[1])) if found else None

    def watch(
        self, tab: str, principal: Principal, visit: Visit, leave: Callable[[], None]
    ) -> None:
        """``leave`` is called once, when the session or the rights it rests on have ended."""

        def end(_: str = "") -> None:
            if not visit.ended:
                visit.ended = True
                leave()

        async def wait() -> None:
            sessions, id = self.access.sessions, visit.session.id
            handle = Handle(principal, session=id, until=visit.session.until)
            try:
                async with self.access.watch.hold(handle, end):
                    while not visit.ended:
                        await asyncio.sleep(LOOK_S)
                        if not await sessions.standing([id]):
                            end()
            except AccessError:
                end()
            except (
                Exception
            ):  # a database that is away ends nobody's visit: the next look will tell
                log.exception("an open page could not look whether its session stands")

        self._watched[tab] = asyncio.create_task(wait(), name="console visit")

    def forget(self, tab: str) -> None:
        """The tab has gone, or is on its way."""
        task = self._watched.pop(tab, None)
        if task is not None:
            task.cancel()
