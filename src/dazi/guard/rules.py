"""``guard.yaml`` of a company folder: what is done about which finding, where and for whom."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from dazi.core.principal import Principal
from dazi.core.source import Source
from dazi.guard.patterns import MAX_WIDTH, Unbounded, width
from dazi.guard.recognisers.base import Recogniser, shape
from dazi.guard.recognisers.labels import labelled
from dazi.guard.recognisers.registry import TYPES, registered
from dazi.guard.words import SEVERITIES

Scope = Literal["input", "output", "arguments", "results", "documents"]
Action = Literal["allow", "pseudonymise", "mask", "ask", "block"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
ACTIONS: tuple[Action, ...] = get_args(Action)
"""From the mildest to the strictest."""

POSSIBLE: Mapping[Scope, frozenset[Action]] = {
    "input": frozenset({"allow", "pseudonymise", "mask", "block"}),
    "output": frozenset({"allow", "mask", "block"}),
    "arguments": frozenset({"allow", "ask", "block"}),
    "results": frozenset({"allow", "pseudonymise", "mask", "block"}),
    "documents": frozenset({"allow", "pseudonymise", "mask", "block"}),
}
"""What is carried out where: only a call can wait for a person, and its arguments are carried out as
they were decided on. A pseudonym stands for what a model reads; what it writes is restored before
anything else sees it, so that there is nothing to hide in answers and arguments."""

DEFAULTS: Mapping[Scope, Mapping[str, Action]] = {
    "input": {"word:high": "block"},
    "output": {
        "resident_id": "mask",
        "bank_card": "mask",
        "api_key": "mask",
        "word:high": "block",
        "word:medium": "mask",
    },
    "arguments": {"word:high": "block"},
    "results": {},
    "documents": {},
}
"""People may say and look up what they need for their work; what leaves in an answer is masked where
it is of use to nobody who may see it in full elsewhere. Other types are allowed."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ExceptionFile(_Strict):
    """``actions`` for the channels and roles named; for all where none is."""

    scope: Scope
    channels: list[str] = []
    roles: list[str] = []
    actions: dict[str, Action]


class RecogniserFile(_Strict):
    """``pattern`` is matched against folded text. With ``label``, only right behind that."""

    pattern: str
    label: str = ""


class GuardFile(_Strict):
    input: dict[str, Action] = {}
    output: dict[str, Action] = {}
    arguments: dict[str, Action] = {}
    results: dict[str, Action] = {}
    documents: dict[str, Action] = {}
    exceptions: list[ExceptionFile] = []
    recognisers: dict[str, RecogniserFile] = {}


@dataclass(frozen=True, slots=True)
class Exemption:
    scope: Scope
    channels: frozenset[str]
    roles: frozenset[str]
    actions: Mapping[str, Action]

    def concerns(self, scope: Scope, principal: Principal | None) -> bool:
        if scope != self.scope:
            return False
        if not self.channels and not self.roles:
            return True
        if principal is None:
            return False
        return (not self.channels or principal.channel in self.channels) and (
            not self.roles or principal.has_role(*self.roles)
        )


class Hidden(NamedTuple):
    """Types that a model sees pseudonyms of: in what people say, in what tools and documents hold,
    and in either."""

    said: frozenset[str]
    found: frozenset[str]
    every: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is done about a type that is not named: nothing."""

    actions: Mapping[Scope, Mapping[str, Action]]
    exemptions: tuple[Exemption, ...] = ()

    def of(self, scope: Scope, principal: Principal | None) -> dict[str, Action]:
        """By type; what is allowed is left out. Later exceptions come before earlier ones."""
        found = dict(self.actions[scope])
        for exemption in self.exemptions:
            if exemption.concerns(scope, principal):
                found.update(exemption.actions)
        return {type_: action for type_, action in found.items() if action != "allow"}

    @property
    def hides(self) -> bool:
        """Is anything pseudonymised for anybody?"""
        given = [*self.actions.values(), *(e.actions for e in self.exemptions)]
        return any("pseudonymise" in actions.values() for actions in given)

    def hidden(self, channel: str, roles: frozenset[str]) -> Hidden | None:
        """What is pseudonymised for whoever has these roles there."""
        who = Principal("", roles, channel=channel)

        def types(scope: Scope) -> frozenset[str]:
            actions = self.of(scope, who)
            return frozenset(t for t, action in actions.items() if action == "pseudonymise")

        said, found = types("input"), types("results") | types("documents")
        return Hidden(said, found, said | found) if said or found else None


DEFAULT_RULES = Rules(DEFAULTS)


def strictest(actions: Iterable[Action]) -> Action:
    return max(actions, key=ACTIONS.index, default="allow")


def read_rules(source: Source) -> tuple[Rules, tuple[Recogniser, ...]]:
    """The rules, and all recognisers with the company's own.

    Raises ``ConfigError`` with file, line and mend.
    """
    file = _validated(source)
    own = tuple(_recogniser(source, name, entry) for name, entry in file.recognisers.items())
    known = [*TYPES, *(r.type for r in own), *(f"word:{s}" for s in SEVERITIES)]
    actions: dict[Scope, Mapping[str, Action]] = {}
    for scope in SCOPES:
        given: dict[str, Action] = getattr(file, scope)
        _check(source, (scope,), scope, given, known)
        actions[scope] = {**DEFAULTS[scope], **given}
    exemptions = []
    for i, entry in enumerate(file.exceptions):
        _check(source, ("exceptions", i, "actions"), entry.scope, entry.actions, known)
        exemptions.append(
            Exemption(entry.scope, frozenset(entry.channels), frozenset(entry.roles), entry.actions)
        )
    return Rules(actions, tuple(exemptions)), registered(own)


def _validated(source: Source) -> GuardFile:
    try:
        return GuardFile.model_validate(source.data or {})
    except ValidationError as e:
        first = e.errors()[0]
        path = [p for p in first["loc"] if isinstance(p, str | int)]
        where = ".".join(map(str, path))
        zh = {"extra_forbidden": "不认识这个键,检查拼写", "literal_error": "取值不在允许的范围内"}
        raise source.error(
            path,
            f"{where}:{zh.get(first['type'], '值不对')}({first['msg']})",
            f"{where}: {first['msg']}",
        ) from None


def _check(
    source: Source,
    path: tuple[str | int, ...],
    scope: Scope,
    actions: Mapping[str, Action],
    known: Sequence[str],
) -> None:
    for type_, action in actions.items():
        if type_ not in known:
            near = difflib.get_close_matches(type_, known, 1)
            names = near[0] if near else ", ".join(known)
            raise source.error(
                (*path, type_),
                f"没有 “{type_}” 这一类,可用:{names}",
                f"no type “{type_}”; use {names}",
            )
        if action not in POSSIBLE[scope]:
            possible = ", ".join(a for a in ACTIONS if a in POSSIBLE[scope])
            raise source.error(
                (*path, type_),
                f"{scope} 不能用 {action},可用:{possible}",
                f"{action} is not possible in {scope}; use one of {possible}",
            )


def _recogniser(source: Source, name: str, entry: RecogniserFile) -> Recogniser:
    path = ("recognisers", name)
    if not _NAME.fullmatch(name):
        raise source.error(
            path,
            f"名字 “{name}” 只能用小写字母、数字和下划线",
            f"the name “{name}” may hold lower-case letters, digits and underscores only",
        )
    try:
        longest = width(entry.pattern)
    except re.error as e:
        raise source.error(
            (*path, "pattern"), f"正则表达式有误:{e}", f"not a valid regular expression: {e}"
        ) from None
    except Unbounded as e:
        raise source.error(
            (*path, "pattern"), f"不能用这样的正则表达式:{e}", f"the expression holds {e}"
        ) from None
    if not 0 < longest <= MAX_WIDTH or re.compile(entry.pattern).match("") is not None:
        raise source.error(
            (*path, "pattern"),
            f"最少匹配 1 个字、最多 {MAX_WIDTH} 个字,现在最多 {longest} 个",
            f"it must match 1 to {MAX_WIDTH} characters; now it matches up to {longest}",
        )
    pattern = re.compile(entry.pattern)
    check = labelled(entry.label) if entry.label else shape
    return Recogniser(f"custom:{name}", "any", pattern, check)
