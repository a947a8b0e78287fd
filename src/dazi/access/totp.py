"""The second factor: one-time codes by the clock (RFC 6238 over RFC 4226), and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    LargeBinary,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)

from dazi.access.sealing import Sealer
from dazi.core.errors import CallerError
from dazi.store.database import Database, metadata

STEP_S = 30
DIGITS = 6
WINDOW = 1
"""Steps before and after the present one that still count: clocks differ."""
SECRET_BYTES = 20
RECOVERY_CODES = 10

totp = Table(
    "second_factors",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("user", String(64), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("last_step", BigInteger, nullable=False),
)
recovery = Table(
    "recovery_codes",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("user", String(64), primary_key=True),
    Column("hash", String(64), primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Shown once. ``uri`` is what an authenticator app reads from a QR code."""

    uri: str = field(repr=False)
    secret: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)


def code_at(secret: bytes, step: int) -> str:
    """RFC 4226, 5.3, with HMAC-SHA-1 and six digits."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


class SecondFactor:
    """``clock``: seconds since the epoch. Counting wrong codes is the caller's (see ``lockout``)."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._clock = clock

    async def enrolled(self, tenant: str, user: str) -> bool:
        row = await self._row(tenant, user)
        return row is not None and bool(row["confirmed"])

    async def enrol(self, tenant: str, user: str, issuer: str) -> Enrolment:
        """A new secret that counts once a code of it has been given to ``confirm``. Raises
        ``CallerError`` where one is in use: losing that must not be enough to get another."""
        secret = secrets.token_bytes(SECRET_BYTES)
        codes = tuple(_readable(secrets.token_bytes(10)) for _ in range(RECOVERY_CODES))
        sealed = self._sealer.seal(secret, _owner(tenant, user))
        async with self._database.write() as connection:
            unfinished = and_(_here(totp, tenant, user), totp.c.confirmed.is_(False))
            await connection.execute(delete(totp).where(unfinished))
            there = await connection.scalar(select(totp.c.user).where(_here(totp, tenant, user)))
            if there is not None:
                raise CallerError(
                    "second_factor_there",
                    "已经绑定了两步验证;要换,先由安全管理员重置",
                    "a second factor is in use; a security administrator must reset it first",
                )
            await connection.execute(
                insert(totp).values(
                    tenant=tenant, user=user, secret=sealed, confirmed=False, last_step=0
                )
            )
            await connection.execute(delete(recovery).where(_here(recovery, tenant, user)))
            await connection.execute(
                insert(recovery),
                [{"tenant": tenant, "user": user, "hash": _hash(code)} for code in codes],
            )
        text = base64.b32encode(secret).decode().rstrip("=")
        return Enrolment(_uri(text, user, issuer), text, codes)

    async def confirm(self, tenant: str, user: str, code: str) -> bool:
        """End an enrolment with its first code."""
        return await self._use_code(tenant, user, code, confirmed=False)

    async def check(self, tenant: str, user: str, code: str) -> bool:
        """Whether it is a code of now, or a recovery code; either counts once."""
        if await self._use_code(tenant, user, code, confirmed=True):
            return True
        return await self._use_recovery(tenant, user, code)

    async def forget(self, tenant: str, user: str) -> None:
        async with self._database.write() as connection:
            for table in (totp, recovery):
                await connection.execute(delete(table).where(_here(table, tenant, user)))

    async def _use_code(self, tenant: str, user: str, code: str, *, confirmed: bool) -> bool:
        row = await self._row(tenant, user)
        given = "".join(code.split())
        if row is None or row["confirmed"] != confirmed:
            return False
        if len(given) != DIGITS or not (given.isascii() and given.isdigit()):
            return False
        step = _step_of(
            self._sealer.open(row["secret"], _owner(tenant, user)), given, self._clock()
        )
        if step is None:
            return False
        async with self._database.write() as connection:
            done = await connection.execute(
                update(totp)
                .where(
                    _here(totp, tenant, user),
                    totp.c.secret == row["secret"],
                    totp.c.last_step < step,
                )
                .values(last_step=step, confirmed=True)
            )
        return done.rowcount == 1

    async def _use_recovery(self, tenant: str, user: str, code: str) -> bool:
        if not await self.enrolled(tenant, user):
            return False
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(recovery).where(
                    _here(recovery, tenant, user), recovery.c.hash == _hash(code)
                )
            )
        return done.rowcount == 1

    async def _row(self, tenant: str, user: str) -> Any:
        async with self._database.read() as connection:
            found = await connection.execute(select(totp).where(_here(totp, tenant, user)))
            return found.mappings().one_or_none()


def _step_of(secret: bytes, code: str, now: float) -> int | None:
    """Which step near ``now`` the code belongs to. All are compared, whichever fits."""
    present = int(now // STEP_S)
    found = None
    for step in range(present - WINDOW, present + WINDOW + 1):
        if hmac.compare_digest(code_at(secret, step), code):
            found = step
    return found


def _uri(secret: str, user: str, issuer: str) -> str:
    label = quote(f"{issuer}:{user}", safe="")
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def _readable(random: bytes) -> str:
    text = base64.b32encode(random).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, len(text), 4))


def _hash(code: str) -> str:
    """80 random bits need no slow hash."""
    plain = "".join(c for c in code.lower() if c.isascii() and c.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def _owner(tenant: str, user: str) -> str:
    return f"totp\0{tenant}\0{user}"


def _here(table: Table, tenant: str, user: str) -> Any:
    return and_(table.c.tenant == tenant, table.c.user == user)
