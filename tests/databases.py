"""Databases that are made once and copied: a test has one of its own without the work of making it."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bench.postgres import create
from dazi.store.database import Database

Fill = Callable[[Database], Awaitable[None]]


@dataclass
class Templates:
    """``server``: the URL of a PostgreSQL server, started by the first who asks."""

    folder: Path
    server: Callable[[], str]
    made: dict[tuple[str, str], str] = field(default_factory=dict)

    async def copied(self, kind: str, name: str, fill: Fill, folder: Path) -> str:
        """The URL of a copy in ``folder``, or on the server, of what ``fill`` puts into the tables
        of an empty database. ``name`` says what that is."""
        if (kind, name) not in self.made:
            self.made[kind, name] = await self._make(kind, name, fill)
        made = self.made[kind, name]
        if kind == "sqlite":
            return f"sqlite+aiosqlite:///{shutil.copyfile(made, folder / 'd.sqlite')}"
        own = f"{name}_{uuid4().hex[:8]}"
        create(self.server(), own, template=made)
        return f"{self.server()}/{own}"

    async def _make(self, kind: str, name: str, fill: Fill) -> str:
        if kind == "sqlite":
            made = str(self.folder / f"{name}.sqlite")
            database = Database(f"sqlite+aiosqlite:///{made}")
        else:
            made = f"{name}_template"
            create(self.server(), made)
            database = Database(f"{self.server()}/{made}")
        await database.create()
        await fill(database)
        await database.close()
        return made


async def nothing(_: Database) -> None:
    """Tables, and nothing in them."""
