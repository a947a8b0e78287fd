"""Real servers that several rooms' tests drive."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import postgres, redis
from tests.databases import Templates

ROOT = Path(__file__).resolve().parents[1]
LONGEST = (
    "tests/test_docs.py",
    "tests/main/test_commands.py",
    "tests/gateway/test_matrix.py",
    "tests/knowledge/test_bombs.py",
    "tests/knowledge/test_parsing_process.py",
    "tests/deploy/test_bundle.py",
    "tests/resilience/test_faults.py",
    "tests/ops/test_backup.py",
    "tests/test_bench.py",
    "tests/resilience/test_rolling.py",
    "tests/resilience/test_gone.py",
    "tests/resilience/test_overload.py",
    "tests/security/test_approvals_bent.py",
)
"""These begin first, so that none is left when everything else is done."""
MOST_WORKERS = 8
SLOWEST = 80
"""Files whose time is told at the end of a run in CI, which has a bar."""
SEEN = pytest.StashKey[float]()
"""The processor's seconds at the end of the last phase of a test."""


def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: much of the time is waiting for processes and for deadlines."""
    return min(MOST_WORKERS, (os.cpu_count() or 1) + 2)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {ROOT / name: n for n, name in enumerate(LONGEST)}
    gone = [path for path in order if not path.is_file()]
    if gone:
        raise pytest.UsageError(f"tests/conftest.py names what is gone: {gone}")
    items.sort(key=lambda item: order.get(item.path, len(order)))


def processor_s() -> float:
    """Of this process and of those that it started and that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    now = processor_s()
    before = item.config.stash.get(SEEN, now)
    item.config.stash[SEEN] = now
    item.user_properties = [p for p in item.user_properties if p[0] != "processor"]
    item.user_properties.append(("processor", now - before))
    yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if os.environ.get("CI") != "true":
        return
    waited, worked, phases = (defaultdict[str, float](float) for _ in range(3))
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                file = report.nodeid.partition("::")[0]
                waited[file] += report.duration
                spent = dict(report.user_properties).get("processor", 0.0)
                worked[file] += float(str(spent))
                phases[report.when or ""] += report.duration
    terminalreporter.section("the slowest files")
    told = ", ".join(f"{phase} {seconds:,.0f}" for phase, seconds in phases.items())
    terminalreporter.write_line(f"{told} seconds; of the processor {sum(worked.values()):,.0f}")
    terminalreporter.write_line("of the processor, by the clock")
    for name in sorted(worked, key=lambda name: -worked[name])[:SLOWEST]:
        terminalreporter.write_line(f"{worked[name]:7.1f} {waited[name]:7.1f}  {name}")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A throwaway PostgreSQL server's URL, without a database's name."""
    binaries = postgres.programs()
    if binaries is None:
        line = "no PostgreSQL here: nothing was tested on it; install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    with postgres.server(binaries, *postgres.QUICK) as url:
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
