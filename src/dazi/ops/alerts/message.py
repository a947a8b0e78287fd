"""What is told of alerts, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dazi.core.language import Language, Text
from dazi.ops.alerts.machine import Alert
from dazi.ops.alerts.rules import Rule, Severity, shown

What = Literal["firing", "still", "escalated", "resolved", "test"]
WHATS: dict[What, Text] = {
    "firing": Text("告警", "ALERT"),
    "still": Text("仍在告警", "STILL FIRING"),
    "escalated": Text("告警无人确认", "ALERT NOT ACKNOWLEDGED"),
    "resolved": Text("已恢复", "RESOLVED"),
    "test": Text("测试", "TEST"),
}
SEVERITY_NAMES: dict[Severity, Text] = {
    "critical": Text("严重", "critical"),
    "warning": Text("警告", "warning"),
    "info": Text("提示", "info"),
}
DOCS = Text("docs/zh/alerts.md", "docs/en/alerts.md")
MOST_NAMED = 10
"""Alerts of a group that a message names; the others are counted."""


@dataclass(frozen=True, slots=True)
class Message:
    """Alerts of one rule. ``group`` tells what it is about apart from others, ``url`` leads to the
    page."""

    what: What
    rule: Rule
    alerts: tuple[Alert, ...]
    at: float
    url: str = ""

    @property
    def severity(self) -> Severity:
        return self.rule.severity

    @property
    def group(self) -> str:
        return f"{self.rule.name}:{','.join(a.fingerprint for a in self.alerts)}"


def title(message: Message, language: Language) -> str:
    many = f" x{len(message.alerts)}" if len(message.alerts) > 1 else ""
    severity = SEVERITY_NAMES[message.severity](language)
    head = f"[{WHATS[message.what](language)}] [{severity}]"
    return f"{head} {message.rule.text(language)}{many}"


def lines(message: Message, language: Language) -> list[str]:
    """What is so, since when, and what to do."""
    zh, rule = language == "zh", message.rule
    out = [alert_line(rule, a, message.at, language) for a in message.alerts[:MOST_NAMED]]
    if (more := len(message.alerts) - MOST_NAMED) > 0:
        out.append(f"另有 {more} 个" if zh else f"and {more} more")
    if message.what not in ("resolved", "test"):
        out.append(f"{'怎么办' if zh else 'What to do'}: {rule.does(language)}")
        out.append(f"{DOCS(language)}#{rule.name}")
    if message.url:
        out.append(message.url)
    return out


def alert_line(rule: Rule, alert: Alert, now: float, language: Language) -> str:
    zh = language == "zh"
    value = "-" if alert.value is None else shown(alert.value, rule.unit)
    if alert.state == "resolved" and alert.worst is not None:
        value = shown(alert.worst, rule.unit)
    parts = [alert.label_text] if alert.labels else []
    limit = shown(rule.limit, rule.unit)
    worst = alert.state == "resolved"
    if zh:
        parts.append(f"{'最坏' if worst else '当前'} {value},界限 {limit}")
        parts.append(f"持续 {_lasted((alert.ended or now) - alert.since, language)}")
    else:
        parts.append(f"{'worst' if worst else 'now'} {value}, limit {limit}")
        parts.append(f"for {_lasted((alert.ended or now) - alert.since, language)}")
    if alert.flapping:
        parts.append("反复" if zh else "flapping")
    return (";" if zh else "; ").join(parts)


def plain(message: Message) -> str:
    """Both languages, Chinese first."""
    zh = "\n".join([title(message, "zh"), *lines(message, "zh")])
    return f"{zh}\n\n" + "\n".join([title(message, "en"), *lines(message, "en")]) + "\n"


def subject(message: Message) -> str:
    return f"{title(message, 'zh')} / {message.rule.text('en')}"


def markdown(message: Message) -> str:
    """For chat robots, which show a subset of Markdown."""
    zh = [f"**{title(message, 'zh')}**", *(f"> {line}" for line in lines(message, "zh"))]
    en = [f"**{title(message, 'en')}**", *(f"> {line}" for line in lines(message, "en"))]
    return "\n".join([*zh, "", *en])


def _lasted(seconds: float, language: Language) -> str:
    minutes = max(0.0, seconds) / 60
    if minutes < 1:
        return f"{seconds:.0f} 秒" if language == "zh" else f"{seconds:.0f} s"
    if minutes < 120:
        return f"{minutes:.0f} 分钟" if language == "zh" else f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} 小时" if language == "zh" else f"{minutes / 60:.1f} h"
