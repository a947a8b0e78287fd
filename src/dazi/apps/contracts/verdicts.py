"""What people say of findings and fields: right, wrong, or to be put otherwise. Their words are sealed with
their key; which rule it was about is not personal, and stays countable."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, and_, delete, func, insert, select

from dazi.apps.contracts.fields import NAMES
from dazi.apps.contracts.reviewed import Reviewed
from dazi.apps.contracts.verdict_tables import contract_shown, contract_verdicts
from dazi.audit.private import Private
from dazi.core.errors import CallerError, NotFound
from dazi.core.principal import Principal
from dazi.store.database import Database

Word = Literal["accept", "reject", "correct"]
WORDS: tuple[Word, ...] = ("accept", "reject", "correct")
LONGEST = 1_000
"""Characters of a note and of a value."""
FIELD = "field:"
"""Fields are counted as rules of these names."""


@dataclass(frozen=True, slots=True)
class Said:
    """``item``: a finding's id, or ``field:`` and a name. ``value``: what it should be, with
    ``correct``."""

    item: str
    verdict: Word
    note: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``at`` in seconds since the epoch."""

    said: Said
    rule: str
    at: float


@dataclass(frozen=True, slots=True)
class Count:
    """Of one rule, all people of a tenant together."""

    rule: str
    shown: int
    accepted: int
    rejected: int
    corrected: int


class VerdictStore:
    """A person's verdicts are theirs; counts are the tenant's."""

    def __init__(self, database: Database, private: Private) -> None:
        self._database, self._private = database, private

    async def put(self, principal: Principal, done: Reviewed, said: Said) -> Verdict:
        """In the place of an earlier one. Raises ``NotFound`` for an item that the review does not
        have, ``CallerError`` for what is too long, or corrected to nothing."""
        rule = _rule(done, said)
        id, now = secrets.token_hex(8), time.time()
        content = {"note": said.note, "value": said.value}
        row = {
            "id": id,
            "tenant": principal.tenant,
            "user": principal.user,
            "document": done.digest,
            "item": said.item,
            "rule": rule,
            "verdict": said.verdict,
            "content": self._private.seal(principal.user, _place(id), content),
            "at": now,
        }
        c = contract_verdicts.c
        async with self._database.write() as connection:
            there = and_(_of(principal), c.document == done.digest, c.item == said.item)
            await connection.execute(delete(contract_verdicts).where(there))
            await connection.execute(insert(contract_verdicts).values(row))
        return Verdict(said, rule, now)

    async def withdraw(self, principal: Principal, document: str, item: str) -> None:
        """Raises ``NotFound``."""
        c = contract_verdicts.c
        there = and_(_of(principal), c.document == document, c.item == item)
        async with self._database.write() as connection:
            gone = await connection.execute(delete(contract_verdicts).where(there))
        if not gone.rowcount:
            raise NotFound("verdict", "没有这个意见", "no such verdict")

    async def of(self, principal: Principal, document: str) -> Mapping[str, Verdict]:
        """The person's own on a document, by item."""
        c = contract_verdicts.c
        query = select(contract_verdicts).where(_of(principal), c.document == document)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        out = {}
        for row in rows:
            opened = self._private.open(_place(row.id), row.content)
            if opened.state == "open":
                content: Any = opened.content
                word = cast("Word", row.verdict)
                said = Said(row.item, word, content["note"], content["value"])
                out[row.item] = Verdict(said, row.rule, row.at)
        return out

    async def shown(self, principal: Principal, done: Reviewed) -> None:
        """Count what a review shows; the same document again is counted once."""
        counts: dict[str, int] = {f"{FIELD}{f.name}": 1 for f in done.fields}
        for r in done.remarks:
            counts[r.rule] = counts.get(r.rule, 0) + 1
        common = {
            "tenant": principal.tenant,
            "user": principal.user,
            "document": done.digest,
            "at": time.time(),
        }
        rows = [{**common, "rule": rule[:100], "count": n} for rule, n in counts.items()]
        c = contract_shown.c
        there = and_(
            c.tenant == principal.tenant, c.user == principal.user, c.document == done.digest
        )
        async with self._database.write() as connection:
            await connection.execute(delete(contract_shown).where(there))
            if rows:
                await connection.execute(insert(contract_shown), rows)

    async def counts(self, tenant: str) -> list[Count]:
        """Of every rule that was shown or spoken of, by name."""
        v, s = contract_verdicts.c, contract_shown.c
        said = select(v.rule, v.verdict, func.count()).where(v.tenant == tenant)
        seen = select(s.rule, func.sum(s.count)).where(s.tenant == tenant).group_by(s.rule)
        async with self._database.read() as connection:
            words = (await connection.execute(said.group_by(v.rule, v.verdict))).all()
            times = {rule: int(n) for rule, n in await connection.execute(seen)}
        told: dict[str, dict[str, int]] = {rule: {} for rule in times}
        for rule, word, n in words:
            told.setdefault(rule, {})[word] = n
        return [
            Count(
                rule,
                times.get(rule, 0),
                by.get("accept", 0),
                by.get("reject", 0),
                by.get("correct", 0),
            )
            for rule, by in sorted(told.items())
        ]

    async def forget(self, user: str) -> int:
        """Delete all of somebody who is erased; how many verdicts."""
        async with self._database.write() as connection:
            await connection.execute(delete(contract_shown).where(contract_shown.c.user == user))
            gone = await connection.execute(
                delete(contract_verdicts).where(contract_verdicts.c.user == user)
            )
        return gone.rowcount


def _rule(done: Reviewed, said: Said) -> str:
    if max(len(said.note), len(said.value)) > LONGEST:
        raise CallerError(
            "too_long", f"最多 {LONGEST} 个字", f"must have {LONGEST} characters at the most"
        )
    if said.verdict == "correct" and not (said.value.strip() or said.note.strip()):
        raise CallerError("no_value", "没有写应该是什么", "say what it should be")
    # A field that was not found can be corrected too: it should have been.
    if said.item.startswith(FIELD) and said.item.removeprefix(FIELD) in NAMES:
        return said.item
    found = next((r for r in done.remarks if r.id == said.item), None)
    if found is None:
        raise NotFound("finding", "没有这一条", "no such finding")
    return found.rule[:100]


def _of(principal: Principal) -> ColumnElement[bool]:
    c = contract_verdicts.c
    return and_(c.tenant == principal.tenant, c.user == principal.user)


def _place(id: str) -> str:
    return f"contract_verdicts.content:{id}"
