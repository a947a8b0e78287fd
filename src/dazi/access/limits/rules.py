"""``[[limits]]`` and ``[prices]`` of ``dazi.toml``: how much whom may use, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from dazi.core.engine import Usage
from dazi.core.errors import ConfigError
from dazi.core.principal import Principal

Per = Literal["key", "user", "role", "tenant", "channel", "all"]
_NUMBERS = ("requests_per_minute", "tokens_per_minute", "concurrent")
_KEYS = frozenset({"per", "only", "yuan_per_month", *_NUMBERS})
MICRO = 1_000_000
"""Money is counted in millionths of a yuan."""


@dataclass(frozen=True, slots=True)
class LimitRule:
    """For each ``per``, or for the one named ``only``. 0 is no limit."""

    per: Per
    only: str = ""
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrent: int = 0
    micros_per_month: int = 0

    def scopes(self, principal: Principal, key: str) -> Iterator[str]:
        """The counters of this rule that ``principal``'s requests count in."""
        named: Sequence[str]
        match self.per:
            case "key":
                named = (key,) if key else ()
            case "user":
                named = (principal.user,)
            case "role":
                named = sorted(principal.roles) if self.only else ()
            case "tenant":
                named = (principal.tenant,)
            case "channel":
                named = (principal.channel,)
            case "all":
                named = ("",)
        # A person of another tenant is somebody else, whatever they are called.
        tenant = principal.tenant if self.per in ("user", "role") else ""
        for name in named:
            if not self.only or name == self.only:
                yield f"{self.per}:{tenant}:{name}"


@dataclass(frozen=True, slots=True)
class Price:
    """Millionths of a yuan for a million tokens."""

    prompt: int
    completion: int

    def cost(self, usage: Usage) -> int:
        """In millionths of a yuan, rounded up."""
        return -(-(usage.prompt * self.prompt + usage.completion * self.completion) // MICRO)

    def yuan(self, usage: Usage) -> float:
        return self.cost(usage) / MICRO


def micros(yuan: float) -> int:
    """Millionths of a yuan, rounded up; what floating point added to a whole number of them is none."""
    return math.ceil(round(yuan * MICRO, 3))


def rules_of(settings: Mapping[str, Any], folder: Path) -> tuple[LimitRule, ...]:
    """Raises ``ConfigError``."""
    given = settings.get("limits", [])
    if not isinstance(given, list):
        raise _wrong(folder, "limits 要写成 [[limits]]", "limits are written as [[limits]]")
    rules = tuple(_rule(entry, folder) for entry in given)
    seen: set[tuple[str, str, str]] = set()
    for rule in rules:
        for name in (*_NUMBERS, "micros_per_month"):
            place = (rule.per, rule.only, name)
            if getattr(rule, name) and place in seen:
                shown = "yuan_per_month" if name == "micros_per_month" else name
                raise _wrong(
                    folder,
                    f"[[limits]] per = {rule.per} 的 {shown} 写了两次",
                    f"[[limits]] gives {shown} of per = {rule.per} twice",
                )
            if getattr(rule, name):
                seen.add(place)
    return rules


def lines_of(folder: Path) -> list[int]:
    """Where each of the rules begins in ``dazi.toml``, in their order; none where they are written
    in another way than as ``[[limits]]``."""
    try:
        text = (folder / "dazi.toml").read_text("utf-8")
    except OSError:
        return []
    headed = enumerate(text.splitlines(), 1)
    return [n for n, line in headed if line.split("#")[0].strip().replace(" ", "") == "[[limits]]"]


def _rule(entry: Mapping[str, Any], folder: Path) -> LimitRule:
    unknown = sorted(entry.keys() - _KEYS)
    if unknown:
        known = ", ".join(sorted(_KEYS))
        raise _wrong(
            folder,
            f"[[limits]] 不认识 {unknown[0]},可用:{known}",
            f"[[limits]] does not know {unknown[0]}; known: {known}",
        )
    per = entry.get("per", "user")
    if per not in get_args(Per):
        known = ", ".join(get_args(Per))
        raise _wrong(
            folder,
            f"[[limits]] per = {per},只能是 {known}",
            f"[[limits]] per = {per} must be one of {known}",
        )
    only = str(entry.get("only", ""))
    if per == "role" and not only:
        raise _wrong(
            folder,
            '[[limits]] per = "role" 要用 only 写明角色',
            '[[limits]] per = "role" names the role in only',
        )
    numbers = {name: _number(entry, name, folder) for name in _NUMBERS}
    yuan = entry.get("yuan_per_month", 0)
    if isinstance(yuan, bool) or not isinstance(yuan, int | float) or yuan < 0:
        raise _wrong(
            folder, "yuan_per_month 要是不小于 0 的数", "yuan_per_month is a number, 0 or more"
        )
    if not any(numbers.values()) and not yuan:
        raise _wrong(folder, "[[limits]] 没有写任何上限", "[[limits]] limits nothing")
    return LimitRule(per, only, **numbers, micros_per_month=round(yuan * MICRO))


def _number(entry: Mapping[str, Any], name: str, folder: Path) -> int:
    value = entry.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong(folder, f"{name} 要是不小于 0 的整数", f"{name} is a whole number, 0 or more")
    return value


def prices_of(settings: Mapping[str, Any], folder: Path) -> dict[str, Price]:
    """Yuan for a million tokens, by the model's name. Raises ``ConfigError``."""
    out: dict[str, Price] = {}
    for model, entry in settings.get("prices", {}).items():
        values = [entry.get(k, 0) for k in ("prompt", "completion")] if entry else []
        good = len(values) == 2 and not set(entry) - {"prompt", "completion"}
        if not good or any(not isinstance(v, int | float) or v < 0 for v in values):
            raise _wrong(
                folder,
                f'[prices] "{model}" 要写成 {{ prompt = 元/百万词元, completion = … }}',
                f'[prices] "{model}" is written {{ prompt = YUAN_PER_MILLION, completion = ... }}',
            )
        out[model] = Price(*(round(v * MICRO) for v in values))
    return out


def _wrong(folder: Path, zh: str, en: str) -> ConfigError:
    return ConfigError(folder / "dazi.toml", None, zh, en)
