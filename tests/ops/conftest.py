"""Installations on either database, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from argon2 import Parameters, Type

from bench.postgres import create
from dazi.main.settings import Settings
from dazi.ops.backup import backup, restore
from tests.ops.installed import PASSPHRASE, settings

CHEAP = Parameters(Type.ID, 19, 16, 32, time_cost=1, memory_cost=8, parallelism=1)
Make = Callable[[str, str], Settings]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What costs time on purpose costs nothing; test_sealed looks at the real thing."""
    monkeypatch.setattr("dazi.access.passwords.RFC_9106_LOW_MEMORY", CHEAP)
    monkeypatch.setattr(backup, "derive", hashed)
    monkeypatch.setattr(restore, "derive", hashed)


def hashed(passphrase: str, salt: bytes) -> bytes:
    return sha256(salt + passphrase.encode()).digest()


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Settings of a new installation: its name, and ``sqlite`` or ``postgresql``."""

    def make(name: str, kind: str) -> Settings:
        url = ""
        if kind == "postgresql":
            server, database = request.getfixturevalue("postgres_url"), f"b_{uuid4().hex[:8]}"
            create(server, database)
            url = f"{server}/{database}"
        return settings(tmp_path / name, database=url, backup_passphrase=PASSPHRASE)

    return make


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    """Where backups are kept."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    yield folder
    assert not [p for p in folder.iterdir() if p.name.startswith(".")], "something half was left"
