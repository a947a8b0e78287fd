"""Rules for Prometheus: the file is what the command writes, and every expression is sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dazi.observe.exposition import exposed
from dazi.observe.instruments import Registry
from dazi.observe.meters import Meters
from dazi.ops.alerts.defaults import DEFAULTS
from dazi.ops.alerts.promql import expression, rules_file, span
from dazi.ops.alerts.rules import Absence, Burn, Rule, Selection, Threshold
from dazi.ops.alerts.telling import advice, table
from tests.ops.alerts.world import rule

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "deploy" / "prometheus" / "dazi-rules.yaml"
METRIC = re.compile(r"\bdazi_\w+")


def test_the_file_is_what_the_command_writes() -> None:
    assert FILE.read_text("utf-8") == rules_file(DEFAULTS), "run dazi alerts export --out"
    (group,) = yaml.safe_load(FILE.read_text("utf-8"))["groups"]
    assert [r["alert"] for r in group["rules"]] == [r.name for r in DEFAULTS]
    for r in group["rules"]:
        assert set(r) <= {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
        assert all(isinstance(v, str) for v in r["annotations"].values())


@pytest.mark.parametrize("found", DEFAULTS, ids=lambda r: r.name)
def test_an_expression_is_balanced_and_compares(found: Rule) -> None:
    """No promtool here: brackets and quotes close in order, windows stand behind selectors, and there is
    a comparison where the rule has one."""
    said = expression(found)
    stack: list[str] = []
    for c in re.sub(r'"(?:[^"\\]|\\.)*"', '""', said):
        if c in "([{":
            stack.append({"(": ")", "[": "]", "{": "}"}[c])
        elif c in ")]}":
            assert stack and stack.pop() == c, said
    assert not stack and said.count('"') % 2 == 0
    assert all(re.fullmatch(r"\d+[smhd]", w) for w in re.findall(r"\[([^\]]*)\]", said)), said
    assert isinstance(found.test, Absence) or re.search(r" [<>] ", said), said


def test_metrics_have_the_names_that_are_exposed() -> None:
    """Of what the meters count; gauges keep their names."""
    registry = Registry()
    meters = Meters(registry)
    meters.requests.add(("/x", "GET", "200"))
    meters.turns.add(("api", "default", "m", "answer"))
    meters.calls.add(("t", "ok"))
    meters.errors.add(("busy", "OverloadError"))
    meters.logs.add(("error",))
    meters.turn_seconds.observe(1.0, ("api", "m"))
    meters.first_text_seconds.observe(1.0, ("api", "m"))
    text = exposed(registry, "").body.decode()
    names = {line.partition("{")[0].partition(" ")[0] for line in text.splitlines()}
    counted = {i.name for i in registry}
    for found in DEFAULTS:
        for name in METRIC.findall(expression(found)):
            base = re.sub(r"_(total|bucket|count)$", "", name)
            if base in counted:
                assert name in names, f"{found.name}: {name}"
    assert 'le="10"' in text or 'le="10.0"' in text


def test_expressions_by_hand() -> None:
    share = Threshold(
        Selection("dazi_c", {"outcome": "failed|timeout", "tool": "!x"}), "ratio", "above", 0.2,
        per=Selection("dazi_c"), at_least=5, each=("tool",),
    )  # fmt: skip
    assert expression(rule(share)) == (
        'sum by (tool)(increase(dazi_c_total{outcome=~"failed|timeout",tool!="x"}[5m])) / '
        "sum by (tool)(increase(dazi_c_total[5m])) > 0.2 and "
        "sum by (tool)(increase(dazi_c_total[5m])) >= 5"
    )
    age = Threshold(Selection("dazi_t"), "age", "above", 3_600.0)
    assert expression(rule(age)) == "time() - min by (instance)(dazi_t) > 3600"
    burn = Burn(Selection("dazi_s"), 0.95, within=10.0)
    assert expression(rule(burn)).startswith(
        '(1 - sum(rate(dazi_s_bucket{le=~"10(\\\\.0)?"}[1h])) / sum(rate(dazi_s_count[1h])) '
        "> 14.4 * 0.05 and "
    )
    assert [span(s) for s in (15, 90, 300, 3_600, 259_200)] == ["15s", "90s", "5m", "1h", "3d"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_documents_tell_of_every_rule_as_it_is(language: str) -> None:
    text = (ROOT / "docs" / language / "alerts.md").read_text("utf-8")
    assert table(DEFAULTS, language) in text  # type: ignore[arg-type]
    assert advice(DEFAULTS, language) in text  # type: ignore[arg-type]


def test_the_example_of_the_documents_is_sound(tmp_path: Path) -> None:
    from dazi.ops.alerts.declare import read_alerts
    from dazi.router.yaml_source import YamlSource

    for language in ("zh", "en"):
        text = (ROOT / "docs" / language / "alerts.md").read_text("utf-8")
        path = tmp_path / f"{language}.yaml"
        path.write_text(text.partition("```yaml\n")[2].partition("```")[0], "utf-8")
        found = read_alerts(YamlSource(path), tmp_path)
        assert found.off == ("gpu-hot",) and len(found.routes) == 4 and len(found.sends) == 4
