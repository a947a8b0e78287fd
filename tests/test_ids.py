"""Ids as people write them, whole or by their digits after a word that announces them."""

from __future__ import annotations

import pytest

from dazi.core.ids import find_ids

ORDER = "^ORD[0-9]{5}$"


@pytest.mark.parametrize(
    "text",
    [
        "ord 12345 please",
        "ORD-12345",
        "ＯＲＤ１２３４５到哪了",
        "订单12345",
        "订单号是12345",
        "单号 12345",
        "order 12345",
        "order #12345",
        "order no. 12345",
        "my order number is 12345, will it be here",
        "my order is number 12345",
        "order id: 12345",
    ],
)
def test_an_id_is_found(text: str) -> None:
    assert find_ids(ORDER, text, ("订单", "单号", "order")) == ["ORD12345"]


@pytest.mark.parametrize(
    "text",
    ["12345", "order of 12345", "order 123456", "in order to pay 12345", "ORD123456", "XORD12345"],
)
def test_other_numbers_are_no_ids(text: str) -> None:
    assert find_ids(ORDER, text, ("订单", "单号", "order")) == []
