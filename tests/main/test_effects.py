"""Effects whose outcome nobody knows are listed; those under way and those settled are not."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from dazi.audit.private import Private
from dazi.main.effects import UNDER_WAY_S, as_text, unknown
from dazi.main.settings import Settings
from dazi.router.intents import IntentStore
from dazi.store.database import Database
from tests.main.test_commands import dazi

REFUND = {"order_id": "ORD12345", "reason": "漏发"}


async def write(data: Path) -> None:
    database = Database.at(data / "dazi.sqlite")
    await database.create()
    store = IntentStore(database, Private.at(data / "audit"))
    for key, state in (("k-done", "done"), ("k-silent", "unknown"), ("k-cut-off", "")):
        assert not await store.begin(key, "finance", "turn_1", "request_refund", REFUND)
        if state:
            await store.settle(key, "finance", state)
    await database.close()


def test_the_command_lists_them(tmp_path: Path) -> None:
    environment = {"DAZI_DATA": str(tmp_path), "DAZI_LANG": "zh"}
    assert dazi("tool", "unknown", **environment).stdout.strip() == "没有结果不明的操作。"
    asyncio.run(write(tmp_path))
    said = dazi("tool", "unknown", **environment).stdout
    assert "k-silent" in said and "没有收到回应" in said and "ORD12345" in said and "核实" in said
    assert "k-done" not in said and "k-cut-off" not in said  # that one may still be under way
    (listed,) = json.loads(dazi("tool", "unknown", "--json", **environment).stdout)
    assert (listed["key"], listed["user"], listed["state"]) == ("k-silent", "finance", "unknown")
    assert listed["arguments"] == REFUND


async def test_what_was_cut_off_is_listed_when_it_cannot_be_under_way_any_more(
    tmp_path: Path,
) -> None:
    await write(tmp_path)
    found = await unknown(Settings(data=tmp_path), time.time() + UNDER_WAY_S + 1)
    assert {u.key: u.state for u in found} == {"k-silent": "unknown", "k-cut-off": "begun"}
    assert "stopped in the middle" in as_text(found, "en")
