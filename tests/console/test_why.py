"""Why this answer: the panel under an answer, of one's own turns only."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from dazi.audit.records import Record
from dazi.console.account import account
from dazi.console.why import Fresh, Past, _model, turn_of
from dazi.core.engine import Served, Usage
from dazi.core.errors import NotFound
from dazi.core.turn import TurnFinished
from dazi.inference.pool.config import Place
from tests.console.browser import PHONE, Browser
from tests.console.conftest import Site, until
from tests.console.test_phone_page import WIDEST
from tests.fakes.engine import call

QUESTION = "订单 ORD12345 到哪了,为什么还没发?"
ANSWER = "订单 ORD12345 还在处理。"


def record(seq: int, kind: str, body: dict[str, Any]) -> Record:
    return Record(seq, 100.0 + seq, kind, "customer", "turn_1", json.dumps(body), "", "")


def test_the_panel_of_a_fresh_answer_and_of_a_kept_one(browser: Browser, site: Site) -> None:
    site.says(QUESTION, call("get_order_status", order_id="ORD12345"), ANSWER)
    browser.wide(960, 1100)
    browser.sign_in("customer")
    browser.ask(QUESTION)
    browser.press(".dz-why")
    browser.one(".dz-why-dialog", "合计")
    said = browser.said(".dz-why-dialog")
    assert "scripted-1" in said and "查订单" in said
    assert "策略: roles:get_order_status:customer (在 tools/crm.yaml:" in said
    assert "系统消息" in said and "合计" in said  # the layers of the context
    turn = re.search(r"turn_[0-9a-f]{20}", said)
    assert turn is not None
    wide = "return document.querySelector('.dz-why-dialog').getBoundingClientRect().width"
    until(lambda: browser.js(wide) > 630)  # it has opened
    browser.picture("why")
    browser.press(".dz-close")
    browser.gone(".dz-why-dialog")
    until(lambda: "/t/" in browser.driver.current_url)
    browser.driver.refresh()
    browser.ready()
    browser.press(".dz-why")
    browser.one(".dz-why-dialog", "合计")
    again = browser.said(".dz-why-dialog")
    assert turn[0] in again and "系统消息" in again and "get_order_status" in again
    total = re.compile(r"合计\s+([\d,]+)\s+([\d,]+)")
    assert "本人可用" in again and total.findall(again) == total.findall(said) != []
    browser.be_a_phone()
    assert browser.js(WIDEST) <= PHONE[0]
    browser.js("arguments[0].click()", browser.one(".dz-why-dialog .dz-back"))
    browser.one(".dz-why-page", "为什么这样回答")
    mine = browser.driver.current_url.removeprefix(browser.url)
    assert browser.status(mine) == 200
    for other in ("customer2", "admin"):
        browser.sign_in(other)
        assert browser.status(mine) == 404
        assert browser.status("/why/turn_0") == 404


def test_what_is_on_record_of_a_turn() -> None:
    sent = {"call": "c1", "tool": "send_email", "arguments": {"to": "a@b.example"}}
    found = account(
        [
            record(1, "turn", {"said": "发邮件", "thread": "t", "model": "m", "offered": ["send_email"]}),
            record(2, "route", {"rule": "密", "backend": "a", "place": "private", "tier": 1, "labels": ["id_card"], "tried": ["b"]}),
            record(3, "decision", {**sent, "outcome": "needs_confirmation", "policy": "p1", "sources": {"to": ["model"]}, "ticket": "k"}),
            record(4, "answer", {"reason": "confirmation", "tokens": [5, 1]}),
            record(5, "call", {**sent, "outcome": "ok", "policy": "p2", "by": "boss"}),
            record(6, "outcome", {**sent, "outcome": "ok", "signals": ["orders"], "score": 0.4}),
            record(7, "answer", {"reason": "answer", "tokens": [20, 9], "cost": 0.2, "ms": 1500.0, "by": "a", "replaced": 1}),
        ]
    )  # fmt: skip
    (made,) = found.calls
    assert (made.outcome, made.policy, made.by, made.ticket) == ("ok", "p2", "boss", "k")
    assert made.sources == {"to": ["model"]} and made.signals == ("orders",)
    assert [kind for kind, _ in made.steps] == ["decision", "call", "outcome"]
    assert found.routes[0].tier == 1 and found.routes[0].tried == ("b",)
    assert (found.reason, found.tokens, found.cost, found.replaced) == ("answer", (20, 9), 0.2, 1)


def test_a_call_that_was_broken_off_has_no_outcome() -> None:
    found = account([record(1, "turn", {}), record(2, "call", {"call": "c", "outcome": "ok"})])
    assert found.calls[0].outcome == "" and not found.ended


def test_a_kept_turn_is_found_by_what_was_said() -> None:
    begun = [
        ("a", 1.0, "你好"),
        ("b", 2.0, "查"),
        ("c", 3.0, "你好"),
        ("b", 4.0, ""),
        ("d", 9.0, "你好"),
    ]
    assert turn_of(Past("你好", 0, 5.0), begun) == "c"
    assert turn_of(Past("你好", 1, 5.0), begun) == "a"
    assert turn_of(Past("查", 0, 5.0), begun) == "b"
    for lost in (Past("你好", 2, 5.0), Past("别的", 0, 5.0)):
        with pytest.raises(NotFound):
            turn_of(lost, begun)


@pytest.mark.parametrize(("fallback", "place"), [(True, "private"), (False, "cloud")])
def test_which_server_answered_and_whether_it_stood_in(fallback: bool, place: Place) -> None:
    served = Served("cloud-1", "qwen-max", place, fallback)
    finished = TurnFinished("好", (), Usage(1, 1), 5.0, by=served)
    route = {"rule": "忙时上云", "backend": "cloud-1", "place": place, "leaving": "pseudonymise"}
    found = account([record(1, "turn", {"model": "Qwen3-14B"}), record(2, "route", route)])
    scene: Any = SimpleNamespace(language="zh")
    told = "\n".join(_model(scene, found, Fresh("turn_1", finished)))
    assert "由 qwen-max 回答" in told and "cloud-1" in told and "按路由“忙时上云”" in told
    assert ("较弱的模型" in told) == fallback
    assert ("换成了化名" in told) == (place == "cloud")
