"""What is wrong with a version is said where it is, and two versions are told apart."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dazi.core.language import Text
from dazi.main.company import load_company
from dazi.ops.prompts.checking import LONGEST, Limits, problems
from dazi.ops.prompts.model import Content, differences
from dazi.prompt.system import SHIPPED, system_text

COMPANY = load_company(Path(__file__).parents[3] / "examples" / "yunshan")
LIMITS = Limits(COMPANY.tools)
GOOD = "今天是{today}。"
TODAY = date(2025, 4, 3)


def said(content: Content, limits: Limits = LIMITS) -> list[tuple[str, int, str]]:
    return [(p.part, p.line, p.what.en) for p in problems(content, limits)]


def test_what_ships_has_no_problem() -> None:
    assert said(Content()) == []
    assert said(Content(SHIPPED.zh, SHIPPED.en)) == []


@pytest.mark.parametrize(
    ("zh", "line", "told"),
    [
        ("你好", 0, "no {today}"),
        (f"{GOOD}\n公司:{{firma}}", 2, "unknown {firma}"),
        (f"{GOOD}\n\n{{", 3, "a lone {"),
        (f"{GOOD} }}", 1, "a lone }"),
        ("今天是{today:%Y}。", 1, "unknown {today:%Y}"),
        ("今天是{today.__class__}。", 1, "unknown {today.__class__}"),
        (f"{GOOD}\n\u202e反过来", 2, "U+202E"),
        (f"{GOOD}\x00", 1, "U+0000"),
        # What Python takes for the end of a line is a character like others.
        (f"{GOOD}\x0c换页", 1, "U+000C"),
        (f"{GOOD}\n\x1e", 2, "U+001E"),
        (f"{GOOD}\u2028", 1, "U+2028"),
        (f"{GOOD}\x85", 1, "U+0085"),
        (f"{GOOD}\u200f", 1, "U+200F"),
        (GOOD + "长" * LONGEST, 0, "characters"),
        ("  \n", 0, "blank"),
    ],
)
def test_each_mistake_is_told_with_its_line(zh: str, line: int, told: str) -> None:
    found = said(Content(zh=zh))
    assert any(p == "zh" and n == line and told in what for p, n, what in found), found


def test_doubled_braces_are_braces() -> None:
    text = '今天是{today},JSON 这样写:{{"a": 1}}'
    assert said(Content(zh=text)) == []
    told = system_text("zh", COMPANY.name, TODAY, frozenset(), concise=False, template=text)
    assert told == '今天是2025-04-03,JSON 这样写:{"a": 1}'


def test_a_role_named_like_a_placeholder_is_not_filled_again() -> None:
    roles = frozenset({"{company}"})
    told = system_text("zh", COMPANY.name, TODAY, roles, concise=False, template="{roles}{today}")
    assert told == "{company}2025-04-03"


def test_too_long_for_the_model_is_told_in_tokens() -> None:
    limits = Limits(COMPANY.tools, context=100, measure=len)
    assert said(Content(zh=GOOD), limits) == []
    ((_, _, told),) = said(Content(zh=GOOD + "长" * 60), limits)
    assert "of the model's 100 it may take 50" in told


def test_tools_have_to_be_there_and_to_be_said_something_of() -> None:
    name = next(iter(COMPANY.tools))
    tools = {name: Text("查", ""), "nonesuch": Text("a", "b")}
    assert [(p, what) for p, _, what in said(Content(tools=tools))] == [
        (f"tool:{name}:en", "it is blank"),
        ("tool:nonesuch", "there is no such tool"),
    ]


def test_differences_name_their_part_and_keep_the_order_of_lines() -> None:
    old, new = Content(zh="一\n二\n三"), Content(zh="一\n贰\n三\n四")
    (found,) = differences(old, new, {})
    assert found.part == "zh"
    assert [f"{line.sign}{line.text}" for line in found.lines] == [
        " 一",
        "-二",
        "+贰",
        " 三",
        "+四",
    ]
    assert differences(new, new, {}) == ()


def test_a_difference_is_always_to_be_seen() -> None:
    (found,) = differences(Content(zh="一\n"), Content(zh="一"), {})
    assert [(line.mark, line.text) for line in found.lines] == [("same", "一"), ("removed", "")]


def test_a_tool_that_is_not_named_is_as_shipped() -> None:
    shipped = {"a": Text("旧", "old")}
    (found,) = differences(Content(), Content(tools={"a": Text("新", "old")}), shipped)
    assert found.part == "tool:a:zh"
    assert [(line.mark, line.text) for line in found.lines] == [("removed", "旧"), ("added", "新")]
