"""What is tried on whom, for how long, and what would stop it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import inf
from typing import Literal

from msgspec import Struct

from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.ops.experiments.metrics import is_event, metric

Unit = Literal["user", "tenant", "thread"]
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
MOST_ARMS = 6
MOST_METRICS = 12
LONGEST = 1_000


class Arm(Struct, frozen=True, forbid_unknown_fields=True):
    """``prompt``: the number of a version; without one, whichever is in use. ``model``: a name that the
    engine serves, an adapter's for instance; empty: whichever suits."""

    name: str
    prompt: int | None = None
    model: str = ""


class Eligible(Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes part; an empty list is everybody."""

    roles: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    languages: tuple[Literal["zh", "en"], ...] = ()


class Guardrail(Struct, frozen=True, forbid_unknown_fields=True):
    """An arm is stopped once it is sure to be worse than the first one by more than ``margin``, in the
    metric's own unit."""

    metric: str
    margin: float = 0.0


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """From ``hours`` after the start on, each arm but the first has its share, 0 to 1; the first has the
    rest."""

    hours: float
    shares: dict[str, float]


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """``arms``: the first is what others are compared with. ``holdout``: the share of subjects who take
    part in no experiment. ``window_hours``: a subject's value is the mean of their turns in so many hours
    after their first one; 0: their first turn alone. ``alpha``: how often a true null may be rejected, at
    any time, over all arms together."""

    name: str
    arms: tuple[Arm, ...]
    ramp: tuple[Step, ...]
    why: str = ""
    unit: Unit = "user"
    holdout: float = 0.0
    eligible: Eligible = Eligible()
    metric: str = "success"
    metrics: tuple[str, ...] = ("latency", "tokens", "refused")
    guardrails: tuple[Guardrail, ...] = (Guardrail("success", 0.1),)
    window_hours: float = 24.0
    alpha: float = 0.05

    @property
    def control(self) -> Arm:
        return self.arms[0]

    @property
    def treatments(self) -> tuple[Arm, ...]:
        return self.arms[1:]

    def arm(self, name: str) -> Arm:
        return next(a for a in self.arms if a.name == name)

    @property
    def varies(self) -> frozenset[str]:
        """``prompt``, ``model``: what the arms differ in."""
        out = set()
        if len({a.prompt for a in self.arms}) > 1:
            out.add("prompt")
        if len({a.model for a in self.arms}) > 1:
            out.add("model")
        return frozenset(out)

    @property
    def measured(self) -> tuple[str, ...]:
        """The deciding metric first, then the others and those of guardrails, each once."""
        names = (self.metric, *self.metrics, *(g.metric for g in self.guardrails))
        return tuple(dict.fromkeys(names))


def percent(share: float) -> str:
    """As people read it: a small share is not none."""
    return f"{share * 100:.3g}%"


def check(plan: Plan) -> None:
    """Raises ``CallerError`` for the first thing that is wrong."""
    wrong = next(_wrong(plan), None)
    if wrong is not None:
        raise CallerError("experiment", wrong.zh, wrong.en)
    for name in plan.measured:
        metric(name)


def _wrong(p: Plan) -> Iterator[Text]:
    if not _NAME.fullmatch(p.name):
        yield Text(
            "name 用小写字母、数字和 -,以字母开头,最多 40 个",
            "name: lower case letters, digits and -, a letter first, 40 at the most",
        )
    if len(p.why) > LONGEST:
        yield Text(f"why 最多 {LONGEST} 个字", f"why has {LONGEST} characters at the most")
    if not 2 <= len(p.arms) <= MOST_ARMS:
        yield Text(f"arms 要 2 到 {MOST_ARMS} 个", f"arms: 2 to {MOST_ARMS} of them")
    names = [a.name for a in p.arms]
    if len(set(names)) < len(names) or not all(_NAME.fullmatch(n) for n in names):
        yield Text(
            "每个 arm 要有自己的名字:小写字母、数字和 -",
            "each arm needs a name of its own: lower case letters, digits and -",
        )
    if len({(a.prompt, a.model) for a in p.arms}) < len(p.arms):
        yield Text("有两个 arm 完全一样", "two arms are the same")
    if any(a.prompt is not None and a.prompt < 0 for a in p.arms):
        yield Text("prompt 是版本号,从 0 开始", "prompt is the number of a version, from 0 on")
    if not 0 <= p.holdout <= 0.9:
        yield Text("holdout 在 0 到 0.9 之间", "holdout is between 0 and 0.9")
    if not 0 <= p.window_hours <= 24 * 90:
        yield Text("window_hours 在 0 到 2160 之间", "window_hours is between 0 and 2160")
    if not 0.001 <= p.alpha <= 0.2:
        yield Text("alpha 在 0.001 到 0.2 之间", "alpha is between 0.001 and 0.2")
    if len(p.measured) > MOST_METRICS:
        yield Text(f"指标最多 {MOST_METRICS} 个", f"{MOST_METRICS} metrics at the most")
    if not all(0 <= g.margin < inf for g in p.guardrails):
        yield Text("margin 不能是负的", "margin must not be negative")
    late = [n for n in p.measured if is_event(n)]
    if late and not p.window_hours:
        told = ", ".join(late)
        yield Text(
            f"{told} 在第一轮之后才发生:window_hours 要大于 0",
            f"{told} happens after the first turn: window_hours must be more than 0",
        )
    yield from _ramp(p)


def _ramp(p: Plan) -> Iterator[Text]:
    if not p.ramp or p.ramp[0].hours != 0:
        yield Text("ramp 的第一步 hours 要是 0", "the first step of ramp has hours 0")
        return
    hours = [s.hours for s in p.ramp]
    if not all(a < b for a, b in pairwise(hours)) or not hours[-1] <= 24 * 365:
        yield Text("ramp 的 hours 要一步比一步大", "hours of ramp must grow from step to step")
    before: Mapping[str, float] = {}
    for step in p.ramp:
        wrong = wrong_shares(p, step.shares, before)
        if wrong is not None:
            yield wrong
        before = step.shares


def wrong_shares(p: Plan, shares: Mapping[str, float], before: Mapping[str, float]) -> Text | None:
    """Why an experiment may not go from shares to others. Shares only grow: whoever has had a
    treatment keeps it. An arm has at most its slice of everybody, that is one part of as many as there
    are arms beside the first."""
    names = {a.name for a in p.treatments}
    most = 1 / len(p.treatments) if p.treatments else 0.0
    if set(shares) != names:
        told = ", ".join(sorted(names))
        return Text(f"份额要写全:{told}", f"shares are needed for: {told}")
    if not all(0 <= s <= most + 1e-9 for s in shares.values()):
        return Text(
            f"每个 arm 的份额在 0 到 {most:.4g} 之间(第一个 arm 拿剩下的)",
            f"each arm's share is between 0 and {most:.4g}; the first arm has the rest",
        )
    if len(p.treatments) and sum(shares.values()) > 0.99:
        return Text(
            "要给第一个 arm 留至少百分之一,不然没有可比的",
            "leave one percent to the first arm at least: else there is nothing to compare with",
        )
    if any(shares[n] < before.get(n, 0.0) for n in names):
        return Text(
            "份额只能变大;要去掉一个 arm 就停掉它",
            "shares only grow; to take an arm away, stop it",
        )
    return None
