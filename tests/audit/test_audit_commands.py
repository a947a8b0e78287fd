"""``dazi audit``, as an administrator uses it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.sealing import Sealing
from dazi.core.errors import CallerError, ConfigError, NotFound
from dazi.main.cli import complete
from dazi.store.database import Database


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data"
    monkeypatch.setenv("DAZI_DATA", str(folder))
    monkeypatch.setenv("DAZI_LANG", "en")

    async def fill() -> None:
        database = Database.at(folder / "dazi.sqlite")
        await database.create()
        sealing = Sealing(folder / "audit")
        ledger = Ledger(SqlSink(database), sealing)
        for n in range(6):
            body = {"tool": "query", "arguments": {"id": f"ORD{n}"}}
            await ledger.append("call", "lin" if n % 2 else "wang", f"turn_{n}", body)
        await ledger.append("sign_in", "\x1b[31mred", "", {"ok": False})
        await database.close()
        sealing.close()

    asyncio.run(fill())
    return folder


def audit(*line: str, code: int = 0) -> str:
    done: Result = CliRunner().invoke(complete(), ["audit", *line])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def test_show_and_search() -> None:
    assert audit("show", "--limit", "2").count("\n") == 2
    assert "ORD3" in audit("show", "turn_3")
    assert "\x1b" not in audit("show") and "\\u001b[31mred" in audit("show")
    found = json.loads(audit("search", "ord", "--user", "lin", "--limit", "2", "--json"))
    assert [f["content"]["arguments"]["id"] for f in found] == ["ORD3", "ORD5"]
    assert json.loads(audit("search", "--since", "2999-01-01", "--json")) == []
    assert (
        len(json.loads(audit("search", "--until", "2999-01-01", "--tool", "query", "--json"))) == 6
    )


def test_checkpoints_and_keys(tmp_path: Path, data: Path) -> None:
    assert "no checkpoint yet" in audit("verify")
    kept, key = tmp_path / "kept.jsonl", tmp_path / "key.pem"
    line = audit("checkpoint", "--out", str(kept))
    assert kept.read_text("utf-8") == line and json.loads(line)["seq"] == 7
    assert audit("key", "--out", str(key)) == key.read_text("ascii")
    assert "the last one at record 7" in audit("verify")
    audit("verify", "--checkpoint", str(kept), "--public-key", str(key))
    assert audit("key", "--rotate", "--as", "root") != key.read_text("ascii")
    audit("checkpoint", "--out", str(kept))
    assert len(kept.read_text("utf-8").splitlines()) == 2
    audit("verify", "--checkpoint", str(kept), "--public-key", str(key))
    assert '"act":"rotate"' in audit("search", "--kind", "admin", "--user", "root")

    async def cut() -> None:
        from sqlalchemy import text

        database = Database.at(data / "dazi.sqlite")
        async with database.write() as connection:
            await connection.execute(text("DELETE FROM audit_records WHERE seq > 5"))
            await connection.execute(text("DELETE FROM audit_checkpoints"))
        await database.close()

    asyncio.run(cut())
    assert "cut off from record 6" in audit("verify", code=1)


def test_export(tmp_path: Path) -> None:
    out = tmp_path / "e.jsonl"
    assert audit("export", "--out", str(out)).startswith("7 ")
    assert "7 records (an unbroken piece)" in audit("verify", "--file", str(out))
    text = out.read_text("utf-8")
    out.write_text(text.replace('"ORD3"', '"ORD9"'), "utf-8")
    assert "record 4" in audit("verify", "--file", str(out), code=1)
    assert "ORD3" in audit("export", "--format", "csv", "--user", "lin")
    assert "ORD3" not in audit("export", "--sealed")
    with pytest.raises(CallerError):
        audit("export", "--format", "xml")
    with pytest.raises(CallerError):
        audit("export", "--out", str(tmp_path))
    with pytest.raises(CallerError):
        audit("checkpoint", "--out", str(tmp_path))


def test_holds_erasure_and_retention() -> None:
    with pytest.raises(CallerError):
        audit("hold", "add", "--reason", "a dispute")
    hold = audit("hold", "add", "--user", "lin", "--reason", "a dispute", "--as", "counsel")
    assert audit("hold", "list") == hold and "user=lin" in hold
    with pytest.raises(CallerError, match="hold"):
        audit("erase", "--user", "lin", "--reason", "asked for")
    with pytest.raises(NotFound):
        audit("hold", "release", "hold_x", "--reason", "settled")
    audit("hold", "release", hold.split()[0], "--reason", "settled", "--as", "counsel")
    assert audit("hold", "list") == ""
    assert "3 records" in audit("erase", "--user", "lin", "--reason", "asked for")
    assert "[erased]" in audit("show", "turn_3") and "ORD3" not in audit("show", "turn_3")
    assert "0 would be removed" in audit("prune", "--dry-run")
    assert "0 were removed" in audit("prune", "--days", "184", "--as", "root")
    with pytest.raises(ConfigError, match="184"):
        audit("prune", "--days", "30")
    assert "chain holds" in audit("verify")


def test_an_empty_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "new"))
    assert audit("show") == ""
    with pytest.raises(CallerError):
        audit("checkpoint")


def test_a_pruned_ledger_says_what_stands_for_what_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dazi.audit.retention.time.time", lambda: 4e9)
    out = audit("prune", "--as", "root")
    assert "6 were removed (1 signed anchors)" in out
    assert "6 were removed, signed anchors stand for them" in audit("verify")
