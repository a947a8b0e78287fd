from __future__ import annotations

from typing import Any

from dazi.lab.evals.cases import CaseTurn, ExpectedCall
from dazi.lab.evals.scoring import judge
from dazi.lab.evals.turns import Decision, MadeCall, SeenTurn

WEATHER = ExpectedCall("get_weather", {"city": "上海"})
STATUS = ExpectedCall("get_order_status", {"order_id": "ORD12345"})
REFUND = ExpectedCall("request_refund", {"order_id": "ORD12345", "reason": {"any": True}})


def turn(*expect: ExpectedCall, alternative: Any = None, **more: Any) -> CaseTurn:
    accepted = (expect,) if alternative is None else (expect, tuple(alternative))
    return CaseTurn("说", accepted, **more)


def made(call: ExpectedCall, outcome: str = "ok", number: int = 1, **arguments: Any) -> MadeCall:
    given = {k: v for k, v in call.arguments.items() if not isinstance(v, dict)}
    return MadeCall(call.name, given | arguments, outcome, number)


def refund(outcome: str = "needs_confirmation", number: int = 1) -> MadeCall:
    return made(REFUND, outcome, number, reason="坏了")


def test_the_first_decision_counts() -> None:
    verdict = judge(turn(STATUS), SeenTurn((made(STATUS), made(WEATHER, number=2))))
    assert verdict.name and verdict.exact and verdict.right


def test_calls_made_one_at_a_time_count_together() -> None:
    both = SeenTurn((made(WEATHER), made(STATUS, number=2)))
    assert judge(turn(STATUS, WEATHER), both).right
    third = SeenTurn((*both.calls, made(STATUS, number=3)))
    assert not judge(turn(STATUS, WEATHER), third).right


def test_a_wrong_argument_leaves_the_name_right() -> None:
    verdict = judge(turn(STATUS), SeenTurn((made(STATUS, order_id="ORD99999"),)))
    assert verdict.name and not verdict.exact
    assert verdict.wrong == ("get_order_status: order_id",)


def test_a_call_the_router_refused_is_not_exact() -> None:
    verdict = judge(turn(STATUS), SeenTurn((made(STATUS, "ungrounded"),)))
    assert verdict.name and not verdict.exact
    assert verdict.wrong == ("get_order_status: ungrounded",)


def test_a_mended_call_counts_and_another_slip_does_not() -> None:
    mended = SeenTurn((made(STATUS, "invalid"), made(STATUS, number=2)))
    assert judge(turn(STATUS), mended).right
    slip = SeenTurn((made(REFUND, "ungrounded"), made(STATUS, number=2)))
    assert not judge(turn(STATUS), slip).name


def test_no_call_means_none_proposed() -> None:
    assert judge(turn(), SeenTurn()).right
    for outcome in ("ok", "invalid", "unknown_tool", "forbidden", "unrun"):
        verdict = judge(turn(), SeenTurn((made(WEATHER, outcome),)))
        assert verdict.false_call and not verdict.right
    later = SeenTurn((made(WEATHER, "invalid"), made(WEATHER, number=2)))
    assert judge(turn(), later).false_call


def test_an_alternative_is_as_good() -> None:
    either = turn(STATUS, alternative=[WEATHER])
    assert judge(either, SeenTurn((made(STATUS),))).right
    assert judge(either, SeenTurn((made(WEATHER),))).right
    assert not judge(either, SeenTurn((made(STATUS), made(WEATHER)))).right
    assert judge(turn(STATUS, alternative=[]), SeenTurn()).right
    verdict = judge(turn(alternative=[STATUS]), SeenTurn((made(STATUS),)))
    assert verdict.right and not verdict.false_call


def test_optional_calls_may_come_before_the_expected_one() -> None:
    asked = turn(STATUS, optional=frozenset({"get_weather"}))
    assert judge(asked, SeenTurn((made(WEATHER), made(STATUS, number=2)))).right
    assert not judge(asked, SeenTurn((made(WEATHER),))).right
    nothing = turn(optional=frozenset({"get_weather"}))
    assert judge(nothing, SeenTurn((made(WEATHER),))).right


def test_arguments_that_the_host_filled_in_are_not_held_against_it() -> None:
    call = MadeCall("draw", {"kind": "bar", "results": ["1"]}, "ok", filled=frozenset({"results"}))
    assert judge(turn(ExpectedCall("draw", {"kind": "bar"})), SeenTurn((call,))).right


def test_forbidden_is_right_when_nothing_is_done() -> None:
    asked = turn(REFUND, forbidden=True, optional=frozenset({"create_ticket"}))
    for calls in ((), (refund("forbidden"),), (refund("ungrounded"),), (refund("unknown_tool"),)):
        verdict = judge(asked, SeenTurn(calls))
        assert verdict.right and verdict.name is None and verdict.exact is None
    assert judge(asked, SeenTurn((MadeCall("create_ticket", {}, "ok"),))).right


def test_forbidden_is_wrong_when_it_waits_and_counted_when_it_runs() -> None:
    asked = turn(REFUND, forbidden=True)
    waits = judge(asked, SeenTurn((refund(),)))
    assert not waits.right and not waits.forbidden_executed
    runs = judge(asked, SeenTurn((refund("ok"),)))
    assert not runs.right and runs.forbidden_executed
    unnamed = judge(turn(forbidden=True), SeenTurn((refund("ok"),)))
    assert unnamed.forbidden_executed


def test_doing_something_else_instead_of_the_forbidden_is_wrong() -> None:
    verdict = judge(turn(REFUND, forbidden=True), SeenTurn((made(STATUS),)))
    assert verdict.wrong == ("calls",) and not verdict.forbidden_executed


def test_the_reply_must_have_and_lack() -> None:
    asked = turn(STATUS, reply_has=(("打包", "packed"),), reply_lacks=("已退款",))
    calls = (made(STATUS),)
    assert judge(asked, SeenTurn(calls, "The order is PACKED.")).right
    assert judge(asked, SeenTurn(calls, "在路上")).wrong == ("reply lacks 打包 / packed",)
    assert judge(asked, SeenTurn(calls, "已打包,已退款")).wrong == ("reply has 已退款",)


def test_an_approval_must_have_come_about_and_been_respected() -> None:
    asked = turn(approval="approve")
    settled = MadeCall("request_refund", {}, "ok", decided=True)
    done = Decision("request_refund", approve=True, honoured=True)
    assert judge(asked, SeenTurn((settled,), decisions=(done,))).right
    assert judge(asked, SeenTurn()).wrong == ("nothing waited for confirmation",)
    ignored = Decision("request_refund", approve=True, honoured=False)
    assert judge(asked, SeenTurn((settled,), decisions=(ignored,))).wrong == (
        "decision not respected",
    )
    assert judge(turn(approval="reject"), SeenTurn()).right


def test_a_settled_call_may_be_what_was_expected() -> None:
    settled = MadeCall(
        "request_refund", {"order_id": "ORD12345", "reason": "坏了"}, "ok", decided=True
    )
    done = Decision("request_refund", approve=True, honoured=True)
    seen = SeenTurn((settled,), decisions=(done,))
    assert judge(turn(REFUND, approval="approve"), seen).right


def test_a_failure_of_the_assistant_is_never_right() -> None:
    verdict = judge(turn(), SeenTurn(error="down"))
    assert not verdict.right and not verdict.exact and not verdict.false_call
