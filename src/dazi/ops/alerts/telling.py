"""Rules as people read them in the documents."""

from __future__ import annotations

from collections.abc import Sequence

from dazi.core.language import Language
from dazi.ops.alerts.message import SEVERITY_NAMES
from dazi.ops.alerts.promql import span
from dazi.ops.alerts.rules import DAY_S, Absence, Burn, Rule, Selection, Threshold, Unit, shown


def condition(rule: Rule, language: Language) -> str:
    """When it is bad, and for how long before it fires."""
    zh = language == "zh"
    wait = ""
    if rule.for_s:
        wait = f",持续 {span(rule.for_s)}" if zh else f" for {span(rule.for_s)}"
    match rule.test:
        case Threshold():
            return _threshold(rule.test, rule.unit, language) + wait
        case Burn():
            test = rule.test
            windows = [f"{span(w.long_s)}+{span(w.short_s)} > {w.factor:g}x" for w in test.windows]
            of = f"`{_named(test.total)}`"
            within = f" ≤ {test.within:g} s" if test.within is not None else ""
            goal = f"{test.objective:.1%}"
            head = f"{of}{within} 目标 {goal}" if zh else f"{of}{within}, objective {goal}"
            return f"{head}: {(' 或 ' if zh else ' or ').join(windows)}{wait}"
        case Absence():
            of, gone = f"`{_named(rule.test.what)}`", span(rule.test.gone_s)
            return (
                f"{of} 有过,{gone} 没有了"
                if zh
                else f"`{_named(rule.test.what)}` was there and has been gone for {gone}"
            )


def _threshold(test: Threshold, unit: Unit, language: Language) -> str:
    zh, sign = language == "zh", ">" if test.side == "above" else "<"
    of = f"`{_named(test.what)}`"
    if test.per is not None:
        of += f" / `{_named(test.per)}`"
    window = span(test.window_s)
    match test.how:
        case "quantile":
            of = f"p{test.quantile * 100:g}({of}), {window}"
        case "age":
            of = f"{of} {'已过' if zh else 'is past by'}"
        case "until":
            of = f"{of} {'还剩' if zh else 'is left for'}"
        case "rate" | "count" | "ratio":
            of = f"{of}, {window}"
        case "latest":
            pass
    limit = f"{test.limit / DAY_S:g} d" if unit == "days" else shown(test.limit, unit)
    out = f"{of} {sign} {limit}"
    if test.clears != test.limit:
        clears = shown(test.clears, unit)
        out += f"(到 {clears} 才算好)" if zh else f" (well again at {clears})"
    if test.at_least:
        out += f",至少 {test.at_least:g} 次" if zh else f", of at least {test.at_least:g}"
    if test.each:
        each = ", ".join(test.each)
        out += f",按 {each} 分" if zh else f", by {each}"
    return out


def _named(chosen: Selection) -> str:
    inside = ",".join(f"{k}={v}" for k, v in chosen.labels.items())
    return f"{chosen.metric}{{{inside}}}" if inside else chosen.metric


def table(rules: Sequence[Rule], language: Language) -> str:
    """Markdown."""
    zh = language == "zh"
    head = "| 规则 | 轻重 | 什么时候 |" if zh else "| rule | severity | when |"
    rows = [head, "|---|---|---|"]
    for r in rules:
        said = condition(r, language).replace("|", "\\|")
        rows.append(
            f"| [`{r.name}`](#{r.name}) | {SEVERITY_NAMES[r.severity](language)} | {said} |"
        )
    return "\n".join(rows)


def advice(rules: Sequence[Rule], language: Language) -> str:
    """What to do about each, under a heading that messages link to."""
    return "\n\n".join(
        f"### {r.name}\n\n{r.text(language)}{'。' if language == 'zh' else '. '}{r.does(language)}"
        for r in rules
    )
