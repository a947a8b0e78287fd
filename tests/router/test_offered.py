"""What a turn's words allow a copying model to give as arguments."""

from __future__ import annotations

from datetime import date

import pytest

from dazi.core.engine import OfferedTool
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.router.grounding import Evidence, held_to_words, offer


@pytest.mark.parametrize(
    ("said", "starts", "ends"),
    [
        ("周五下午三点到四点用A212", {"下午三点", "四点"}, {"下午三点", "四点"}),
        ("周五下午三点用A212开一个小时会", {"下午三点"}, {"一个小时"}),
        ("A212 Friday from 3pm for 45 minutes", {"3pm"}, {"45 minutes"}),
        ("周五下午三点用A212", {"下午三点"}, set()),
    ],
)
def test_a_single_time_is_where_a_meeting_begins(
    said: str, starts: set[str], ends: set[str]
) -> None:
    evidence = Evidence(date(2025, 6, 2))
    evidence.said(said)
    tool = load_company(demo_folder()).tools["book_room"]
    offered = offer(tool, evidence, "zh", copies=True, concise=True)
    assert set(offered.candidates["start"]) == starts
    assert set(offered.candidates["end"]) == ends


def test_a_callers_tool_is_held_to_what_was_said_too() -> None:
    evidence = Evidence(date(2025, 6, 2))
    evidence.said("a triangle with base 10 and height 5.5")
    properties = {
        "base": {"type": "integer"},
        "height": {"type": "number"},
        "label": {"type": "string"},
        "unit": {"type": "string", "enum": ["cm", "m"]},
        "options": {"type": "object"},
    }
    tool = OfferedTool("area", "", {"type": "object", "properties": properties})
    held = held_to_words(tool, evidence)
    assert held.candidates == {"base": ("10",), "height": ("5.5", "10")}
    assert held.spans == {"label": ("a triangle with base 10 and height 5.5",)}
    assert held.parameters is tool.parameters
