"""Looking at the audit ledger from the command line."""

from __future__ import annotations

import time

from dazi.audit.ledger import SqlSink, first_broken
from dazi.core.language import Language
from dazi.main.settings import Settings
from dazi.store.database import Database


def _database(settings: Settings) -> Database:
    return Database.at(settings.data_folder(settings.company_folder()) / "dazi.sqlite")


async def show(settings: Settings, turn: str, limit: int) -> list[str]:
    database = _database(settings)
    try:
        await database.create()
        rows = await SqlSink(database).rows(turn or None, 1_000_000)
    finally:
        await database.close()
    out = []
    for r in rows[-limit:]:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(r.at))
        out.append(f"{r.seq}  {at}  {r.user}  {r.kind}  {r.turn}  {r.body}")
    return out


async def verify(settings: Settings, language: Language) -> tuple[bool, str]:
    database = _database(settings)
    try:
        await database.create()
        rows = await SqlSink(database).rows(None, 100_000_000)
    finally:
        await database.close()
    broken = first_broken(rows)
    if broken is None:
        zh, en = f"{len(rows)} 条记录,哈希链完整", f"{len(rows)} records, the chain holds"
        return True, zh if language == "zh" else en
    zh, en = f"第 {broken} 条记录与哈希链不符", f"record {broken} does not fit the chain"
    return False, zh if language == "zh" else en
