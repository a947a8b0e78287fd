"""An empty database, on either kind of server."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from bench.postgres import create


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}"
    server, name = request.getfixturevalue("postgres_url"), f"store_{uuid4().hex[:8]}"
    create(server, name)
    return f"{server}/{name}"
