"""What a turn is made with: the version in use and an experiment's arms reach the model, and the ledger
says so."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from dazi.access.limits.limiter import Limiter
from dazi.access.limits.rules import LimitRule, Price
from dazi.core.engine import GenerateRequest, Served
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.main.experiments import Experimenting
from dazi.ops.experiments.board import exposure_of
from dazi.ops.experiments.plan import Arm, Plan, Step
from dazi.ops.prompts.model import Content
from tests.agent.conftest import House, Start
from tests.fakes.engine import Reply, call

SYS = Principal("chen", frozenset({"sysadmin"}), channel="test")
TEMPLATE = "你是{company}的同事。今天是{today}。说话像水手。"


@pytest.fixture(autouse=True)
def salted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A salt that puts the few users of these tests into both arms, which one in sixty would not."""
    made = SimpleNamespace(token_hex=lambda _: "salt of these tests")
    monkeypatch.setattr("dazi.ops.experiments.service.secrets", made)


def trials(house: House) -> Experimenting:
    found = house.runtime.experiments
    assert found is not None
    return found


async def running(house: House, *, share: float = 0.5, metric: str = "success") -> Plan:
    """Version 1 tried against what ships, with every eligible user in the experiment."""
    made = trials(house)
    version = await made.service.prompts.add(SYS, Content(zh=TEMPLATE), "sailor")
    arms = (Arm("now", 0), Arm("sailor", version.number))
    plan = Plan("tone", arms, (Step(0, {"sailor": share}),), metric=metric, window_hours=0)
    await made.service.create(SYS, plan)
    await made.service.start(SYS, "tone")
    return plan


async def arms_of(house: House) -> dict[str, str]:
    experiment = await trials(house).service.store.get("tone")
    out = {}
    for user in ("customer", "customer2", "agent", "staff", "manager", "finance", "risk"):
        exposure = exposure_of(
            experiment, house.runtime.directory.principal(user, "test"), "t", "zh"
        )
        assert exposure is not None
        out[user] = exposure.arm
    return out


async def test_without_anything_the_assistant_does_not_ask(house: Start) -> None:
    home = await house(["好。"])
    assert home.runtime.service.agent.variants is None
    await home.ask("customer", "你好")
    ((_, body),) = await home.audit("turn")
    assert body["prompt"] == 0
    assert "experiments" not in body


async def test_the_version_in_use_is_what_the_model_is_told(house: Start) -> None:
    home = await house(["好。", "好。", "Fine."])
    service = trials(home).service.prompts
    tool = home.runtime.company.tools["get_order_status"]
    told = Text("看订单走到哪一步", "See how far an order is")
    version = await service.add(SYS, Content(zh=TEMPLATE, tools={tool.name: told}), "")
    await home.ask("customer", "ORD12345 发货了吗")
    await service.activate(SYS, version.number)
    await home.ask("customer", "ORD12345 发货了吗")
    await home.ask("customer", "has ORD12345 shipped")
    before, after, english = home.engine.requests
    assert "水手" not in before.messages[0].content
    name = home.runtime.company.name.zh
    assert after.messages[0].content == f"你是{name}的同事。今天是2025-04-03。说话像水手。"
    assert "You are Dazi" in english.messages[0].content  # a language without a text of its own
    described = {
        r.messages[-1].content: next(t.description for t in r.tools if t.name == tool.name)
        for r in (after, english)
    }
    assert set(described.values()) == {told.zh, told.en}
    assert [b["prompt"] for _, b in await home.audit("turn")] == [0, 1, 1]
    # Back to what ships: nothing is asked any more.
    await service.activate(SYS, 0)
    assert home.runtime.service.agent.variants is None


async def test_an_arm_is_what_its_subjects_are_answered_by_and_what_is_recorded(
    house: Start,
) -> None:
    home = await house([])
    home.engine.script, home.engine._replies = (lambda _: "好。"), None
    await running(home)
    arms = await arms_of(home)
    assert set(arms.values()) == {"now", "sailor"}
    for user, arm in arms.items():
        await home.ask(user, "你好")
        sailor = "水手" in home.engine.requests[-1].messages[0].content
        assert sailor == (arm == "sailor"), user
        _, body = (await home.audit("turn"))[-1]
        assert (body["prompt"], body["experiments"]) == (int(sailor), {"tone": arm})
    await trials(home).board.settle()
    found = await trials(home).service.store.subjects("tone")
    assert sorted(s.arm for s in found) == sorted(arms.values())
    assert all(s.first["success"] == 1.0 and s.first["tokens"] > 0 for s in found)
    # A second turn of the same people is not a second exposure.
    await home.ask("customer", "你好")
    await trials(home).board.settle()
    again = await trials(home).service.store.subjects("tone")
    assert len(again) == len(found) and sum(s.turns for s in again) == len(found) + 1


async def test_a_turn_that_asks_no_model_is_no_exposure(house: Start) -> None:
    home = await house([])
    await running(home)
    await home.ask("customer", "记住:我喜欢下午收货")
    await trials(home).board.settle()
    assert home.engine.requests == []
    assert await trials(home).service.store.subjects("tone") == []


async def test_a_turn_that_breaks_off_counts_as_failed(house: Start) -> None:
    home = await house([[RuntimeError("gone")]])
    await running(home)
    with pytest.raises(RuntimeError):
        await home.ask("customer", "你好")
    await trials(home).board.settle()
    (subject,) = await trials(home).service.store.subjects("tone")
    assert subject.first["success"] == 0.0


async def test_paused_and_stopped_everybody_is_answered_as_ever(house: Start) -> None:
    home = await house([])
    home.engine.script, home.engine._replies = (lambda _: "好。"), None
    await running(home, share=0.99)
    sailor = next(u for u, a in (await arms_of(home)).items() if a == "sailor")
    service = trials(home).service
    seen = []
    for act in (service.pause, service.resume, service.stop):
        await act(SYS, "tone")
        await home.ask(sailor, "你好")
        seen.append("水手" in home.engine.requests[-1].messages[0].content)
    assert seen == [False, True, False]
    told = await service.promote(SYS, "tone", "sailor")
    assert "版本 1" in told.zh
    await home.ask("customer", "你好")
    assert "水手" in home.engine.requests[-1].messages[0].content


async def test_a_model_is_asked_by_its_name(house: Start) -> None:
    home = await house(["好。"])
    made = trials(home)
    models = ("scripted-1", "adapter-b")
    made.service._models = lambda: models
    arms = (Arm("now", model="scripted-1"), Arm("b", model="adapter-b"))
    await made.service.create(SYS, Plan("which", arms, (Step(0, {"b": 0.5}),)))
    await made.service.start(SYS, "which")
    await home.ask("customer", "你好")
    _, body = (await home.audit("turn"))[-1]
    wanted = {"now": "scripted-1", "b": "adapter-b"}[body["experiments"]["which"]]
    assert home.engine.requests[-1].model == wanted


async def test_a_model_that_reads_no_rules_is_not_experimented_on_with_rules(
    house: Start,
) -> None:
    home = await house([], concise=True)
    with pytest.raises(Exception, match="too small") as refused:
        await running(home)
    assert getattr(refused.value, "code", "") == "concise_model"


async def test_another_process_learns_of_a_change(house: Start) -> None:
    """Two boards over one database: what one changes, the other sees at its next look."""
    home = await house([])
    made = trials(home)
    told: list[bool] = []
    other = type(made.board)(
        made.service.prompts.store, made.service.store, lambda v: told.append(v is not None)
    )
    await other.look()
    await running(home)
    await other.look()
    await other.look()
    await made.service.stop(SYS, "tone")
    await other.look()
    assert told == [False, True, False]


async def test_who_may_not_change_does_not_and_it_is_on_record(house: Start) -> None:
    home = await house([])
    made = trials(home)
    admin = home.runtime.directory.principal("admin", "test")
    assert (await made.service.prompts.versions(admin))[0].number == 0
    for who in (admin, replace(SYS, tenant="other"), replace(SYS, roles=frozenset({"staff"}))):
        with pytest.raises(Exception, match=r"settings\.change"):
            await made.service.prompts.add(who, Content(zh=TEMPLATE), "")
    refused = [b for _, b in await home.audit("admin") if b.get("refused")]
    assert len(refused) == 3 and {b["act"] for b in refused} == {"prompt.add"}


async def test_tokens_cost_what_they_do_at_the_model_that_answered(house: Start) -> None:
    home = await house(["好。"] * 5)
    agent, engine = home.runtime.service.agent, home.engine
    prices = {"scripted-1": Price(1_000_000, 1_000_000), "large": Price(10**9, 10**9)}
    agent.budget = replace(agent.budget, prices=prices)
    servers = (
        None,
        Served("b", "large"),
        Served("b", "adapter", base="large"),
        Served("c", "without-a-price"),
    )
    for by in servers:
        engine.by = by
        await home.ask("customer", "你好")
    told = [body for _, body in await home.audit("answer")]
    own, large = 21 / 1_000_000, 21 / 1_000
    assert [body.get("cost") for body in told] == [own, large, large, None]
    assert [body.get("model") for body in told] == [None, "large", "adapter", "without-a-price"]


async def test_a_turn_of_two_models_costs_both_prices(house: Start) -> None:
    home = await house([])
    agent, engine = home.runtime.service.agent, home.engine
    prices = {"small": Price(1_000_000, 1_000_000), "large": Price(10**9, 10**9)}
    agent.budget = replace(agent.budget, prices=prices)

    def script(request: GenerateRequest) -> Reply:
        first = len(engine.requests) == 1
        engine.by = Served("a", "large") if first else Served("b", "small")
        return call("get_order_status", order_id="ORD12345") if first else "已打包。"

    engine.script, engine._replies = script, None
    await home.ask("customer", "订单 ORD12345 到哪了?")
    ((_, body),) = await home.audit("answer")
    assert body["cost"] == pytest.approx(20 / 1_000 + 22 / 1_000_000)


async def test_a_month_s_budget_is_charged_what_the_model_costs_that_answered(house: Start) -> None:
    home = await house(["好。"])
    prices = {"scripted-1": Price(1_000_000, 1_000_000), "large": Price(10**9, 10**9)}
    service = home.runtime.service
    service.agent.budget = replace(service.agent.budget, prices=prices)
    service.limiter = Limiter([LimitRule("user", "", micros_per_month=10**9)], prices)
    home.engine.by = Served("b", "large")
    await home.ask("customer", "你好")
    who = home.runtime.directory.principal("customer", "test")
    (standing,) = await service.limiter.standing(who)
    assert standing.used == 21 * 1_000
