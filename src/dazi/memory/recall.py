"""What a turn is given of its thread: the last turns word for word, and what older ones came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dazi.core.principal import Principal
from dazi.core.tools import Tool
from dazi.memory.digests import NOTHING, Digest, DigestStore
from dazi.memory.events import Event, events_of, merged
from dazi.memory.threads import Kept, Numbered, ThreadStore

RECENT = 24
"""So many messages are read with every turn; what they hold counts as evidence word for word."""
MOST_UNFOLDED = 2_000
"""Messages that are read at once where nobody has folded them yet."""
FOLD_AT = 4
"""Older turns are folded so many at a time: a model need not be asked after every answer."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """``history`` word for word, oldest first; its last turns begin at ``short``. ``summary`` and
    ``events`` tell of everything before those. ``unfolded``: turns that no digest holds yet.
    ``facts``: what the person wants remembered, in any thread, by their ``fact_ids``. ``since``: number
    of the first message of the last turns; ``through``: of the last that ``summary`` and ``events``
    of a digest hold."""

    history: tuple[Kept, ...] = ()
    short: int = 0
    summary: str = ""
    events: tuple[Event, ...] = ()
    unfolded: int = 0
    facts: tuple[str, ...] = ()
    fact_ids: tuple[str, ...] = ()
    since: int = 0
    through: int = 0


@dataclass(frozen=True, slots=True)
class Older:
    """What a digest is to take in: ``messages`` after those of ``digest``, whole turns."""

    digest: Digest
    messages: tuple[Numbered, ...]


class Recall:
    """Reads threads for turns. ``tools``: those that calls are of; ``turns``: how many of the last
    turns are kept word for word."""

    def __init__(
        self, threads: ThreadStore, digests: DigestStore, tools: Mapping[str, Tool], turns: int
    ) -> None:
        self._threads = threads
        self._digests = digests
        self._tools = tools
        self._turns = turns

    async def of(self, thread: str, principal: Principal) -> Recalled:
        """Empty for a new thread. Raises ``NotFound`` for a thread that is somebody else's."""
        digest, found = await self._found(thread, principal)
        short = _beginning(found, self._turns)
        recent = min(short, _first_said(found, max(0, len(found) - RECENT)))
        older = [n for n in found[:short] if n.seq > digest.through]
        between = events_of([n.kept.message for n in older], self._tools)
        return Recalled(
            tuple(n.kept for n in found[recent:]),
            short - recent,
            digest.summary,
            tuple(merged([*digest.events, *between])),
            sum(n.kept.message.role == "user" for n in older),
            since=found[short].seq if short < len(found) else 0,
            through=max(digest.through, 0),
        )

    async def older(self, thread: str, principal: Principal) -> Older | None:
        """What is due to be folded: nothing before there is enough of it. Raises as ``of``."""
        digest = await self._digests.get(thread)
        newest = await self._threads.latest(thread, principal, 1)
        end = newest[0].seq + 1 if newest else 0
        stop = min(end, digest.through + 1 + MOST_UNFOLDED)
        found = await self._threads.between(thread, principal, digest.through, stop, MOST_UNFOLDED)
        # Where there is more, the last turn of this piece goes on in the next one.
        older = found[: _beginning(found, self._turns if stop == end else 1)]
        if sum(n.kept.message.role == "user" for n in older) < FOLD_AT:
            return None
        return Older(digest, tuple(older))

    async def _found(self, thread: str, principal: Principal) -> tuple[Digest, list[Numbered]]:
        found = await self._threads.latest(thread, principal, RECENT)
        said = sum(n.kept.message.role == "user" for n in found)
        if not found or (found[0].seq == 1 and said <= self._turns):
            return NOTHING, found
        digest = await self._digests.get(thread)
        if found[0].seq <= digest.through + 1:
            return digest, found
        before = await self._threads.between(
            thread, principal, digest.through, found[0].seq, MOST_UNFOLDED
        )
        return digest, [*before, *found]


def _beginning(found: Sequence[Numbered], turns: int) -> int:
    """Where the last turns begin; a turn begins with what the person says."""
    said = [i for i, n in enumerate(found) if n.kept.message.role == "user"]
    return said[-turns] if len(said) > turns else _first_said(found, 0)


def _first_said(found: Sequence[Numbered], start: int) -> int:
    at = (i for i in range(start, len(found)) if found[i].kept.message.role == "user")
    return next(at, len(found))
