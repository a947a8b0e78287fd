"""The company that the harness runs: a table to read and write, a service, an MCP server, and
limits where a part of the harness wants them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.upstream import MODEL
from dazi.access.users import DEMO_KEY_PREFIX
from dazi.audit.ledger import Record, SqlSink
from dazi.audit.sealing import Sealing
from dazi.audit.search import Opened
from dazi.inference.catalog import Catalog
from dazi.main.auditing import audit_folder
from dazi.store.database import Database

ADMIN = "admin"
"""May talk to the model itself too."""
MOST_RECORDS = 1_000_000

_BOOKS = """
system: books
connector: {kind: sql, database: books}
tools:
  read_line:
    description: read a line
    effect: read
    roles: [clerk]
    parameters: {words: {type: string, required: true}}
    sql: SELECT words FROM lines WHERE words = :words
    result: {shape: many, shown: [words]}
  write_line:
    description: write a line
    effect: write
    roles: [clerk]
    parameters: {words: {type: string, required: true}}
    sql: INSERT INTO lines (words) VALUES (:words)
    write: true
  pay:
    description: pay
    effect: sensitive
    roles: [clerk]
    parameters: {words: {type: string, required: true}}
    sql: INSERT INTO lines (words) VALUES (:words)
    write: true
"""
_DESK = """
system: desk
connector: {kind: http, service: desk, openapi: desk.openapi.json}
tools:
  find_room:
    description: find a room
    effect: read
    roles: [clerk]
    operation: findRoom
    timeout_s: TIMEOUT
    parameters: {words: {type: string, required: true}}
    result: {shape: one, shown: [room]}
"""
_GUESTS = """
system: guests
connector: {kind: mcp, service: guests}
tools:
  find_guest:
    description: find a guest
    effect: read
    roles: [clerk]
    tool: find_guest
    pin: PIN
    timeout_s: TIMEOUT
    parameters: {words: {type: string, required: true}}
    result: {shape: one, shown: [guest]}
"""
_ROOM = {"type": "object", "required": ["room"], "properties": {"room": {"type": "string"}}}
_OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "desk", "version": "1"},
    "paths": {
        "/room": {
            "get": {
                "operationId": "findRoom",
                "parameters": [
                    {
                        "name": "words", "in": "query", "required": True,
                        "schema": {"type": "string"},
                    }
                ],
                "responses": {
                    "200": {
                        "description": "a room",
                        "content": {"application/json": {"schema": _ROOM}},
                    }
                },
            }
        }
    },
}  # fmt: skip
_ROLES = "roles:\n  clerk: {name: clerk}\n  admin: {name: admin}\n"


@dataclass(frozen=True, slots=True)
class Systems:
    """Where the company's systems are. ``pin``: of the MCP server's tool; empty: none of it."""

    desk_port: int = 9
    guests_port: int = 9
    pin: str = ""
    timeout_s: float = 2.0


@dataclass(frozen=True, slots=True)
class House:
    """``folder``: the company; ``data``: what several processes share; ``users``: clerks."""

    folder: Path
    data: Path
    users: tuple[str, ...]
    url: str = ""
    """Of a database on a server; else it is a file in ``data``."""

    @property
    def database(self) -> Path:
        return self.data / "dazi.sqlite"

    async def records(self) -> list[Record]:
        """The ledger, opened, oldest first."""
        sealing = Sealing(audit_folder(self.data))
        database = self._opened()
        try:
            return await Opened(SqlSink(database), sealing).rows(limit=MOST_RECORDS)
        finally:
            sealing.close()
            await database.close()

    async def sealed(self) -> list[Record]:
        """The ledger as it is stored: what the chain is made of."""
        database = self._opened()
        try:
            return await SqlSink(database).rows(limit=MOST_RECORDS)
        finally:
            await database.close()

    def _opened(self) -> Database:
        return Database(self.url) if self.url else Database.at(self.database)


def build(
    root: Path,
    model_port: int,
    *,
    clerks: int = 4,
    limits: str = "",
    systems: Systems | None = None,
) -> House:
    """A fresh company under ``root`` whose model listens at ``model_port``."""
    systems = systems or Systems()
    folder, data = root / "company", root / "data"
    (folder / "tools").mkdir(parents=True)
    data.mkdir(parents=True, exist_ok=True)
    names = (ADMIN, *(f"clerk{i}" for i in range(clerks)))
    toml = [
        "demo = true",
        f'[databases]\nbooks = "sqlite:///{root}/books.sqlite"',
        f'[services]\ndesk = "http://127.0.0.1:{systems.desk_port}"',
        f'guests = "http://127.0.0.1:{systems.guests_port}/mcp"',
        limits,
        *(_user(name) for name in names),
    ]
    (folder / "dazi.toml").write_text("\n".join(toml), encoding="utf-8")
    (folder / "roles.yaml").write_text(_ROLES, encoding="utf-8")
    (folder / "desk.openapi.json").write_text(json.dumps(_OPENAPI), encoding="utf-8")
    (folder / "tools" / "books.yaml").write_text(_BOOKS, encoding="utf-8")
    seconds = f"{systems.timeout_s:g}"
    (folder / "tools" / "desk.yaml").write_text(_DESK.replace("TIMEOUT", seconds), "utf-8")
    if systems.pin:
        guests = _GUESTS.replace("PIN", systems.pin).replace("TIMEOUT", seconds)
        (folder / "tools" / "guests.yaml").write_text(guests, encoding="utf-8")
    with sqlite3.connect(root / "books.sqlite") as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE lines (words TEXT)")
        connection.execute("INSERT INTO lines VALUES ('first')")
    Catalog(data).use(f"http://127.0.0.1:{model_port}/v1", MODEL)
    return House(folder, data, names[1:])


def lines(root: Path) -> Sequence[str]:
    """What has really been written into the company's table."""
    with sqlite3.connect(root / "books.sqlite") as connection:
        return [str(row[0]) for row in connection.execute("SELECT words FROM lines")]


def key(user: str) -> str:
    return DEMO_KEY_PREFIX + user


def _user(name: str) -> str:
    roles = '["admin", "clerk"]' if name == ADMIN else '["clerk"]'
    return f'[[users]]\nuser = "{name}"\nname = "{name}"\nroles = {roles}'
