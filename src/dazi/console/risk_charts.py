"""Charts of the risk pages, as options of ECharts made of plain values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dazi.apps.risk.events import Transaction
from dazi.apps.risk.reasons import Reason
from dazi.apps.risk.thresholds import Row
from dazi.apps.risk.wording import TITLES
from dazi.console import risk_texts as texts
from dazi.console.attachments import FONTS, PALETTE, QUIET
from dazi.console.visible import reveal
from dazi.core.language import Language

MOST_PAST = 200
BAD = "#c2413b"
_GRID = {"left": 8, "right": 24, "top": 34, "bottom": 34, "containLabel": True}
_AXIS = {
    "axisLabel": {"color": QUIET},
    "splitLine": {"lineStyle": {"color": QUIET, "opacity": 0.2}},
}


def past_chart(
    past: Sequence[Transaction], this: Transaction, language: Language
) -> dict[str, Any]:
    """Amounts over time, what comes in apart from what goes out, and the one in question."""
    shown = past[-MOST_PAST:]
    series = [
        _points(name(language), [t for t in shown if t.direction == way], colour, 7)
        for way, name, colour in (
            ("out", texts.OUT, PALETTE[0]),
            ("in", texts.IN, PALETTE[2]),
        )
    ]
    series.append(_points(texts.THIS_ONE(language), [this], BAD, 16))
    return {
        **_base(),
        "legend": {"top": 0, "right": 0, "textStyle": {"color": QUIET}},
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True},
        "xAxis": {"type": "time", **_AXIS, "splitLine": {"show": False}},
        "yAxis": {"type": "log", **_AXIS, "name": this.currency},
        "series": series,
    }


def _points(
    name: str, transactions: Sequence[Transaction], colour: str, size: int
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "scatter",
        "symbolSize": size,
        "itemStyle": {"color": colour, "opacity": 0.85},
        "data": [[f"{t.at:%Y-%m-%d %H:%M}", t.amount_cents / 100] for t in transactions],
    }


def reasons_chart(reasons: Sequence[Reason], language: Language) -> dict[str, Any]:
    """The longest bar on top: what each stated reason has in the score."""
    ordered = sorted(reasons, key=lambda r: r.contribution)
    names = [" + ".join(TITLES[c](language) for c in r.codes) for r in ordered]
    return {
        **_base(),
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "xAxis": {"type": "value", **_AXIS},
        "yAxis": {"type": "category", "data": [reveal(n) for n in names], **_AXIS},
        "series": [
            {
                "type": "bar",
                "barMaxWidth": 20,
                "itemStyle": {"color": BAD, "borderRadius": [0, 4, 4, 0]},
                "data": [round(r.contribution, 2) for r in ordered],
            }
        ],
    }


def thresholds_chart(rows: Sequence[Row], language: Language) -> dict[str, Any]:
    return {
        **_base(),
        "legend": {"top": 0, "right": 0, "textStyle": {"color": QUIET}},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "xAxis": {
            "type": "category",
            "name": texts.BUDGET(language),
            "nameLocation": "middle",
            "nameGap": 26,
            "data": [f"{100 * r.budget:g}%" for r in rows],
            **_AXIS,
        },
        "yAxis": {"type": "value", "min": 0, "max": 1, **_AXIS},
        "series": [
            _line(texts.PRECISION(language), [r.precision for r in rows]),
            _line(texts.RECALL(language), [r.recall for r in rows]),
        ],
    }


def _line(name: str, values: Sequence[float]) -> Mapping[str, Any]:
    return {"name": name, "type": "line", "symbolSize": 7, "data": [round(v, 3) for v in values]}


def _base() -> dict[str, Any]:
    return {
        "color": list(PALETTE),
        "textStyle": {"fontFamily": FONTS, "color": QUIET},
        "grid": _GRID,
        "animation": False,
    }
