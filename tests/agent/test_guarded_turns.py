"""The guard at work: what a person may send, what the model sees, and what leaves."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dazi.core.errors import CallerError, ConfigError
from dazi.core.turn import AnswerDelta, CallFinished
from dazi.guard.engine import Guard
from dazi.main.checking import check_folder
from dazi.main.settings import demo_folder
from tests.agent.conftest import Start

ID = "110101199003074610"
CARD = "6222021234567890128"
RULES = """
input: {resident_id: block, mobile: mask}
arguments: {mobile: ask, bank_card: block}
results: {mobile: mask}
"""


@pytest.fixture
def company(tmp_path: Path) -> Path:
    folder = tmp_path / "company"
    shutil.copytree(demo_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "guard.yaml").write_text(RULES, encoding="utf-8")
    return folder


async def test_an_answer_is_masked_wherever_it_goes(house: Start) -> None:
    """As it streams, at its end, in the thread and in the ledger."""
    pieces = ["证件号是", ID[:7], ID[7:12], ID[12:], ",请核对。"]
    h = await house([list(pieces)])  # type: ignore[arg-type]
    said = await h.ask("customer", f"我的证件是 {ID},重复一遍", "t")
    assert said.end.answer == "证件号是1101**********4610,请核对。"
    assert said.streamed == said.end.answer
    assert all(ID not in e.text for e in said.events if isinstance(e, AnswerDelta))
    kept = await h.runtime.service.threads.load(
        "t", h.runtime.directory.principal("customer", "test")
    )
    assert kept[-1].message.content == said.end.answer
    ((_, body),) = await h.audit("answer")
    assert body["answer"] == said.end.answer


async def test_results_are_masked_before_the_model_and_the_person_see_them(
    house: Start, company: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h = await house(
        [[("get_order_status", {"order_id": "ORD12345"})], "备注里有电话。"], company=company
    )

    class Answers:
        async def execute(self, _: Any) -> Any:
            return {"order_id": "ORD12345", "status": "packed", "item": "打13812345678,卡" + CARD}

        async def close(self) -> None: ...

    monkeypatch.setitem(h.runtime.router._executor._connectors, "crm", Answers())
    said = await h.ask("customer", "ORD12345 到哪了?")
    seen = h.engine.requests[-1].messages[-1].content
    assert "13812345678" not in seen and "138****5678" in seen
    assert CARD in seen  # the model may see it; what leaves is masked
    (finished,) = (e for e in said.events if isinstance(e, CallFinished))
    assert CARD not in str(finished.record.result) and CARD not in str(said.end.calls)


async def test_what_may_not_be_sent_is_not_taken(house: Start, company: Path) -> None:
    h = await house(["好的。"], company=company)
    with pytest.raises(CallerError, match="do not allow") as caught:
        await h.ask("customer", f"我的证件是 {ID}")
    assert caught.value.code == "guard_blocked" and h.engine.requests == []
    await h.ask("customer", "打我电话 13812345678")
    assert "138****5678" in h.engine.requests[-1].messages[-1].content


async def test_arguments_wait_for_a_person_or_are_refused(house: Start, company: Path) -> None:
    def note(text: str) -> list[tuple[str, dict[str, str]]]:
        return [("update_order_note", {"order_id": "ORD12345", "note": text})]

    h = await house([note("打13812345678"), note(f"卡{CARD}"), "不能写。"], company=company)
    asked = await h.ask("supervisor", "ORD12345 备注打13812345678", "a")
    assert asked.record.outcome == "needs_confirmation"
    refused = await h.ask("supervisor", f"ORD12345 备注卡{CARD}", "b")
    assert refused.record.outcome == "forbidden"


async def test_a_guard_that_fails_lets_nothing_pass(
    house: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    h = await house(["证件号是" + ID])
    monkeypatch.setattr(Guard, "_verdict", lambda *_: 1 / 0)
    with pytest.raises(CallerError, match="could not be checked"):
        await h.ask("customer", "你好")


def test_a_wrong_rule_stops_the_check(company: Path) -> None:
    (company / "guard.yaml").write_text("output:\n  mobil: mask\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"guard.yaml:2: .*use mobile"):
        check_folder(company, "en")


def test_pseudonyms_are_for_what_a_model_reads(company: Path) -> None:
    rules = company / "guard.yaml"
    rules.write_text("input: {mobile: pseudonymise}\ndocuments: {person: pseudonymise}\n", "utf-8")
    assert check_folder(company, "en")
    for scope in ("output", "arguments"):
        rules.write_text(f"{scope}: {{mobile: pseudonymise}}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=f"pseudonymise is not possible in {scope}"):
            check_folder(company, "en")
