"""``models.yaml``: the servers of a pool, how it chooses among them, and what may leave the house."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dazi.core.engine import TASKS
from dazi.core.errors import OperatorError
from dazi.core.source import Source
from dazi.inference.dialects import Kind
from dazi.inference.remote import base_url

Balance = Literal["prefix", "least", "round-robin"]
Place = Literal["private", "cloud"]
Leaving = Literal["pseudonymise", "refuse", "as-is"]
PLACES: tuple[Place, ...] = ("private", "cloud")
BUNDLED = "bundled"
PERSONAL, SECRETS = "personal", "secret"
"""Labels for any data of a person, and for keys and passwords."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PoolRules(_Strict):
    """Numbers in seconds where they are times.

    ``load_bound``: with ``prefix``, a server takes at most so many times its fair share of what is
    under way, and ``load_slack`` requests more, before the next gets them (bounded loads: Mirrokni,
    Thorup, Zadimoghaddam 2016): few requests at a time cost a server less than an unknown prompt.
    ``attempts``: servers tried for one request, all before its first token; after that nothing is
    tried again. ``hedge``: after so long without a first token a second server is asked as well; 0
    is never. ``queue`` requests may wait ``queue_seconds`` for a place. After ``failures`` in a row
    a server rests ``rest_seconds``, twice as long each time up to eightfold.
    """

    balance: Balance = "prefix"
    load_bound: float = Field(1.25, ge=1, le=10)
    load_slack: int = Field(4, ge=0)
    attempts: int = Field(3, ge=1, le=10)
    first_token_seconds: float = Field(30, gt=0)
    deadline_seconds: float = Field(300, gt=0)
    hedge_seconds: float = Field(0, ge=0)
    queue: int = Field(256, ge=0)
    queue_seconds: float = Field(5, gt=0)
    failures: int = Field(3, ge=1)
    rest_seconds: float = Field(10, gt=0)
    health_seconds: float = Field(5, gt=0)
    reload_seconds: float = Field(2, gt=0)


class Price(_Strict):
    """Yuan for a million tokens."""

    read: float = Field(ge=0)
    written: float = Field(ge=0)


class BackendSpec(_Strict):
    """One server, or with ``embedded`` a model in this process (``bundled`` or a path), with ``adapter``
    under a LoRA adapter's file.

    ``key_env`` names an environment variable: keys stand in no file. ``tier``: 0 answers; higher
    ones do where no lower one can, and the answer says so. ``at_once``: requests under way.
    ``adapters``: LoRA adapters that the server has, by their names there. ``drain``: no new requests.
    ``profile``: a folder whose ``dazi_model.json`` says how the model wants to be treated (``bundled``
    or a path), in place of ``context_tokens``, ``offered_tools`` and ``thinks``.
    """

    url: str = ""
    embedded: str = ""
    adapter: str = ""
    model: str = ""
    kind: Kind = "compatible"
    key_env: str = ""
    tier: int = Field(0, ge=0, le=9)
    place: Place = "private"
    weight: float = Field(1, gt=0)
    at_once: int = Field(64, ge=1)
    context_tokens: int = Field(32_768, ge=256)
    offered_tools: int = Field(12, ge=1)
    thinks: bool = True
    profile: str = ""
    vision: bool = False
    adapters: tuple[str, ...] = Field((), strict=False)
    price: Price | None = None
    silent_seconds: float = Field(60, gt=0)
    drain: bool = False


class Conditions(_Strict):
    """All that are given must hold; none is always. ``labels``: types that the guard finds in what
    would be sent, or ``personal`` for any of a person, ``secret`` for keys and passwords; ``results``: tools whose
    results would be sent; ``load``: at least this share of the private places is taken;
    ``tokens``: the prompt has at least so many."""

    labels: tuple[str, ...] = Field((), strict=False)
    roles: tuple[str, ...] = Field((), strict=False)
    tasks: tuple[str, ...] = Field((), strict=False)
    results: tuple[str, ...] = Field((), strict=False)
    load: float = Field(0, ge=0, le=1)
    tokens: int = Field(0, ge=0)


class RouteSpec(_Strict):
    """The first route whose conditions hold decides. ``to``: places or servers, in order of
    preference. ``leaving``: what is done with personal data that would go to a cloud. ``adapter``: of
    these servers, the LoRA adapter that answers. ``thinking``: whether the model thinks first, whatever
    was asked for."""

    name: str
    when: Conditions = Conditions()
    to: tuple[str, ...] = Field(("private",), strict=False, min_length=1)
    leaving: Leaving = "pseudonymise"
    adapter: str = ""
    thinking: bool | None = None


class PoolFile(_Strict):
    pool: PoolRules = PoolRules()
    backends: dict[str, BackendSpec] = Field(min_length=1)
    routes: tuple[RouteSpec, ...] = Field((), strict=False)
    cloud_yuan_per_day: float = Field(0, ge=0)
    """What clouds may cost a day; 0 is no limit."""


@dataclass(frozen=True, slots=True)
class PoolConfig:
    rules: PoolRules
    backends: Mapping[str, BackendSpec]
    routes: tuple[RouteSpec, ...] = ()
    cloud_yuan_per_day: float = 0.0
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By backend."""


@dataclass(frozen=True, slots=True)
class Known:
    """What conditions may name: types that the guard finds, roles, and tools."""

    labels: frozenset[str]
    roles: frozenset[str]
    tools: frozenset[str]


def read_pool(
    source: Source, environment: Mapping[str, str] | None = None, known: Known | None = None
) -> PoolConfig:
    """``known``: without it names in conditions are not looked up. Raises ``ConfigError`` with file,
    line and mend."""
    environment = os.environ if environment is None else environment
    file = _validated(source)
    for name, spec in file.backends.items():
        _check_backend(source, name, spec)
    if all(s.place == "cloud" for s in file.backends.values()) and not file.routes:
        raise source.error(
            ("backends",),
            "只有云上的服务:写一条 routes 说明什么可以出公司,例如 {name: 全部, to: [cloud]}",
            "all servers are in a cloud: write a route that says what may leave the house, e.g. "
            "{name: all, to: [cloud]}",
        )
    for i, route in enumerate(file.routes):
        if any(route.name == other.name for other in file.routes[:i]):
            raise source.error(
                ("routes", i, "name"),
                f"名字 “{route.name}” 用了两次",
                f"the name “{route.name}” is given twice",
            )
        _check_route(source, i, route, file.backends)
        if known is not None:
            _check_conditions(source, i, route.when, known)
    if file.cloud_yuan_per_day:
        for name, spec in file.backends.items():
            if spec.place == "cloud" and spec.price is None:
                raise source.error(
                    ("backends", name),
                    f"写了 cloud_yuan_per_day,{name} 还要写 price: {{read: …, written: …}}(元/百万词元)",
                    f"with cloud_yuan_per_day, {name} needs price: {{read: …, written: …}} (yuan a "
                    "million tokens)",
                )
    keys = {
        name: _key(source, name, spec.key_env, environment)
        for name, spec in file.backends.items()
        if spec.key_env
    }
    return PoolConfig(file.pool, file.backends, file.routes, file.cloud_yuan_per_day, keys)


def _validated(source: Source) -> PoolFile:
    try:
        return PoolFile.model_validate(source.data or {})
    except ValidationError as e:
        first = e.errors()[0]
        path = [p for p in first["loc"] if isinstance(p, str | int)]
        where = ".".join(map(str, path)) or "backends"
        zh = {"extra_forbidden": "不认识这个键,检查拼写", "missing": "缺这一项"}
        raise source.error(
            path,
            f"{where}:{zh.get(first['type'], '值不对')}({first['msg']})",
            f"{where}: {first['msg']}",
        ) from None


def _check_backend(source: Source, name: str, spec: BackendSpec) -> None:
    path: Sequence[str | int] = ("backends", name)
    if not _NAME.fullmatch(name) or name in PLACES:
        raise source.error(
            path,
            f"名字 “{name}” 不能用:字母、数字、点、横线,不能是 private 或 cloud",
            f"the name “{name}” will not do: letters, digits, dots and dashes, and not private or cloud",
        )
    if bool(spec.url) == bool(spec.embedded):
        raise source.error(
            path,
            f"{name}:写 url(服务)或 embedded(本进程内的模型)中的一个",
            f"{name}: give either url (a server) or embedded (a model in this process)",
        )
    if spec.embedded and (spec.place == "cloud" or spec.key_env or spec.adapters or spec.vision):
        raise source.error(
            path,
            f"{name}:本进程内的模型没有 place: cloud、key_env、adapters、vision",
            f"{name}: a model in this process has no place: cloud, key_env, adapters or vision",
        )
    if spec.adapter and not spec.embedded:
        raise source.error(
            (*path, "adapter"),
            f"{name}:adapter 是本进程内模型的适配器文件;服务上的写 adapters: [名字]",
            f"{name}: adapter is a file for a model in this process; of a server write adapters: [NAME]",
        )
    if spec.url:
        try:
            base_url(spec.url)
        except OperatorError as e:
            raise source.error((*path, "url"), e.text.zh, e.text.en) from None


def _check_route(
    source: Source, i: int, route: RouteSpec, backends: Mapping[str, BackendSpec]
) -> None:
    known = [*PLACES, *backends]
    for to in route.to:
        if to not in known:
            raise source.error(
                ("routes", i, "to"),
                f"没有 “{to}”,可用:{', '.join(known)}",
                f"there is no “{to}”; known: {', '.join(known)}",
            )
    adapters = {a for s in backends.values() for a in s.adapters}
    if route.adapter and route.adapter not in adapters:
        raise source.error(
            ("routes", i, "adapter"),
            f"没有服务写了 adapters: [{route.adapter}]",
            f"no server has adapters: [{route.adapter}]",
        )


def _check_conditions(source: Source, i: int, when: Conditions, known: Known) -> None:
    """A name that means nothing would let through what it was to keep."""
    kinds: tuple[tuple[str, Sequence[str], Iterable[str]], ...] = (
        ("labels", when.labels, {*known.labels, PERSONAL, SECRETS}),
        ("tasks", when.tasks, TASKS),
        ("roles", when.roles, known.roles),
        ("results", when.results, known.tools),
    )
    for key, given, there_are in kinds:
        for name in given:
            if name not in there_are:
                near = difflib.get_close_matches(name, list(there_are), 1) or sorted(there_are)
                raise source.error(
                    ("routes", i, "when", key),
                    f"没有 “{name}”,可用:{', '.join(near)}",
                    f"there is no “{name}”; use {', '.join(near)}",
                )


def _key(source: Source, name: str, variable: str, environment: Mapping[str, str]) -> str:
    key = environment.get(variable, "")
    if not key:
        raise source.error(
            ("backends", name, "key_env"),
            f"环境变量 {variable} 没有设置;把 {name} 的密钥放在里面",
            f"the environment variable {variable} is not set; put the key of {name} there",
        )
    return key
