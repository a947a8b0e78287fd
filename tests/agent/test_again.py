"""A chart of what was talked about earlier: the reads are made again, under policy and on record."""

from __future__ import annotations

import json

from dazi.agent.context import Budget
from dazi.core.turn import Attachment, CallProposed
from tests.agent.conftest import House, Said, Start

BUDGET = "fetch_department_budget"
CHART = "generate_comparison_chart"
QUARTER = "2025-Q1"


def budget(dept: str) -> tuple[str, dict[str, str]]:
    return BUDGET, {"dept": dept, "quarter": QUARTER}


async def two_budgets(h: House) -> None:
    await h.ask("manager", "市场部2025年一季度预算", "a")
    await h.ask("manager", "研发部的呢", "a")


def depts(said: Said) -> list[str]:
    return [a["dept"] for name, a, _ in said.calls if name == BUDGET]


async def test_both_are_read_again_and_drawn(house: Start) -> None:
    script = [[budget("marketing")], "好的。", [budget("rd")], "好的。"]
    h = await house([*script, [(CHART, {"kind": "bar"})], "画好了。"])
    await two_budgets(h)
    said = await h.ask("manager", "这两个部门画个柱状图", "a")
    assert [(n, o) for n, _, o in said.calls] == [(BUDGET, "ok"), (BUDGET, "ok"), (CHART, "ok")]
    assert depts(said) == ["marketing", "rd"]
    (chart,) = [e for e in said.events if isinstance(e, Attachment) and e.kind == "chart"]
    assert len(json.dumps(chart.data, default=str)) > 100
    assert sum(isinstance(e, CallProposed) for e in said.events) == 3
    recorded = [b["tool"] for kind, b in await h.audit("outcome") if kind == "outcome"]
    assert recorded == [BUDGET, BUDGET, BUDGET, BUDGET, CHART]
    read = h.engine.requests[-1].messages
    assert sum(m.role == "tool" for m in read) == 5  # the answer is about what was read again


async def test_one_more_joins_those_before(house: Start) -> None:
    script = [[budget("marketing")], "好的。"]
    h = await house([*script, [budget("rd")], [(CHART, {"results": ["1"]})], "画好了。"])
    await h.ask("manager", "市场部2025年一季度预算", "a")
    said = await h.ask("manager", "和研发部的放一起画个图", "a")
    assert depts(said) == ["rd", "marketing"]
    assert said.record.name == CHART and said.record.outcome == "ok"
    assert said.record.arguments["results"] == ["1", "2"]


async def test_what_was_read_in_this_turn_suffices(house: Start) -> None:
    script = [[budget("hr")], "好的。", [budget("marketing"), budget("rd")]]
    h = await house([*script, [(CHART, {})], "画好了。"])
    await h.ask("manager", "人力2025年一季度预算", "a")
    said = await h.ask("manager", "市场和研发的对比图", "a")
    assert depts(said) == ["marketing", "rd"]


async def test_two_are_the_latest_two_and_the_same_one_is_read_once(house: Start) -> None:
    script = [[budget("hr")], "好的。", [budget("marketing"), budget("rd")], "好的。"]
    script += [[(BUDGET, {"dept": "研发部", "quarter": "2025年Q1"})], "好的。"]
    h = await house([*script, [(CHART, {})], "画好了。"])
    for text in ("人力2025年一季度预算", "市场和研发的", "研发部再看一下"):
        await h.ask("manager", text, "a")
    said = await h.ask("manager", "这俩画个图", "a")
    assert sorted(depts(said)) == ["marketing", "rd"]


async def test_a_thread_without_results_offers_no_chart(house: Start) -> None:
    h = await house([[(CHART, {})], "没有数据。"])
    said = await h.ask("manager", "画个柱状图", "a")
    assert CHART not in {t.name for t in h.engine.requests[0].tools}
    assert said.record.outcome in ("invalid", "unknown_tool")


async def test_policy_decides_again(house: Start) -> None:
    """A role that was lost in between does not come back through a chart."""
    h = await house([[budget("marketing")], "好的。", [(CHART, {})], "画好了。"])
    await h.ask("manager", "市场部2025年一季度预算", "a")
    policy = h.runtime.router.policy
    decide = policy.decide

    def no_budgets(principal, tool, *rest):  # type: ignore[no-untyped-def]
        decision = decide(principal, tool, *rest)
        return type(decision)(False, "gone") if tool.name == BUDGET else decision

    policy.decide = no_budgets  # type: ignore[method-assign]
    said = await h.ask("manager", "画个图", "a")
    assert [o for n, _, o in said.calls if n == BUDGET] == ["forbidden"]
    assert said.record.outcome != "ok"


async def test_reading_again_stays_within_the_turn_s_calls(house: Start) -> None:
    every = [budget(d) for d in ("marketing", "rd", "sales", "hr", "finance")]
    h = await house([every, "好的。", [(CHART, {})], "画好了。"])
    await h.ask("manager", "市场、研发、销售、人力和财务2025年一季度预算", "a")
    h.runtime.service.agent.budget = Budget(calls=3)
    said = await h.ask("manager", "都画个图", "a")
    assert len(depts(said)) == 2 and said.record.name == CHART
