"""Effects whose outcome nobody knows, for a person to look into."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dazi.core.language import Language, Text
from dazi.main.settings import Settings
from dazi.router.intents import IntentStore
from dazi.store.database import Database

UNDER_WAY_S = 120.0
"""An intent this young may still be at work in a running server."""
STATES = {
    "begun": Text("执行中途停止", "stopped in the middle"),
    "unknown": Text("没有收到回应", "no answer came"),
}
NONE = Text("没有结果不明的操作。", "There is no effect of unknown outcome.")
ADVICE = Text(
    "请先到对方系统核实,不要直接重做。",
    "Look into the other system first; do not simply do it again.",
)


@dataclass(frozen=True, slots=True)
class Unknown:
    """``at`` in seconds since the epoch; ``key`` is what the other system was given."""

    at: float
    user: str
    tool: str
    arguments: dict[str, Any]
    state: str
    key: str
    turn: str


async def unknown(settings: Settings, now: float | None = None) -> list[Unknown]:
    """Oldest first."""
    database = Database.at(settings.data_folder(settings.company_folder()) / "dazi.sqlite")
    try:
        await database.create()
        rows = await IntentStore(database).unsettled()
    finally:
        await database.close()
    latest = (time.time() if now is None else now) - UNDER_WAY_S
    found = [
        Unknown(
            r["at"],
            r["user"],
            r["tool"],
            json.loads(r["arguments"]),
            r["state"],
            r["key"],
            r["turn"],
        )
        for r in rows
        if r["state"] == "unknown" or r["at"] < latest
    ]
    return sorted(found, key=lambda u: u.at)


def as_json(found: Sequence[Unknown]) -> str:
    return json.dumps([asdict(u) for u in found], ensure_ascii=False, indent=1)


def as_text(found: Sequence[Unknown], language: Language) -> str:
    if not found:
        return NONE(language)
    lines = []
    for u in found:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(u.at))
        said = json.dumps(u.arguments, ensure_ascii=False)
        lines.append(f"{at}  {u.user}  {u.tool} {said}  {STATES[u.state](language)}  {u.key}")
    return "\n".join([*lines, ADVICE(language)])
