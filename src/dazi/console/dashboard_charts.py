"""What each chart of the dashboard shows, as options of ECharts made of plain values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from dazi.console import dashboard_texts as texts
from dazi.console.attachments import FONTS, PALETTE, QUIET
from dazi.core.language import Language, Text
from dazi.observe import genai
from dazi.observe.instruments import Histogram, Registry
from dazi.observe.queries import Line, Lines, Queries

SHARES = (0.5, 0.95, 0.99)
MINUTE, HOUR = 60.0, 3_600.0
MOST_LINES = 8
"""Of one chart; the rest are one line together."""
FIRST = genai.label(genai.FIRST_TOKEN) + "_seconds"
PER_TOKEN = genai.label(genai.PER_TOKEN) + "_seconds"
MODEL_LABEL = genai.label(genai.REQUEST_MODEL)


class Charts:
    """Of one span, for one model or channel or for all."""

    def __init__(
        self, queries: Queries, registry: Registry, language: Language, wanted: Mapping[str, str]
    ) -> None:
        self._q = queries
        self._registry = registry
        self._language = language
        self._wanted = dict(wanted)
        self._model = {k: v for k, v in wanted.items() if k == "model"}

    def tiles(self) -> dict[str, str]:
        q, turns = self._q, self._timed("dazi_turn_seconds")
        all_turns = q.total("dazi_turns", **self._wanted)
        lost = q.total("dazi_turns", **self._wanted, reason="error")
        requests = q.totals("dazi_requests", "status")
        failed = sum(n for status, n in requests.items() if status.startswith("5"))
        out = {"turns": f"{all_turns:,.0f}"}
        for share in SHARES:
            out[f"p{100 * share:g}"] = _number(q.quantile(turns, share, **self._wanted))
        out["failed"] = _share(lost, all_turns)
        out["errors"] = _share(failed, sum(requests.values()))
        out["tokens"] = f"{q.total('dazi_tokens', **self._model):,.0f}"
        out["cost"] = f"{q.total('dazi_cost_yuan', **self._model):,.2f}"
        return out

    def options(self, name: str) -> dict[str, Any] | None:
        """``None`` where there is nothing to show."""
        q, w, m = self._q, self._wanted, self._model
        match name:
            case "turns":
                lines = self._said(q.rates("dazi_turns", "reason", MINUTE, **w), texts.REASONS)
                return self._stacked(lines)
            case "latency":
                return self._lines(q.quantiles(self._timed("dazi_turn_seconds"), SHARES, **w))
            case "first":
                timed = self._timed("dazi_turn_first_text_seconds")
                return self._lines(q.quantiles(timed, SHARES, **w))
            case "model":
                named = {MODEL_LABEL: m["model"]} if m else {}
                return self._lines(q.quantiles(self._timed(PER_TOKEN), SHARES, **named))
            case "tokens":
                return self._stacked(
                    self._said(q.rates("dazi_tokens", "kind", MINUTE, **m), texts.KINDS)
                )
            case "cost":
                return self._stacked(q.rates("dazi_cost_yuan", "model", HOUR, **m))
            case "tools":
                return self._stacked(q.rates("dazi_tool_calls", "outcome"))
            case "requests":
                return self._stacked(q.rates("dazi_requests", "status"))
            case "errors":
                return self._stacked(q.rates("dazi_errors", "code"))
            case "people":
                return self._stacked(self._people())
            case "load":
                return self._lines(self._load())
            case "machine":
                found = q.levels("dazi_loop_late_seconds")
                return self._lines(Lines(found.at, {"ms": _times(found.lines.get("", []), 1_000)}))
            case _:
                return self._lines(q.levels("dazi_gpu_busy", "gpu"))

    def tools(self) -> list[tuple[str, int, float, float | None]]:
        """Each tool: its calls, the share that succeeded, p95 in milliseconds."""
        q, timed = self._q, self._timed("dazi_tool_seconds")
        out = []
        for tool, n in q.totals("dazi_tool_calls", "tool").items():
            if n:
                well = q.total("dazi_tool_calls", tool=tool, outcome="ok")
                p95 = q.quantile(timed, 0.95, tool=tool)
                out.append((tool, round(n), well / n, None if p95 is None else p95 * 1_000))
        return out

    def _people(self) -> Lines:
        asked = self._said(self._q.rates("dazi_confirmations", "result", HOUR), texts.RESULTS)
        guard = self._q.rates("dazi_guard_hits", "action", HOUR)
        said = texts.GUARD(self._language)
        named = {said.format(what=k): v for k, v in guard.lines.items()}
        return Lines(asked.at, {**asked.lines, **named})

    def _load(self) -> Lines:
        running = self._q.levels("dazi_turns_running")
        waiting = self._q.levels("dazi_turns_waiting")
        pool = self._q.levels("dazi_pool_running", "backend")
        lines = {
            texts.RUNNING(self._language): running.lines.get("", []),
            texts.WAITING(self._language): waiting.lines.get("", []),
        }
        return Lines(running.at, {**lines, **pool.lines})

    def _timed(self, name: str) -> Histogram:
        return cast(Histogram, self._registry[name])

    def _said(self, found: Lines, names: Mapping[str, Text]) -> Lines:
        language = self._language
        return Lines(
            found.at,
            {names[k](language) if k in names else k: v for k, v in found.lines.items()},
        )

    def _stacked(self, found: Lines) -> dict[str, Any] | None:
        return _options(_few(found, self._language), stacked=True)

    def _lines(self, found: Lines) -> dict[str, Any] | None:
        return _options(found, stacked=False)


def _few(found: Lines, language: Language) -> Lines:
    """The largest few, and the rest together."""
    size = {k: sum(v or 0.0 for v in line) for k, line in found.lines.items()}
    ranked = sorted(size, key=lambda k: -size[k])
    if len(ranked) <= MOST_LINES:
        return Lines(found.at, {k: found.lines[k] for k in ranked})
    rest = [
        sum(v or 0.0 for v in values)
        for values in zip(*(found.lines[k] for k in ranked[MOST_LINES - 1 :]), strict=True)
    ]
    kept: dict[str, Line] = {k: found.lines[k] for k in ranked[: MOST_LINES - 1]}
    return Lines(found.at, {**kept, Text("其他", "others")(language): list(rest)})


def _options(found: Lines, *, stacked: bool) -> dict[str, Any] | None:
    if not any(v is not None for line in found.lines.values() for v in line):
        return None
    series = []
    for i, (name, line) in enumerate(found.lines.items()):
        one: dict[str, Any] = {
            "name": name,
            "type": "line",
            "showSymbol": False,
            "connectNulls": False,
            # A second way to tell lines apart, for those who do not see the colours.
            "lineStyle": {"width": 1.6, "type": ("solid", "dashed", "dotted")[i % 3]},
            "data": [
                [round(at * 1_000), None if v is None else float(f"{v:.4g}")]
                for at, v in zip(found.at, line, strict=True)
            ],
        }
        if stacked:
            one |= {"stack": "all", "areaStyle": {"opacity": 0.55}, "lineStyle": {"width": 0.6}}
        series.append(one)
    axis = {
        "axisLabel": {"color": QUIET, "hideOverlap": True},
        "splitLine": {"lineStyle": {"color": QUIET, "opacity": 0.2}},
    }
    return {
        "color": list(PALETTE),
        "animation": False,
        "textStyle": {"fontFamily": FONTS, "color": QUIET},
        "legend": {"bottom": 0, "type": "scroll", "textStyle": {"color": QUIET}},
        "grid": {"left": 8, "right": 14, "top": 12, "bottom": 34, "containLabel": True},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "xAxis": {"type": "time", **axis, "splitLine": {"show": False}},
        "yAxis": {"type": "value", "min": 0, **axis},
        "series": series,
    }


def _times(line: Line, factor: float) -> Line:
    return [None if v is None else v * factor for v in line]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _share(some: float, all_: float) -> str:
    return "–" if not all_ else f"{some / all_:.2%}"
