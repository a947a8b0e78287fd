"""The whole assistant with its database by setting, and what is said where that cannot be had."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from bench.postgres import create
from dazi.core.errors import AccessError, ConfigError, OperatorError
from dazi.main import auditing, database, effects
from dazi.main.doctor import _database
from dazi.main.runtime import Runtime
from dazi.main.settings import Settings
from tests.main.test_commands import dazi
from tests.ops.installed import ORDER, fill, running, seen, settings, sign_in, with_installation

SECRET = "kept-to-itself"


@pytest.fixture
def url(postgres_url: str) -> str:
    name = f"whole_{uuid4().hex[:8]}"
    create(postgres_url, name)
    return f"{postgres_url}/{name}".replace("dazi@", f"dazi:{SECRET}@")


def test_a_whole_turn_and_everything_after_it(url: str, tmp_path: Path) -> None:
    chosen = settings(tmp_path, database=url)
    ticket = with_installation(chosen, fill)
    assert not (tmp_path / "dazi.sqlite").exists()

    async def look(runtime: Runtime) -> None:
        found = await seen(runtime, ticket)
        assert found["said"][0] == ORDER and len(found["threads"]) == 2
        assert found["tickets"] == [ticket] and found["state"] == "pending"
        assert found["effects"] == [("request_refund", "done")]
        assert found["account"].name.en == "Li Hua"
        assert await sign_in(runtime) == "lihua"
        with pytest.raises(AccessError):
            await sign_in(runtime, "Not-the-one-2")

    with_installation(chosen, look)  # another process, as far as the database can tell
    sound, told = asyncio.run(auditing.check(chosen, "en", None, None))
    assert sound and "the chain holds" in told
    assert asyncio.run(effects.unknown(chosen)) == []


def test_the_commands_use_it_and_keep_the_password_to_themselves(url: str, tmp_path: Path) -> None:
    environment = {"DAZI_DATABASE": url, "DAZI_DATA": str(tmp_path), "DAZI_LANG": "en"}
    assert "wang" in dazi("user", "add", "wang", "--role", "sysadmin", **environment).stdout
    assert "user.create" in dazi("audit", "show", **environment).stdout
    found = asyncio.run(_database(Settings(data=tmp_path, database=url), tmp_path))
    assert found.ok and "postgresql" in found.text.en and "/whole_" in found.text.en
    gone = url.replace("/whole_", "/nowhere_")
    done = dazi("audit", "show", **{**environment, "DAZI_DATABASE": gone})
    assert done.returncode == 2 and "cannot open the database" in done.stderr
    refused = asyncio.run(_database(Settings(data=tmp_path, database=gone), tmp_path))
    assert not refused.ok and "nowhere_" in refused.text.zh
    for said in (done.stdout, done.stderr, str(found), str(refused), repr(Settings(database=url))):
        assert SECRET not in said


@pytest.mark.parametrize(
    "wrong",
    [
        f"mysql://dazi:{SECRET}@db/dazi",
        f"postgresql://dazi:{SECRET}@db",
        f"{SECRET}",
        f"postgresql://a:{SECRET}@b:port/c",
    ],
)
def test_a_setting_that_is_no_url(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DAZI_DATABASE") as refused:
        database.database_of(Settings(database=wrong), tmp_path)
    assert SECRET not in f"{refused.value.text}{refused.value.__cause__}"


def test_without_the_driver_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "find_spec", lambda name: None)
    with pytest.raises(OperatorError, match=r"pip install 'dazi\[postgresql\]'"):
        database.database_of(Settings(database="postgresql://db/dazi"), tmp_path)


async def test_two_processes_share_it(url: str, tmp_path: Path) -> None:
    chosen = settings(tmp_path, database=url)
    async with running(chosen) as one, running(chosen) as other:
        ticket = await fill(one)
        found = await seen(other, ticket)
        await other.access.changes.look()
        assert found["tickets"] == [ticket] and await sign_in(other) == "lihua"
