"""Confidence sequences as options of ECharts, made of plain values only."""

from __future__ import annotations

from typing import Any

from dazi.console import experiments_texts as texts
from dazi.console.attachments import FONTS, PALETTE, QUIET
from dazi.core.language import Language
from dazi.ops.experiments.analysis import Comparison

_AXIS = {
    "nameTextStyle": {"color": QUIET},
    "axisLabel": {"color": QUIET, "hideOverlap": True},
    "splitLine": {"lineStyle": {"color": QUIET, "opacity": 0.2}},
}


def sequence_chart(c: Comparison, language: Language) -> dict[str, Any]:
    """The estimate within its band, by subjects; zero is marked."""
    scale = 100 if c.metric.kind == "rate" else 1
    points = [(n, *(round(v * scale, 4) for v in rest)) for n, *rest in c.path]
    lower = [(n, low) for n, _, low, _ in points]
    height = [(n, round(high - low, 4)) for n, _, low, high in points]
    quiet = {"type": "line", "symbol": "none", "stack": "band", "stackStrategy": "all"}
    return {
        "color": list(PALETTE),
        "textStyle": {"fontFamily": FONTS},
        "animation": False,
        "grid": {"left": 12, "right": 18, "top": 30, "bottom": 12, "containLabel": True},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "xAxis": {"type": "value", "min": points[0][0], "max": points[-1][0], **_AXIS},
        "yAxis": {
            "type": "value",
            "name": "%" if scale == 100 else c.metric.unit(language),
            **_AXIS,
        },
        "series": [
            {
                **quiet,
                "name": texts.LOWER(language),
                "data": lower,
                "lineStyle": {"width": 1, "color": PALETTE[0], "type": "dashed"},
            },
            {
                **quiet,
                "name": texts.BAND(language),
                "data": height,
                "lineStyle": {"width": 1, "color": PALETTE[0], "type": "dashed"},
                "areaStyle": {"color": PALETTE[0], "opacity": 0.18},
            },
            {
                "name": texts.ESTIMATE(language),
                "type": "line",
                "symbol": "none",
                "data": [(n, estimate) for n, estimate, _, _ in points],
                "lineStyle": {"width": 2, "color": PALETTE[0]},
                "markLine": {
                    "symbol": "none",
                    "silent": True,
                    "data": [{"yAxis": 0}],
                    "label": {"show": False},
                    "lineStyle": {"color": QUIET, "type": "solid"},
                },
            },
        ],
    }
