"""How much of each limit is used, as bars."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from dazi.access.limits.limiter import Standing
from dazi.access.limits.rules import MICRO, LimitRule
from dazi.console import key_texts as texts
from dazi.console.pieces import div
from dazi.core.language import Language

HIGH = 0.8
"""Of a limit: from here on the bar warns."""


def draw_bars(found: Sequence[Standing], language: Language) -> None:
    if not found:
        ui.label(texts.NONE_APPLY(language)).classes("dz-muted")
    for s in found:
        share = min(1.0, s.used / s.limit)
        level = "full" if share >= 1 else "high" if share >= HIGH else "fine"
        said = texts.USED_OF(language).format(
            used=amount(s.unit, s.used), limit=amount(s.unit, s.limit)
        )
        title = f"{rule_text(s.rule, language)} · {texts.UNITS[s.unit](language)}"
        with div(f"dz-limit dz-limit-{level}"):
            with div("dz-limit-head"):
                ui.label(title)
                ui.label(said).classes("dz-limit-used")
            with div("dz-limit-bar") as bar:
                bar.props("role=meter aria-valuemin=0")
                bar.props["aria-label"] = title
                bar.props["aria-valuemax"] = str(s.limit)
                bar.props["aria-valuenow"] = str(s.used)
                bar.props["aria-valuetext"] = said
                div().style(f"width: {share * 100:.1f}%")


def rule_text(rule: LimitRule, language: Language) -> str:
    per = texts.PER[rule.per](language)
    return f"{per} {rule.only}" if rule.only else per


def amount(unit: str, n: int) -> str:
    return f"{n / MICRO:,.2f}" if unit == "month" else f"{n:,}"


def numbers(rule: LimitRule) -> list[tuple[str, int]]:
    """What the rule limits, by unit."""
    each = (
        ("requests", rule.requests_per_minute), ("tokens", rule.tokens_per_minute),
        ("concurrent", rule.concurrent), ("month", rule.micros_per_month),
    )  # fmt: skip
    return [(unit, n) for unit, n in each if n]
