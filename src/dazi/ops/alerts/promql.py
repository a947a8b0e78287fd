"""The same rules for a Prometheus server: its rules file, as text.

Counters and histograms have the endings that the exposition gives them (``_total``, ``_bucket``,
``_count``). ``keep_firing_for`` needs Prometheus 2.42 or later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from dazi.ops.alerts.message import DOCS
from dazi.ops.alerts.rules import Absence, Burn, Rule, Selection, Threshold

HEAD = """\
# 由 dazi alerts export 生成,不要手改。Made by dazi alerts export; do not edit.
# 指标来自 /metrics。The metrics are those of /metrics.
"""
_PLAIN = re.compile(r"[A-Za-z0-9_/ -]*")


def rules_file(rules: Sequence[Rule]) -> str:
    """YAML; the rules in their order."""
    made = {"groups": [{"name": "dazi", "rules": [_entry(r) for r in rules]}]}
    return HEAD + yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=4_000)


def _entry(rule: Rule) -> dict[str, Any]:
    wait = rule.test.gone_s if isinstance(rule.test, Absence) else rule.for_s
    return {
        "alert": rule.name,
        "expr": expression(rule),
        **({"for": span(wait)} if wait else {}),
        "keep_firing_for": span(max(rule.clear_for_s, 1.0)),
        "labels": {"severity": rule.severity, "service": "dazi"},
        "annotations": {
            "summary": rule.text.en,
            "summary_zh": rule.text.zh,
            "action": rule.does.en,
            "action_zh": rule.does.zh,
            "value": "{{ $value }}",
            "docs": f"{DOCS.zh}#{rule.name}",
        },
    }


def expression(rule: Rule) -> str:
    """PromQL that has a value where the rule is bad."""
    match rule.test:
        case Threshold():
            return _threshold(rule.test)
        case Burn():
            return _burn(rule.test)
        case Absence():
            test, by = rule.test, _by(rule.test.each)
            there = f"max{by}(max_over_time({_selector(test.what)}[{span(test.seen_s)}]))"
            return f"{there} unless max{by}({_selector(test.what)})"


def _threshold(test: Threshold) -> str:
    sign = ">" if test.side == "above" else "<"
    limit, by, window = _number(test.limit), _by(test.each), span(test.window_s)
    match test.how:
        case "latest":
            gauge = _worst(test, test.what)
            if test.per is not None:
                gauge = f"{gauge} / {_worst(test, test.per)}"
            return f"{gauge} {sign} {limit}"
        case "age":
            return f"time() - min by (instance)({_selector(test.what)}) {sign} {limit}"
        case "until":
            return f"min by (instance)({_selector(test.what)}) - time() {sign} {limit}"
        case "rate" | "count":
            function = "rate" if test.how == "rate" else "increase"
            return f"sum{by}({function}({_selector(test.what, '_total')}[{window}])) {sign} {limit}"
        case "ratio":
            assert test.per is not None
            part = f"sum{by}(increase({_selector(test.what, '_total')}[{window}]))"
            all_ = f"sum{by}(increase({_selector(test.per, '_total')}[{window}]))"
            enough = f" and {all_} >= {_number(test.at_least)}" if test.at_least else ""
            return f"{part} / {all_} {sign} {limit}{enough}"
        case "quantile":
            buckets = _by(("le", *test.each))
            inside = f"sum{buckets}(rate({_selector(test.what, '_bucket')}[{window}]))"
            count = f"sum{by}(increase({_selector(test.what, '_count')}[{window}]))"
            enough = f" and {count} >= {_number(test.at_least)}" if test.at_least else ""
            return f"histogram_quantile({test.quantile:g}, {inside}) {sign} {limit}{enough}"


def _burn(test: Burn) -> str:
    pairs = []
    for w in test.windows:
        limit = f"{w.factor:g} * {_number(round(1 - test.objective, 6))}"
        long, short = (f"{_share(test, span(s))} > {limit}" for s in (w.long_s, w.short_s))
        pairs.append(f"({long} and {short})")
    return " or ".join(pairs)


def _share(test: Burn, window: str) -> str:
    by = _by(test.each)
    if test.bad is not None:
        bad = f"sum{by}(rate({_selector(test.bad, '_total')}[{window}]))"
        return f"{bad} / sum{by}(rate({_selector(test.total, '_total')}[{window}]))"
    assert test.within is not None
    # Servers write the same bound as 10 or as 10.0.
    bound = Selection(test.total.metric, {**test.total.labels, "le": rf"{test.within:g}(\.0)?"})
    good = f"sum{by}(rate({_selector(bound, '_bucket')}[{window}]))"
    return f"1 - {good} / sum{by}(rate({_selector(test.total, '_count')}[{window}]))"


def _worst(test: Threshold, of: Selection) -> str:
    function = "max" if test.side == "above" else "min"
    if test.per is not None:
        function = "max"
    return f"{function}{_by(('instance', *test.each))}({_selector(of)})"


def _selector(chosen: Selection, ending: str = "") -> str:
    inside = ",".join(_matcher(k, v) for k, v in chosen.labels.items())
    return f"{chosen.metric}{ending}" + (f"{{{inside}}}" if inside else "")


def _matcher(key: str, wanted: str) -> str:
    negated, pattern = wanted.startswith("!"), wanted.removeprefix("!")
    signs = ("=", "!=") if _PLAIN.fullmatch(pattern) else ("=~", "!~")
    value = pattern.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}{signs[negated]}"{value}"'


def _by(labels: Sequence[str]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def span(seconds: float) -> str:
    """As Prometheus writes lengths of time."""
    whole = round(seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if whole and whole % size == 0:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def _number(value: float) -> str:
    return f"{value:.10g}"
