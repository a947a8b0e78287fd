"""``alerts.yaml``: what may be written, and where a mistake is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dazi.core.errors import ConfigError
from dazi.ops.alerts.declare import Alerting, read_alerts
from dazi.ops.alerts.defaults import DEFAULTS
from dazi.ops.alerts.machine import Alert
from dazi.ops.alerts.rules import Absence, Burn, Rule, Threshold
from dazi.router.yaml_source import YamlSource


def read(tmp_path: Path, text: str) -> Alerting:
    path = tmp_path / "alerts.yaml"
    path.write_text(text, "utf-8")
    return read_alerts(YamlSource(path), tmp_path)


def named(found: Alerting, name: str) -> Rule:
    return next(r for r in found.rules if r.name == name)


def alert(rule: str, severity: str, **labels: str) -> Alert:
    return Alert("f", rule, severity, tuple(labels.items()), "firing", 0, 0, 1)  # type: ignore[arg-type]


def test_nothing_written_leaves_the_defaults(tmp_path: Path) -> None:
    found = read(tmp_path, "")
    assert found.rules == DEFAULTS and found.routes == () and found.sends == ()


def test_a_default_is_changed_or_switched_off(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
rules:
  gpu-hot: off
  disk-low: {below: 0.2, severity: critical, for: 5m}
  turns-slow: {above: 90, clear: 60, at_least: 50}
  slo-requests: {objective: 99.9}
""",
    )
    assert found.off == ("gpu-hot",) and "gpu-hot" not in {r.name for r in found.rules}
    disk = named(found, "disk-low")
    assert isinstance(disk.test, Threshold) and disk.severity == "critical" and disk.for_s == 300
    assert disk.test.limit == 0.2 and disk.test.clears == 0.2, "the old one would be worse"
    slow = named(found, "turns-slow").test
    assert isinstance(slow, Threshold) and (slow.limit, slow.clears, slow.at_least) == (90, 60, 50)
    burn = named(found, "slo-requests").test
    assert isinstance(burn, Burn) and burn.objective == pytest.approx(0.999)


def test_rules_and_objectives_of_ones_own(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
rules:
  many-refunds:
    metric: dazi_tool_calls
    labels: {tool: request_refund, outcome: ok}
    how: count
    window: 1h
    above: 50
    text: {zh: 退款很多, en: many refunds}
    do: {zh: 问财务, en: ask finance}
  no-crm: {metric: dazi_tool_seconds, labels: {tool: crm}, absent: 30m, text: 没有 CRM}
slo:
  chat: {metric: dazi_turn_seconds, within: 30, objective: 95, text: 回答}
""",
    )
    refunds = named(found, "many-refunds")
    assert isinstance(refunds.test, Threshold) and refunds.test.window_s == 3_600
    assert refunds.text("en") == "many refunds" and refunds.does("zh") == "问财务"
    absent = named(found, "no-crm").test
    assert isinstance(absent, Absence) and absent.gone_s == 1_800
    fast, slow = named(found, "chat"), named(found, "chat-slow")
    assert isinstance(fast.test, Burn) and isinstance(slow.test, Burn)
    assert (fast.severity, slow.severity) == ("critical", "warning")
    assert [w.factor for w in (*fast.test.windows, *slow.test.windows)] == [14.4, 6.0, 1.0]


ROUTES = """
routes:
  mail: {mail: ops@example.com}
  group: {wecom: true, token_env: ROBOT}
  hook: {webhook: "https://hooks.example.com/x", secret_file: hook.secret}
"""


def test_where_it_goes(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        ROUTES
        + """
send:
  - {severity: critical, to: [group, hook], instead: mail, escalate: {after: 15m, to: mail}}
  - {rule: tool-.*, labels: {tool: crm_.*}, to: hook}
  - {severity: info}
  - {to: mail}
repeat: {critical: 30m}
heartbeat: {url: "https://watch.example.com/1", every: 2m}
""",
    )
    first = found.send_rule(alert("disk-full", "critical"))
    assert first is not None and first.plan.to == ("group", "hook")
    assert (
        first.plan.instead == ("mail",) and first.escalate_s == 900 and first.higher.to == ("mail",)
    )
    crm = found.send_rule(alert("tool-failing", "warning", tool="crm_x"))
    other = found.send_rule(alert("tool-failing", "warning", tool="erp"))
    quiet = found.send_rule(alert("history-left-out", "info"))
    assert crm and other and quiet
    assert (crm.plan.to, other.plan.to, quiet.plan.to) == (("hook",), ("mail",), ())
    assert found.pace.repeat_s["critical"] == 1_800 and found.pace.repeat_s["info"] == 86_400
    assert found.heartbeat is not None and found.heartbeat.every_s == 120
    assert found.routes[2].secret.file == tmp_path / "hook.secret"


def test_routes_without_a_word_who_gets_what_get_all(tmp_path: Path) -> None:
    found = read(tmp_path, ROUTES).send_rule(alert("x", "info"))
    assert found is not None and found.plan.to == ("mail", "group", "hook")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("rules:\n  disk-loww: off\n", 2, "disk-low"),
        ("rules:\n  disk-low:\n    bellow: 0.2\n", 3, "bellow"),
        ("rules:\n  disk-low: {above: 0.2}\n", 2, "goes by below"),
        ("rules:\n  disk-low:\n    metric: x\n", 3, "built in"),
        ("rules:\n  disk-low: {below: 0.2, clear: 0.1}\n", 2, "never be over"),
        ("rules:\n  x: {metric: m, text: t}\n", 2, "above, below"),
        ("rules:\n  x: {metric: m, text: t, above: 1}\n", 2, "lacks how"),
        ("rules:\n  x: {metric: m, how: ratio, text: t, above: 1}\n", 2, "needs per"),
        ("rules:\n  x: {metric: m, how: count, text: t, above: 1, labels: {a: '('}}\n", 2, "regular"),
        ("rules:\n  x: {metric: 'm m', how: count, text: t, above: 1}\n", 2, "no name of a metric"),
        ("slo:\n  x: {metric: m, objective: 99, text: t}\n", 2, "bad and within"),
        ("routes:\n  a: {mail: x@y.zz, webhook: 'https://a.b'}\n", 2, "one of mail"),
        ("routes:\n  a: {webhook: 'ftp://a.b'}\n", 2, "http"),
        ("routes:\n  a: {wecom: true}\n", 2, "token_env"),
        ("routes:\n  a:\n    wecom: 'https://a.b/send?key=1'\n    token_env: K\n", 3, "no key in the URL"),
        (ROUTES + "send:\n  - {to: mial}\n", 7, "mail"),
        (ROUTES + "send:\n  - {severity: bad, to: mail}\n", 7, "severity"),
        ("heartbeat: {every: 5}\n", 1, "one of url"),
        ("group: soon\n", 1, "group"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_where_it_stands(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert raised.value.line == line and said in str(raised.value)


def test_every_default_has_its_texts_and_a_name_of_its_own() -> None:
    names = [r.name for r in DEFAULTS]
    assert len(set(names)) == len(names)
    for r in DEFAULTS:
        assert all((r.text.zh, r.text.en, r.does.zh, r.does.en)), r.name
        if isinstance(r.test, Threshold):
            assert not r.test.beyond(r.test.clears, r.test.limit), r.name
