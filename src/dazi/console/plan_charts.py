"""Charts of the planning page, as options of ECharts made of plain values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dazi.console import plan_texts as texts
from dazi.console.attachments import PALETTE, QUIET
from dazi.console.plan_axes import AXIS, MARK, TIP, base, line, rounded
from dazi.core.language import Language
from dazi.ops.plan.curves import Course, Rate, Roof, Stack
from dazi.ops.plan.planning import Plan
from dazi.ops.plan.speed import MEASURED_TOKENS

GB = 1024
"""MB of 2^20 bytes in one of 2^30."""
WAN = 10_000
_BELOW = {**AXIS, "nameLocation": "middle", "nameGap": 26}
_WIDTH = 2.5


def stack_chart(made: Stack, language: Language) -> dict[str, Any]:
    """A bar for each precision and number of requests, its parts one after the other."""
    bars = made.bars[::-1]  # the first is drawn lowest
    names = [f"{'▸ ' if b.chosen else ''}{b.precision} × {b.concurrency:,}" for b in bars]
    parts = (
        (texts.WEIGHTS, [b.memory.weights for b in bars]),
        (texts.CACHE, [b.memory.cache for b in bars]),
        (texts.REST, [b.memory.beside for b in bars]),
    )
    marks = [
        {
            "xAxis": round(made.card * n / GB, 1),
            "label": {"formatter": texts.CARD(language).format(n=n), "color": MARK},
        }
        for n in sorted({1, made.cards})
    ]
    series = [
        {
            "name": name(language),
            "type": "bar",
            "stack": "memory",
            "barMaxWidth": 18,
            "data": [round(v / GB, 2) for v in values],
        }
        for name, values in parts
    ]
    series[0]["markLine"] = _marks(marks)
    return {
        **_base(),
        "grid": {**_GRID, "left": 18, "top": 58, "bottom": 8},
        "tooltip": TIP,
        "xAxis": {"type": "value", **AXIS},
        "yAxis": {"type": "category", "data": names, **AXIS},
        "series": series,
    }


def roof_chart(made: Roof, p: Plan, language: Language) -> dict[str, Any]:
    w = p.wanted
    name = texts.BOUND(language).format(tokens=w.context, gpus=p.fits)
    short = texts.BOUND_SHORT(language).format(tokens=MEASURED_TOKENS)
    room = texts.ROOM(language).format(n=f"{made.room:,}")
    wanted = _line(name, made.wanted, PALETTE[0])
    thin = {**_line(short, made.short, QUIET), "lineStyle": _THIN}
    within = made.wanted[0][0] <= made.room <= made.wanted[-1][0]
    marks = [{"xAxis": made.room, "label": {"formatter": room, "color": MARK}}]
    wanted["markLine"] = _marks(marks if within else [])
    points: list[dict[str, Any]] = [
        {
            "name": texts.CHOSEN(language),
            "type": "scatter",
            "symbolSize": 12,
            "itemStyle": {"color": PALETTE[0]},
            "data": [[w.concurrency, rounded(p.speed.together)]],
        }
    ]
    for i, (n, found) in enumerate(made.published):
        points.append(
            {
                "name": found.server,
                "type": "scatter",
                "symbol": "diamond",
                "symbolSize": 13,
                "itemStyle": {"color": PALETTE[(i + 1) % len(PALETTE)]},
                "data": [[n, found.tokens]],
            }
        )
    return {
        **_base(),
        "grid": {**_GRID, "top": 92},
        "tooltip": {**TIP, "trigger": "item"},
        "xAxis": {"type": "log", "logBase": 4, "name": texts.AT_ONCE(language), **_BELOW},
        "yAxis": {"type": "log", **AXIS},
        "series": [wanted, *([thin] if made.short else []), *points],
    }


def course_chart(made: Course, language: Language) -> dict[str, Any]:
    own = _line(texts.OWN(language), _wan(made.private), PALETTE[0])
    marks = []
    if made.even:
        label = {"formatter": even(made, language), "color": MARK}
        marks = [{"xAxis": round(made.even, 2), "label": label}]
    own["markLine"] = _marks(marks)
    last = len(made.private) - 1
    return {
        **_base(),
        "tooltip": TIP,
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": last,
            "interval": 6,
            "name": texts.MONTH(language),
            **_BELOW,
        },
        "yAxis": {"type": "value", **AXIS},
        "series": [own, _line(texts.API(language), _wan(made.api), PALETTE[1])],
    }


def even(made: Course, language: Language) -> str:
    """When machines of one's own have cost as much as the API, in words."""
    if made.even is None:
        return texts.EVEN_NOT(language)
    if not made.even:
        return texts.EVEN_FIRST(language)
    return texts.EVEN_AT(language).format(n=made.even)


def rates_chart(made: Sequence[Rate], requests: int, language: Language) -> dict[str, Any]:
    own = [(r.requests, r.private) for r in made]
    return {
        **_base(),
        "tooltip": TIP,
        "xAxis": {
            "type": "log",
            "name": texts.A_DAY(language),
            "min": made[0].requests,
            "max": made[-1].requests,
            **_BELOW,
        },
        "yAxis": {"type": "log", **AXIS},
        "series": [
            _line(texts.OWN(language), own, PALETTE[0]),
            _line(texts.API(language), [(r.requests, r.api) for r in made], PALETTE[1]),
            {
                "name": texts.CHOSEN(language),
                "type": "scatter",
                "symbolSize": 12,
                "itemStyle": {"color": PALETTE[0]},
                "data": [[r.requests, rounded(r.private)] for r in made if r.requests == requests],
            },
        ],
    }


def chosen_rate(made: Sequence[Rate], requests: int, language: Language) -> str:
    """What the chosen load costs, in words; empty where there is none."""
    said = texts.RATE(language)
    return next(
        (
            said.format(requests=requests, gpus=r.gpus, own=r.private, api=r.api)
            for r in made
            if r.requests == requests
        ),
        "",
    )


def _wan(yuan: Sequence[float]) -> list[tuple[int, float]]:
    return [(month, y / WAN) for month, y in enumerate(yuan)]


def _line(name: str, points: Sequence[tuple[int, float]], colour: str) -> dict[str, Any]:
    return line(name, points, colour, _WIDTH)


def _marks(data: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "symbol": "none",
        "silent": True,
        "lineStyle": {"color": MARK, "type": "dashed"},
        "data": list(data),
    }


_THIN = {"width": 1.2}
_GRID = {"left": 8, "right": 28, "top": 44, "bottom": 34, "containLabel": True}


def _base() -> dict[str, Any]:
    return base() | {"grid": _GRID}
