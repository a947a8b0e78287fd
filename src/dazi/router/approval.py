"""What a person is asked to agree to, bound to its very arguments, and who may agree."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from dazi.core.errors import AccessError, NotFound
from dazi.core.principal import Principal

TicketState = Literal["pending", "approved", "rejected"]
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person is to agree to. ``sources``: where each argument's value came from.
    ``approver``: the role of the second person who must agree, empty for the requester."""

    user: str
    tenant: str
    channel: str
    thread: str
    turn: str
    call: str
    tool: str
    arguments: Mapping[str, Any]
    sources: Mapping[str, tuple[str, ...]]
    policy: str
    approver: str = ""

    @property
    def untrusted(self) -> dict[str, tuple[str, ...]]:
        """Arguments that are not the person's own words, with their sources."""
        return {n: labels for n, labels in self.sources.items() if labels != ("person",)}

    def digest(self, salt: bytes) -> str:
        """SHA-256 of everything that a decision is about, and of ``salt``, which is sealed."""
        parts = [
            salt,
            self.user,
            self.tenant,
            self.tool,
            self.arguments,
            self.sources,
            self.policy,
            self.approver,
        ]
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


@dataclass(frozen=True, slots=True)
class Ticket:
    """``at`` and ``expires`` in seconds since the epoch. ``approved_by``: the roles of whoever
    decided, where that was not the requester. ``reason``: why it was rejected. ``salt`` is empty
    where what is asked for could not be read."""

    id: str
    at: float
    expires: float
    asked: Asked
    digest: str
    salt: bytes = field(default=b"", repr=False)
    state: TicketState = "pending"
    decided_by: str = ""
    approved_by: frozenset[str] = field(default_factory=frozenset)
    reason: str = ""

    @property
    def user(self) -> str:
        return self.asked.user

    @property
    def thread(self) -> str:
        return self.asked.thread

    @property
    def turn(self) -> str:
        return self.asked.turn

    @property
    def call(self) -> str:
        return self.asked.call

    @property
    def tool(self) -> str:
        return self.asked.tool

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self.asked.arguments

    @property
    def approver(self) -> str:
        return self.asked.approver

    @property
    def genuine(self) -> bool:
        """Is it still about what was decided?"""
        same = secrets.compare_digest(self.digest, self.asked.digest(self.salt))
        return same and len(self.salt) == SALT_BYTES


def may_decide(ticket: Ticket, principal: Principal, approve: bool) -> frozenset[str]:
    """The roles that count as a second person's; raises unless ``principal`` may decide this."""
    own = ticket.user == principal.user and ticket.asked.tenant == principal.tenant
    if own and (not ticket.approver or not approve):
        return frozenset()  # one's own request may always be taken back
    if own:
        raise AccessError(
            "second_person",
            "这个操作要由另一个人批准,不能自己批准",
            "this needs somebody else's approval; you cannot approve it yourself",
        )
    foreign = ticket.asked.tenant != principal.tenant
    if foreign or not ticket.approver or not principal.has_role(ticket.approver):
        raise unknown()
    return principal.roles


def unknown() -> NotFound:
    return NotFound("ticket", "没有这个待确认的操作", "no such confirmation")
