"""The language of a reply is that of what was said, or of what was said before."""

from __future__ import annotations

import pytest

from dazi.core.language import language_of
from tests.agent.conftest import Start


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ORD12345到哪了", "zh"),
        ("iPhone 15 和 Galaxy S24 哪个好", "zh"),
        ("where is ORD12345", "en"),
        ("ORD12345", "en"),
        ("where is a302 for li.na@example.com", "en"),
        ("a302 发给 li.na@example.com 了吗", "zh"),
        ("好" * 100_000, "zh"),  # minutes, if each character were a place to begin
        ("a" * 100_000, "en"),
    ],
)
def test_what_is_written_tells(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["ORD12345", "SKU-1001", "a302", "li.na@example.com", "OK", "15"])
def test_what_has_no_language_takes_that_of_before(text: str) -> None:
    assert language_of(text, "查订单", "hello there") == "zh"
    assert language_of(text, "ORD12346", "where is it", "查订单") == "en"
    assert language_of("thanks", "查订单") == "en"


async def test_an_id_alone_is_answered_in_the_language_of_the_thread(house: Start) -> None:
    call = ("get_order_status", {"order_id": "ORD99999"})
    h = await house(["请问订单号是多少?", [call], "没有查到。"])
    await h.ask("customer", "我的订单到哪了", "a")
    said = await h.ask("customer", "ORD99999", "a")
    assert said.record.message == "没有查到相应的记录,请核对后再试。"
