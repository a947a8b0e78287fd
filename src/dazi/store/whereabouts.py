"""Whether SQLite's file is still the one that was opened.

A file that was moved or deleted goes on taking writes, and all of them are gone with the process.
"""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError

Identity = tuple[int, int]


def identity(path: str) -> Identity:
    """Raises ``sqlite3.OperationalError`` where there is no such file."""
    try:
        found = os.stat(path)
    except FileNotFoundError as e:
        raise sqlite3.OperationalError("the database file is not there") from e
    return found.st_dev, found.st_ino


def watch(engine: Engine, path: str) -> None:
    """Connections of ``engine`` to another file than ``path`` is now are given up, and where there
    is none any more, no new one is made."""
    seen: list[Identity] = []

    def connecting(*_: Any) -> None:
        if seen:
            identity(path)

    def connected(_: Any, record: Any) -> None:
        record.info["file"] = identity(path)
        seen[:] = [record.info["file"]]

    def taken(_: Any, record: Any, __: Any) -> None:
        if record.info["file"] != identity(path):
            raise DisconnectionError

    event.listen(engine, "do_connect", connecting)
    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", taken)
