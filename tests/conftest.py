"""Real servers that several rooms' tests drive."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bench import postgres, redis
from tests.databases import Templates


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A throwaway PostgreSQL server's URL, without a database's name."""
    binaries = postgres.programs()
    if binaries is None:
        line = "no PostgreSQL here: nothing was tested on it; install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    with postgres.server(binaries) as url:
        yield url


@pytest.fixture(scope="session")
def templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Templates:
    """Copies of databases with something in them."""
    folder = tmp_path_factory.mktemp("templates")
    return Templates(folder, lambda: request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A throwaway Redis server's URL."""
    program = redis.program()
    if program is None:
        line = "no Redis here: nothing was tested on it; install redis-server"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    with redis.server(program) as url:
        yield url
