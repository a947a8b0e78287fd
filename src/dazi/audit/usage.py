"""What was used since a time, by person and model, from the ledger's readable part."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import select

from dazi.audit.paging import first_since
from dazi.audit.records import records
from dazi.audit.sealing import fields_of
from dazi.store.database import Database

BATCH = 500


@dataclass(slots=True)
class Used:
    """``yuan``: of the answers that had a price."""

    user: str
    model: str
    turns: int = 0
    prompt: int = 0
    completion: int = 0
    yuan: float = 0.0


async def used_since(database: Database, at: float) -> list[Used]:
    """Most tokens first. A few records at a time, so that others are served meanwhile; an answer's
    model is the one that gave it, else that of its turn, empty where the turn began before ``at``."""
    out: dict[tuple[str, str], Used] = {}
    models: dict[str, str] = {}
    c = records.c
    async with database.read() as connection:
        last = (await first_since(connection, at) or 0) - 1
        wanted = select(c.seq, c.kind, c.user, c.turn, c.body).where(
            c.kind.in_(("turn", "answer")), c.at >= at
        )
        while True:
            query = wanted.where(c.seq > last).order_by(c.seq).limit(BATCH)
            rows = (await connection.execute(query)).all()
            for row in rows:
                fields = fields_of(row.body)
                if row.kind == "turn":
                    models[row.turn] = str(fields.get("model") or "")
                    continue
                # Where another model answered than the one that was meant to, the answer says so.
                meant = models.pop(row.turn, "")
                who = row.user, str(fields.get("model") or meant)
                used = out.setdefault(who, Used(*who))
                used.turns += 1
                tokens = fields.get("tokens")
                if isinstance(tokens, list) and [type(n) for n in tokens] == [int, int]:
                    used.prompt += tokens[0]
                    used.completion += tokens[1]
                cost = fields.get("cost")
                used.yuan += cost if isinstance(cost, int | float) else 0.0
            if len(rows) < BATCH:
                break
            last = rows[-1].seq
            await asyncio.sleep(0)
    return sorted(out.values(), key=lambda u: (-u.prompt - u.completion, u.user, u.model))
