"""``dazi desk``, as it is typed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dazi.apps.desk.service import NewTicket
from dazi.core.errors import CallerError, NotFound
from dazi.main.cli import complete
from dazi.main.desk_terminal import counter
from dazi.main.settings import Settings


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAZI_DATA", str(tmp_path))
    monkeypatch.setenv("DAZI_LANG", "en")


def dazi(*words: str) -> Result:
    return CliRunner().invoke(complete(), ["desk", *words])


def filed(title: str = "发票税号错了") -> str:
    async def file() -> str:
        async with counter(Settings(), "customer", "zh") as c:
            view = await c.desk.service.open(c.by, NewTicket(title, category="invoice"), c.now)
            return view.card.id

    return asyncio.run(file())


def test_a_ticket_in_the_terminal() -> None:
    id = filed()
    assert id in dazi("list").stdout and id in dazi("list", "--mine").stdout
    assert "No tickets" in dazi("list", "--unassigned").stdout
    assert "First" not in dazi("show", id, "--as", "customer").stdout
    assert "first response" in dazi("show", id).stdout
    assert "林先生" in dazi("reply", id, "--canned", "looking-into-it").stdout
    assert "waiting for the customer" in dazi("wait", id, "请给税号").stdout
    assert "waiting inside" in dazi("wait", id, "--inside").stdout
    assert "resolved" in dazi("resolve", id, "已重开").stdout
    assert id not in dazi("list").stdout and id in dazi("list", "--state", "resolved").stdout
    assert "open" in dazi("reopen", id, "还是错的", "--as", "customer").stdout
    figures = json.loads(dazi("stats", "--json").stdout)
    assert figures["total"]["opened"] == 1 and figures["total"]["reopened"] == 1.0
    shown = json.loads(dazi("show", id, "--json").stdout)
    assert [e["act"] for e in shown["events"]][-2:] == ["resolve", "reopen"]


def test_what_is_not_ones_own_or_not_possible_is_said() -> None:
    id = filed()
    assert isinstance(dazi("show", id, "--as", "customer2").exception, NotFound)
    assert isinstance(dazi("list", "--state", "lost").exception, CallerError)
    refused = dazi("reopen", id)
    assert isinstance(refused.exception, CallerError) and "possible now" in str(refused.exception)


def test_an_intent_needs_no_company() -> None:
    assert json.loads(dazi("intent", "我要退款", "--json").stdout)["name"] == "refund"
