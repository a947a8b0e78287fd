"""Splitting long answers, and keeping a vendor's limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dazi.gateway.channels.pacing import Pacing
from dazi.gateway.channels.protocol import Limits
from dazi.gateway.channels.splitting import split


@given(st.text(alphabet="订单。,! \nab|1😀\u0301", max_size=400), st.integers(8, 60))
def test_pieces_fit_and_nothing_is_lost(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(0 < len(p.encode()) <= limit for p in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_sentences_stay_whole() -> None:
    text = "第一句话说完了。第二句话也说完了!第三句呢?" * 3
    for piece in split(text, 60):
        assert piece[-1] in "。!?"


def test_a_row_of_a_table_is_never_taken_apart() -> None:
    rows = [f"- 订单:ORD{i:05};状态:已发货;金额:1,{i:03}.00" for i in range(200)]
    pieces = split("\n".join(rows), 2048)
    assert len(pieces) == 5
    assert [line for piece in pieces for line in piece.splitlines()] == rows


def test_a_short_text_is_one_piece() -> None:
    assert split("您好。", 2048) == ["您好。"]
    assert split("  \n ", 2048) == []


def test_a_person_s_limit_makes_others_wait_for_nothing() -> None:
    now = 0.0
    pacing = Pacing(Limits(2048, per_minute=2, per_hour=3, per_day=100), lambda: now)
    assert [pacing.take("a"), pacing.take("a")] == [0, 0]
    assert pacing.take("a") == pytest.approx(60)
    assert pacing.take("b") == 0
    now = 60.5
    assert pacing.take("a") == 0
    assert pacing.take("a") == pytest.approx(3600 - 60.5)  # the hour's


def test_the_application_s_limit_is_everybody_s() -> None:
    pacing = Pacing(Limits(2048, per_day=2), lambda: 0.0)
    assert [pacing.take(p) for p in "abc"] == [0, 0, pytest.approx(86_400)]


def test_a_vendor_that_says_stop_is_heard() -> None:
    pacing = Pacing(Limits(2048), lambda: 10.0)
    pacing.rest(30)
    assert pacing.take("a") == pytest.approx(30)
