"""``dazi user`` and ``dazi key`` as they are typed, against the demo company and a fresh database."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dazi.access.accounts import Account
from dazi.audit.ledger import SqlSink, first_broken
from dazi.core.errors import AccessError, DaziError, OperatorError
from dazi.core.language import Text
from dazi.main.accounts import add, desk
from dazi.main.commands import keys, users
from dazi.main.settings import Settings
from dazi.store.database import Database


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DAZI_LANG", "en")
    monkeypatch.chdir(tmp_path)


def user(*line: str) -> str:
    return _run(users.group, line)


def key(*line: str) -> str:
    return _run(keys.group, line)


def _run(group: object, line: tuple[str, ...]) -> str:
    done = CliRunner().invoke(group, list(line))  # type: ignore[arg-type]
    if isinstance(done.exception, DaziError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return str(done.stdout)


def administrators() -> None:
    for name, role in (("sys1", "sysadmin"), ("sec1", "secadmin"), ("aud1", "auditadmin")):
        assert "one-time password" in user("add", name, "--role", role)


def test_from_nothing_to_a_person_with_a_key() -> None:
    administrators()
    with pytest.raises(AccessError):
        user("list")  # whoever runs the machine has made them, and that is all
    out = user(
        "add", "zhao", "--name", "赵", "--name-en", "Zhao", "--role", "employee",
        "--department", "HR", "--attribute", "employee_id=E5", "--as", "sys1",
    )  # fmt: skip
    request = re.search(r"^([0-9a-f]{16})  zhao  \+employee", out, re.MULTILINE)
    assert request and "one-time password" in out
    assert request[1] in user("roles", "--as", "sec1")
    with pytest.raises(AccessError):
        user("roles", "--confirm", request[1], "--as", "sys1")
    assert user("roles", "--confirm", request[1], "--as", "sec1") == "zhao  employee\n"
    shown = json.loads(user("show", "zhao", "--as", "sys1"))
    assert (shown["roles"], shown["department"], shown["second_factor"]) == (
        ["employee"],
        "HR",
        False,
    )
    listed = user("list", "--as", "sec1")
    assert "zhao  Zhao  employee  HR" in listed and "dazi.toml" in listed
    made = key("add", "nightly", "--as", "zhao", "--channel", "api", "--days", "30").strip()
    assert re.fullmatch(r"dz_[a-z0-9]{12}_[\w-]{43}", made)
    assert made.split("_")[1] in key("list", "zhao", "--as", "zhao")
    as_json = key("list", "--json", "--as", "sec1")
    assert made.split("_", 2)[2] not in as_json and "digest" not in as_json
    key("revoke", f"dz_{made.split('_')[1]}_", "--as", "zhao")
    assert "revoked" in key("list", "zhao", "--as", "zhao")


def test_the_life_of_an_account() -> None:
    administrators()
    user("add", "robot", "--service", "--as", "sys1")
    with pytest.raises(DaziError, match="does not sign in with a password"):
        user("password", "robot", "--as", "sys1")
    user("roles", "robot", "--give", "employee", "--as", "sec1")
    assert key("add", "sync", "--for", "robot", "--as", "sec1").startswith("dz_")
    user("edit", "robot", "--department", "IT", "--as", "sys1")
    user("disable", "robot", "--as", "sec1")
    assert "IT  service  disabled" in user("list", "--as", "sys1")
    user("enable", "robot", "--as", "sec1")
    assert "None" in user("sessions", "robot", "--as", "sys1")
    user("sessions", "robot", "--end", "--as", "sec1")
    user("totp", "robot", "--as", "sec1")
    assert "one-time password" in user("password", "sec1", "--as", "sys1")
    user("delete", "robot", "--as", "sys1")
    assert "robot" not in user("list", "--as", "sys1")
    with pytest.raises(DaziError, match="taken"):
        user("add", "robot", "--as", "sys1")


def test_what_is_typed_wrong_says_so() -> None:
    administrators()
    for line in (
        ("add", "Zhao", "--as", "sys1"),
        ("add", "zhao", "--attribute", "employee_id", "--as", "sys1"),
        ("add", "zhao", "--role", "sysadmin", "--role", "secadmin", "--as", "sys1"),
        ("roles", "sys1", "--give", "employee", "--take", "employee", "--as", "sec1"),
        ("roles", "sys1", "--give", "nonsense", "--as", "sec1"),
        ("show", "nobody", "--as", "sys1"),
        ("list", "--as", "nobody"),
    ):
        with pytest.raises(DaziError):
            user(*line)


async def test_everything_is_in_the_ledger_and_no_secret_is(tmp_path: Path) -> None:
    settings = Settings()
    account = Account("sys1", Text("s", "s"), frozenset({"sysadmin"}))
    lines = await add(settings, "", account, "en")
    secret = lines[1].split()[2]
    database = Database.at(tmp_path / "data" / "dazi.sqlite")
    rows = await SqlSink(database).rows()
    await database.close()
    assert first_broken(rows) is None
    assert [json.loads(r.body)["act"] for r in rows] == ["user.create", "role.change"]
    assert json.loads(rows[1].body)["why"] == "setup"
    assert len(secret) == 16 and secret not in str(rows)


async def test_a_ledger_that_cannot_be_written_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(self: SqlSink, batch: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(SqlSink, "append", full)
    with pytest.raises(OperatorError, match="ledger"):
        await add(Settings(), "", Account("sys1", Text("s", "s")), "en")
    async with desk(Settings(), "") as d:
        assert await d.access.stores.accounts.of_tenant("default") == []
