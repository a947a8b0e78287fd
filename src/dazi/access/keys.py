"""API keys ``dz_ID_SECRET``. The secret is random (256 bits), so its SHA-256 is all that is kept."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    Float,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy import Text as LongText

from dazi.access.changes import Changes
from dazi.core.errors import CallerError, NotFound
from dazi.store.database import metadata

PREFIX = "dz"
ID_LENGTH = 12
DAY_S = 86_400.0
LONGEST_NAME = 100
MOST_ENTRIES = 100
_ENTRY = re.compile(r"[\w.:/@-]{1,200}")

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("version", Integer, nullable=False, index=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(64), nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("name", String(LONGEST_NAME), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("scope", LongText, nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("last_used", Float),
    Column("revoked_at", Float),
    Column("revoked_by", String(64)),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key is good for. ``roles``: at most these. ``tools``, ``models``, ``channels`` and
    ``networks`` (addresses or CIDR ranges): only these; all of them where none are named."""

    roles: frozenset[str]
    tools: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """``user``: whose rights bound it; ``made_by`` differs for a service account's keys. ``digest``:
    SHA-256 of the secret. Times in seconds since the epoch."""

    id: str
    tenant: str
    user: str
    made_by: str
    name: str
    digest: bytes = field(repr=False)
    scope: Scope
    created: float
    expires: float
    last_used: float | None = None
    revoked_at: float | None = None
    revoked_by: str = ""

    @property
    def prefix(self) -> str:
        """What may be shown of it."""
        return f"{PREFIX}_{self.id}_"


@dataclass(frozen=True, slots=True)
class Draft:
    """A key to be made. ``days``: how long it lasts."""

    tenant: str
    user: str
    name: str
    scope: Scope
    days: float


@dataclass(frozen=True, slots=True)
class Made:
    """``text`` is shown once."""

    text: str = field(repr=False)
    key: ApiKey


class Keys:
    """Keys in the database. ``longest_days``: no key lasts longer. ``clock``: seconds since the
    epoch."""

    def __init__(
        self,
        changes: Changes,
        longest_days: float = 365.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._changes = changes
        self.longest_days = longest_days
        self._clock = clock

    async def create(self, draft: Draft, made_by: str) -> Made:
        """Whether the scope is within the owner's rights is the caller's to see to. Raises
        ``CallerError``."""
        self.check(draft)
        now = self._clock()
        alphabet = string.ascii_lowercase + string.digits
        id = "".join(secrets.choice(alphabet) for _ in range(ID_LENGTH))
        secret = secrets.token_urlsafe(32)
        key = ApiKey(
            id, draft.tenant, draft.user, made_by, draft.name, digest_of(secret), draft.scope, now,
            now + draft.days * DAY_S,
        )  # fmt: skip
        async with self._changes.write() as change:
            row = _row(key) | {"version": change.version}
            await change.connection.execute(insert(api_keys).values(row))
        return Made(f"{key.prefix}{secret}", key)

    def check(self, draft: Draft) -> None:
        """Raises ``CallerError`` for what no key can be."""
        if not 0 < draft.days <= self.longest_days:
            raise CallerError(
                "key_days",
                f"有效期要大于 0、不超过 {self.longest_days:g} 天",
                f"a key lasts more than 0 and at most {self.longest_days:g} days",
            )
        if not 0 < len(draft.name) <= LONGEST_NAME or not draft.name.isprintable():
            raise CallerError(
                "key_name",
                f"给密钥取个名字,最多 {LONGEST_NAME} 个字符",
                f"a key needs a name of at most {LONGEST_NAME} characters",
            )
        scope = draft.scope
        for entries in (scope.roles, scope.tools, scope.models, scope.channels, scope.networks):
            wrong = next((e for e in entries if not _ENTRY.fullmatch(e)), None)
            if wrong is not None or len(entries) > MOST_ENTRIES:
                raise _wrong_scope(str(wrong or MOST_ENTRIES + 1))
        for network in scope.networks:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise _wrong_scope(network) from None

    async def revoke(self, tenant: str, id: str, by: str) -> None:
        """Raises ``NotFound`` for one that is not there; revoking twice changes nothing."""
        await self.get(tenant, id)
        await self._revoke(api_keys.c.id == id, by)

    async def revoke_all(self, tenant: str, user: str, by: str) -> None:
        await self._revoke(and_(api_keys.c.tenant == tenant, api_keys.c.user == user), by)

    async def get(self, tenant: str, id: str) -> ApiKey:
        """Raises ``NotFound``."""
        query = select(api_keys).where(api_keys.c.id == id, api_keys.c.tenant == tenant)
        async with self._changes.database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise NotFound("key", "没有这个密钥", "no such key")
        return _key(row)

    async def of_tenant(self, tenant: str, user: str | None = None) -> list[ApiKey]:
        """Newest first, revoked and expired ones among them."""
        query = select(api_keys).where(api_keys.c.tenant == tenant)
        if user is not None:
            query = query.where(api_keys.c.user == user)
        async with self._changes.database.read() as connection:
            found = await connection.execute(query.order_by(api_keys.c.created.desc()))
            return [_key(row) for row in found.mappings()]

    async def since(self, version: int) -> list[tuple[int, ApiKey]]:
        """Rows changed after ``version``, with their versions."""
        query = select(api_keys).where(api_keys.c.version > version).order_by(api_keys.c.version)
        async with self._changes.database.read() as connection:
            found = await connection.execute(query)
            return [(row["version"], _key(row)) for row in found.mappings()]

    async def used(self, at: Mapping[str, float]) -> None:
        """Write down when keys were used last. That is no change of rights."""
        if not at:
            return
        rows = [{"of": id, "when": when} for id, when in at.items()]
        async with self._changes.database.write() as connection:
            await connection.execute(
                update(api_keys)
                .where(api_keys.c.id == bindparam("of"))
                .values(last_used=bindparam("when")),
                rows,
            )

    async def _revoke(self, which: Any, by: str) -> None:
        async with self._changes.write() as change:
            await change.connection.execute(
                update(api_keys)
                .where(which, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=self._clock(), revoked_by=by, version=change.version)
            )


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _wrong_scope(entry: str) -> CallerError:
    return CallerError(
        "key_scope",
        f"密钥的范围不对:{entry}",
        f"wrong scope of a key: {entry}",
    )


def _row(k: ApiKey) -> dict[str, Any]:
    return {
        "id": k.id,
        "tenant": k.tenant,
        "user": k.user,
        "made_by": k.made_by,
        "name": k.name,
        "digest": k.digest.hex(),
        "scope": json.dumps(
            {name: sorted(getattr(k.scope, name)) for name in Scope.__dataclass_fields__}
        ),
        "created": k.created,
        "expires": k.expires,
    }


def _key(row: Any) -> ApiKey:
    scope = json.loads(row["scope"])
    narrowed = Scope(
        frozenset(scope["roles"]),
        frozenset(scope["tools"]),
        frozenset(scope["models"]),
        frozenset(scope["channels"]),
        tuple(scope["networks"]),
    )
    return ApiKey(
        row["id"], row["tenant"], row["user"], row["made_by"], row["name"],
        bytes.fromhex(row["digest"]), narrowed, row["created"], row["expires"], row["last_used"],
        row["revoked_at"], row["revoked_by"] or "",
    )  # fmt: skip
