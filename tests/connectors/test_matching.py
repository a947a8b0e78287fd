"""The tolerant search by name."""

from __future__ import annotations

import pytest

from dazi.connectors.matching import best_matches

ROWS = [
    {"name": name, "other": other}
    for name, other in [
        ("iPhone 15", "手机"),
        ("iPhone 15 Pro", "手机"),
        ("iPhone 155", "手机"),
        ("Case for iPhone 15", "配件"),
        ("蓝牙降噪耳机", "headphones"),
        ("A4 复印纸", "办公用品"),
        ("X", "x"),
        (None, None),
    ]
]


def names(text: str, limit: int = 5) -> list[str]:
    return [str(row["name"]) for row in best_matches(text, ROWS, "name", ["other"], limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IPHONE15", ["iPhone 15"]),  # an exact name stands alone
        ("iphone", ["iPhone 15", "iPhone 155", "iPhone 15 Pro", "Case for iPhone 15"]),
        ("我想买 iPhone 15 Pro 手机", ["iPhone 15 Pro", "iPhone 15"]),
        ("iPhone 1", []),  # a number is never cut
        ("iPhone 14", []),
        ("15 iphone", ["iPhone 15", "iPhone 15 Pro", "Case for iPhone 15"]),  # word order
        ("手机", ["iPhone 15", "iPhone 15 Pro", "iPhone 155"]),
        ("降噪蓝牙耳机", []),
        ("蓝牙降躁耳机", ["蓝牙降噪耳机"]),  # one wrong character of six
        ("hedphones", ["蓝牙降噪耳机"]),
        ("ａ４复印纸", ["A4 复印纸"]),
        ("x", ["X"]),
        ("完全无关", []),
        ("", []),
    ],
)
def test_matches(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_no_more_than_asked_for() -> None:
    assert names("iphone", 2) == ["iPhone 15", "iPhone 155"]
