"""Changes of roles that wait for a second administrator's word."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Boolean, Column, Float, String, Table, insert, select, update
from sqlalchemy import Text as LongText

from dazi.core.errors import CallerError, NotFound
from dazi.store.database import Database, metadata

LIFETIME_S = 7 * 86_400.0

role_requests = Table(
    "role_requests",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(64), nullable=False),
    Column("give", Boolean, nullable=False),
    Column("roles", LongText, nullable=False),
    Column("requester", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("state", String(12), nullable=False),
    Column("decided_by", String(64)),
    Column("decided_at", Float),
)


@dataclass(frozen=True, slots=True)
class RoleChange:
    """Roles to give to ``user``, or to take."""

    tenant: str
    user: str
    roles: frozenset[str]
    give: bool


@dataclass(frozen=True, slots=True)
class RoleRequest:
    """``at`` and ``expires`` in seconds since the epoch."""

    id: str
    change: RoleChange
    requester: str
    at: float
    expires: float
    state: Literal["pending", "confirmed", "declined"] = "pending"


class RoleRequests:
    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def ask(self, change: RoleChange, requester: str) -> RoleRequest:
        now = self._clock()
        made = RoleRequest(secrets.token_hex(8), change, requester, now, now + LIFETIME_S)
        async with self._database.write() as connection:
            await connection.execute(
                insert(role_requests).values(
                    id=made.id,
                    tenant=change.tenant,
                    user=change.user,
                    give=change.give,
                    roles=json.dumps(sorted(change.roles)),
                    requester=requester,
                    at=now,
                    expires=made.expires,
                    state="pending",
                )
            )
        return made

    async def get(self, tenant: str, id: str) -> RoleRequest:
        """Raises ``NotFound``."""
        c = role_requests.c
        query = select(role_requests).where(c.id == id, c.tenant == tenant)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFound("role_request", "没有这个申请", "no such request")
        return _request(row)

    async def pending(self, tenant: str) -> list[RoleRequest]:
        """Oldest first."""
        c = role_requests.c
        query = select(role_requests).where(
            c.tenant == tenant, c.state == "pending", c.expires > self._clock()
        )
        async with self._database.read() as connection:
            found = await connection.execute(query.order_by(c.at))
            return [_request(row) for row in found.mappings()]

    async def settle(self, request: RoleRequest, by: str, *, confirm: bool) -> None:
        """Use it up. Raises ``CallerError`` where it was decided before or has expired."""
        c = role_requests.c
        now = self._clock()
        async with self._database.write() as connection:
            done = await connection.execute(
                update(role_requests)
                .where(c.id == request.id, c.state == "pending", c.expires > now)
                .values(state="confirmed" if confirm else "declined", decided_by=by, decided_at=now)
            )
        if done.rowcount != 1:
            raise CallerError(
                "already_decided",
                "这个申请已经处理过或过期了",
                "this request has been decided already, or has expired",
            )


def _request(row: Any) -> RoleRequest:
    change = RoleChange(
        row["tenant"], row["user"], frozenset(json.loads(row["roles"])), row["give"]
    )
    return RoleRequest(row["id"], change, row["requester"], row["at"], row["expires"], row["state"])
