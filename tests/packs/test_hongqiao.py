"""The example on the finance pack and the pack's cases, run with a scripted model in front."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dazi.core.engine import GenerateRequest
from dazi.core.errors import AccessError
from dazi.core.turn import ConfirmationNeeded
from dazi.lab.evals.reading import read_cases
from dazi.lab.evals.runner import Runner, principals, run_cases
from dazi.main.initialise import initialise
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from dazi.packs.layers import built_in
from tests.agent.conftest import TODAY, House
from tests.fakes.engine import PROFILE, Reply, ScriptedEngine, call

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


def perfect(request: GenerateRequest) -> Reply:
    """Says what each case expects, and then that it is done."""
    last = request.messages[-1]
    if last.role != "user":
        return "好的。"
    calls = EXPECTED.get(last.content, [])
    return [call(c["name"], **filled(c, last.content)) for c in calls] or "请再说明白一些。"


def filled(expected: dict[str, Any], text: str) -> dict[str, Any]:
    """Of a matcher, something that it accepts; of a case that must be refused, what was said."""
    given = dict(expected.get("arguments", {}))
    for name in given:
        if isinstance(given[name], dict):
            given[name] = given[name].get("has", text)
    if not given:
        found = re.search(r"(AC|CD|TX)[0-9]{6}|LN[0-9]{5}", text)
        names = {"AC": "account_id", "CD": "card_id", "TX": "transaction_id", "LN": "loan_id"}
        given = {names[found[0][:2]]: found[0]} if found else {}
        if expected["name"] == "freeze_card":
            given["reason"] = text
    return given


CASES = [
    json.loads(line)
    for line in (built_in()["finance"] / "evals" / "calls.jsonl").open("r", encoding="utf-8")
]
EXPECTED: dict[str, list[dict[str, Any]]] = {
    turn.get("user") or turn["messages"][-1]["content"]: turn["expect"]
    for case in CASES
    for turn in case.get("turns", [case])
}


async def test_a_model_that_does_what_the_cases_expect_passes_them_all(tmp_path: Path) -> None:
    """So that each can be passed: through grounding, normalisation, roles and policies."""
    initialise(tmp_path / "bank", "en", "finance")
    settings = Settings(
        company=tmp_path / "bank", data=tmp_path / "data", today=TODAY, audit="memory"
    )
    runtime = await open_runtime(settings, engine=ScriptedEngine(perfect), effects=False)
    try:
        runner = Runner(runtime.service, principals(runtime.company, runtime.directory), 1)
        report = await run_cases(
            runner, read_cases(built_in()["finance"] / "evals" / "calls.jsonl").cases
        )
    finally:
        await runtime.close()
    told = report.as_json()
    assert told["failures"] == []
    assert (told["n"], told["errors"]) == (40, 0)
    assert (told["forbidden_executed"], told["unconfirmed"]) == (0, 0)
