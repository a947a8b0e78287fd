"""``dazi alerts`` over the company's database; a server need not run."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from getpass import getuser

import msgspec

from dazi.audit.private import Private
from dazi.connectors.mail_server import SmtpServer
from dazi.core.errors import CallerError
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.main.admission import recorder
from dazi.main.alert_mail import SmtpPost
from dazi.main.alerting import declared
from dazi.main.auditing import opened
from dazi.main.company import load_settings
from dazi.main.database import declare_tables
from dazi.main.settings import Settings
from dazi.ops.alerts.book import Book
from dazi.ops.alerts.making import NoPost, notifiers
from dazi.ops.alerts.message import SEVERITY_NAMES, alert_line
from dazi.ops.alerts.notify import Delivery
from dazi.ops.alerts.promql import rules_file
from dazi.ops.alerts.rules import shown
from dazi.ops.alerts.service import ADMINISTRATOR, AlertService, NewSilence
from dazi.ops.alerts.store import MOST, AlertStore

STATES = {
    "pending": {"zh": "待定", "en": "pending"},
    "firing": {"zh": "在响", "en": "firing"},
}


@asynccontextmanager
async def at_hand(settings: Settings) -> AsyncIterator[tuple[AlertService, Principal]]:
    """Whoever runs commands on this machine acts as an administrator, under the name that the machine
    knows them by."""
    folder = settings.company_folder()
    alerting = declared(folder)
    mail = load_settings(folder).get("mail")
    post = SmtpPost(SmtpServer.of(mail, folder)) if mail is not None else NoPost()
    declare_tables()
    async with opened(settings) as room:
        store = AlertStore(room.database, Private(room.sealing.keys))
        book = Book(alerting.rules, alerting.pace)
        book.alerts, book.acks = await store.load(), await store.acks()
        book.silences = await store.silences(time.time())
        delivery = Delivery(notifiers(alerting.routes, post))
        by = Principal(getuser(), frozenset({ADMINISTRATOR}), channel="cli")
        yield AlertService(alerting, book, store, delivery, recorder(room.ledger)), by


async def listed(
    settings: Settings, language: Language, *, past: bool, as_json: bool
) -> Sequence[str]:
    zh = language == "zh"
    async with at_hand(settings) as (service, by):
        if past:
            over = await service.past(by, MOST)
            if as_json:
                return [
                    json.dumps([msgspec.to_builtins(p) for p in over], ensure_ascii=False, indent=1)
                ]
            lines = [
                f"{_when(p.fired)} – {_when(p.ended)}  {p.rule}  "
                f"{', '.join(f'{k}={v}' for k, v in p.labels)}  {p.acked_by}".rstrip()
                for p in over
            ]
            return lines or ["没有" if zh else "none"]
        found = service.shown(by)
        if as_json:
            rows = [
                {
                    "id": s.alert.fingerprint,
                    "rule": s.alert.rule,
                    "severity": s.alert.severity,
                    "state": s.alert.state,
                    "labels": dict(s.alert.labels),
                    "value": s.alert.value,
                    "since": s.alert.since,
                    "acknowledged_by": s.ack.who if s.ack else "",
                    "silenced_until": s.silence.until if s.silence else None,
                }
                for s in found
            ]
            return [json.dumps(rows, ensure_ascii=False, indent=1)]
        lines = []
        for s in found:
            said = [
                s.alert.fingerprint,
                STATES[s.alert.state][language],
                SEVERITY_NAMES[s.alert.severity](language),
                f"{s.rule.name} {s.rule.text(language)}:",
                alert_line(s.rule, s.alert, time.time(), language),
            ]
            if s.ack:
                said.append(f"({'已确认' if zh else 'acknowledged'}: {s.ack.who})")
            if s.silence:
                said.append(f"({'已静默到' if zh else 'silenced until'} {_when(s.silence.until)})")
            lines.append("  ".join(said[:3]) + "  " + " ".join(said[3:]))
        return lines or ["没有正在响的告警" if zh else "nothing fires"]


def rules(settings: Settings, language: Language, *, as_json: bool) -> Sequence[str]:
    alerting = declared(settings.company_folder())
    if as_json:
        rows = [
            {"name": r.name, "severity": r.severity, "text": r.text(language),
             "metric": r.metric, "limit": r.limit, "for_seconds": r.for_s,
             "clear_for_seconds": r.clear_for_s}
            for r in alerting.rules
        ]  # fmt: skip
        return [json.dumps(rows, ensure_ascii=False, indent=1)]
    lines = [
        f"{r.name}  {SEVERITY_NAMES[r.severity](language)}  {shown(r.limit, r.unit)}  "
        f"{r.text(language)}"
        for r in alerting.rules
    ]
    off = "关掉的" if language == "zh" else "switched off"
    return lines + ([f"{off}: {', '.join(alerting.off)}"] if alerting.off else [])


async def silence(
    settings: Settings,
    language: Language,
    rule: str,
    seconds: float,
    why: str,
    labels: Sequence[str],
) -> str:
    pairs = [label.partition("=") for label in labels]
    if any(not k or not sign for k, sign, _ in pairs):
        raise CallerError("label", "标签写成 名=值", "a label is written NAME=VALUE")
    async with at_hand(settings) as (service, by):
        new = NewSilence(rule, seconds, why, {k: v for k, _, v in pairs})
        made = await service.silence(by, new)
    until = _when(made.until)
    return f"静默 {made.id},到 {until}" if language == "zh" else f"silence {made.id} until {until}"


async def acknowledge(settings: Settings, language: Language, alert: str) -> str:
    async with at_hand(settings) as (service, by):
        found = await service.acknowledge(by, alert)
    return f"已确认 {found.rule}" if language == "zh" else f"acknowledged {found.rule}"


async def try_route(settings: Settings, language: Language, route: str) -> tuple[bool, str]:
    async with at_hand(settings) as (service, by):
        state = await service.test(by, route)
    if state.trouble is not None:
        return False, f"{route}: {state.trouble(language)}"
    return True, f"{route}: {'送到了' if language == 'zh' else 'it got through'}"


def export(settings: Settings) -> str:
    return rules_file(declared(settings.company_folder()).rules)


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
