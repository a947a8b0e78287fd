"""Quotes are found again in another setting of the same words, and differences can be put together again."""

from __future__ import annotations

import pytest

from dazi.apps.contracts.outputs.difference import difference
from dazi.apps.contracts.places import Spot, Texts


@pytest.mark.parametrize(
    ("quote", "spot"),
    [
        ("乙方应于30日内付款", Spot(1, 3, 1, 15)),
        ("付款。甲方应当验收", Spot(1, 13, 2, 6)),
        ("总额为￥480,000", Spot(3, 0, 3, 11)),
        ("这里没有这一句。甲方应当验收货物", Spot(2, 0, 2, 8)),
    ],
)
def test_a_quote_is_found(quote: str, spot: Spot) -> None:
    texts = Texts(["", "一、 乙方应于 30 日内付款。", "甲方应当验收货物", "总额为¥480,000元"])
    assert texts.find(quote) == spot


def test_what_is_not_there_is_not_found() -> None:
    texts = Texts(["甲方应当验收货物"])
    assert texts.find("乙方") is None and texts.find("") is None
    assert texts.find("没有。货物") is None  # two characters tell no place


def test_of_several_places_the_nearest() -> None:
    texts = Texts(["违约金百分之五", "x" * 100, "违约金百分之五", "x" * 10])
    found = [texts.find("违约金百分之五", near) for near in (0.0, 1.0)]
    assert [f.first for f in found if f is not None] == [0, 2]


@pytest.mark.parametrize(
    ("before", "after", "gone", "new"),
    [
        ("甲方在30日内付款", "甲方在90日内付款", "30", "90"),
        ("pay within thirty days", "pay within ninety days", "thirty", "ninety"),
        ("甲方付款。", "", "甲方付款。", ""),
        ("abc", "abc", "", ""),
    ],
)
def test_a_difference(before: str, after: str, gone: str, new: str) -> None:
    pieces = difference(before, after)
    assert "".join(p.text for p in pieces if p.change == "gone") == gone
    assert "".join(p.text for p in pieces if p.change == "new") == new
    for side, text in (("gone", before), ("new", after)):
        assert "".join(p.text for p in pieces if p.change in ("kept", side)) == text


def test_scattered_words_are_one_difference() -> None:
    pieces = difference("受托人须在五日内更换人员", "乙方应于十日内换人")
    assert max(sum(p.change == c for p in pieces) for c in ("gone", "new")) <= 3
    assert "".join(p.text for p in pieces if p.change != "new") == "受托人须在五日内更换人员"
