"""Answers that were approved ahead of time."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dazi.agent.approved import ApprovedAnswers, plain, read_approved
from dazi.core.errors import ConfigError
from tests.agent.conftest import Start
from tests.inference.pool.scripted import Text

DAY = date(2026, 11, 30)
HOURS = {
    "questions": ["你们几点上班", "When are you open?"],
    "answer": {"zh": "九点到十八点。", "en": "From nine to six."},
    "approved_by": "孙浩",
}


def read(*answers: dict[str, Any]) -> ApprovedAnswers:
    return read_approved(Text({"answers": list(answers)}), ["customer", "staff"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "你们几点上班",
        "请问你们几点上班?",
        "您好,请问 你们几点上班呢?谢谢!",
        "when are you open",
        "WHEN ARE YOU OPEN!",
    ],
)
def test_what_is_said_around_a_question_does_not_count(text: str) -> None:
    assert read(HOURS).find(text, frozenset({"customer"}), DAY) is not None


@pytest.mark.parametrize(
    "text",
    [
        "你们几点不上班",
        "你们几点下班",
        "他们几点上班",
        "你们周末几点上班",
        "When are you not open?",
        "",
        "。",
        "x" * 500,
    ],
)
def test_what_only_resembles_it_is_another_question(text: str) -> None:
    assert read(HOURS).find(text, frozenset({"customer"}), DAY) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("超过1.5万元要谁批", "超过15万元要谁批"),
        ("满-5度能用吗", "满5度能用吗"),
        ("涨5%怎么办", "涨5怎么办"),
        ("history of orders", "story of orders"),
        ("2026-11能开票吗", "202611能开票吗"),
    ],
)
def test_numbers_and_words_are_whole(one: str, other: str) -> None:
    assert plain(one) != plain(other)
    assert plain(f"您好,请问{one}?谢谢!") == plain(one)


def test_roles_and_days() -> None:
    staff = HOURS | {"answer": "八点半。", "roles": ["staff"], "until": "2026-12-01"}
    customer = HOURS | {"roles": ["customer"]}
    found = read(staff, customer)
    asked = "你们几点上班"
    for_staff = found.find(asked, frozenset({"staff"}), DAY)
    assert for_staff is not None and for_staff.answer("zh") == "八点半。"
    assert found.find(asked, frozenset({"staff"}), date(2026, 12, 2)) is None
    for_customer = found.find(asked, frozenset({"customer"}), DAY)
    assert for_customer is not None and for_customer.answer("zh") == "九点到十八点。"
    assert found.find(asked, frozenset({"finance"}), DAY) is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (HOURS | {"approved_by": ""}, "approved_by"),
        ({k: v for k, v in HOURS.items() if k != "approved_by"}, "approved_by"),
        (HOURS | {"roles": ["stuff"]}, "use staff"),
        (HOURS | {"questions": []}, "questions"),
        (HOURS | {"questions": ["?!"]}, "has words"),
        (HOURS | {"answer": 7}, "answer"),
        (HOURS | {"more": 1}, "more"),
    ],
)
def test_mistakes(entry: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(entry)
    with pytest.raises(ConfigError, match="has an answer already"):
        read(HOURS, HOURS | {"questions": ["请问,你们几点上班"]})


def test_plain_leaves_something() -> None:
    assert plain("你好") == "你好" and plain("请问!") == "请问"


async def test_it_is_given_without_a_model_and_is_on_record(house: Start) -> None:
    h = await house(["我不知道。"])
    h.runtime.service.approved = read(HOURS)
    said = await h.ask("customer", "请问你们几点上班?")
    assert said.end.answer == said.streamed == "九点到十八点。" and said.end.reason == "answer"
    assert h.engine.requests == [] and said.end.usage.completion == 0
    assert (await h.ask("customer", "When are you open?")).end.answer == "From nine to six."
    (first, second) = [body for _, body in await h.audit("answer")]
    assert first["approved"] == second["approved"] == "你们几点上班"
    other = await h.ask("customer", "你们几点下班?")
    assert len(h.engine.requests) >= 1 and other.end.answer != "九点到十八点。"
