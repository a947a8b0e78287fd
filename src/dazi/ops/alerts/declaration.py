"""The form of ``alerts.yaml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from dazi.core.language import Text
from dazi.ops.alerts.rules import How, Severity, Unit

_LENGTHS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def _seconds(value: Any) -> Any:
    """``90``, ``"90s"``, ``"5m"``, ``"6h"``, ``"3d"``."""
    if isinstance(value, str) and (found := _LENGTH.fullmatch(value)):
        return float(found[1]) * _LENGTHS[found[2]]
    return value


def _text(value: Any) -> Any:
    """One text for both languages, or one for each."""
    if isinstance(value, Mapping) and set(value) <= {"zh", "en"} and value:
        return Text(str(value.get("zh", "")), str(value.get("en", "")))
    return Text(value, value) if isinstance(value, str) and value else value


def _many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0, le=31 * 86_400)]
Words = Annotated[Text, BeforeValidator(_text)]
Names = Annotated[tuple[str, ...], BeforeValidator(_many), Field(strict=False)]
Labels = dict[str, str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class RuleFile(_Strict):
    """Of a built-in rule any of these but ``metric`` may be given; a new one needs ``metric``, ``how``,
    ``text`` and one of ``above``, ``below`` and ``absent``."""

    severity: Severity | None = None
    text: Words | None = None
    do: Words | None = None
    metric: str = ""
    labels: Labels = Field(default_factory=dict)
    how: How | None = None
    above: float | None = None
    below: float | None = None
    absent: Seconds | None = None
    clear: float | None = None
    window: Seconds | None = None
    per: str = ""
    per_labels: Labels = Field(default_factory=dict)
    quantile: float | None = Field(None, gt=0, lt=1)
    at_least: float | None = Field(None, ge=0)
    each: Names = ()
    for_: Seconds | None = Field(None, alias="for")
    clear_for: Seconds | None = None
    objective: float | None = Field(None, gt=0, lt=100)
    within: float | None = Field(None, gt=0)
    unit: Unit | None = None


class SloFile(_Strict):
    """``objective``: in percent. ``bad``: labels of the events that are, or ``within``: seconds of a
    histogram. Makes two rules, ``NAME`` and ``NAME-slow``."""

    metric: str
    objective: float = Field(gt=0, lt=100)
    labels: Labels = Field(default_factory=dict)
    bad: Labels = Field(default_factory=dict)
    within: float | None = Field(None, gt=0)
    at_least: float = Field(20, ge=0)
    text: Words
    do: Words = Text("", "")


class RouteFile(_Strict):
    """One of ``mail``, ``webhook``, ``wecom`` and ``dingtalk``; the latter two need an address only where
    it is not the public one."""

    mail: Names = ()
    webhook: str = ""
    wecom: str | bool = ""
    dingtalk: str | bool = ""
    secret_env: str = ""
    secret_file: str = ""
    token_env: str = ""
    token_file: str = ""


class EscalateFile(_Strict):
    after: Seconds
    to: Names


class SendFile(_Strict):
    """The first that fits counts. ``rule`` and ``labels``: regular expressions for the whole."""

    severity: Names = ()
    rule: str = ".*"
    labels: Labels = Field(default_factory=dict)
    to: Names = ()
    instead: Names = ()
    escalate: EscalateFile | None = None


class HeartbeatFile(_Strict):
    url: str = ""
    url_env: str = ""
    every: Seconds = 60.0


class AlertsFile(_Strict):
    rules: dict[str, RuleFile | Literal[False]] = Field(default_factory=dict)
    slo: dict[str, SloFile] = Field(default_factory=dict)
    routes: dict[str, RouteFile] = Field(default_factory=dict)
    send: tuple[SendFile, ...] = ()
    group: Seconds = 30.0
    repeat: dict[Severity, Seconds] = Field(default_factory=dict)
    heartbeat: HeartbeatFile | None = None
