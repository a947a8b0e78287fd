"""What the host makes of a result: labels, relative dates, differences, rates, shares.

The model never does arithmetic; what is derived here counts as evidence for its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from dazi.core.language import Language, Text
from dazi.core.tools import Tool

OFFICE_HOURS = ("09:00", "18:00")
"""The hours within which a room counts as free or booked."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a rule may look at beside the result itself."""

    tool: Tool
    language: Language
    today: date


Rule = Callable[[Mapping[str, Any], dict[str, Any], Mapping[str, Any], Setting], None]
"""A rule writes into ``row``; ``whole`` is the result the row belongs to."""


def derive(
    tool: Tool, raw: Any, arguments: Mapping[str, Any], language: Language, today: date
) -> dict[str, Any]:
    """The result as people and the model will see it, numbers tidied and rules applied.

    Rows of a ``many`` result stand under ``tool.result.rows`` beside ``count``. Canonical
    arguments that have a label are echoed, so that an answer may speak of them.
    """
    rules = tool.result
    setting = Setting(tool, language, today)
    whole = _as_mapping(tool, raw)
    for name, value in arguments.items():
        if value is not None and name in rules.labels:
            whole.setdefault(name, value)
    rows = whole.get(rules.rows) if rules.shape == "many" else None
    targets = rows if isinstance(rows, list) else [whole]
    for spec in rules.derive:
        name = next(key for key in spec if key in RULES)
        on_rows = targets if name in _ROW_RULES else [whole]
        for row in on_rows:
            RULES[name](spec, row, whole, setting)
    return whole


def compare(tool: Tool, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What sets two or more results of one tool apart, by the tool's ``compare`` rule.

    ``{"name": "name", "higher": "rating", "lower": "price"}`` over two products gives
    ``{"higher_rating": .., "lower_price": .., "rating_difference": .., "price_difference": ..}``;
    ties and missing values are left out.
    """
    rule = tool.result.compare
    rows = [r[tool.result.rows][0] if tool.result.shape == "many" else r for r in results
            if tool.result.shape != "many" or r.get(tool.result.rows)]  # fmt: skip
    out: dict[str, Any] = {}
    if not rule or len(rows) < 2:
        return out
    for side, best in (("higher", max), ("lower", min)):
        field = rule.get(side)
        if field is None or any(r.get(field) is None for r in rows):
            continue
        values = [float(r[field]) for r in rows]
        if values.count(best(values)) > 1:
            continue
        out[f"{side}_{field}"] = rows[values.index(best(values))].get(rule["name"])
        if len(rows) == 2:
            out[f"{field}_difference"] = tidy(float(abs(values[0] - values[1])))
    return out


def _as_mapping(tool: Tool, raw: Any) -> dict[str, Any]:
    rules = tool.result
    if rules.shape == "many":
        if isinstance(raw, list):
            raw = {rules.rows: raw}
        whole = {k: tidy(v) for k, v in dict(raw or {}).items()}
        rows = [dict(r) for r in whole.get(rules.rows) or []]
        return {**whole, "count": len(rows), rules.rows: rows}
    if isinstance(raw, Mapping):
        return {k: tidy(v) for k, v in raw.items()}
    return {"value": tidy(raw)}


def tidy(value: Any) -> Any:
    """Whole floats become integers, others keep two decimals; containers are copied."""
    if isinstance(value, float):
        rounded = round(value, 2)
        return int(rounded) if rounded == int(rounded) else rounded
    if isinstance(value, Mapping):
        return {k: tidy(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [tidy(v) for v in value]
    return value


def percent(part: float, *, signed: bool = False) -> str:
    text = f"{part * 100:+.1f}" if signed else f"{part * 100:.1f}"
    return text.removesuffix(".0") + "%"


def relative_date(day: date, today: date, language: Language) -> str:
    """「明天」 for tomorrow, 「3天前」 for three days ago, the date itself when far off."""
    distance = (day - today).days
    near_zh = {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"}
    near_en = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if language == "zh":
        if distance in near_zh:
            return near_zh[distance]
        if abs(distance) <= 14:
            return f"{distance}天后" if distance > 0 else f"{-distance}天前"
    else:
        if distance in near_en:
            return near_en[distance]
        if abs(distance) <= 14:
            return f"in {distance} days" if distance > 0 else f"{-distance} days ago"
    return day.isoformat()


def _label(spec: Mapping[str, Any], row: dict[str, Any], _: Any, s: Setting) -> None:
    known = s.tool.result.values.get(spec["label"], {})
    value = row.get(spec["label"])
    if isinstance(value, list):
        words = [known[v](s.language) if v in known else str(v) for v in value]
        row[spec["as"]] = ("、" if s.language == "zh" else ", ").join(words)
    elif value is not None:
        row[spec["as"]] = known[value](s.language) if value in known else value


def _words(spec: Mapping[str, Any], row: dict[str, Any], _: Any, s: Setting) -> None:
    """A text that the system gives in both languages."""
    value = row.get(spec["words"])
    if isinstance(value, Mapping):
        row[spec["as"]] = Text.of(value)(s.language)


def _relative_date(spec: Mapping[str, Any], row: dict[str, Any], _: Any, s: Setting) -> None:
    value = row.get(spec["relative_date"])
    if value:
        row[spec["as"]] = relative_date(date.fromisoformat(str(value)[:10]), s.today, s.language)


def _numbers(row: Mapping[str, Any], names: Sequence[str]) -> list[float] | None:
    values = [row.get(n) for n in names]
    return [float(v) for v in values if v is not None] if None not in values else None


def _difference(spec: Mapping[str, Any], row: dict[str, Any], _: Any, s: Setting) -> None:
    pair = _numbers(row, spec["difference"])
    if pair is None:
        return
    value = pair[0] - pair[1]
    if spec.get("positive") and value <= 0:
        return
    row[spec["as"]] = tidy(float(max(value, spec["floor"]) if "floor" in spec else value))


def _ratio(spec: Mapping[str, Any], row: dict[str, Any], _: Any, s: Setting) -> None:
    pair = _numbers(row, spec["ratio"])
    if pair and pair[1]:
        row[spec["as"]] = percent(pair[0] / pair[1])


def _rate(spec: Mapping[str, Any], row: dict[str, Any], _: Any, s: Setting) -> None:
    pair = _numbers(row, spec["rate"])
    if not pair or not pair[1]:
        return
    change = pair[0] / pair[1] - 1
    row[spec["as"]] = percent(change, signed=True)
    if "flag_above" in spec and abs(change) > spec["flag_above"]:
        row["abnormal"] = "是" if s.language == "zh" else "yes"


def _share(
    spec: Mapping[str, Any], row: dict[str, Any], whole: Mapping[str, Any], s: Setting
) -> None:
    part, total = row.get(spec["share"]), whole.get(spec["of"])
    if part is not None and total:
        row[spec["as"]] = percent(float(part) / float(total))


def _free_hours(spec: Mapping[str, Any], row: dict[str, Any], _: Any, s: Setting) -> None:
    booked = str(row.get(spec["free_hours"]) or "")
    start, end = OFFICE_HOURS
    free = []
    for slot in sorted(part.strip() for part in booked.split(",") if "-" in part):
        taken_from, taken_to = slot.split("-")
        if taken_from > start:
            free.append(f"{start}-{taken_from}")
        start = max(start, taken_to)
    if start < end:
        free.append(f"{start}-{end}")
    row[spec["as"]] = ", ".join(free) or ("已满" if s.language == "zh" else "fully booked")


RULES: Mapping[str, Rule] = {
    "label": _label,
    "words": _words,
    "relative_date": _relative_date,
    "difference": _difference,
    "ratio": _ratio,
    "rate": _rate,
    "share": _share,
    "free_hours": _free_hours,
}
_ROW_RULES = frozenset({"label", "words", "relative_date", "share", "free_hours"})
