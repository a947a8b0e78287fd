"""What may leave the house, how, and who is told."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from dazi.access.limits.counters import ProcessCounters
from dazi.core.engine import GenerateRequest, OfferedTool, Purpose
from dazi.core.errors import CallerError, OperatorError, OverloadError
from dazi.core.messages import CallText, Image, Message
from dazi.inference.pool.spending import Counted
from tests.inference.pool.scripted import DOWN, House, ask, house, said

ID = "110101199003074610"
CARD = "6222021234567894"
PHONE = "13812345678"
URL = "http://127.0.0.1:9/v1"


def hybrid(*routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "pool": {"failures": 1, "queue_seconds": 0.05},
        "backends": {
            "home": {"url": URL, "at_once": 2},
            "cloud-1": {
                "url": "https://cloud.example/v1",
                "place": "cloud",
                "price": {"read": 1, "written": 10},
            },
        },
        "routes": list(routes),
        **more,
    }


async def where(h: House, request: GenerateRequest) -> str:
    _, end = await said(h.pool, request)
    assert end.by is not None
    return end.by.backend


async def test_without_a_rule_nothing_leaves() -> None:
    h = house(hybrid())
    assert await where(h, ask()) == "home"
    h.servers["home"].fails = DOWN
    with pytest.raises(OperatorError):
        await said(h.pool)
    assert not h.servers["cloud-1"].asked


async def test_rules_by_task_role_label_and_results_the_first_decides() -> None:
    h = house(
        hybrid(
            {"name": "pay", "when": {"results": ["get_payroll"]}},
            {"name": "ids", "when": {"labels": ["resident_id", "secret"]}},
            {"name": "finance", "when": {"roles": ["finance"]}},
            {"name": "words", "when": {"tasks": ["chat"]}, "to": ["cloud"]},
        )
    )
    staff, finance = (Purpose(roles=frozenset({r})) for r in ("staff", "finance"))
    assert await where(h, ask("天气如何", purpose=staff)) == "cloud-1"
    assert await where(h, ask(f"证件{ID}", purpose=staff)) == "home"
    assert await where(h, ask("password=Zx81kqP0aaQ", purpose=staff)) == "home"
    assert await where(h, ask("天气如何", purpose=finance)) == "home"
    assert await where(h, ask("天气如何", purpose=Purpose("summary", roles=staff.roles))) == "home"
    paid = (
        Message("user", "工资多少"),
        Message("assistant", "", (CallText("c1", "get_payroll", "{}"),)),
        Message("tool", '{"pay": 9000}', call_id="c1"),
    )
    assert await where(h, GenerateRequest(paid, purpose=staff)) == "home"
    assert [body["rule"] for _, body in h.notes] == ["words"]


async def test_whose_it_is_unknown_keeps_it_in_the_house() -> None:
    h = house(
        hybrid(
            {"name": "finance", "when": {"roles": ["finance"]}}, {"name": "all", "to": ["cloud"]}
        )
    )
    assert await where(h, ask(purpose=Purpose("contract"))) == "home"
    assert await where(h, ask(purpose=Purpose(roles=frozenset({"staff"})))) == "cloud-1"


async def test_a_cloud_sees_pseudonyms_and_the_person_sees_none() -> None:
    h = house(hybrid({"name": "all", "to": ["cloud"]}))
    cloud = h.servers["cloud-1"]
    cloud.pieces = ("[手机", "1]的证件是", "[证件1]")
    text, end = await said(
        h.pool, ask(f"手机{PHONE},证件{ID}", purpose=Purpose(user="zhou", turn="t1"))
    )
    sent = str(cloud.asked[0].messages)
    assert PHONE not in sent and ID not in sent
    assert text == f"{PHONE}的证件是{ID}"
    assert end.by is not None and end.by.hidden and end.by.place == "cloud"
    purpose, body = h.notes[0]
    assert (purpose.user, purpose.turn) == ("zhou", "t1")
    assert body == {
        "rule": "all",
        "task": "chat",
        "backend": "cloud-1",
        "place": "cloud",
        "leaving": "pseudonymise",
    }


async def test_or_is_not_asked_at_all() -> None:
    h = house(hybrid({"name": "all", "to": ["cloud", "private"], "leaving": "refuse"}))
    assert await where(h, ask("你好")) == "cloud-1"
    assert await where(h, ask(f"证件{ID}")) == "home"
    assert h.notes[-1][1]["refused"] == ["resident_id"] and h.notes[-1][1]["place"] == "private"
    h.servers["home"].fails = DOWN
    with pytest.raises(OperatorError):
        await said(h.pool, ask(f"证件{ID}"))
    with pytest.raises(CallerError, match="may not leave"):
        await said(h.pool, ask(f"证件{ID}"))
    assert h.notes[-1][1]["refused"] == ["resident_id"] and h.notes[-1][1]["backend"] == ""
    assert len(h.servers["cloud-1"].asked) == 1


async def test_as_it_is_only_where_a_rule_says_so() -> None:
    h = house(hybrid({"name": "all", "to": ["cloud"], "leaving": "as-is"}))
    _, end = await said(h.pool, ask(f"手机{PHONE}"))
    assert PHONE in str(h.servers["cloud-1"].asked[0].messages)
    assert end.by is not None and not end.by.hidden
    assert h.notes[0][1]["leaving"] == "as-is"


async def test_what_cannot_be_recorded_does_not_leave() -> None:
    h = house(hybrid({"name": "all", "to": ["cloud"]}))
    h.refuse_notes = True
    with pytest.raises(OperatorError, match="ledger"):
        await said(h.pool)
    assert not h.servers["cloud-1"].asked
    assert not any(b.under_way for b in h.pool.backends)


async def test_private_first_and_the_cloud_where_it_is_busy() -> None:
    h = house(hybrid({"name": "overflow", "when": {"load": 0.5}, "to": ["cloud", "private"]}))
    gate = h.servers["home"].gate = asyncio.Event()
    first = asyncio.create_task(said(h.pool))
    await asyncio.sleep(0.01)
    assert await where(h, ask()) == "cloud-1", "half of two places is taken"
    gate.set()
    await first
    assert await where(h, ask()) == "home"


async def test_a_cloud_stands_in_where_the_house_is_down() -> None:
    h = house(hybrid({"name": "all", "to": ["private", "cloud"]}))
    assert await where(h, ask()) == "home"
    h.servers["home"].fails = DOWN
    _, end = await said(h.pool)
    assert end.by is not None and end.by.backend == "cloud-1" and not end.by.fallback
    assert h.notes[-1][1]["tried"] == ["home"]


async def test_long_prompts_by_their_tokens() -> None:
    h = house(hybrid({"name": "long", "when": {"tokens": 100}, "to": ["cloud"]}))
    assert await where(h, ask("短")) == "home"
    assert await where(h, ask("长" * 200)) == "cloud-1"


async def test_pictures_do_not_leave_with_pseudonyms() -> None:
    data = hybrid({"name": "all", "to": ["cloud"]})
    data["backends"]["cloud-1"]["vision"] = True
    h = house(data)
    picture = Message("user", "看", images=(Image("image/png", "aGk="),))
    with pytest.raises(CallerError, match="does not leave"):
        await said(h.pool, GenerateRequest((picture,)))
    assert not h.servers["cloud-1"].asked


async def test_the_days_money_is_reserved_and_settled() -> None:
    counters = ProcessCounters()
    spending = Counted(counters, lambda: date(2026, 11, 30))
    # A request reserves 10 yuan a million for 512 tokens: 0.00512 yuan and a little for the prompt.
    h = house(
        hybrid({"name": "all", "to": ["cloud", "private"]}, cloud_yuan_per_day=0.012),
        spending=spending,
    )
    gate = h.servers["cloud-1"].gate = asyncio.Event()
    tasks = [asyncio.create_task(said(h.pool)) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert h.pool.backends[1].under_way == 2, "the third would cost more than the day has"
    gate.set()
    await asyncio.gather(*tasks)
    used = sum(counters._numbers.values())
    assert used == 2 * (10 * 1 + 2 * 10), "in millionths of a yuan: 10 read, 2 written each"
    for _ in range(5):
        assert await where(h, ask()) == "cloud-1"


async def test_a_spent_day_is_said_where_nothing_else_is_allowed() -> None:
    h = house(
        hybrid({"name": "all", "to": ["cloud"]}, cloud_yuan_per_day=0.001),
        spending=Counted(ProcessCounters()),
    )
    with pytest.raises(OverloadError, match="budget for clouds"):
        await said(h.pool)
    assert not h.servers["cloud-1"].asked


async def test_leaving_a_cloud_in_the_middle_counts_as_all_of_it() -> None:
    counters = ProcessCounters()
    h = house(
        hybrid({"name": "all", "to": ["cloud"]}, cloud_yuan_per_day=1), spending=Counted(counters)
    )
    stream = h.pool.bursts(ask())
    await anext(stream)
    await stream.aclose()
    assert sum(counters._numbers.values()) > 5000


async def test_thinking_by_route() -> None:
    h = house(
        hybrid(
            {"name": "hard", "when": {"tasks": ["contract"]}, "thinking": True},
            {"name": "quick", "when": {"roles": ["customer"]}, "thinking": False},
        )
    )
    for purpose, wanted, given in (
        (Purpose("contract"), False, True),
        (Purpose(roles=frozenset({"customer"})), True, False),
        (Purpose(roles=frozenset({"staff"})), True, True),
    ):
        await said(h.pool, ask(purpose=purpose, thinking=wanted))
        assert h.servers["home"].asked[-1].thinking is given


async def test_an_adapter_for_a_task() -> None:
    data = hybrid({"name": "contracts", "when": {"tasks": ["contract"]}, "adapter": "law"})
    data["backends"]["home"]["adapters"] = ["law"]
    h = house(data)
    await said(h.pool, ask(purpose=Purpose("contract")))
    assert h.servers["home"].asked[-1].model == "law"
    await said(h.pool, ask())
    assert h.servers["home"].asked[-1].model == ""


# --- what was found by looking for it ------------------------------------------------------------


async def test_results_that_were_condensed_are_still_somebodys() -> None:
    """A summary holds figures and no calls; whose they are is told beside it."""
    h = house(
        hybrid(
            {"name": "pay", "when": {"results": ["get_payroll"]}}, {"name": "all", "to": ["cloud"]}
        )
    )
    staff = frozenset({"staff"})
    told = Purpose("summary", roles=staff, results=frozenset({"get_payroll"}))
    assert await where(h, ask("实发 31250.00", purpose=told)) == "home"
    assert (
        await where(h, ask("实发 31250.00", purpose=Purpose(roles=staff, condensed=True))) == "home"
    )
    assert await where(h, ask("天气如何", purpose=Purpose(roles=staff))) == "cloud-1"


@pytest.mark.parametrize(
    "content",
    ['{"姓名": "张伟"}', '{"密码": "hunter2abc"}', '{"phone": "\\u0031\\u0033812345678"}'],
)
async def test_what_would_be_hidden_is_what_is_found(content: str) -> None:
    """Behind its name in JSON, and however it is written there."""
    keeps = {"name": "keep", "when": {"labels": ["personal", "secret"]}}
    h = house(hybrid(keeps, {"name": "all", "to": ["cloud"], "leaving": "as-is"}))
    messages = (
        Message("user", "查一下"),
        Message("assistant", "", (CallText("c1", "find", "{}"),)),
        Message("tool", content, call_id="c1"),
    )
    assert await where(h, GenerateRequest(messages)) == "home"
    refusing = house(hybrid({"name": "all", "to": ["cloud", "private"], "leaving": "refuse"}))
    assert await where(refusing, GenerateRequest(messages)) == "home"


async def test_candidates_of_messages_that_are_gone_are_hidden_too() -> None:
    tool = OfferedTool(
        "call_back",
        "回电",
        {"type": "object", "properties": {"phone": {"type": "string"}}},
        {"phone": (PHONE,)},
    )
    h = house(hybrid({"name": "all", "to": ["cloud"]}))
    assert await where(h, ask("回电", tools=(tool,))) == "cloud-1"
    (sent,) = h.servers["cloud-1"].asked
    assert PHONE not in str(sent) and sent.tools[0].candidates == {"phone": ("[手机1]",)}
    refusing = house(hybrid({"name": "all", "to": ["cloud", "private"], "leaving": "refuse"}))
    assert await where(refusing, ask("回电", tools=(tool,))) == "home"


async def test_what_cannot_leave_goes_to_the_house_where_that_may_be_asked() -> None:
    h = house(hybrid({"name": "all", "to": ["cloud", "private"]}))
    h.refuse_notes = True
    assert await where(h, ask()) == "home"
    assert not h.servers["cloud-1"].asked and not any(b.under_way for b in h.pool.backends)


async def test_each_cloud_is_paid_at_its_own_price() -> None:
    counters = ProcessCounters()
    data = hybrid({"name": "all", "to": ["cloud", "private"]}, cloud_yuan_per_day=10)
    data["backends"]["dear"] = {
        "url": "https://dear.example/v1",
        "place": "cloud",
        "price": {"read": 100, "written": 1000},
    }
    data["pool"]["balance"] = "round-robin"
    h = house(data, spending=Counted(counters))
    seen = [await where(h, ask()) for _ in range(2)]
    assert sorted(seen) == ["cloud-1", "dear"]
    assert sum(counters._numbers.values()) == (10 + 20) + (1000 + 2000)


async def test_a_cloud_that_cannot_be_reached_costs_nothing() -> None:
    counters = ProcessCounters()
    h = house(
        hybrid({"name": "all", "to": ["cloud", "private"]}, cloud_yuan_per_day=1),
        spending=Counted(counters),
    )
    h.servers["cloud-1"].fails = DOWN
    assert await where(h, ask()) == "home"
    assert sum(counters._numbers.values()) == 0
