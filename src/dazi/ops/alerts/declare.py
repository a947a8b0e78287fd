"""``alerts.yaml`` of a company: built-in rules changed or switched off, rules of its own, objectives,
and where messages go."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError
from yarl import URL

from dazi.core.language import Text
from dazi.core.source import Source
from dazi.ops.alerts.book import Pace
from dazi.ops.alerts.declaration import AlertsFile, RouteFile, RuleFile, SendFile, SloFile
from dazi.ops.alerts.defaults import DEFAULTS
from dazi.ops.alerts.machine import Alert
from dazi.ops.alerts.notify import Plan
from dazi.ops.alerts.rules import (
    FAST,
    SLOW,
    Absence,
    Burn,
    Rule,
    Selection,
    Severity,
    Threshold,
)
from dazi.ops.alerts.secret import NO_SECRET, Secret

FILE = "alerts.yaml"
HEARTBEAT = "heartbeat"
"""Its name among the routes."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_MEND = Text("看看做法:docs/zh/alerts.md", "see docs/en/alerts.md")


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """``kind``: mail, webhook, wecom or dingtalk."""

    name: str
    kind: str
    url: str = ""
    to: tuple[str, ...] = ()
    secret: Secret = NO_SECRET
    token: Secret = NO_SECRET


@dataclass(frozen=True, slots=True)
class SendRule:
    severities: frozenset[Severity]
    rule: str
    labels: Mapping[str, str] = field(hash=False)
    plan: Plan
    escalate_s: float | None = None
    higher: Plan = field(default_factory=Plan)

    def fits(self, alert: Alert) -> bool:
        has = dict(alert.labels)
        return (
            (not self.severities or alert.severity in self.severities)
            and re.fullmatch(self.rule, alert.rule) is not None
            and all(re.fullmatch(v, has.get(k, "")) is not None for k, v in self.labels.items())
        )


@dataclass(frozen=True, slots=True)
class Heartbeat:
    url: str
    every_s: float
    env: str = ""


@dataclass(frozen=True, slots=True)
class Alerting:
    """All that is declared."""

    rules: tuple[Rule, ...] = DEFAULTS
    routes: tuple[RouteSpec, ...] = ()
    sends: tuple[SendRule, ...] = ()
    pace: Pace = field(default_factory=Pace)
    heartbeat: Heartbeat | None = None
    off: tuple[str, ...] = ()

    def send_rule(self, alert: Alert) -> SendRule | None:
        return next((s for s in self.sends if s.fits(alert)), None)


def read_alerts(source: Source, folder: Path) -> Alerting:
    """``folder``: what paths are relative to. Raises ``ConfigError`` with file, line and mend."""
    file = _validated(source)
    rules = {r.name: r for r in DEFAULTS}
    off = []
    for name, given in file.rules.items():
        if given is False:
            if name not in rules:
                _unknown(source, ("rules", name), name, rules)
            del rules[name]
            off.append(name)
        elif name in rules:
            rules[name] = _changed(source, rules[name], given)
        else:
            rules[name] = _made(source, name, given)
    for name, slo in file.slo.items():
        for rule in _objective(source, name, slo):
            if rule.name in rules:
                _wrong(
                    source, ("slo", name), f"{rule.name} 已经有了", f"{rule.name} exists already"
                )
            rules[rule.name] = rule
    routes = tuple(_route(source, name, r, folder) for name, r in file.routes.items())
    known = {r.name for r in routes}
    sends = tuple(_send(source, i, s, known) for i, s in enumerate(file.send))
    if routes and not sends:  # to all of them
        sends = (SendRule(frozenset(), ".*", {}, Plan(tuple(r.name for r in routes))),)
    pace = Pace(file.group, {**Pace().repeat_s, **file.repeat})
    beat = file.heartbeat
    heartbeat = None
    if beat is not None:
        if bool(beat.url) == bool(beat.url_env):
            _wrong(
                source, ("heartbeat",), "写 url 或 url_env 中的一个", "give one of url and url_env"
            )
        if beat.url:
            _check_url(source, ("heartbeat", "url"), beat.url)
        heartbeat = Heartbeat(beat.url, beat.every, beat.url_env)
    return Alerting(tuple(rules.values()), routes, sends, pace, heartbeat, tuple(off))


def _validated(source: Source) -> AlertsFile:
    try:
        return AlertsFile.model_validate(source.data or {})
    except ValidationError as e:
        first = e.errors()[0]
        path = [p for p in first["loc"] if isinstance(p, str | int)]
        path = [p for p in path if p not in ("RuleFile", "literal[False]")]
        where = ".".join(map(str, path)) or FILE
        kinds = {"extra_forbidden": "不认识这个键,检查拼写", "missing": "缺这一项"}
        said = kinds.get(first["type"], "值不对")
        _wrong(source, path, f"{where}:{said}({first['msg']})", f"{where}: {first['msg']}")


# --- rules ---------------------------------------------------------------------------------------


def _changed(source: Source, rule: Rule, given: RuleFile) -> Rule:
    path = ("rules", rule.name)
    fixed = [
        k for k in ("metric", "labels", "how", "per", "per_labels", "each") if getattr(given, k)
    ]
    if fixed:
        _wrong(
            source, (*path, fixed[0]),
            f"{rule.name} 是内置规则,不能改 {fixed[0]};要量别的就换个名字另写一条,并把这条写成 off",
            f"{rule.name} is built in, and its {fixed[0]} stays; write a rule of another name, and switch "
            "this one off",
        )  # fmt: skip
    test = rule.test
    if isinstance(test, Threshold):
        side = "above" if given.above is not None else "below"
        limit = given.above if given.above is not None else given.below
        if limit is not None and side != test.side:
            _wrong(
                source, path, f"{rule.name} 用的是 {test.side}", f"{rule.name} goes by {test.side}"
            )
        # A limit that is moved takes the point from which it is well with it.
        clear = given.clear if given.clear is not None or limit is not None else test.clear
        test = replace(
            test,
            limit=test.limit if limit is None else limit,
            clear=clear,
            window_s=given.window or test.window_s,
            quantile=given.quantile or test.quantile,
            at_least=test.at_least if given.at_least is None else given.at_least,
        )
        _check_clear(source, path, test)
    elif isinstance(test, Burn):
        objective = test.objective if given.objective is None else given.objective / 100
        within = given.within if given.within is not None else test.within
        at_least = test.at_least if given.at_least is None else given.at_least
        test = replace(test, objective=objective, within=within, at_least=at_least)
    elif given.absent is not None:
        test = replace(test, gone_s=given.absent)
    return replace(
        rule,
        severity=given.severity or rule.severity,
        text=given.text or rule.text,
        does=given.do or rule.does,
        test=test,
        for_s=rule.for_s if given.for_ is None else given.for_,
        clear_for_s=rule.clear_for_s if given.clear_for is None else given.clear_for,
        unit=given.unit or rule.unit,
    )


def _made(source: Source, name: str, given: RuleFile) -> Rule:
    path = ("rules", name)
    if not _NAME.fullmatch(name):
        _wrong(
            source,
            path,
            f"名字 “{name}” 用小写字母、数字和横线",
            f"“{name}”: small letters, digits, dashes",
        )
    if not given.metric:
        _unknown(source, path, name, {r.name for r in DEFAULTS}, "缺 metric;", "lacks a metric; ")
    if given.text is None:
        _wrong(source, path, f"{name} 缺 text", f"{name} lacks a text")
    what = _selection(source, path, given.metric, given.labels)
    one = [given.above is not None, given.below is not None, given.absent is not None]
    if sum(one) != 1:
        _wrong(
            source, path,
            f"{name}:写 above、below、absent 中的一个", f"{name}: give one of above, below and absent",
        )  # fmt: skip
    test: Threshold | Absence
    if given.absent is not None:
        test = Absence(what, given.absent, each=given.each)
    else:
        if given.how is None:
            _wrong(source, path, f"{name} 缺 how", f"{name} lacks how")
        limit = given.above if given.above is not None else given.below
        assert limit is not None
        per = _selection(source, path, given.per, given.per_labels) if given.per else None
        if given.how == "ratio" and per is None:
            _wrong(source, path, f"{name}:ratio 要写 per", f"{name}: a ratio needs per")
        if per is not None and given.how not in ("ratio", "latest"):
            _wrong(
                source, path, f"{name}:{given.how} 不用 per", f"{name}: {given.how} takes no per"
            )
        test = Threshold(
            what, given.how, "above" if given.above is not None else "below", limit, given.clear,
            given.window or 300.0, per, given.quantile or 0.99, given.at_least or 0.0, given.each,
        )  # fmt: skip
        _check_clear(source, path, test)
    return Rule(
        name, given.severity or "warning", given.text, given.do or Text("", ""), test,
        given.for_ or 0.0, 60.0 if given.clear_for is None else given.clear_for, given.unit or "",
    )  # fmt: skip


def _objective(source: Source, name: str, given: SloFile) -> Iterator[Rule]:
    path = ("slo", name)
    if bool(given.bad) == (given.within is not None):
        _wrong(
            source, path, f"{name}:写 bad 或 within 中的一个", f"{name}: give one of bad and within"
        )
    total = _selection(source, path, given.metric, given.labels)
    bad = None
    if given.bad:
        bad = _selection(source, path, given.metric, {**given.labels, **given.bad})
    burn = Burn(total, given.objective / 100, bad, given.within, FAST, given.at_least)
    yield Rule(name, "critical", given.text, given.do, burn, unit="burn")
    slow = replace(burn, windows=SLOW)
    yield Rule(f"{name}-slow", "warning", given.text, given.do, slow, unit="burn")


def _selection(
    source: Source, path: Sequence[str | int], metric: str, labels: Mapping[str, str]
) -> Selection:
    if not _METRIC.fullmatch(metric):
        _wrong(source, path, f"“{metric}” 不是指标的名字", f"“{metric}” is no name of a metric")
    for key, pattern in labels.items():
        try:
            re.compile(pattern.removeprefix("!"))
        except re.error as e:
            _wrong(
                source, path, f"{key}:正则表达式不对({e})", f"{key}: no regular expression ({e})"
            )
    return Selection(metric, labels)


def _check_clear(source: Source, path: Sequence[str | int], test: Threshold) -> None:
    if test.clear is not None and test.beyond(test.clear, test.limit):
        _wrong(
            source, path,
            f"clear {test.clear:g} 比界限 {test.limit:g} 还坏,会一直停不下来",
            f"clear {test.clear:g} is worse than the limit {test.limit:g}: it would never be over",
        )  # fmt: skip


# --- routes --------------------------------------------------------------------------------------


def _route(source: Source, name: str, given: RouteFile, folder: Path) -> RouteSpec:
    path = ("routes", name)
    kinds = [k for k in ("mail", "webhook", "wecom", "dingtalk") if getattr(given, k)]
    if len(kinds) != 1 or name == HEARTBEAT or not _NAME.fullmatch(name):
        _wrong(
            source, path,
            f"{name}:写 mail、webhook、wecom、dingtalk 中的一个,名字用小写字母、数字和横线",
            f"{name}: give one of mail, webhook, wecom and dingtalk; the name is small letters, digits "
            "and dashes",
        )  # fmt: skip
    kind = kinds[0]
    for key in ("secret", "token"):
        if getattr(given, f"{key}_env") and getattr(given, f"{key}_file"):
            _wrong(
                source,
                path,
                f"{key}_env 和 {key}_file 只写一个",
                f"give one of {key}_env and {key}_file",
            )
    secret, token = (
        Secret(
            getattr(given, f"{key}_env"),
            folder / f if (f := getattr(given, f"{key}_file")) else None,
        )
        for key in ("secret", "token")
    )
    if kind in ("wecom", "dingtalk") and not token:
        _wrong(
            source, path,
            f"{name}:机器人地址里的 key 或 access_token 写在环境变量里,用 token_env 指明",
            f"{name}: put the key or access_token of the robot's address into a variable, and name it in "
            "token_env",
        )  # fmt: skip
    url = getattr(given, kind) if kind != "mail" else ""
    url = "" if isinstance(url, bool) else url
    if url:
        _check_url(source, (*path, kind), url)
    return RouteSpec(name, kind, url, given.mail, secret, token)


def _check_url(source: Source, path: Sequence[str | int], url: str) -> None:
    parsed = URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        _wrong(source, path, "要写 http(s) 网址", "write an http(s) URL")
    if {"key", "access_token"} & set(parsed.query):
        _wrong(source, path, "密钥不要写在网址里:用 token_env", "no key in the URL: take token_env")


def _send(source: Source, i: int, given: SendFile, known: set[str]) -> SendRule:
    path = ("send", i)
    higher = given.escalate.to if given.escalate is not None else ()
    for name in (*given.to, *given.instead, *higher):
        if name not in known:
            _unknown(source, path, name, known)
    severities = frozenset(s for s in given.severity if s in ("critical", "warning", "info"))
    if len(severities) != len(given.severity):
        _wrong(
            source,
            path,
            "severity 只能是 critical、warning、info",
            "severity: critical, warning, info",
        )
    for pattern in (given.rule, *given.labels.values()):
        try:
            re.compile(pattern)
        except re.error as e:
            _wrong(source, path, f"正则表达式不对({e})", f"no regular expression ({e})")
    return SendRule(
        severities,  # type: ignore[arg-type]
        given.rule, given.labels, Plan(given.to, given.instead),
        given.escalate.after if given.escalate is not None else None, Plan(higher, given.instead),
    )  # fmt: skip


def _unknown(
    source: Source, path: Sequence[str | int], name: str, known: object, zh: str = "", en: str = ""
) -> NoReturn:
    names = sorted(known) if isinstance(known, set | dict) else []
    near = difflib.get_close_matches(name, names, 1)
    tip = Text(f"是不是 {near[0]}?", f"is it {near[0]}?") if near else _MEND
    _wrong(source, path, f"{zh}没有 “{name}”;{tip.zh}", f"{en}there is no “{name}”; {tip.en}")


def _wrong(source: Source, path: Sequence[str | int], zh: str, en: str) -> NoReturn:
    raise source.error(path, zh, en)
