"""Many subjects at once, each with one turn, as the store takes them down one by one."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import insert

from dazi.ops.experiments.store import Seen
from dazi.ops.experiments.tables import experiment_subjects
from dazi.store.database import Database


async def fill(database: Database, seen: Sequence[Seen]) -> None:
    rows = [
        {
            "experiment": s.experiment,
            "subject": s.subject,
            "tenant": s.tenant,
            "user": s.user,
            "arm": s.arm,
            "stage": s.stage,
            "at": s.at,
            "turns": 1,
            "first": json.dumps(dict(s.values)),
            "sums": json.dumps({name: [1, value] for name, value in s.values.items()}),
        }
        for s in seen
    ]
    async with database.write() as connection:
        await connection.execute(insert(experiment_subjects), rows)
