"""Charts drawn from tables, as SVG: axes, labels, values, what stands out in another colour and with a
mark that needs no colour. For pages as they are, for documents as pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from dazi.apps.reports.formats import FORMATS, rounded
from dazi.apps.reports.result import Chart, Run, Table
from dazi.core.language import Language, Text

WIDTH, PLOT_HEIGHT = 760, 300
FONTS = "'Noto Sans CJK SC', 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
COLOURS = ("#2f6fb2", "#8fb8de", "#5b8c5a", "#b3884f", "#7d6aa8", "#4d9aa6")
ODD, INK, GREY, GRID = "#c8402f", "#222222", "#666666", "#e3e3e3"
ANOMALY = Text("异常", "anomaly")
UNIT = Text("单位:{unit}", "unit: {unit}")
MOST = 40
"""Values of one series that are drawn; a table has the others."""
MANY = 14
"""From so many on, or where names are long, bars lie."""


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    values: list[Decimal | None]
    odd: list[bool]


@dataclass(frozen=True, slots=True)
class _Scale:
    """From 0, or from below, to above all values; ``divisor`` and ``unit`` for the labels."""

    low: Decimal
    high: Decimal
    step: Decimal
    divisor: Decimal
    unit: str
    percent: bool

    def label(self, value: Decimal) -> str:
        if self.percent:
            return f"{rounded(value * 100, 1):,}%"
        shown = value / self.divisor
        places = 0 if abs(shown) >= 1000 or shown == shown.to_integral_value() else 1
        return f"{rounded(shown, places):,}"

    def at(self, value: Decimal) -> float:
        """0 to 1."""
        return float((value - self.low) / (self.high - self.low))


def svg(run: Run, chart: Chart) -> str:
    table = run.table(chart.table)
    names = [str(row[chart.x] or "") for row in table.rows[:MOST]]
    columns = [table.column(y) for y in chart.y]
    series = [_series(table, chart, c.name, c.label) for c in columns]
    scale = _scale(series, columns[0].format, run.language)
    longest = max((_width(n, 12) for n in names), default=0.0)
    lying = chart.kind == "bar" and (
        len(names) > MANY or longest > (WIDTH - 90) / max(len(names), 1)
    )
    drawing = _Drawing(chart.title, names, series, scale, run.language)
    return drawing.lying() if lying else drawing.standing(line=chart.kind == "line")


def _series(table: Table, chart: Chart, name: str, label: str) -> _Series:
    rows = table.rows[:MOST]
    cells = [row[name] for row in rows]
    values = [c if isinstance(c, Decimal) else None for c in cells]
    return _Series(label, values, [table.marked(n, name) for n in range(len(rows))])


def _scale(series: Sequence[_Series], format: str, language: Language) -> _Scale:
    there = [v for s in series for v in s.values if v is not None] or [Decimal(1)]
    percent = FORMATS[format].excel.endswith("%")
    low, high = min([*there, Decimal(0)]), max([*there, Decimal(0)])
    step = _nice((high - low) / 5 or Decimal(1))
    high = (high / step).to_integral_value(rounding="ROUND_CEILING") * step or step
    low = (low / step).to_integral_value(rounding="ROUND_FLOOR") * step
    divisor, unit = Decimal(1), ""
    if format in ("yuan", "wan"):
        unit = "元" if language == "zh" else "CNY"
    if high >= 10_000 and not percent:
        divisor = Decimal(10_000) if language == "zh" else Decimal(1_000)
        unit = f"万{unit}" if language == "zh" else f"{unit} thousand".strip()
    return _Scale(low, high, step, divisor, unit, percent)


def _nice(step: Decimal) -> Decimal:
    """1, 2 or 5 times a power of ten, not below ``step``."""
    power = Decimal(1).scaleb(step.adjusted())
    return next((power * n for n in (1, 2, 5) if power * n >= step), power * 10)


class _Drawing:
    def __init__(
        self,
        title: str,
        names: list[str],
        series: list[_Series],
        scale: _Scale,
        language: Language,
    ) -> None:
        self.title, self.names, self.series = title, names, series
        self.scale, self.language = scale, language
        self.parts: list[str] = []

    def standing(self, *, line: bool) -> str:
        left, top = 72, 64
        width = WIDTH - left - 16
        slot = width / max(len(self.names), 1)
        bottom = top + PLOT_HEIGHT
        for value in self._ticks():
            y = bottom - self.scale.at(value) * PLOT_HEIGHT
            self._line(left, y, left + width, y, GRID)
            self._text(left - 6, y + 4, self.scale.label(value), "end", GREY, 11)
        zero = bottom - self.scale.at(Decimal(0)) * PLOT_HEIGHT
        self._line(left, zero, left + width, zero, GREY)
        for n, name in enumerate(self.names):
            self._text(left + slot * (n + 0.5), bottom + 18, name, "middle", INK, 12)
        if line:
            self._lines(left, bottom, slot)
        else:
            self._bars(left, bottom, slot, zero)
        return self._whole(bottom + 34)

    def _bars(self, left: float, bottom: float, slot: float, zero: float) -> None:
        wide = slot * 0.72 / len(self.series)
        labels = [self.scale.label(v) for s in self.series for v in s.values if v is not None]
        widest = max((_width(t, 10.5) for t in labels), default=0.0)
        for k, s in enumerate(self.series):
            for n, value in enumerate(s.values):
                if value is None:
                    continue
                x = left + slot * (n + 0.14) + wide * k
                y = bottom - self.scale.at(value) * PLOT_HEIGHT
                colour = ODD if s.odd[n] else COLOURS[k % len(COLOURS)]
                self._box(x, min(y, zero), wide * 0.92, max(abs(zero - y), 0.5), colour)
                over = min(y, zero) - 5
                room = slot * 0.85 if k == 0 else wide * 1.1
                self._value(x + wide * 0.46, over, value, s.odd[n], shown=widest <= room)

    def _lines(self, left: float, bottom: float, slot: float) -> None:
        for k, s in enumerate(self.series):
            colour = COLOURS[k % len(COLOURS)]
            points = [
                (left + slot * (n + 0.5), bottom - self.scale.at(v) * PLOT_HEIGHT, n, v)
                for n, v in enumerate(s.values)
                if v is not None
            ]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in points)
            self.parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
            for x, y, n, value in points:
                odd = s.odd[n]
                self.parts.append(
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{5 if odd else 3}" '
                    f'fill="{ODD if odd else colour}"/>'
                )
                if k == 0 or odd:
                    self._value(x, y - 9, value, odd, shown=True)

    def lying(self) -> str:
        left = min(max((_width(n, 12) for n in self.names), default=0.0) + 16, 260)
        top, width = 64, WIDTH - left - 90
        row = 12.0 * len(self.series) + 10
        zero = left + self.scale.at(Decimal(0)) * width
        bottom = top + row * len(self.names)
        for value in self._ticks():
            x = left + self.scale.at(value) * width
            self._line(x, top, x, bottom, GRID)
            self._text(x, bottom + 16, self.scale.label(value), "middle", GREY, 11)
        for n, name in enumerate(self.names):
            self._text(left - 6, top + row * n + row / 2 + 4, name, "end", INK, 12)
            for k, s in enumerate(self.series):
                shown = s.values[n]
                if shown is None:
                    continue
                x = left + self.scale.at(shown) * width
                y = top + row * n + 5 + 12 * k
                colour = ODD if s.odd[n] else COLOURS[k % len(COLOURS)]
                self._box(min(x, zero), y, max(abs(x - zero), 0.5), 10.5, colour)
                label = self.scale.label(shown)
                mark = "▲ " if s.odd[n] else ""
                self._text(
                    max(x, zero) + 5, y + 9.5, mark + label, "start", ODD if mark else INK, 11
                )
        self._line(zero, top, zero, bottom, GREY)
        return self._whole(bottom + 32)

    def _value(self, x: float, y: float, value: Decimal, odd: bool, *, shown: bool) -> None:
        """Where there is no room for all, only what stands out is labelled."""
        if odd:
            self._text(x, y - 11, "▲", "middle", ODD, 10)
        if odd or shown:
            self._text(x, y, self.scale.label(value), "middle", ODD if odd else INK, 10.5)

    def _ticks(self) -> Iterator[Decimal]:
        value = self.scale.low
        while value <= self.scale.high:
            yield value
            value += self.scale.step

    def _legend(self) -> None:
        x = 16.0
        for k, s in enumerate(self.series):
            self._box(x, 37, 11, 11, COLOURS[k % len(COLOURS)])
            self._text(x + 16, 47, s.name, "start", INK, 12)
            x += 34 + _width(s.name, 12)
        if any(any(s.odd) for s in self.series):
            self._box(x, 37, 11, 11, ODD)
            said = f"▲ {ANOMALY(self.language)}"
            self._text(x + 16, 47, said, "start", ODD, 12)
        if self.scale.unit:
            said = UNIT(self.language).format(unit=self.scale.unit)
            self._text(WIDTH - 16, 47, said, "end", GREY, 11)

    def _whole(self, height: float) -> str:
        self._text(WIDTH / 2, 22, self.title, "middle", INK, 15, bold=True)
        self._legend()
        inner = "".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(self.title)}" '
            f'font-family="{FONTS}" font-weight="500"><rect width="100%" height="100%" fill="#ffffff"/>{inner}</svg>'
        )

    def _line(self, x1: float, y1: float, x2: float, y2: float, colour: str) -> None:
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
        )

    def _box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'
        )

    def _text(
        self, x: float, y: float, text: str, anchor: str, colour: str, size: float,
        *, bold: bool = False,
    ) -> None:  # fmt: skip
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
            f'font-size="{size}"{weight}>{escape(text)}</text>'
        )


def _width(text: str, size: float) -> float:
    """About how wide it will be: a hanzi is a square."""
    return sum(size if c >= "\u2e80" else size * 0.56 for c in text)
