"""``/v1/dazi/experiments``: what is tried on whom and what it says, for administrators; and events of the
caller's own."""

from __future__ import annotations

from msgspec import Struct, structs

from dazi.core.errors import NotFound
from dazi.core.language import Language
from dazi.gateway.accounts.bodies import Done
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.gateway.route_spec import RouteSpec
from dazi.gateway.wire import Reader
from dazi.ops.experiments.model import Experiment
from dazi.ops.experiments.plan import Arm, Eligible, Guardrail, Plan, Step, Unit
from dazi.ops.experiments.service import ExperimentService, Looked

ACTS = ("start", "pause", "resume", "shares", "stop_arm", "stop", "promote")


class ExperimentView(Struct, frozen=True):
    """``state``: ``draft``, ``running``, ``paused``, ``stopped`` or ``promoted``. Times in seconds since
    the epoch, 0 for not yet. ``stopped``: arms, and why."""

    name: str
    state: str
    plan: Plan
    author: str
    created: int
    started: int
    ended: int
    shares: dict[str, float]
    stopped: dict[str, str]
    promoted: str


class ExperimentViews(Struct, frozen=True):
    data: list[ExperimentView]
    object: str = "list"


class ArmView(Struct, frozen=True):
    """``subjects``: who have had a turn; ``counted``: whose window is over; ``mean`` of the deciding
    metric."""

    name: str
    share: float
    subjects: int
    counted: int
    turns: int
    mean: float | None


class ComparisonView(Struct, frozen=True):
    """An arm less the first one: the true difference is between ``lower`` and ``upper``, whenever one
    looks; both are null before there is something to say. ``says``: ``better``, ``worse`` or ``open``."""

    arm: str
    metric: str
    subjects: int
    estimate: float
    lower: float | None
    upper: float | None
    says: str


class EventView(Struct, frozen=True):
    """``by`` is empty where it was done by itself."""

    at: int
    by: str
    act: str
    detail: str


class LookedView(Struct, frozen=True):
    """``decision``: in words. ``mismatch``: a p value; below 0.01 subjects did not come to the arms in
    their shares, and no figure can be trusted."""

    experiment: ExperimentView
    arms: list[ArmView]
    comparisons: list[ComparisonView]
    mismatch: float
    waiting: int
    decision: list[str]
    events: list[EventView]


class ExperimentAct(Struct, forbid_unknown_fields=True):
    """``shares`` with ``shares``; ``arm`` with ``stop_arm`` and ``promote``."""

    act: str
    shares: dict[str, float] | None = None
    arm: str = ""
    why: str = ""


class ActDone(Struct, frozen=True):
    """``told``: what is left to do by hand."""

    experiment: ExperimentView
    told: str = ""


class NewExperiment(Struct, forbid_unknown_fields=True):
    """As a plan in a file; what is not given is as documented there."""

    name: str
    arms: list[Arm]
    ramp: list[Step]
    why: str = ""
    unit: Unit = "user"
    holdout: float = 0.0
    eligible: Eligible | None = None
    metric: str = "success"
    metrics: list[str] | None = None
    guardrails: list[Guardrail] | None = None
    window_hours: float = 24.0
    alpha: float = 0.05


class HappenedBody(Struct, forbid_unknown_fields=True):
    """``event``: what the plan names after ``event:``, or ``rating`` with a ``value`` of 0 to 5.
    ``thread``: where subjects are threads."""

    event: str
    value: float = 1.0
    thread: str = ""


NEW = Reader(NewExperiment)
ACT = Reader(ExperimentAct)
HAPPENED = Reader(HappenedBody)


async def experiments(x: Exchange) -> None:
    found = await _service(x).all(x.principal)
    await x.reply(encode(ExperimentViews([_view(e) for e in found])))


async def create_experiment(x: Exchange) -> None:
    given = structs.asdict(NEW.read(x.body))
    for name in ("arms", "ramp", "metrics", "guardrails"):
        given[name] = tuple(given[name]) if given[name] is not None else None
    plan = Plan(**{name: value for name, value in given.items() if value is not None})
    await x.reply(encode(_view(await _service(x).create(x.principal, plan))))


async def experiment(x: Exchange) -> None:
    looked = await _service(x).look(x.principal, x.path["experiment"])
    await x.reply(encode(_looked(looked, x.spoken)))


async def act_on_experiment(x: Exchange) -> None:
    given, service, name = ACT.read(x.body), _service(x), x.path["experiment"]
    by, told = x.principal, ""
    match given.act:
        case "start":
            await service.start(by, name)
        case "pause":
            await service.pause(by, name)
        case "resume":
            await service.resume(by, name)
        case "shares":
            await service.set_shares(by, name, given.shares or {})
        case "stop_arm":
            await service.stop_arm(by, name, given.arm, given.why[:200])
        case "stop":
            await service.stop(by, name)
        case "promote":
            told = (await service.promote(by, name, given.arm))(x.spoken)
        case _:
            names = ", ".join(ACTS)
            raise BadField("act", f"应为 {names} 之一", f"must be one of {names}")
    await x.reply(encode(ActDone(_view(await service.store.get(name)), told)))


async def experiment_event(x: Exchange) -> None:
    given = HAPPENED.read(x.body)
    await _service(x).happened(
        x.principal, x.path["experiment"], given.event, given.value, given.thread
    )
    await x.reply(encode(Done()))


def _service(x: Exchange) -> ExperimentService:
    if x.state.experiments is None:
        raise NotFound("experiment", "这里没有实验", "there are no experiments here")
    return x.state.experiments


def _view(e: Experiment) -> ExperimentView:
    return ExperimentView(
        e.name,
        e.state,
        e.plan,
        e.author,
        int(e.created),
        int(e.started),
        int(e.ended),
        dict(e.shares),
        e.stopped,
        e.promoted,
    )


def _looked(looked: Looked, language: Language) -> LookedView:
    found = looked.analysis
    arms = [
        ArmView(a.name, round(a.share, 6), a.subjects, a.counted, a.turns, a.mean)
        for a in found.arms
    ]
    comparisons = [
        ComparisonView(c.arm, c.metric.name, c.subjects, c.estimate, c.lower, c.upper, c.says)
        for c in found.comparisons
    ]
    events = [EventView(int(e.at), e.by, e.act, e.detail) for e in looked.events]
    said = [line(language) for line in looked.decision]
    return LookedView(
        _view(looked.experiment), arms, comparisons, found.mismatch, found.waiting, said, events
    )


_READ = (401, 403, 404, 503)
_CHANGE = (400, 401, 403, 404, 413, 503)
_ONE = "/v1/dazi/experiments/{experiment}"
ROUTES: tuple[RouteSpec, ...] = (
    RouteSpec(
        "GET", "/v1/dazi/experiments", experiments, "实验 / experiments", ExperimentViews, None, _READ
    ),
    RouteSpec(
        "POST", "/v1/dazi/experiments", create_experiment, "新实验,还没开始 / a new one, not begun yet",
        ExperimentView, NewExperiment, _CHANGE,
    ),
    RouteSpec(
        "GET", _ONE, experiment, "一个实验和它现在说明什么 / one, and what it says so far", LookedView, None,
        _READ,
    ),
    RouteSpec(
        "POST", _ONE, act_on_experiment,
        "开始、暂停、继续、改份额、停、推广 / start, pause, resume, set shares, stop, promote", ActDone,
        ExperimentAct, _CHANGE,
    ),
    RouteSpec(
        "POST", f"{_ONE}/events", experiment_event, "自己的一个事件,如转化 / an event of one's own",
        Done, HappenedBody, _CHANGE,
    ),
)  # fmt: skip
