from __future__ import annotations

from typing import Any

import pytest

from dazi.lab.evals.cases import ExpectedCall
from dazi.lab.evals.matchers import (
    ABSENT,
    arguments_match,
    assign,
    calls_match,
    names_match,
    value_matches,
    wrong_arguments,
)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ("ORD12345", "ord12345"),
        ("上海", " 上海 "),
        ("iPhone 15", "IPHONE 15"),
        (5, 5.0),
        (89.9, 89.9),
        (5, "5"),
        ("5", 5),
        (0.1 + 0.2, 0.3),
        (True, True),
        (["projector", "video"], ["video", "projector"]),
        ([{"has": "a"}, "ab"], ["ab", "xa"]),
        ({"any": True}, "x"),
        ({"any": True}, 0),
        ({"any": True}, False),
        ({"any_of": ["上海", "Shanghai"]}, "SHANGHAI"),
        ({"any_of": [{"has": "海"}, 3]}, "上海"),
        ({"has": "VPN"}, "连不上vpn了"),
        ({"has": "1380"}, 13800002222),
        ({"has": "video"}, ["projector", "video"]),
        ({"opt": "annual"}, ABSENT),
        ({"opt": "annual"}, None),
        ({"opt": "annual"}, "Annual"),
        ({"opt": []}, []),
        ({"opt": []}, ABSENT),
        ({"opt_any": True}, ABSENT),
        ({"opt_any": True}, "whatever"),
        ({"opt": {"has": "x"}}, "axb"),
        ({"like": "San Francisco, CA"}, "san francisco CA"),
        ({"like": "2023-05-01"}, "2023/05/01"),
        ({"in_order": [1, {"like": "b c"}]}, [1.0, "B, C"]),
        (None, ABSENT),
        ({"a": 1}, {"a": 1.0}),
    ],
)
def test_a_value_fits(expected: Any, got: Any) -> None:
    assert value_matches(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ("ORD12345", "ORD12346"),
        ("ORD12345", ABSENT),
        (5, 6),
        (5, "five"),
        (1, True),
        (True, 1),
        (["projector"], ["projector", "video"]),
        (["a", "a"], ["a", "b"]),
        (["projector"], "projector"),
        ({"any": True}, ABSENT),
        ({"any": True}, None),
        ({"any": True}, "  "),
        ({"any": True}, []),
        ({"any_of": ["a", "b"]}, "c"),
        ({"any_of": ["a", "b"]}, ABSENT),
        ({"has": "x"}, ABSENT),
        ({"has": "x"}, "y"),
        ({"opt": "annual"}, "sick"),
        ({"opt": []}, ["video"]),
        ({"like": ">"}, "<"),
        ({"like": "5"}, 5),
        ({"in_order": [1, 2]}, [2, 1]),
        ({"in_order": [1, 2]}, [1, 2, 3]),
        ({"in_order": [1]}, 1),
        ({"a": 1}, {"a": 1, "b": 2}),
        ("x", {"a": 1}),
        (None, "x"),
    ],
)
def test_a_value_does_not_fit(expected: Any, got: Any) -> None:
    assert not value_matches(expected, got)


def test_full_width_text_is_the_same_text() -> None:
    assert value_matches("ＡＢＣ　123", "abc 123")


def test_arguments_may_not_be_too_many_unless_the_host_filled_them_in() -> None:
    assert arguments_match({"kind": "bar"}, {"kind": "bar", "results": None})
    assert not arguments_match({"kind": "bar"}, {"kind": "bar", "results": ["1"]})
    assert arguments_match({"kind": "bar"}, {"kind": "bar", "results": ["1"]}, filled={"results"})


def test_what_differs_is_named() -> None:
    expected = {"city": {"has": "上海"}, "date": "2025-04-04"}
    assert wrong_arguments(expected, {"city": "上海", "when": "x"}) == ["date", "when"]


def test_the_assignment_gives_up_an_early_pair_for_a_better_whole() -> None:
    def fits(expected: str, got: str) -> bool:
        return got.startswith(expected)

    assert assign(["a", "ab"], ["ab", "ac"], fits) == {0: 1, 1: 0}
    assert assign(["ab", "ab"], ["ab", "ac"], fits) == {0: 0}


def call(name: str, **arguments: Any) -> ExpectedCall:
    return ExpectedCall(name, arguments)


def test_calls_in_any_order() -> None:
    wanted = [call("find", what={"any": True}), call("find", what="S24")]
    assert calls_match(wanted, [call("find", what="s24"), call("find", what="iPhone")])
    assert not calls_match(wanted, [call("find", what="Mi"), call("find", what="iPhone")])
    assert not calls_match(wanted, [call("find", what="S24")])
    assert calls_match([], [])
    assert not calls_match([], wanted)


def test_optional_names_may_come_besides() -> None:
    wanted, made = [call("a")], [call("a"), call("b"), call("b")]
    assert not calls_match(wanted, made)
    assert calls_match(wanted, made, frozenset({"b"}))
    assert calls_match([], [call("b")], frozenset({"b"}))
    assert not calls_match(wanted, [call("b")], frozenset({"b"}))
    assert names_match(wanted, [call("a"), call("a", x=1)], frozenset({"a"}))
