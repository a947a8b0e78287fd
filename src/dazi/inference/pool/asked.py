"""One request on its way to an answer, and why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dazi.core.engine import (
    GenerateRequest,
    ModelChanged,
    ModelProfile,
)
from dazi.core.errors import CallerError, DaziError, NotFound, OperatorError, OverloadError
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.config import PoolConfig
from dazi.inference.pool.routes import Decision


class Asked:
    """``decision``: by ``config``, which may change while it waits."""

    def __init__(self, request: GenerateRequest, decision: Decision, config: PoolConfig) -> None:
        self.request = request
        self.images = request.images
        self.decision = decision
        self.config = config
        self.tried: list[Backend] = []
        self.last: DaziError | None = None
        self.unlike: ModelProfile | None = None
        self.full: OverloadError | None = None
        self.full_tier = 0

    def failed(self, backend: Backend, error: DaziError) -> None:
        if backend not in self.tried:
            self.tried.append(backend)
        backend.counts.moved += 1
        self.last = error

    def passed_over(self, backend: Backend, error: DaziError) -> None:
        """It was not asked, for a reason that is not its own."""
        self.tried.append(backend)
        self.last = error

    def on_record(self, backend: Backend | None, leaving: str) -> dict[str, Any]:
        """What the ledger is told of where it goes, or of why it goes nowhere."""
        decision = self.decision
        body: dict[str, Any] = {
            "rule": decision.rule,
            "task": self.request.purpose.task,
            "backend": backend.name if backend else "",
            "place": backend.place if backend else "",
        }
        more = {
            "tier": backend.tier if backend else 0,
            "leaving": leaving,
            "labels": sorted(decision.labels),
            "refused": sorted(decision.refused),
            "tried": [b.name for b in self.tried],
        }
        return body | {name: value for name, value in more.items() if value}

    def may_show(self, backend: Backend) -> bool:
        """A picture cannot be given pseudonyms: it leaves as it is or not at all."""
        return backend.place == "private" or self.decision.leaving == "as-is"


def why_not(asked: Asked, backends: Sequence[Backend]) -> DaziError:
    """Why there is no answer."""
    decision, request = asked.decision, asked.request
    if asked.full is not None:
        return asked.full
    if asked.unlike is not None:
        return ModelChanged(asked.unlike)
    if asked.last is not None:
        return asked.last
    if decision.refused:
        return CallerError(
            "sensitive_stays",
            "内容里有不能出公司的信息,而公司内的模型现在用不了;请去掉这些信息,或稍后再试。",
            "This holds data that may not leave the house, and no model in the house can be used "
            "now; leave it out, or try again later.",
        )
    if decision.model and not any(b.serves(decision.model) for b in backends):
        return NotFound(
            "model_not_found",
            f"没有服务提供模型 {decision.model[:100]}。",
            f"No server offers the model {decision.model[:100]}.",
        )
    seeing = [b for g in decision.groups for b in g if b.spec.vision]
    if request.images and seeing and not any(asked.may_show(b) for b in seeing):
        return CallerError(
            "picture_stays",
            "图片里有什么没法检查,所以不出公司;公司内没有能看图的模型。请把内容写成文字。",
            "Nobody can tell what is in a picture, so it does not leave the house, and no model in "
            "the house can see it. Put its content into words.",
        )
    if request.images and not seeing:
        return CallerError(
            "no_vision",
            "没有能看图的模型;请把图里的内容写成文字,或请管理员接入视觉模型(vision: true)。",
            "No model here can see pictures; put their content into words, or have the "
            "administrator add a vision model (vision: true).",
        )
    return _resting(decision)


def spent_today() -> OverloadError:
    return OverloadError(
        "cloud_budget",
        "今天的云端费用已用完;请明天再试,或请管理员调高 cloud_yuan_per_day。",
        "Today's budget for clouds is spent; try again tomorrow, or have the administrator raise "
        "cloud_yuan_per_day.",
        retry_after=3600,
    )


def _resting(decision: Decision) -> DaziError:
    troubles = [b.trouble for g in decision.groups for b in g if b.trouble is not None]
    if troubles:
        return troubles[0]
    names = ", ".join(b.name for g in decision.groups for b in g) or "-"
    return OperatorError(
        "model_unreachable",
        f"没有可用的模型服务(试过的范围:{names})。请看 dazi model pool。",
        f"No model server can be used (of: {names}). See dazi model pool.",
    )
