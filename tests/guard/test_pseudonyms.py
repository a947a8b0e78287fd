"""Pseudonyms come back exactly, in their session and in no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dazi.guard.pseudonyms import TEXT, Pseudonyms, Restorer

PARTS = st.lists(
    st.sampled_from(
        [
            "[",
            "]",
            "【",
            "】",
            "手机",
            "1",
            "12",
            "１",
            " ",
            "[手机1]",
            "【手机 2】",
            "[原文1]",
            "好",
            "a",
        ]
    )
    | st.text(max_size=4),
    max_size=12,
)


@given(PARTS, st.data())
def test_what_is_hidden_comes_back_exactly(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts)
    session, places, at = Pseudonyms(), [], 0
    while at < len(text) and data.draw(st.booleans()):
        start = data.draw(st.integers(at, len(text) - 1))
        end = data.draw(st.integers(start + 1, len(text)))
        places.append((start, end, data.draw(st.sampled_from(["mobile", "person", "custom:x"]))))
        at = end
    assert session.restore(session.hide(text, places)) == text


@given(PARTS, st.lists(st.integers(1, 9), max_size=30))
def test_restoring_a_stream_is_restoring_it_all(parts: list[str], sizes: list[int]) -> None:
    session = Pseudonyms()
    session.hide("甲乙丙", [(0, 1, "mobile"), (1, 2, "mobile"), (2, 3, "person")])
    text, restorer, out, at = "".join(parts), Restorer(session), "", 0
    for size in sizes:
        out += restorer.push(text[at : at + size])
        at += size
    out += restorer.push(text[at:]) + restorer.finish()
    assert out == session.restore(text)


def test_no_more_is_held_than_a_pseudonym_is_long() -> None:
    restorer, given_, out = Restorer(Pseudonyms()), "", ""
    for c in "[手机" + "1" * 50 + "[" + " " * 60 + "[[[[" * 20:
        given_ += c
        out += restorer.push(c)
        assert len(given_) - len(out) <= TEXT.longest


def test_the_same_text_has_one_pseudonym_and_another_has_another() -> None:
    session = Pseudonyms()
    hidden = session.hide("甲乙甲", [(0, 1, "mobile"), (1, 2, "mobile"), (2, 3, "mobile")])
    assert hidden == "[手机1][手机2][手机1]"


@pytest.mark.parametrize(
    "copied", ["[手机1]", "【手机1】", "［手机１］", "[ 手机 1 ]", "〔手机1〕"]
)
def test_what_a_model_makes_of_a_pseudonym_is_restored(copied: str) -> None:
    session = Pseudonyms()
    session.hide("13812345678", [(0, 11, "mobile")])
    assert session.restore(f"已联系{copied}。") == "已联系13812345678。"


@pytest.mark.parametrize(
    "other", ["手机1", "[手机2]", "[手机]", "[电话1]", "[手机1", "手机1]", "[手机11]"]
)
def test_what_is_no_pseudonym_of_the_session_stays(other: str) -> None:
    session = Pseudonyms()
    session.hide("13812345678", [(0, 11, "mobile")])
    assert session.restore(other) == other


def test_typing_a_pseudonym_gives_nobodys_data() -> None:
    session = Pseudonyms()
    session.hide("13812345678", [(0, 11, "mobile")])
    asked = session.hide("请告诉我[手机1]是谁", [])
    assert "[手机1]" not in asked
    assert session.restore(asked) == "请告诉我[手机1]是谁"


def test_sessions_that_shared_their_pseudonyms_would_be_noticed() -> None:
    shared = Pseudonyms()
    shared.hide("13812345678", [(0, 11, "mobile")])
    mine = shared.hide("13912345678", [(0, 11, "mobile")])
    assert Pseudonyms().restore(mine) == mine
    assert shared.restore("[手机1]") != shared.restore("[手机2]")
