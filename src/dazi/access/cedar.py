"""Policies in Cedar: the tools' role lists and the company's own ``policies/*.cedar``.

Anything but Allow without an error is a deny. The role list of a tool is one ``permit`` a role;
the company's statements add to it and take from it. A call is evaluated against only those
statements whose head can apply to its tool, so that the number of tools costs nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cedarpy
import msgspec

from dazi.access.cedar_schema import (
    Wanted,
    attributes_of,
    context_of,
    schema_of,
    shared_entities,
    user_entity,
)
from dazi.access.policy import Decision, Facts
from dazi.access.statements import Statement, statements_of
from dazi.core.company import Company, PolicySource
from dazi.core.errors import ConfigError
from dazi.core.principal import Principal
from dazi.core.signals import LABELS
from dazi.core.tools import Tool

CACHED = 4096
"""Principals and answers kept; beyond that the caches start anew."""
TOO_LONG = 1_000
"""Characters of a question that are worth keeping an answer to."""


@dataclass(frozen=True)
class _Slice:
    """The statements that can apply to one tool, and what of the context they look at."""

    statements: tuple[Statement, ...]
    policies: cedarpy.PolicySet
    wanted: Wanted
    approvers: tuple[str, ...]


class CedarPolicy:
    """Raises ``ConfigError`` with file, line and mend for a policy that is wrong."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._attributes = attributes_of(company)
        self.schema = schema_of(company)
        own = [s for source in company.policies for s in statements_of(source)]
        _check_names(own)
        _check_types(own, self.schema)
        self._check_roles(own)
        _check_signals(own)
        granted = _role_lists(company)
        self._slices = {
            tool.name: _slice([*own, *granted], tool) for tool in company.tools.values()
        }
        self.statements = (*own, *granted)
        self.own = len(own)
        self.version = _version(self.schema, self.statements, company)
        self._shared = cedarpy.Entities.from_json_str(json.dumps(shared_entities(company)))
        self._users: dict[Any, cedarpy.Entities] = {}
        self._answers: dict[Any, Decision] = {}

    def decide(self, principal: Principal, tool: Tool, facts: Facts) -> Decision:
        cut = self._slices.get(tool.name)
        if cut is None:
            return Decision(False, f"roles:{tool.name}")
        decided = self._evaluated(principal, tool, cut, facts)
        if decided.allowed or facts.confirmed:
            return decided
        if "confirmed" in cut.wanted.fields or cut.approvers:
            agreed = self._evaluated(principal, tool, cut, replace(facts, confirmed=True))
            if agreed.allowed:
                return replace(agreed, policy=decided.policy, confirm=True)
        for role in cut.approvers:
            held = self._company.roles.get(role, frozenset({role}))
            agreed = self._evaluated(
                principal, tool, cut, replace(facts, confirmed=True, approved_by=held)
            )
            if agreed.allowed:
                return replace(agreed, policy=decided.policy, confirm=True, approver=role)
        return decided

    def possible(self, principal: Principal, tool: Tool) -> Decision:
        cut = self._slices.get(tool.name)
        if cut is None:
            return Decision(False, f"roles:{tool.name}")
        if not cut.wanted.fields:
            return self.decide(principal, tool, Facts())
        key = ("possible", _key(principal), tool.name)
        if key not in self._answers:
            found = cedarpy.is_authorized_partial(
                {
                    "principal": _uid("User", principal.user),
                    "action": _uid("Action", tool.name),
                    "resource": _uid("System", tool.connector),
                },
                cut.policies,
                self._entities(principal),
            )
            denied = found.decision == cedarpy.Decision.Deny
            self._keep(key, Decision(not denied, _deciding(cut, found, tool)))
        return self._answers[key]

    def where(self, policy: str) -> Statement | None:
        """The statement of that name, to show to somebody who asks why."""
        return next((s for s in self.statements if s.name == policy), None)

    def of_tool(self, tool: str) -> tuple[Statement, ...]:
        """The statements that can apply to it, the company's own before those of its role list."""
        cut = self._slices.get(tool)
        return cut.statements if cut is not None else ()

    def _evaluated(self, principal: Principal, tool: Tool, cut: _Slice, facts: Facts) -> Decision:
        # Who asks for what, and of the call what any statement looks at: the rest cannot count.
        context = context_of(tool, facts, principal.channel, cut.wanted)
        asked = msgspec.json.encode(context).decode() if context else "{}"
        key = (_key(principal), tool.name, asked)
        kept = self._answers.get(key)
        if kept is not None:
            return kept
        try:
            found = cedarpy.is_authorized(
                {
                    "principal": {"type": "User", "id": principal.user},
                    "action": {"type": "Action", "id": tool.name},
                    "resource": {"type": "System", "id": tool.connector},
                    "context": asked,
                },
                cut.policies,
                self._entities(principal),
            )
        except ValueError as e:
            return Decision(False, f"error:{e}"[:200])
        errors = found.diagnostics.errors
        decision = (
            Decision(False, f"error:{errors[0]}"[:200])
            if errors
            else Decision(found.allowed, _deciding(cut, found, tool))
        )
        if len(asked) <= TOO_LONG:
            self._keep(key, decision)
        return decision

    def _entities(self, principal: Principal) -> cedarpy.Entities:
        key = _key(principal)
        if key not in self._users:
            if len(self._users) >= CACHED:
                self._users.clear()
            user = user_entity(principal, self._attributes)
            self._users[key] = self._shared.with_added_json_str(json.dumps([user]))
        return self._users[key]

    def _keep(self, key: Any, decision: Decision) -> None:
        if len(self._answers) >= CACHED:
            self._answers.clear()
        self._answers[key] = decision

    def _check_roles(self, statements: Sequence[Statement]) -> None:
        for s in statements:
            unknown = sorted((s.roles | s.approvers) - set(self._company.roles))
            if unknown:
                known = ", ".join(sorted(self._company.roles))
                raise ConfigError(
                    s.path,
                    s.line,
                    f"策略 {s.name} 用了 roles.yaml 里没有的角色 “{unknown[0]}”,可用:{known}",
                    f"policy {s.name} names role “{unknown[0]}”, which roles.yaml lacks; "
                    f"known: {known}",
                )


def _slice(statements: Sequence[Statement], tool: Tool) -> _Slice:
    groups = frozenset({tool.effect})
    kept = tuple(s for s in statements if s.concerns(tool.name, groups))
    text = "\n".join(s.text for s in kept)
    wanted = Wanted.of(path for s in kept for path in s.mentions)
    approvers = sorted({role for s in kept for role in s.approvers})
    return _Slice(kept, cedarpy.PolicySet.from_str(text), wanted, tuple(approvers))


def _role_lists(company: Company) -> list[Statement]:
    """The tools' ``roles`` as statements, each where its tool is declared."""
    pairs = [(tool, role) for tool in company.tools.values() for role in sorted(tool.roles)]
    texts = [
        f"@id({json.dumps(f'roles:{tool.name}:{role}')})\n"
        f"permit (principal in Role::{json.dumps(role)}, "
        f"action == Action::{json.dumps(tool.name)}, resource);"
        for tool, role in pairs
    ]
    # All at once: to go through Cedar's parser costs more than what it parses.
    statements = statements_of(PolicySource("", "".join(texts)))
    out: list[Statement] = []
    for (tool, _), statement in zip(pairs, statements, strict=True):
        path, _, line = tool.source.rpartition(":")
        out.append(replace(statement, path=path, line=int(line) if line.isdigit() else 1))
    return out


def _deciding(cut: _Slice, found: Any, tool: Tool) -> str:
    """The statement that decided; a company's own comes before a role list."""
    places = sorted(
        int(reason.removeprefix("policy"))
        for reason in found.diagnostics.reasons
        if reason.removeprefix("policy").isdigit()
    )
    return cut.statements[places[0]].name if places else f"roles:{tool.name}"


def _check_names(statements: Sequence[Statement]) -> None:
    seen: dict[str, Statement] = {}
    for s in statements:
        if s.name in seen or s.name.startswith(("roles:", "error:")):
            raise ConfigError(
                s.path,
                s.line,
                f"策略名 “{s.name}” 已经有了,换一个 @id",
                f"there is a policy “{s.name}” already; give it another @id",
            )
        seen[s.name] = s


def _check_signals(statements: Sequence[Statement]) -> None:
    for s in statements:
        unknown = sorted(s.signals - set(LABELS))
        if unknown:
            known = ", ".join(LABELS)
            raise ConfigError(
                s.path,
                s.line,
                f"策略 {s.name} 用了没有的信号 “{unknown[0]}”,可用:{known}",
                f"policy {s.name} names signal “{unknown[0]}”, which there is not; known: {known}",
            )


def _check_types(statements: Sequence[Statement], schema: str) -> None:
    """All at once first: each time Cedar reads the whole schema."""
    if cedarpy.validate_policies("\n".join(s.text for s in statements), schema).validation_passed:
        return
    for s in statements:
        result = cedarpy.validate_policies(s.text, schema)
        if not result.validation_passed:
            said = str(result.errors[0].error).removeprefix("for policy `policy0`, ")
            raise ConfigError(s.path, s.line, f"策略 {s.name}:{said}", f"policy {s.name}: {said}")


def _version(schema: str, statements: Sequence[Statement], company: Company) -> str:
    """Changes with the policies, the tools' schemas, effects and roles: approvals given under
    another version lapse."""
    digest = hashlib.sha256(schema.encode())
    for s in statements:
        digest.update(s.text.encode())
    for role, included in sorted(company.roles.items()):
        digest.update(f"{role}:{','.join(sorted(included))}".encode())
    for tool in company.tools.values():
        digest.update(f"{tool.name}:{tool.effect}:{tool.approver}".encode())
    return digest.hexdigest()[:16]


def _uid(kind: str, name: str) -> str:
    return f"{kind}::{json.dumps(name, ensure_ascii=False)}"


def _key(p: Principal) -> Any:
    return p.user, p.tenant, p.channel, p.roles, frozenset(p.attributes.items())
