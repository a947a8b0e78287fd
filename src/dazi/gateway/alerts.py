"""``/v1/dazi/alerts``: what fires, what is watched for, and where it goes; for administrators."""

from __future__ import annotations

from msgspec import Struct, field

from dazi.core.errors import NotFound
from dazi.gateway.accounts.bodies import Done
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.gateway.route_spec import RouteSpec
from dazi.gateway.wire import Reader
from dazi.ops.alerts.book import Silence
from dazi.ops.alerts.notify import RouteState
from dazi.ops.alerts.service import AlertService, NewSilence, Shown
from dazi.ops.alerts.store import MOST, Past

PATH = "/v1/dazi/alerts"


class AlertView(Struct, frozen=True):
    """``state``: ``pending`` or ``firing``. Times in seconds since the epoch, 0 for none."""

    id: str
    rule: str
    text: str
    does: str
    severity: str
    state: str
    labels: dict[str, str]
    value: float | None
    limit: float
    since: float
    fired: float
    acknowledged_by: str
    silenced_until: float


class SilenceView(Struct, frozen=True):
    """``rule`` and ``labels`` are regular expressions for the whole."""

    id: str
    rule: str
    labels: dict[str, str]
    until: float
    by: str
    why: str


class RouteView(Struct, frozen=True):
    """``failing``: since when nothing gets through, 0 while it does."""

    name: str
    sent: int
    last: float
    failing: float
    trouble: str


class AlertsView(Struct, frozen=True):
    """``stored``: false while the database cannot be used and all is in memory."""

    data: list[AlertView]
    silences: list[SilenceView]
    routes: list[RouteView]
    stored: bool
    object: str = "list"


class RuleView(Struct, frozen=True):
    """``values``: what was last read, with its labels; ``None`` where there is nothing to say."""

    name: str
    severity: str
    text: str
    does: str
    metric: str
    limit: float
    for_seconds: float
    clear_for_seconds: float
    values: list[ValueView]


class ValueView(Struct, frozen=True):
    labels: dict[str, str]
    value: float | None
    bad: bool


class RulesView(Struct, frozen=True):
    data: list[RuleView]
    object: str = "list"


class PastView(Struct, frozen=True):
    rule: str
    severity: str
    labels: dict[str, str]
    fired: float
    ended: float
    worst: float | None
    acknowledged_by: str


class PastViews(Struct, frozen=True):
    data: list[PastView]
    object: str = "list"


class NewSilenceBody(Struct, forbid_unknown_fields=True):
    """``seconds`` from now on, at the most 31 days."""

    rule: str
    seconds: float
    why: str
    labels: dict[str, str] = field(default_factory=dict)


NEW_SILENCE = Reader(NewSilenceBody)


async def alerts(x: Exchange) -> None:
    service = _service(x)
    found = [_alert(s, x) for s in service.shown(x.principal)]
    quiet = [_silence(s) for s in service.book.silences.values() if s.until > service.clock()]
    routes = [_route(name, state, x) for name, state in sorted(service.states(x.principal).items())]
    await x.reply(encode(AlertsView(found, quiet, routes, service.store_well())))


async def rules(x: Exchange) -> None:
    service, language = _service(x), x.spoken
    service.shown(x.principal)  # the same people
    views = [
        RuleView(
            r.name, r.severity, r.text(language), r.does(language), r.metric, r.limit, r.for_s,
            r.clear_for_s,
            [ValueView(dict(v.labels), v.value, v.bad) for v in service.readings(r.name)],
        )
        for r in service.alerting.rules
    ]  # fmt: skip
    await x.reply(encode(RulesView(views)))


async def past(x: Exchange) -> None:
    found = await _service(x).past(x.principal, x.number("limit", 100, least=1, most=MOST))
    await x.reply(encode(PastViews([_past(p) for p in found])))


async def acknowledge(x: Exchange) -> None:
    await _service(x).acknowledge(x.principal, x.path["alert"])
    await x.reply(encode(Done()))


async def silence(x: Exchange) -> None:
    given = NEW_SILENCE.read(x.body)
    new = NewSilence(given.rule, given.seconds, given.why, given.labels)
    await x.reply(encode(_silence(await _service(x).silence(x.principal, new))))


async def lift(x: Exchange) -> None:
    await _service(x).lift(x.principal, x.path["silence"])
    await x.reply(encode(Done()))


async def try_route(x: Exchange) -> None:
    name = x.path["route"]
    state = await _service(x).test(x.principal, name)
    await x.reply(encode(_route(name, state, x)))


def _service(x: Exchange) -> AlertService:
    if x.state.alerts is None:
        raise NotFound("alerts", "这里没有告警", "there are no alerts here")
    return x.state.alerts


def _alert(s: Shown, x: Exchange) -> AlertView:
    a, rule = s.alert, s.rule
    return AlertView(
        a.fingerprint, a.rule, rule.text(x.spoken), rule.does(x.spoken), a.severity, a.state,
        dict(a.labels), a.value, rule.limit, a.since, a.fired, s.ack.who if s.ack else "",
        s.silence.until if s.silence else 0.0,
    )  # fmt: skip


def _silence(s: Silence) -> SilenceView:
    return SilenceView(s.id, s.rule, dict(s.labels), s.until, s.who, s.why)


def _route(name: str, state: RouteState, x: Exchange) -> RouteView:
    trouble = state.trouble(x.spoken) if state.trouble is not None else ""
    return RouteView(name, state.sent, state.last, state.failing, trouble)


def _past(p: Past) -> PastView:
    return PastView(p.rule, p.severity, dict(p.labels), p.fired, p.ended, p.worst, p.acked_by)


_SEE, _ACT = (401, 403, 404, 503), (400, 401, 403, 404, 413, 503)
ROUTES = (
    RouteSpec("GET", PATH, alerts, "正在响的告警、静默、路线 / what fires, silences, routes",
              AlertsView, statuses=_SEE),
    RouteSpec("GET", f"{PATH}/rules", rules, "告警规则和当前的值 / rules with their values",
              RulesView, statuses=_SEE),
    RouteSpec(
        "GET", f"{PATH}/past", past, "已经结束的告警 / alerts that are over", PastViews,
        statuses=(400, *_SEE),
        query={"limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100}},
    ),
    RouteSpec("POST", f"{PATH}/silences", silence, "静默 / silence", SilenceView, NewSilenceBody,
              _ACT),
    RouteSpec("DELETE", f"{PATH}/silences/{{silence}}", lift, "提前结束静默 / end a silence", Done,
              statuses=_SEE),
    RouteSpec("POST", f"{PATH}/routes/{{route}}/test", try_route,
              "发一条测试 / send a test by a route", RouteView, statuses=_SEE),
    RouteSpec("POST", f"{PATH}/{{alert}}/acknowledgement", acknowledge,
              "确认:有人在处理 / acknowledge", Done, statuses=_SEE),
)  # fmt: skip
