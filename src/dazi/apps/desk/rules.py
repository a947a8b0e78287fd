"""The desk's settings: ``[desk]`` in ``dazi.toml``, each with a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dazi.apps.desk.assignment import Agent
from dazi.apps.desk.calendar import Calendar
from dazi.apps.desk.clocks import Clocking, Target
from dazi.apps.desk.intents.kinds import INTENTS
from dazi.apps.desk.model import PRIORITIES, Priority
from dazi.core.errors import ConfigError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TARGETS: Mapping[Priority, Target] = {
    "urgent": Target(15, 240),
    "high": Target(60, 480),
    "normal": Target(240, 1_440),
    "low": Target(480, 2_880),
}
"""Minutes of working time to a person's first answer and to the resolution."""
DAY = ((540, 1_080),)
"""09:00 to 18:00."""
_KEYS = frozenset(
    (
        "agents",
        "roles",
        "supervisors",
        "customers",
        "zone",
        "hours",
        "holidays",
        "workdays",
        "targets",
        "warn_percent",
        "reopen_days",
        "close_days",
        "orders",
        "refresh",
    )
)


@dataclass(frozen=True, slots=True)
class OrderCheck:
    """The declared read tool that says whether an order is somebody's, and its parameter."""

    tool: str
    parameter: str


@dataclass(frozen=True, slots=True)
class DeskRules:
    """``customers``: roles whose conversations the desk looks after.
    ``close_days``: so long after its resolution a ticket is closed. ``refresh``: names of the
    knowledge sources that the weekly refresh asks again; all databases where there are none."""

    clocking: Clocking
    agents: tuple[Agent, ...] = ()
    roles: frozenset[str] = frozenset(("agent",))
    supervisors: frozenset[str] = frozenset(("supervisor",))
    customers: frozenset[str] = frozenset(("customer",))
    close_days: int = 3
    orders: OrderCheck | None = None
    refresh: tuple[str, ...] = ()

    @property
    def reopen_days(self) -> int:
        return self.clocking.reopen_days


def rules_of(settings: Mapping[str, Any], where: Path | str = "dazi.toml") -> DeskRules:
    """From the company's settings. Raises ``ConfigError`` that names the setting."""
    given = settings.get("desk", {})
    if not isinstance(given, Mapping):
        raise _wrong(where, "", "应为一节 [desk]", "must be a section [desk]")
    for name in given:
        if name not in _KEYS:
            known = ", ".join(sorted(_KEYS))
            raise _wrong(where, name, f"没有这个设置;可用:{known}", f"unknown; there are: {known}")
    reader = _Reader(given, where)
    clocking = Clocking(
        reader.calendar(),
        reader.targets(),
        reader.number("warn_percent", 75, 1, 100),
        reader.number("reopen_days", 7, 0, 365),
    )
    return DeskRules(
        clocking,
        reader.agents(),
        frozenset(reader.names("roles", ["agent"])),
        frozenset(reader.names("supervisors", ["supervisor"])),
        frozenset(reader.names("customers", ["customer"])),
        reader.number("close_days", 3, 0, 365),
        reader.orders(),
        tuple(reader.names("refresh", [])),
    )


class _Reader:
    def __init__(self, given: Mapping[str, Any], where: Path | str) -> None:
        self._given = given
        self._where = where

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self._given.get(name, default)
        if type(value) is not int or not least <= value <= most:
            zh, en = f"应为 {least} 到 {most} 的整数", f"must be an integer from {least} to {most}"
            raise _wrong(self._where, name, zh, en)
        return value

    def names(self, name: str, default: Sequence[str]) -> list[str]:
        value = self._given.get(name, default)
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise _wrong(self._where, name, "应为字符串的列表", "must be a list of strings")
        return value

    def calendar(self) -> Calendar:
        zone = str(self._given.get("zone", "Asia/Shanghai"))
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            zh, en = f"没有时区 {zone},例如 Asia/Shanghai", f"no zone {zone}; e.g. Asia/Shanghai"
            raise _wrong(self._where, "zone", zh, en) from None
        hours: dict[int, tuple[tuple[int, int], ...]] = dict.fromkeys(range(5), DAY)
        table = self._section("hours")
        if table:
            hours = {}
        for name, spans in table.items():
            if name not in WEEKDAYS:
                zh, en = f"星期应为 {', '.join(WEEKDAYS)}", f"days are {', '.join(WEEKDAYS)}"
                raise _wrong(self._where, f"hours.{name}", zh, en)
            texts = [spans] if isinstance(spans, str) else list(spans)
            hours[WEEKDAYS.index(name)] = tuple(self._span(f"hours.{name}", t) for t in texts)
        for day, many in hours.items():
            if any(a[1] > b[0] for a, b in pairwise(many)):
                zh, en = "时段应按先后写,不能重叠", "spans must be in order and not overlap"
                raise _wrong(self._where, f"hours.{WEEKDAYS[day]}", zh, en)
        holidays = frozenset(self._day("holidays", d) for d in self._given.get("holidays", []))
        worked = self._given.get("workdays", {})
        if isinstance(worked, list):  # a worked day off has a Monday's hours
            worked = dict.fromkeys(map(str, worked), "mon")
        workdays = {self._day("workdays", d): self._weekday(w) for d, w in worked.items()}
        return Calendar(zone, hours, holidays, workdays)

    def targets(self) -> dict[Priority, Target]:
        out: dict[Any, Target] = dict(TARGETS)
        for name, value in self._section("targets").items():
            at = f"targets.{name}"
            if name not in PRIORITIES:
                known = ", ".join(PRIORITIES)
                raise _wrong(self._where, at, f"优先级应为 {known}", f"priorities are {known}")
            found = [value.get(k) for k in ("response", "resolution")] if value else []
            if len(found) != 2 or not all(type(v) is int and v > 0 for v in found):
                zh = "应为 {response = 分钟, resolution = 分钟},都大于 0"
                en = "must be {response = MINUTES, resolution = MINUTES}, both above 0"
                raise _wrong(self._where, at, zh, en)
            out[name] = Target(*found)
        return out

    def agents(self) -> tuple[Agent, ...]:
        out: list[Agent] = []
        for entry in self._given.get("agents", []):
            user, skills = entry.get("user"), entry.get("skills", [])
            limit = entry.get("limit", 20)
            if not isinstance(user, str) or type(limit) is not int or limit < 1:
                zh = '应为 {user = "用户", skills = [...], limit = 张数}'
                en = 'must be {user = "USER", skills = [...], limit = TICKETS}'
                raise _wrong(self._where, "agents", zh, en)
            for skill in skills:
                if skill not in INTENTS:
                    known = ", ".join(INTENTS)
                    zh, en = (
                        f"没有类别 {skill};有:{known}",
                        f"no category {skill}; there are: {known}",
                    )
                    raise _wrong(self._where, "agents.skills", zh, en)
            out.append(Agent(user, frozenset(skills), limit))
        return tuple(out)

    def orders(self) -> OrderCheck | None:
        given = self._section("orders")
        if not given:
            return None
        if not {"tool", "parameter"} <= set(given):
            zh, en = "应为 {tool = ..., parameter = ...}", "must be {tool = ..., parameter = ...}"
            raise _wrong(self._where, "orders", zh, en)
        return OrderCheck(str(given["tool"]), str(given["parameter"]))

    def _section(self, name: str) -> Mapping[str, Any]:
        value = self._given.get(name, {})
        if not isinstance(value, Mapping):
            raise _wrong(self._where, name, "应为一节", "must be a section")
        return value

    def _span(self, at: str, text: Any) -> tuple[int, int]:
        begin, _, end = str(text).partition("-")
        try:
            a, b = (int(h) * 60 + int(m) for h, m in (p.strip().split(":") for p in (begin, end)))
        except ValueError:
            a, b = 1, 0
        if not 0 <= a < b <= 1_440:
            raise _wrong(self._where, at, '应写成 "09:00-18:00"', 'must look like "09:00-18:00"')
        return a, b

    def _day(self, at: str, value: Any) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            zh, en = "日期应写成 2026-10-01", "a day looks like 2026-10-01"
            raise _wrong(self._where, at, zh, en) from None

    def _weekday(self, name: Any) -> int:
        if name not in WEEKDAYS:
            known = ", ".join(WEEKDAYS)
            raise _wrong(self._where, "workdays", f"星期应为 {known}", f"days are {known}")
        return WEEKDAYS.index(name)


def _wrong(where: Path | str, name: str, zh: str, en: str) -> ConfigError:
    at = f"desk.{name}" if name else "desk"
    return ConfigError(where, None, f"{at} {zh}", f"{at} {en}")
