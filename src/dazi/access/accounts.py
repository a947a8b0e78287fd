"""Accounts of people and services. An account belongs to one tenant and exists for no other."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Integer,
    String,
    Table,
    UniqueConstraint,
    and_,
    insert,
    select,
    update,
)
from sqlalchemy import Text as LongText
from sqlalchemy.exc import IntegrityError

from dazi.access.changes import Changes
from dazi.access.duties import check_separation
from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Text
from dazi.store.database import metadata

AccountKind = Literal["person", "service"]
LOCAL = "local"
"""Where an account comes from that was made here; others come from ``oidc:NAME`` or ``ldap:NAME``."""
_USER = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._@-]{0,63}")
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]{0,49}")
LONGEST_TEXT = 200
MOST_ATTRIBUTES = 50

accounts = Table(
    "accounts",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("user", String(64), primary_key=True),
    Column("version", Integer, nullable=False, index=True),
    Column("name_zh", String(LONGEST_TEXT), nullable=False),
    Column("name_en", String(LONGEST_TEXT), nullable=False),
    Column("roles", LongText, nullable=False),
    Column("department", String(LONGEST_TEXT), nullable=False),
    Column("attributes", LongText, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created", Float, nullable=False),
    Column("source", String(60), nullable=False),
    Column("subject", String(300)),
    Column("deleted_at", Float),
    UniqueConstraint("tenant", "source", "subject"),
)


@dataclass(frozen=True, slots=True)
class Account:
    """``roles`` are those given, without what they include. ``subject``: who this is at ``source``,
    where the account comes from a directory outside. ``created`` in seconds since the epoch."""

    user: str
    name: Text
    roles: frozenset[str] = frozenset()
    department: str = ""
    tenant: str = "default"
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    kind: AccountKind = "person"
    disabled: bool = False
    created: float = 0.0
    source: str = LOCAL
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """What to change of an account; ``None`` leaves it as it is."""

    name: Text | None = None
    department: str | None = None
    attributes: Mapping[str, str] | None = None


class Accounts:
    """Accounts by tenant and user name. ``clock``: seconds since the epoch."""

    def __init__(self, changes: Changes, clock: Callable[[], float] = time.time) -> None:
        self._changes = changes
        self._clock = clock

    async def create(self, account: Account) -> Account:
        """Raises ``CallerError`` for a name that is taken or was once, and for what is not valid:
        in the ledger a name means one person for ever."""
        check(account)
        made = _with(account, created=self._clock())
        try:
            async with self._changes.write() as change:
                row = _row(made) | {"version": change.version}
                await change.connection.execute(insert(accounts).values(row))
        except IntegrityError:
            raise CallerError(
                "user_taken",
                f"用户名 {account.user} 已经有人用,或者以前用过",
                f"the user name {account.user} is taken, or was once",
            ) from None
        return made

    async def get(self, tenant: str, user: str) -> Account:
        """Raises ``NotFound``."""
        async with self._changes.database.read() as connection:
            found = await connection.execute(select(accounts).where(_here(tenant, user)))
            row = found.mappings().one_or_none()
        if row is None:
            raise unknown_user(user)
        return _account(row)

    async def by_subject(self, tenant: str, source: str, subject: str) -> Account | None:
        """Whom a directory outside means. A deleted account is nobody."""
        c = accounts.c
        query = select(accounts).where(
            c.tenant == tenant, c.source == source, c.subject == subject, c.deleted_at.is_(None)
        )
        async with self._changes.database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return _account(row) if row is not None else None

    async def of_tenant(self, tenant: str) -> list[Account]:
        """By user name."""
        query = select(accounts).where(accounts.c.tenant == tenant, accounts.c.deleted_at.is_(None))
        async with self._changes.database.read() as connection:
            found = await connection.execute(query.order_by(accounts.c.user))
            return [_account(row) for row in found.mappings()]

    async def edit(self, tenant: str, user: str, edit: Edit) -> Account:
        """Raises ``NotFound`` and ``CallerError``."""
        values: dict[str, Any] = {}
        if edit.name is not None:
            values |= {"name_zh": edit.name.zh, "name_en": edit.name.en}
        if edit.department is not None:
            values["department"] = edit.department
        if edit.attributes is not None:
            values["attributes"] = json.dumps(dict(edit.attributes), ensure_ascii=False)
        check(
            Account(user, edit.name or Text("-", "-"), department=edit.department or "",
                    attributes=edit.attributes or {})
        )  # fmt: skip
        await self._set(tenant, user, values)
        return await self.get(tenant, user)

    async def set_roles(self, tenant: str, user: str, roles: frozenset[str]) -> None:
        check_separation(roles)
        await self._set(tenant, user, {"roles": json.dumps(sorted(roles))})

    async def set_disabled(self, tenant: str, user: str, disabled: bool) -> None:
        await self._set(tenant, user, {"disabled": disabled})

    async def delete(self, tenant: str, user: str) -> None:
        """Everything of the person goes but the name, which stays taken."""
        empty = {
            "name_zh": "", "name_en": "", "roles": "[]", "department": "", "attributes": "{}",
            "subject": None, "disabled": True, "deleted_at": self._clock(),
        }  # fmt: skip
        await self._set(tenant, user, empty)

    async def since(self, version: int) -> list[tuple[int, Account, bool]]:
        """Rows changed after ``version``: their version, the account, and whether it is gone."""
        query = select(accounts).where(accounts.c.version > version).order_by(accounts.c.version)
        async with self._changes.database.read() as connection:
            found = (await connection.execute(query)).mappings().all()
        return [(r["version"], _account(r), r["deleted_at"] is not None) for r in found]

    async def _set(self, tenant: str, user: str, values: Mapping[str, Any]) -> None:
        async with self._changes.write() as change:
            done = await change.connection.execute(
                update(accounts)
                .where(_here(tenant, user))
                .values({**values, "version": change.version})
            )
            if done.rowcount != 1:
                raise unknown_user(user)


def unknown_user(user: str) -> NotFound:
    return NotFound("user", f"没有用户 {user}", f"no user {user}")


def check(account: Account) -> None:
    """Raises ``CallerError`` for what an account may not be."""
    if not _USER.fullmatch(account.user):
        raise CallerError(
            "user_name",
            "用户名由小写字母、数字、汉字和 . _ @ - 组成,以字母、数字或汉字开头,最多 64 个字符",
            "a user name has lower-case letters, digits, Chinese characters and . _ @ -, "
            "begins with none of the last four, and has at most 64 characters",
        )
    texts: Sequence[str] = (
        account.name.zh, account.name.en, account.department, account.tenant, account.subject,
    )  # fmt: skip
    for text in texts:
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise CallerError(
                "account_text",
                f"姓名、部门等最多 {LONGEST_TEXT} 个字符,不能有控制字符",
                f"names and departments have at most {LONGEST_TEXT} characters, all printable",
            )
    too_many = len(account.attributes) > MOST_ATTRIBUTES
    for key, value in account.attributes.items():
        if too_many or not _ATTRIBUTE.fullmatch(key) or len(value) > LONGEST_TEXT:
            raise CallerError(
                "attribute",
                f"属性不对:{key}(名字用小写字母、数字和下划线,最多 {MOST_ATTRIBUTES} 个)",
                f"wrong attribute {key}: names have lower-case letters, digits and underscores, "
                f"and there are at most {MOST_ATTRIBUTES}",
            )
    check_separation(account.roles)


def _here(tenant: str, user: str) -> Any:
    c = accounts.c
    return and_(c.tenant == tenant, c.user == user, c.deleted_at.is_(None))


def _with(account: Account, created: float) -> Account:
    return Account(
        account.user, account.name, account.roles, account.department, account.tenant,
        account.attributes, account.kind, account.disabled, created, account.source,
        account.subject,
    )  # fmt: skip


def _row(a: Account) -> dict[str, Any]:
    return {
        "tenant": a.tenant,
        "user": a.user,
        "name_zh": a.name.zh,
        "name_en": a.name.en,
        "roles": json.dumps(sorted(a.roles)),
        "department": a.department,
        "attributes": json.dumps(dict(a.attributes), ensure_ascii=False),
        "kind": a.kind,
        "disabled": a.disabled,
        "created": a.created,
        "source": a.source,
        "subject": a.subject or None,
    }


def _account(row: Any) -> Account:
    return Account(
        row["user"],
        Text(row["name_zh"], row["name_en"]),
        frozenset(json.loads(row["roles"])),
        row["department"],
        row["tenant"],
        MappingProxyType(json.loads(row["attributes"])),
        row["kind"],
        row["disabled"],
        row["created"],
        row["source"],
        row["subject"] or "",
    )
