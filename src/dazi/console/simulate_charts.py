"""Charts of a simulated day, as options of ECharts made of plain values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dazi.console import simulate_texts as texts
from dazi.console.attachments import PALETTE, QUIET
from dazi.console.plan_axes import AXIS, MARK, TIP, base, line
from dazi.core.language import Language, Text

Course = Mapping[str, Sequence[float]]


def load_chart(c: Course, language: Language) -> dict[str, Any]:
    series = [
        _line(texts.COME(language), c, "come", PALETTE[0]),
        _line(texts.ANSWERED(language), c, "answered", PALETTE[1]),
        {**_line(texts.REFUSED(language), c, "refused", MARK), "areaStyle": {"opacity": 0.2}},
    ]
    return _chart(c, series, language)


def servers_chart(c: Course, language: Language) -> dict[str, Any]:
    kept = _line(texts.ORDERED(language), c, "kept", PALETTE[1])
    kept["lineStyle"] = {"width": 1.4, "type": "dashed"}
    serving = _line(texts.SERVING(language), c, "serving", PALETTE[0])
    return _chart(c, [{**serving, "step": "end"}, {**kept, "step": "end"}], language)


def latency_chart(c: Course, wanted: Mapping[str, float], language: Language) -> dict[str, Any]:
    series = []
    for name, label, colour in (
        ("first", texts.TO_FIRST, PALETTE[0]), ("whole", texts.TO_WHOLE, PALETTE[1]),
    ):  # fmt: skip
        line = _line(label(language), c, name, colour)
        line["markLine"] = {
            "symbol": "none", "silent": True, "lineStyle": {"color": colour, "type": "dashed"},
            "label": {"formatter": f"{wanted[name]:g} s", "color": colour, "position": "insideEndTop"},
            "data": [{"yAxis": wanted[name]}],
        }  # fmt: skip
        series.append(line)
    return _chart(c, series, language)


def busy_chart(c: Course, language: Language) -> dict[str, Any]:
    busy = _line(texts.BUSY_SHARE(language), c, "busy", PALETTE[0], 100)
    waiting = {**_line(texts.WAITING(language), c, "waiting", MARK), "yAxisIndex": 1}
    made = _chart(c, [busy, waiting], language)
    made["yAxis"] = [
        {"type": "value", "min": 0, "max": 100, **AXIS, "axisLabel": {"color": QUIET, "formatter": "{value}%"}},
        {"type": "value", "min": 0, **AXIS, "splitLine": {"show": False}},
    ]  # fmt: skip
    return made


def _line(name: str, c: Course, column: str, colour: str, times: float = 1.0) -> dict[str, Any]:
    points = zip(c["at"], c[column], strict=True)
    return line(name, ((round(at / 3600, 3), y * times) for at, y in points), colour)


def _chart(c: Course, series: list[dict[str, Any]], language: Language) -> dict[str, Any]:
    last = (c["at"][-1] + c["at"][0]) / 3600 if c["at"] else 24
    hour: Text = texts.HOUR
    return base() | {
        "grid": {"left": 8, "right": 16, "top": 36, "bottom": 30, "containLabel": True},
        "tooltip": TIP,
        "xAxis": {
            "type": "value", "min": 0, "max": round(last, 1), "name": hour(language),
            "nameLocation": "middle", "nameGap": 24, **AXIS,
        },
        "yAxis": {"type": "value", "min": 0, **AXIS},
        "series": series,
    }  # fmt: skip
