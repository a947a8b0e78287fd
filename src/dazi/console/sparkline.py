"""A small line of numbers as SVG, with the limit that they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, ROOM = 150, 36, 3


def sparkline(values: Sequence[float | None], limit: float, label: str) -> str:
    """``None``: nothing is known of that time. Empty where nothing is known at all."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return ""
    low, high = min(*known, limit), max(*known, limit)
    size = (high - low) or 1.0

    def y(value: float) -> float:
        return HEIGHT - ROOM - (value - low) / size * (HEIGHT - 2 * ROOM)

    step, path, pen_down = WIDTH / max(len(values) - 1, 1), [], False
    for i, value in enumerate(values):
        if value is None:
            pen_down = False
            continue
        path.append(f"{'L' if pen_down else 'M'}{i * step:.1f} {y(value):.1f}")
        pen_down = True
    at = f"{y(limit):.1f}"
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}"><line x1="0" x2="{WIDTH}" y1="{at}" y2="{at}" '
        'stroke="#c2413b" stroke-dasharray="4 3" stroke-width="1"/>'
        f'<path d="{"".join(path)}" fill="none" stroke="currentColor" stroke-width="2" '
        'stroke-linejoin="round"/></svg>'
    )
