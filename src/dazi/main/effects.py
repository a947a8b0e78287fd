"""Effects whose outcome nobody knows, for a person to look into."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict

from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.private import Private
from dazi.audit.sealing import Sealing
from dazi.core.language import Language, Text
from dazi.main.auditing import audit_folder
from dazi.main.database import database_of
from dazi.main.settings import Settings
from dazi.router.intents import Intent, IntentStore, Settled
from dazi.store.database import Database

UNDER_WAY_S = 120.0
"""An intent this young may still be at work in a running server."""
STATES = {
    "begun": Text("执行中途停止", "stopped in the middle"),
    "unknown": Text("没有收到回应", "no answer came"),
}
NONE = Text("没有结果不明的操作。", "There is no effect of unknown outcome.")
ADVICE = Text(
    "请先到对方系统核实,不要直接重做。核实后:dazi tool settle 编号 done|failed",
    "Look into the other system first; do not simply do it again. Then: dazi tool settle KEY done|failed",
)


async def unknown(settings: Settings, now: float | None = None) -> list[Intent]:
    """Oldest first; without those that a running server may still be at work on."""
    async with _opened(settings) as (database, sealing):
        found = await IntentStore(database, Private(sealing.keys)).unsettled()
    latest = (time.time() if now is None else now) - UNDER_WAY_S
    return [i for i in found if i.state == "unknown" or i.at < latest]


async def settle(settings: Settings, key: str, state: Settled, person: str, note: str) -> Intent:
    """Write down what a person found out. Raises ``NotFound`` and ``CallerError``."""
    async with _opened(settings) as (database, sealing):
        store = IntentStore(database, Private(sealing.keys))
        intent = await store.resolve(key, state, person, note)
        ledger = Ledger(SqlSink(database), sealing)
        await ledger.open()
        body = {"effect": key, "tool": intent.tool, "outcome": state, "note": note}
        await ledger.append("admin", person, intent.turn, body)
    return intent


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Database, Sealing]]:
    data = settings.data_folder(settings.company_folder())
    database, sealing = database_of(settings, data), Sealing(audit_folder(data))
    try:
        await database.create()
        yield database, sealing
    finally:
        sealing.close()
        await database.close()


def as_json(found: Sequence[Intent]) -> str:
    return json.dumps([asdict(u) for u in found], ensure_ascii=False, indent=1)


def as_text(found: Sequence[Intent], language: Language) -> str:
    if not found:
        return NONE(language)
    lines = []
    for u in found:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(u.at))
        said = json.dumps(u.arguments, ensure_ascii=False)
        lines.append(f"{at}  {u.user}  {u.tool} {said}  {STATES[u.state](language)}  {u.key}")
    return "\n".join([*lines, ADVICE(language)])
