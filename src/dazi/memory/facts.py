"""What a person wants remembered in every conversation, in their own words, sealed with their key.

Only what they asked for or confirmed is used. What was noticed in passing is a proposal.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    update,
)

from dazi.audit.private import Private
from dazi.core.errors import CallerError, NotFound
from dazi.core.principal import Principal
from dazi.store.database import Database, metadata

State = Literal["proposed", "confirmed"]
MOST_FACTS = 200
"""Of one person, proposals apart."""
MOST_PROPOSED = 20
"""The oldest proposal goes for a newer one."""
LONGEST = 500
FRESH_S = 2.0
"""So long facts are used on before another process is believed to have changed none."""
CACHED = 1_000

memory_facts = Table(
    "memory_facts",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("content", Text, nullable=False),
    Column("thread", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("state", String(10), nullable=False),
)

_ASKED = re.compile(
    r"(?:请|麻烦|帮我|你|要|给我){0,3}\s*(?:记住|记一下|记下来?)\s*[,\uff0c:\uff1a]?\s*(?P<zh>[^了吧没么吗].{2,})"
    r"|(?:please\s+)?remember(?:\s+that\s+|\s*:\s*|,\s*|\s+(?=(?:my|our|I|I'm|we)\b))(?P<en>.{3,})",
    re.IGNORECASE | re.DOTALL,
)
_QUESTION = re.compile(r"[?\uff1f]|吗[。.!!]?\s*$")
_FIRST = re.compile(r"[^。！!；;\n]+[。！!；;]?")


@dataclass(frozen=True, slots=True)
class Fact:
    """``at``: when it was kept, in seconds since the epoch; ``thread``: where it was said, if it
    was."""

    id: str
    text: str
    state: State
    thread: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks to have remembered; ``alone``: they say nothing else."""

    text: str
    alone: bool


def asked_to_remember(said: str) -> Asked | None:
    """「记住我的地址是…」, ``remember that my address is ...``: of a message that also asks
    something, the first sentence."""
    match = _ASKED.fullmatch(said.strip())
    if match is None:
        return None
    text = (match["zh"] or match["en"]).strip()
    if not _QUESTION.search(text) and len(text) <= LONGEST:
        return Asked(text, alone=True)
    first = _FIRST.match(text)
    if first is None or _QUESTION.search(first[0]) or len(first[0]) > LONGEST:
        return None
    return Asked(first[0].strip(), alone=False)


class FactStore:
    """Every access names the principal: another's fact looks like none at all."""

    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private
        self._known: OrderedDict[tuple[str, str], tuple[float, tuple[Fact, ...]]] = OrderedDict()

    async def list(self, principal: Principal) -> tuple[Fact, ...]:
        """The person's facts and proposals, oldest first."""
        query = select(memory_facts).where(_of(principal)).order_by(memory_facts.c.at)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        opened = ((r, self._private.open(_place(r.id), r.content)) for r in rows)
        return tuple(
            Fact(r.id, o.content, cast(State, r.state), r.thread, r.at)
            for r, o in opened
            if o.state == "open"
        )

    async def confirmed(self, principal: Principal) -> tuple[Fact, ...]:
        """Those that may be used, as they were ``FRESH_S`` ago at the earliest."""
        key = principal.tenant, principal.user
        at, facts = self._known.get(key, (0.0, ()))
        now = time.monotonic()
        if not at or now - at > FRESH_S:
            facts = tuple(f for f in await self.list(principal) if f.state == "confirmed")
            self._known[key] = now, facts
            if len(self._known) > CACHED:
                self._known.popitem(last=False)
        return facts

    async def keep(self, principal: Principal, text: str, thread: str = "") -> Fact:
        """What the person asked for. Raises ``CallerError`` where it is empty or too long, and where
        there are ``MOST_FACTS``."""
        text = _checked(text)
        facts = await self.list(principal)
        same = next((f for f in facts if f.text == text), None)
        if same is not None:
            return await self.change(principal, same.id, confirm=True)
        if sum(f.state == "confirmed" for f in facts) >= MOST_FACTS:
            raise _full()
        return await self._put(principal, Fact(_number(), text, "confirmed", thread, time.time()))

    async def propose(self, principal: Principal, texts: Sequence[str], thread: str) -> None:
        """Keep what was noticed until the person confirms it or it is too old."""
        facts = await self.list(principal)
        known = {f.text for f in facts}
        waiting = [f for f in facts if f.state == "proposed"]
        for text in texts:
            if text in known or len(text) > LONGEST:
                continue
            if len(waiting) >= MOST_PROPOSED:
                await self.remove(principal, waiting.pop(0).id)
            fact = Fact(_number(), text, "proposed", thread, time.time())
            waiting.append(await self._put(principal, fact))
            known.add(text)

    async def change(
        self, principal: Principal, id: str, text: str = "", *, confirm: bool = False
    ) -> Fact:
        """Other words, or the person's yes to a proposal. Raises ``NotFound``, and as ``keep``."""
        facts = await self.list(principal)
        fact = next((f for f in facts if f.id == id), None)
        if fact is None:
            raise _unknown()
        if confirm and fact.state == "proposed":
            if sum(f.state == "confirmed" for f in facts) >= MOST_FACTS:
                raise _full()
            fact = replace(fact, state="confirmed")
        if text:
            fact = replace(fact, text=_checked(text))
        async with self._database.write() as connection:
            await connection.execute(
                update(memory_facts)
                .where(and_(memory_facts.c.id == id, _of(principal)))
                .values(content=self._sealed(principal, fact), state=fact.state)
            )
        self._forget(principal)
        return fact

    async def remove(self, principal: Principal, id: str) -> None:
        """Raises ``NotFound``."""
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(memory_facts).where(and_(memory_facts.c.id == id, _of(principal)))
            )
        self._forget(principal)
        if not done.rowcount:
            raise _unknown()

    async def forget(self, user: str) -> int:
        """Delete all of somebody who is erased; how many."""
        async with self._database.write() as connection:
            done = await connection.execute(delete(memory_facts).where(memory_facts.c.user == user))
        self._known.clear()
        return done.rowcount

    async def _put(self, principal: Principal, fact: Fact) -> Fact:
        async with self._database.write() as connection:
            await connection.execute(
                insert(memory_facts).values(
                    id=fact.id,
                    tenant=principal.tenant,
                    user=principal.user,
                    content=self._sealed(principal, fact),
                    thread=fact.thread,
                    at=fact.at,
                    state=fact.state,
                )
            )
        self._forget(principal)
        return fact

    def _sealed(self, principal: Principal, fact: Fact) -> str:
        return self._private.seal(principal.user, _place(fact.id), fact.text)

    def _forget(self, principal: Principal) -> None:
        self._known.pop((principal.tenant, principal.user), None)


def _of(principal: Principal) -> ColumnElement[bool]:
    return and_(memory_facts.c.user == principal.user, memory_facts.c.tenant == principal.tenant)


def _place(id: str) -> str:
    return f"memory_facts.content:{id}"


def _number() -> str:
    return secrets.token_hex(8)


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise CallerError("empty", "没有写要记住什么", "nothing to remember was given")
    if len(text) > LONGEST:
        raise CallerError(
            "fact_too_long",
            f"有 {len(text)} 个字符,一条最多 {LONGEST} 个;请拆开或缩短",
            f"it has {len(text)} characters, {LONGEST} at most; split or shorten it",
        )
    return text


def _full() -> CallerError:
    return CallerError(
        "facts_full",
        f"已经记了 {MOST_FACTS} 条,记满了;先用 dazi memory forget 或接口删掉不用的",
        f"{MOST_FACTS} facts are remembered, which is all; delete some with dazi memory forget or "
        "over the API first",
    )


def _unknown() -> NotFound:
    return NotFound("fact", "没有这一条", "no such fact")
