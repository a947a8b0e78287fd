from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from dazi.core.engine import EngineEvent, GenerateRequest, TextDelta
from dazi.core.errors import CallerError, OperatorError
from dazi.core.messages import CallText, Message
from dazi.lab.evals.cases import Approval, Case, CaseTurn, Earlier, ExpectedCall
from dazi.lab.evals.runner import run_case, run_cases
from dazi.lab.evals.scoring import CaseResult
from tests.lab.scripted import Call, Decision, Scripted, assistant

TODAY = date(2025, 4, 3)
ASKED = "我三天前下的订单 ORD12345 还没发货,怎么回事?"
STATUS = ("get_order_status", {"order_id": "ORD12345"})
REFUND = ("request_refund", {"order_id": "ORD12346", "amount": 80, "reason": "外壳有划痕"})
REFUND_ASKED = "给ORD12346退80块,外壳有划痕"


def turn(said: str, *expect: tuple[str, Mapping[str, Any]], **more: Any) -> CaseTurn:
    return CaseTurn(said, (tuple(ExpectedCall(n, a) for n, a in expect),), **more)


def case(*turns: CaseTurn, role: str = "finance", dialogue: bool = True, **more: Any) -> Case:
    return Case("c", role, more.pop("today", TODAY), turns, dialogue=dialogue, **more)


async def run(script: Mapping[str, Sequence[Decision]], asked: Case) -> CaseResult:
    async with assistant(Scripted(script)) as runner:
        return await run_case(runner, asked)


async def test_the_flagship_question() -> None:
    answer = "您的订单 ORD12345 已打包,预计明天发出。"
    asked = case(turn(ASKED, STATUS, reply_has=(("打包",),)), role="customer", dialogue=False)
    result = await run({ASKED: [[STATUS], answer]}, asked)
    assert result.right
    (seen,) = result.turns
    assert [(c.name, c.outcome, c.round, c.valid) for c in seen.calls] == [
        ("get_order_status", "ok", 1, True)
    ]
    assert seen.ms > 0


async def test_dates_are_compared_after_the_router_read_them_on_the_day_of_the_case() -> None:
    said = "明天上海会下雨吗"
    calls = [("get_weather", {"city": "上海", "date": "明天"})]
    for day, tomorrow in ((date(2025, 4, 3), "2025-04-04"), (date(2026, 2, 28), "2026-03-01")):
        asked = case(
            turn(said, ("get_weather", {"city": {"has": "上海"}, "date": tomorrow})), today=day
        )
        assert (await run({said: [calls]}, asked)).right


async def test_calls_one_at_a_time() -> None:
    said = "iPhone 15 和 Galaxy S24 比一比"
    one, two = (("search_product", {"name": n}) for n in ("iPhone 15", "Galaxy S24"))
    result = await run({said: [[one], [two], "都不错。"]}, case(turn(said, two, one)))
    assert result.right
    assert [c.round for c in result.turns[0].calls] == [1, 2]


async def test_what_the_router_fills_in_may_be_left_out_of_a_case() -> None:
    said = "市场部Q1预算画个柱状图"
    budget = ("fetch_department_budget", {"dept": "marketing", "quarter": "Q1"})
    chart = ("generate_comparison_chart", {"kind": "bar"})
    expected = ("fetch_department_budget", {"dept": "marketing", "quarter": "2025-Q1"})
    result = await run({said: [[budget], [chart], "画好了。"]}, case(turn(said, expected, chart)))
    assert result.turns[0].calls[1].filled == {"results"}
    assert result.right


async def test_an_invented_number_is_not_exact() -> None:
    said = "我的订单到哪了"
    result = await run(
        {said: [[STATUS], "请告诉我订单号。"]}, case(turn(said, STATUS), role="customer")
    )
    (verdict,) = result.verdicts
    assert verdict.name and not verdict.exact
    assert result.turns[0].calls[0].outcome == "ungrounded"


async def test_calls_that_fit_no_schema_are_not_valid() -> None:
    bad: list[Call] = [("get_order_status", {"id": 1}), ("no_such_tool", {}), STATUS]
    result = await run({ASKED: [bad]}, case(turn(ASKED), role="customer"))
    assert [c.valid for c in result.turns[0].calls] == [False, False, True]
    assert result.verdicts[0].false_call


async def test_a_role_that_may_not_is_refused() -> None:
    said = "ORD12345 我不要了,马上给我退款"
    refund = ("request_refund", {"order_id": "ORD12345", "reason": "不要了"})
    result = await run(
        {said: [[refund], "好的。"]}, case(turn(said, refund, forbidden=True), role="customer")
    )
    assert result.right
    assert not result.turns[0].calls[0].accepted


async def test_a_dialogue_remembers_what_was_said() -> None:
    later = "那它什么时候到?"
    asked = case(turn(ASKED, STATUS), turn(later, STATUS), role="customer")
    result = await run({ASKED: [[STATUS], "已打包。"], later: [[STATUS], "明天发出。"]}, asked)
    assert result.right


async def test_earlier_messages_are_evidence() -> None:
    said = "那它什么时候到?"
    history = (
        Earlier(Message("user", "查 ORD12345")),
        Earlier(Message("assistant", "", (CallText("x", "get_order_status", "{}"),))),
        Earlier(
            Message("tool", '{"status": "packed"}', call_id="x"),
            "get_order_status",
            {"status": "packed"},
        ),
        Earlier(Message("assistant", "已打包。")),
    )
    engine = Scripted({said: [[STATUS], "明天。"]})
    async with assistant(engine) as runner:
        asked = case(turn(said, STATUS), role="customer", history=history, instructions="要简短")
        assert (await run_case(runner, asked)).right
    sent = engine.requests[0].messages
    assert [m.role for m in sent] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert "要简短" in sent[0].content


@pytest.mark.parametrize(("approval", "outcome"), [("approve", "ok"), ("reject", "rejected")])
async def test_what_waits_is_decided_in_place_of_the_words(
    approval: Approval, outcome: str
) -> None:
    asked = case(turn(REFUND_ASKED, REFUND), turn("就这样办", approval=approval))
    engine = Scripted({REFUND_ASKED: [[REFUND]], "就这样办": [[REFUND]]})
    async with assistant(engine) as runner:
        result = await run_case(runner, asked)
        assert not await runner.service.pending(runner.principal_of("finance"))
    assert result.right
    first, second = result.turns
    assert [c.outcome for c in first.calls] == ["needs_confirmation"]
    assert [(c.outcome, c.decided) for c in second.calls] == [(outcome, True)]
    assert [d.honoured for d in second.decisions] == [True]
    assert not any(m.content == "就这样办" for r in engine.requests for m in r.messages)


async def test_what_the_words_bring_up_is_decided_right_after() -> None:
    asked = case(turn(REFUND_ASKED, REFUND, approval="approve"))
    result = await run({REFUND_ASKED: [[REFUND]]}, asked)
    assert result.right
    assert [c.outcome for c in result.turns[0].calls] == ["needs_confirmation", "ok"]


async def test_the_call_itself_may_be_expected_where_it_is_approved() -> None:
    asked = case(turn(REFUND_ASKED, REFUND), turn("确认", REFUND, approval="approve"))
    assert (await run({REFUND_ASKED: [[REFUND]]}, asked)).right


async def test_a_correction_is_decided_and_not_what_waited_before_it() -> None:
    other = ("request_refund", REFUND[1] | {"amount": 60})
    asked = case(turn(REFUND_ASKED, REFUND), turn("改成退60", other, approval="approve"))
    async with assistant(Scripted({REFUND_ASKED: [[REFUND]], "改成退60": [[other]]})) as runner:
        result = await run_case(runner, asked)
        assert result.right
        (left,) = await runner.service.pending(runner.principal_of("finance"))
    assert left.arguments["amount"] == 80
    assert result.turns[1].calls[-1].arguments["amount"] == 60


async def test_words_that_decide_are_no_new_call() -> None:
    result = await run({REFUND_ASKED: [[REFUND]]}, case(turn(REFUND_ASKED, REFUND), turn("确认")))
    assert result.right
    assert [(c.outcome, c.decided) for c in result.turns[1].calls] == [("ok", True)]


async def test_an_approval_of_nothing_is_wrong() -> None:
    result = await run({}, case(turn("好,退吧", approval="approve")))
    assert result.verdicts[0].wrong == ("nothing waited for confirmation",)


class Broken(Scripted):
    """Fails as an engine does, or as a program with a mistake in it does."""

    def __init__(self, error: Exception) -> None:
        super().__init__({})
        self.error = error

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        raise self.error
        yield TextDelta("")


@pytest.mark.parametrize(
    ("error", "says"),
    [(OperatorError("down", "模型停了", "down"), "模型停了"), (KeyError("x"), "KeyError")],
)
async def test_a_failure_is_the_result_of_its_case(error: Exception, says: str) -> None:
    async with assistant(Broken(error)) as runner:
        report = await run_cases(runner, [case(turn(ASKED)), case(turn(ASKED))])
    assert report.errors == 2
    assert all(says in f.wrong[-1] for f in report.failures)


async def test_cases_run_together_and_are_reported_in_order() -> None:
    cases = [
        Case(f"c{i}", "customer", TODAY, (turn(ASKED, STATUS),), dialogue=False) for i in range(9)
    ]
    seen: list[tuple[int, int]] = []
    async with assistant(Scripted({ASKED: [[("get_weather", {"city": "订单"})]]}), 3) as runner:
        report = await run_cases(runner, cases, lambda done, of, _: seen.append((done, of)))
    assert [f.id for f in report.failures] == [c.id for c in cases]
    assert seen == [(i, 9) for i in range(1, 10)]
    assert report.confusion == {"get_order_status": {"get_weather": 9}}


async def test_the_person_of_a_role() -> None:
    async with assistant(Scripted({})) as runner:
        customer = runner.principal_of("customer")
        assert (customer.user, customer.channel) == ("customer", "eval")
        assert customer.attributes["customer_id"]
        assert "employee" in runner.principal_of("finance").roles
        made_up = runner.principal_of("employee")
        assert made_up.roles == {"employee"} and made_up.attributes["employee_id"]
        with pytest.raises(CallerError, match="no role pirate"):
            runner.principal_of("pirate")
