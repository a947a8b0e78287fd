"""Tables and charts that the host drew from results, and the passages that it found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from dazi.console import sources
from dazi.console.abilities import first_clause
from dazi.console.pieces import div
from dazi.console.visible import reveal
from dazi.core.language import Language
from dazi.core.turn import Attachment
from dazi.router.view import series_name

PAGE_ROWS = 10
PALETTE = ("#0f8a7e", "#e0a040", "#5b7fd6", "#c9657b", "#7a9a4f", "#8a6fb8")
QUIET = "#87919c"
"""Readable on light and on dark."""
FONTS = "system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_NUMBER = re.compile(r"[-+]?[\d,]+(\.\d+)?%?")
_SORT = (
    "(a, b) => { const n = v => parseFloat(String(v).replace(/[,%]/g, '')); "
    "return isNaN(n(a)) || isNaN(n(b)) ? String(a).localeCompare(String(b)) : n(a) - n(b); }"
)


def draw(
    attachment: Attachment, language: Language, show: sources.OpenPassage | None = None
) -> None:
    """``show`` opens a passage; without it, passages are only named."""
    with div("dz-attachment" + (" dz-sources" if attachment.kind == "sources" else "")):
        table = attachment.kind == "table"
        title = first_clause(attachment.title) if table else attachment.title
        if title:
            ui.label(reveal(title)).classes("dz-attachment-title")
        if table:
            _table(attachment.data)
        elif attachment.kind == "sources":
            sources.draw(attachment.data, language, show)
        else:
            options = chart_options(attachment.data, language)
            ui.echart(options).classes("dz-chart")


def _table(data: Mapping[str, Any]) -> None:
    names: Sequence[str] = data["columns"]
    rows: Sequence[Sequence[Any]] = data["rows"]
    columns = [
        {
            "name": f"c{i}",
            "field": f"c{i}",
            "label": reveal(str(name)),
            "align": "right" if _numeric(rows, i) else "left",
            "sortable": True,
            ":sort": _SORT,
        }
        for i, name in enumerate(names)
    ]
    lines = [
        {"id": n, **{f"c{i}": reveal(str(v)) for i, v in enumerate(row)}}
        for n, row in enumerate(rows)
    ]
    pages = PAGE_ROWS if len(rows) > PAGE_ROWS + 2 else None
    ui.table(rows=lines, columns=columns, row_key="id", pagination=pages).props(
        "flat dense separator=horizontal"
    ).classes("dz-table")


def _numeric(rows: Sequence[Sequence[Any]], column: int) -> bool:
    values = [str(row[column]) for row in rows if str(row[column])]
    return bool(values) and all(_NUMBER.fullmatch(v) for v in values)


def chart_options(data: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """ECharts options from ``{kind, unit, categories, series: [{name, field, labels, data}]}``.

    Only plain values are taken over: nothing in the data can become an option of its own.
    """
    kind = "line" if data.get("kind") == "line" else "bar"
    categories = [reveal(str(c)) for c in data.get("categories", [])]
    series = [s for s in data.get("series", []) if isinstance(s, Mapping)]
    many = len(categories) > 6
    return {
        "color": list(PALETTE),
        "textStyle": {"fontFamily": FONTS, "color": QUIET},
        "grid": {"left": 8, "right": 16, "top": 34, "bottom": 36, "containLabel": True},
        "legend": {"bottom": 0, "type": "scroll", "textStyle": {"color": QUIET}},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "xAxis": {
            "type": "category",
            "data": categories,
            "axisLabel": {"color": QUIET, "rotate": 30 if many else 0, "hideOverlap": True},
            "axisLine": {"lineStyle": {"color": QUIET}},
            "axisTick": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "name": str(data.get("unit", "")),
            "nameTextStyle": {"color": QUIET},
            "axisLabel": {"color": QUIET},
            "splitLine": {"lineStyle": {"color": QUIET, "opacity": 0.22}},
        },
        "series": [
            {
                "name": reveal(series_name(s, language)),
                "type": kind,
                "data": [_point(v) for v in s.get("data", [])],
                "barMaxWidth": 36,
                "itemStyle": {"borderRadius": [4, 4, 0, 0]} if kind == "bar" else {},
                "symbolSize": 7,
                "smooth": False,
            }
            for s in series
        ],
    }


def _point(value: Any) -> float | int | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number else None
