"""What planning's charts have in common, as options of ECharts made of plain values only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dazi.console.attachments import FONTS, PALETTE, QUIET

MARK = "#c2413b"
AXIS = {
    "nameTextStyle": {"color": QUIET},
    "axisLabel": {"color": QUIET, "hideOverlap": True},
    "splitLine": {"lineStyle": {"color": QUIET, "opacity": 0.2}},
}
TIP = {"trigger": "axis", "renderMode": "richText", "confine": True}


def base() -> dict[str, Any]:
    return {
        "color": list(PALETTE),
        "textStyle": {"fontFamily": FONTS, "color": QUIET},
        "legend": {"top": 0, "left": 0, "textStyle": {"color": QUIET}},
        "animation": False,
    }


def line(
    name: str, points: Iterable[tuple[float, float]], colour: str, width: float = 2.0
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "itemStyle": {"color": colour},
        "lineStyle": {"width": width},
        "data": [[x, rounded(y)] for x, y in points],
    }


def rounded(value: float) -> float:
    """Five digits are more than anybody sees."""
    return float(f"{value:.5g}")
