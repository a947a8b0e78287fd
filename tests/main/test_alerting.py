"""Alerts as they are wired: mail by the company's server, figures that rules ask for, the commands."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import text
from typer.testing import CliRunner

from bench.processes import free_port
from dazi.access.limits.totals import DatabaseTotals
from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.sealing import Sealing
from dazi.connectors.mail_server import SmtpServer
from dazi.core.errors import ConfigError
from dazi.main.alert_figures import Figures
from dazi.main.alert_mail import SmtpPost
from dazi.main.auditing import audit_folder
from dazi.main.checking import check_folder
from dazi.main.commands.alerts import group
from dazi.main.database import declare_tables
from dazi.main.initialise import initialise
from dazi.ops.alerts.machine import Alert, fingerprint
from dazi.ops.alerts.mailing import Mail
from dazi.ops.alerts.message import Message
from dazi.ops.alerts.notify import Delivery, NotSent
from dazi.ops.alerts.rules import Selection, Threshold
from dazi.store.database import Database
from tests.ops.alerts.world import no_sleep, rule

RULE = rule(Threshold(Selection("dazi_up"), "latest", "below", 0.5), "server-down")
ALERT = Alert(fingerprint("server-down", ()), "server-down", "warning", (), "firing", 1.0, 2.0, 0.0,
              fired=2.0)  # fmt: skip
MESSAGE = Message("firing", RULE, (ALERT,), 100.0)


class Sink:
    def __init__(self) -> None:
        self.got: list[Any] = []
        self.refuses = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses:
            self.refuses -= 1
            return "451 try again later"
        self.got.append(envelope)
        return "250 OK"


async def test_by_mail() -> None:
    sink = Sink()
    port = free_port()
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        server = SmtpServer("127.0.0.1", port, "dazi@example.com")
        mail = Mail(("ops@example.com", "boss@example.com"), SmtpPost(server))
        delivery = Delivery({"mail": mail}, no_sleep)
        sink.refuses = 1
        assert await delivery.send("mail", MESSAGE)
        assert [e.rcpt_tos for e in sink.got] == [["ops@example.com"], ["boss@example.com"]]
        from email import message_from_bytes, policy

        letter = message_from_bytes(sink.got[0].content, policy=policy.default)
        assert letter["Subject"] == "[告警] [警告] 某事 / something"
        assert "怎么办" in letter.get_content() and "What to do" in letter.get_content()
    finally:
        controller.stop()
    with pytest.raises(NotSent):
        await mail.send(MESSAGE)


@asynccontextmanager
async def installed(tmp_path: Path, **settings: Any) -> AsyncIterator[tuple[Figures, Any]]:
    """What figures look at: a database, a ledger, and a company's limits."""
    declare_tables()
    database, sealing = Database.at(tmp_path / "d.sqlite"), Sealing(audit_folder(tmp_path))
    await database.create()
    ledger = Ledger(SqlSink(database, sync=True), sealing)
    await ledger.open()
    company = SimpleNamespace(settings=settings, folder=tmp_path)
    runtime: Any = SimpleNamespace(
        database=database, sealing=sealing, ledger=ledger, company=company, engine=None,
        settings=SimpleNamespace(audit="durable", data_folder=lambda _: tmp_path),
    )  # fmt: skip
    try:
        yield Figures(runtime), runtime
    finally:
        await ledger.flush()
        sealing.close()
        await database.close()


async def test_how_much_of_a_months_budget_is_spent(tmp_path: Path) -> None:
    limits = [{"per": "user", "yuan_per_month": 10}, {"per": "all", "yuan_per_month": 100}]
    async with installed(tmp_path, limits=limits) as (figures, runtime):
        month = time.strftime("%Y-%m", time.gmtime())
        totals = DatabaseTotals(runtime.database)
        for key, yuan in (
            (f"user:default:li:month{month}", 9.5), (f"user:default:wang:month{month}", 2),
            ("user:default:li:month2020-01", 99), (f"all:::month{month}", 11.5),
        ):  # fmt: skip
            await totals.save(key, round(yuan * 1_000_000))
        await figures.look()
        assert figures.spent["user"] == pytest.approx(0.95), (
            "the one who spent most; no name is told"
        )
        assert set(figures.spent) == {"user", "all"}


async def test_when_the_last_backup_was(tmp_path: Path) -> None:
    async with installed(tmp_path) as (figures, runtime):
        await figures.look()
        assert figures.backup is None
        await runtime.ledger.append("admin", "root", "", {"act": "backup"})
        await runtime.ledger.append("admin", "root", "", {"act": "alert.silence", "why": "backup"})
        figures._backup_at = 0.0
        await figures.look()
        assert figures.backup is not None and abs(time.time() - figures.backup) < 60


async def test_a_ledger_that_was_changed(tmp_path: Path) -> None:
    async with installed(tmp_path) as (figures, runtime):
        for n in range(250):
            runtime.ledger.put("turn", "li", f"turn_{n}", {"said": n})
        await runtime.ledger.flush()
        await figures.verify()
        assert figures.broken is False and figures.verified is not None
        async with runtime.database.write() as connection:
            change = "UPDATE audit_records SET body = '{}' WHERE seq = 120"
            await connection.execute(text(change))
        await figures.verify()
        assert figures.broken is True


async def test_it_holds_nobody_up_while_it_is_verified(tmp_path: Path) -> None:
    """Between two pieces others have their turn."""
    async with installed(tmp_path) as (figures, runtime):
        for n in range(2_000):
            runtime.ledger.put("turn", "li", f"turn_{n}", {"said": n})
        await runtime.ledger.flush()
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        beside = asyncio.create_task(others())
        await figures.verify()
        beside.cancel()
        assert turns > 2_000 / 100


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    initialise(tmp_path / "acme", "zh")
    monkeypatch.setenv("DAZI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DAZI_COMPANY", str(tmp_path / "acme"))
    monkeypatch.setenv("DAZI_LANG", "zh")
    return tmp_path / "acme"


def test_dazi_check_reads_it(company: Path) -> None:
    (company / "alerts.yaml").write_text("rules:\n  disk-lo: off\n", "utf-8")
    with pytest.raises(ConfigError) as raised:
        check_folder(company, "zh")
    assert raised.value.line == 2 and "disk-low" in str(raised.value)


def test_the_commands(company: Path) -> None:
    (company / "alerts.yaml").write_text(
        'rules: {gpu-hot: off}\nroutes: {hook: {webhook: "http://127.0.0.1:9/x"}}\n', "utf-8"
    )
    runner = CliRunner()

    def said(*words: str, code: int = 0) -> str:
        done = runner.invoke(group, list(words), catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.output

    assert "没有" in said("list") and "没有" in said("list", "--past")
    assert "关掉的: gpu-hot" in said("rules")
    assert "gpu-hot" not in {r["name"] for r in json.loads(said("rules", "--json"))}
    assert said("silence", "disk-.*", "--why", "换盘", "--label", "place=data").startswith("静默 ")
    assert "连不上" in said("test", "hook", code=1)
    assert "alert: disk-low" in said("export") and "gpu-hot" not in said("export")
    out = company / "rules.yaml"
    said("export", "--out", str(out))
    assert "disk-low" in out.read_text("utf-8")
