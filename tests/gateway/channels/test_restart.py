"""Killed in the middle and begun again: effects happen once, and no answer goes out twice."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest_asyncio

from dazi.gateway.channels import texts
from tests.fakes.vendors import TOKEN, FakeDingTalk, FakeWeCom, served
from tests.gateway.channels.conftest import company_with

ROOT = Path(__file__).parents[3]


@pytest_asyncio.fixture
async def vendors() -> AsyncIterator[tuple[FakeWeCom, FakeDingTalk]]:
    wecom, ding = FakeWeCom(), FakeDingTalk()
    async with served(wecom), served(ding):
        yield wecom, ding


async def process(company: Path, data: Path, *more: str) -> int:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    told = {
        "PYTHONPATH": paths,
        "TEST_WECOM_SECRET": "s3cret",
        "TEST_WECOM_TOKEN": TOKEN,
        "TEST_DING_SECRET": FakeDingTalk.secret,
    }
    made = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.channels.dying", str(company), str(data), *more,
        env=os.environ | told, cwd=ROOT,
    )  # fmt: skip
    async with asyncio.timeout(100):
        return await made.wait()


def bookings(data: Path) -> int:
    with closing(sqlite3.connect(data / "yunshan.sqlite")) as connection:
        query = "SELECT count(*) FROM bookings WHERE room = 'B204' AND date = '2025-04-04'"
        return int(connection.execute(query).fetchone()[0])


async def test_what_was_done_is_done_once(
    tmp_path: Path, seeded: Path, vendors: tuple[FakeWeCom, FakeDingTalk]
) -> None:
    """One message, and four processes of which three are killed, each further on its way."""
    wecom, _ = vendors
    company, data = company_with(tmp_path / "company", *vendors), tmp_path / "data"
    shutil.copytree(seeded, data)
    assert bookings(data) == 0
    # A room is booked, and before anything is said of it the process is gone.
    assert await process(company, data, "effect", "message-1") == 9
    assert (bookings(data), wecom.sent) == (1, [])
    # The turn is done again: it finds its booking. This time the answer is in the thread.
    assert await process(company, data, "answer") == 9
    assert (bookings(data), wecom.sent) == (1, [])
    # The answer of the thread goes out, and whether it did is not written down any more.
    assert await process(company, data, "send") == 9
    (said,) = wecom.texts("E1003")
    assert said.startswith("订好了:B204")
    # So it is not sent again.
    assert await process(company, data, "never") == 0
    assert bookings(data) == 1
    assert wecom.texts("E1003") == [said, texts.DOUBTFUL("zh")]
