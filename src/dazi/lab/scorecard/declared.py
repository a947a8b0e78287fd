"""What a 3C report compares, as its YAML file declares it: candidates, metrics, weights, scales."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dazi.core.errors import ConfigError
from dazi.core.language import Text
from dazi.lab.evals.figures import NO_SHARES

Dimension = Literal["capability", "cost", "compliance"]
DIMENSIONS: tuple[Dimension, ...] = ("capability", "cost", "compliance")
Share = Annotated[float, Field(ge=0, le=1)]
Money = Annotated[float, Field(ge=0, le=1e9)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Machine(_Strict):
    """A machine of one's own: its ``price`` in yuan, ``watts``, and ``staff`` a year. What it can do is
    taken from the run that was measured on it."""

    price: Money
    watts: Annotated[float, Field(ge=0, le=1e6)] = 100.0


class Cards(_Strict):
    """By the planner: a Qwen3 model on accelerators."""

    model: str = "Qwen/Qwen3-14B"
    precision: str = "bf16"
    card: str = "A100-80GB"


class Api(_Strict):
    """Yuan for a million tokens."""

    read: Money
    written: Money


class CostOf(_Strict):
    """One of the three. ``staff``: yuan a year for the people who run it."""

    machine: Machine | None = None
    cards: Cards | None = None
    api: Api | None = None
    staff: Money = 0.0

    @model_validator(mode="after")
    def _one(self) -> CostOf:
        if sum(x is not None for x in (self.machine, self.cards, self.api)) != 1:
            raise ValueError("cost: exactly one of machine, cards and api")
        return self


class CandidateSpec(_Strict):
    """``runs``: evaluation runs, by id or folder. ``compliance``: the JSON of ``dazi audit compliance``,
    beside this file unless absolute."""

    name: str = Field(min_length=1, max_length=80)
    runs: tuple[str, ...] = Field(min_length=1)
    cost: CostOf | None = None
    compliance: str = ""


class MetricSpec(_Strict):
    """A metric of the runs of a suite. ``lower``: less is better, and it counts as what it is short of one."""

    suite: str
    metric: str
    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0
    lower: bool = False
    label: str | dict[str, str] = ""

    @model_validator(mode="after")
    def _share(self) -> MetricSpec:
        if self.metric in NO_SHARES:
            raise ValueError(f"capability: {self.metric} is no share of items and cannot be scored")
        return self

    @property
    def key(self) -> str:
        return f"{self.suite}.{self.metric}"

    @property
    def text(self) -> Text:
        return Text.of(self.label or self.key)


class Must(_Strict):
    """What a candidate is not to be chosen without."""

    suite: str
    metric: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def key(self) -> str:
        return f"{self.suite}.{self.metric}"

    @model_validator(mode="after")
    def _bounded(self) -> Must:
        if self.at_most is None and self.at_least is None:
            raise ValueError("must: at_most or at_least")
        return self


class Weights(_Strict):
    capability: Annotated[float, Field(ge=0, le=1000)] = 50
    cost: Annotated[float, Field(ge=0, le=1000)] = 20
    compliance: Annotated[float, Field(ge=0, le=1000)] = 30

    @model_validator(mode="after")
    def _some(self) -> Weights:
        if not (self.capability or self.cost or self.compliance):
            raise ValueError("weights: one of them above 0")
        return self

    def of(self, dimension: Dimension) -> float:
        return float(getattr(self, dimension))


class Scale(_Strict):
    """Yuan for a thousand requests: at ``best`` or less the cost scores 1, at ``worst`` or more 0, between them
    by the logarithm. Fixed, so that nobody's score changes with who else is compared."""

    best: Annotated[float, Field(gt=0)] = 1.0
    worst: Annotated[float, Field(gt=0)] = 1000.0

    @model_validator(mode="after")
    def _in_order(self) -> Scale:
        if self.best >= self.worst:
            raise ValueError("cost_scale: best must be below worst")
        return self


class Card(_Strict):
    """``requests``: a day, for the cost. ``frameworks``: those whose checks count; all where none are named."""

    title: str | dict[str, str] = "3C"
    requests: Annotated[int, Field(ge=1, le=10**9)] = 10_000
    candidates: tuple[CandidateSpec, ...] = Field(min_length=1, max_length=12)
    capability: tuple[MetricSpec, ...] = Field(min_length=1)
    must: tuple[Must, ...] = ()
    weights: Weights = Weights()
    cost_scale: Scale = Scale()
    frameworks: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Card:
        for what, names in (
            ("candidates", [c.name for c in self.candidates]),
            ("capability", [m.key for m in self.capability]),
        ):
            twice = {n for n in names if names.count(n) > 1}
            if twice:
                raise ValueError(f"{what}: {', '.join(sorted(twice))} stands there twice")
        return self


def read_card(path: Path) -> Card:
    """Raises ``ConfigError`` with the place and the mend."""
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except OSError as e:
        raise ConfigError(
            path, None, f"读不了：{e.strerror}", f"cannot be read: {e.strerror}"
        ) from e
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        mark = getattr(e, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise ConfigError(path, line, f"不是 YAML：{e}", f"no YAML: {e}") from e
    try:
        return Card.model_validate(data)
    except ValidationError as e:
        first = e.errors()[0]
        place = ".".join(map(str, first["loc"]))
        said = f"{place}: {first['msg']}" if place else first["msg"]
        raise ConfigError(path, None, f"写得不对，{said}", f"wrong, {said}") from e
