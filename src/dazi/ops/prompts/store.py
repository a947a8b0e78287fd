"""Prompt versions in the database."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import func, insert, select

from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Text
from dazi.ops.prompts.model import VERSION_0, Activation, Content, Version
from dazi.ops.prompts.tables import prompt_activations, prompt_versions
from dazi.store.database import Database


class PromptStore:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def versions(self) -> list[Version]:
        """The latest first, version 0 last."""
        query = select(prompt_versions).order_by(prompt_versions.c.number.desc())
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [*(_version(row) for row in rows), VERSION_0]

    async def get(self, number: int) -> Version:
        """Raises ``NotFound``."""
        if number == 0:
            return VERSION_0
        query = select(prompt_versions).where(prompt_versions.c.number == number)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise NotFound("prompt", f"没有版本 {number}", f"there is no version {number}")
        return _version(row)

    async def add(self, version: Version) -> Version:
        """Raises ``CallerError`` where somebody else has taken its number."""
        number, now = version.number, time.time()
        async with self.database.write() as connection:
            last = await connection.scalar(select(func.max(prompt_versions.c.number)))
            if number != (last or 0) + 1:
                raise CallerError(
                    "changed_meanwhile",
                    "别人刚加了一个版本,请看过再保存",
                    "somebody else has just added a version; look at it and save again",
                )
            row = {
                "number": number,
                "at": now,
                "author": version.author,
                "note": version.note,
                "content": msgspec.json.encode(version.content).decode(),
            }
            await connection.execute(insert(prompt_versions).values(row))
        return replace(version, at=now)

    async def activate(self, number: int, by: str) -> None:
        """Raises ``NotFound``."""
        await self.get(number)
        async with self.database.write() as connection:
            last = await connection.scalar(select(func.max(prompt_activations.c.seq)))
            row = {"seq": (last or 0) + 1, "number": number, "at": time.time(), "author": by}
            await connection.execute(insert(prompt_activations).values(row))

    async def activations(self, limit: int = 50) -> list[Activation]:
        """The latest first."""
        c = prompt_activations.c
        query = select(prompt_activations).order_by(c.seq.desc()).limit(limit)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Activation(row.number, row.author, row.at) for row in rows]

    async def active(self) -> int:
        """The number in use."""
        found = await self.activations(1)
        return found[0].number if found else 0


def _version(row: Any) -> Version:
    kept = msgspec.json.decode(row.content)
    tools = {name: Text(t["zh"], t["en"]) for name, t in kept["tools"].items()}
    content = Content(kept["zh"], kept["en"], tools)
    return Version(row.number, content, row.note, row.author, row.at)
