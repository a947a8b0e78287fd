"""``[risk]`` of dazi.toml: where transactions are, how many people can look at, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dazi.apps.risk.lifecycle import Plan
from dazi.apps.risk.service import Rights
from dazi.core.company import Company
from dazi.core.errors import ConfigError

SHARES = ("review", "hold")
KEYS = frozenset(
    {"database", "transactions", "reviewers", "managers", "settle_days", *SHARES, "train"}
)


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """``query``: a SELECT whose columns are named after the fields of a transaction. ``trains``: a
    model is made at the first use."""

    database: str
    query: str
    rights: Rights
    plan: Plan
    trains: bool


def risk_settings(company: Company) -> RiskSettings | None:
    """``None`` where nothing is declared. Raises ``ConfigError``."""
    given: Mapping[str, Any] | None = company.settings.get("risk")
    if given is None:
        return None
    for key in given:
        if key not in KEYS:
            known = ", ".join(sorted(KEYS))
            raise _wrong(
                company, f"不认识 “{key}”,可用:{known}", f"no such key “{key}”; known: {known}"
            )
    database, query = given.get("database", ""), given.get("transactions", "")
    if database not in company.settings.get("databases", {}):
        raise _wrong(
            company, f"[databases] 里没有 “{database}”", f"[databases] has no “{database}”"
        )
    if not isinstance(query, str) or not query.strip().lower().startswith(("select", "with")):
        raise _wrong(company, "transactions 应是一条 SELECT", "transactions must be a SELECT")
    return RiskSettings(
        database,
        query.strip().rstrip(";"),
        Rights(_roles(company, given, "reviewers"), _roles(company, given, "managers")),
        _plan(company, given),
        bool(given.get("train", False)),
    )


def _plan(company: Company, given: Mapping[str, Any]) -> Plan:
    plan = Plan()
    shares: dict[str, float] = {}
    for name in SHARES:
        value = given.get(name, getattr(plan, name))
        if not isinstance(value, int | float) or not 0 < value < 1:
            raise _wrong(
                company, f"{name} 应是 0 到 1 之间的份额", f"{name} must be a share, 0 to 1"
            )
        shares[name] = float(value)
    days = given.get("settle_days", plan.settle_days)
    if not isinstance(days, int | float) or not 0 <= days <= 365:
        raise _wrong(company, "settle_days 应是天数", "settle_days must be a number of days")
    if shares["hold"] > shares["review"]:
        raise _wrong(company, "hold 不能多于 review", "hold must not be more than review")
    return replace(plan, settle_days=float(days), review=shares["review"], hold=shares["hold"])


def _roles(company: Company, given: Mapping[str, Any], key: str) -> frozenset[str]:
    default = ["risk"] if key == "reviewers" else ["risk", "admin"]
    named = given.get(key, [r for r in default if r in company.roles])
    if not isinstance(named, list) or not named or any(r not in company.roles for r in named):
        raise _wrong(
            company, f"{key} 应列出 roles.yaml 里的角色", f"{key} must list roles of roles.yaml"
        )
    return frozenset(named)


def _wrong(company: Company, zh: str, en: str) -> ConfigError:
    return ConfigError(company.folder / "dazi.toml", None, f"[risk] {zh}", f"[risk] {en}")
