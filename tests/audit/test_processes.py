"""Four processes write into one ledger; what was acknowledged is there, once, whoever is killed."""

from __future__ import annotations

import asyncio
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from bench.postgres import create, driver
from dazi.audit.anchors import Checkpoint
from dazi.audit.checkpoints import Checkpoints
from dazi.audit.ledger import SqlSink
from dazi.audit.sealing import Sealing
from dazi.audit.signing import SigningKeys
from dazi.audit.sinks import SqlSink as Sink
from dazi.audit.verify import verify
from dazi.store.database import Conflict, Database
from tests.audit import writers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
NAMES = ("one", "two", "three", "four")
EACH = 120
KILLED_AFTER = 24
ENDLESS = 100_000


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/dazi.sqlite"
    server = request.getfixturevalue("postgres_url")
    name = f"audit_{abs(hash(str(tmp_path)))}"
    create(server, name)
    return driver(f"{server}/{name}")


async def test_all_at_once_and_one_is_killed(url: str, tmp_path: Path) -> None:
    database = Database(url)
    await database.create()
    counts = {name: ENDLESS if name == "three" else EACH for name in NAMES}
    running = writers.start(url, tmp_path, counts)
    victim = running["three"]
    end = time.monotonic() + writers.PATIENCE_S
    while len(writers.acknowledged(tmp_path, ["three"])) < KILLED_AFTER:
        assert victim.is_alive() and time.monotonic() < end
        await asyncio.sleep(0.002)
    victim.kill()
    for name, process in running.items():
        process.join(writers.PATIENCE_S)
        assert process.exitcode == (-9 if name == "three" else 0)

    keys, sealing = SigningKeys(tmp_path / "audit"), Sealing(tmp_path / "audit")
    made: Checkpoint | None = await Checkpoints(database, keys).make()
    found = await verify(database, keys.trust())
    rows = await SqlSink(database).rows(None, ENDLESS)
    there = [sealing.opened(r).fields["arguments"] for r in rows]
    sealing.close()
    await database.close()

    acknowledged = writers.acknowledged(tmp_path, NAMES)
    assert found.bad is None and made is not None and made.seq == len(rows)
    assert len(set(there)) == len(there)
    assert set(acknowledged) <= set(there)
    assert KILLED_AFTER <= len(writers.acknowledged(tmp_path, ["three"])) < ENDLESS
    for name in set(NAMES) - {"three"}:
        assert sum(n.startswith(f"{name}-") for n in there) == EACH
    # They did write at the same time: nobody's records stand in one piece.
    turns = sum(a.split("-")[0] != b.split("-")[0] for a, b in pairwise(there))
    assert turns > len(NAMES)


async def test_a_writer_that_lost_a_race_and_does_not_look_again_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard broken on purpose: the batch is chained to where its writer thinks the end is."""
    from dazi.audit.ledger import Ledger

    database = Database.at(tmp_path / "dazi.sqlite")
    await database.create()
    one, two = Ledger(SqlSink(database)), Ledger(SqlSink(database))

    async def blind(self: Sink, make: object) -> None:
        raise Conflict("taken")

    monkeypatch.setattr(Sink, "append_after", blind)
    await one.append("call", "u", "t", {})
    with pytest.raises(Exception, match="cannot be written"):
        await two.append("call", "u", "t", {})
    assert not two.healthy
    await database.close()
