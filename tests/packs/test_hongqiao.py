"""The example on the finance pack, run: a scripted model in front, its own tables behind."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from dazi.core.errors import AccessError
from dazi.core.turn import ConfirmationNeeded
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from tests.agent.conftest import TODAY, House
from tests.fakes.engine import PROFILE, ScriptedEngine

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "hongqiao"
CARD = "CD500115"


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[House]:
    engine = ScriptedEngine([], replace(PROFILE))
    settings = Settings(company=EXAMPLE, data=tmp_path, today=TODAY)
    runtime = await open_runtime(settings, engine=engine)
    yield House(runtime, engine)
    await runtime.close()


def card(folder: Path) -> tuple[str, str | None, str | None]:
    with closing(sqlite3.connect(folder / "finance.sqlite")) as connection:
        found = connection.execute(
            "SELECT status, frozen_reason, frozen_by FROM cards WHERE card_id = ?", (CARD,)
        ).fetchone()
    status, reason, by = found
    return status, reason, by


async def test_a_card_is_frozen_by_two(bank: House, tmp_path: Path) -> None:
    bank.script([("freeze_card", {"card_id": CARD, "reason": "客户报盗刷"})])
    said = await bank.ask("risk", f"把卡 {CARD} 冻结,客户报盗刷", "t")
    (event,) = [e for e in said.events if isinstance(e, ConfirmationNeeded)]
    assert event.approver == "risk_manager" and card(tmp_path)[0] == "active"
    with pytest.raises(AccessError):
        await bank.decide("risk", said.ticket)
    bank.script("已冻结。")
    done = await bank.decide("risk_manager", said.ticket)
    assert [(r.name, r.outcome) for r in done.end.calls] == [("freeze_card", "ok")]
    assert card(tmp_path) == ("frozen", "客户报盗刷", "E3002")


async def test_others_cannot_and_own_parts_count(bank: House) -> None:
    bank.script([("freeze_card", {"card_id": CARD, "reason": "丢了"})], "做不了。")
    refused = await bank.ask(
        "service", f"冻结卡 {CARD},丢了"
    )  # the pack lets them ask, Hongqiao does not
    assert refused.calls[0][2] == "forbidden"
    bank.script([("get_account_summary", {"account_id": "AC200102"})], "没有找到。")
    other = await bank.ask("customer", "账户 AC200102 有多少钱?")
    assert other.calls[0][2] == "not_found"
    bank.script([("find_branch", {"city": "上海"})], "两个网点。")
    found = await bank.ask("customer", "上海有网点吗?")
    assert [r["name"] for r in found.record.result["branches"]] == ["虹桥支行", "张江支行"]


async def test_what_must_not_be_promised_is_not_said(bank: House) -> None:
    bank.script("这个产品保本保息,放心买。")
    said = await bank.ask("customer", "这个产品保本保息吗?")
    assert "保本保息" not in said.end.answer
    bank.script("我们可以秒批秒贷。")  # of Hongqiao's own list
    said = await bank.ask("customer", "多久能批?")
    assert "秒批秒贷" not in said.end.answer
