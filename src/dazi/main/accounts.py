"""Accounts, roles and keys from the command line. Every act is recorded, or refused."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from getpass import getuser
from typing import Any, cast

from dazi.access.accounts import Account, Edit
from dazi.access.control import Access, Installation
from dazi.access.keys import ApiKey, Draft, Scope
from dazi.access.people import FILE
from dazi.access.recording import Record
from dazi.access.role_requests import RoleRequest
from dazi.access.sessions import Session
from dazi.access.users import Directory
from dazi.audit.ledger import Kind, Ledger, SqlSink
from dazi.audit.private import Private
from dazi.audit.sealing import Sealing
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.main.access_settings import access_settings
from dazi.main.auditing import audit_folder
from dazi.main.company import load_company
from dazi.main.database import database_of
from dazi.main.settings import Settings
from dazi.store.database import Database

ONCE = Text("只显示这一次,请当面或另行告知", "shown once; hand it over in person or by another way")
INITIAL = Text("一次性密码", "one-time password")
WAITS = Text("等待安全管理员确认", "waits for another administrator")
NOBODY = Text("没有账号。", "There are no accounts.")
NOTHING = Text("没有。", "None.")
STATES = {
    True: Text("已停用", "disabled"),
    False: Text("", ""),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """The room of access, and who is acting: the named user, or whoever runs the machine."""

    access: Access
    by: Principal
    database: Database
    private: Private
    record: Record


@asynccontextmanager
async def desk(settings: Settings, user: str) -> AsyncIterator[Desk]:
    """Raises ``AccessError`` where there is no such user. Without ``user`` it is the operator of
    the machine, who may make the first administrators and nothing else."""
    folder = settings.company_folder()
    company = load_company(folder)
    data = settings.data_folder(folder)
    database = database_of(settings, data)
    sealing = Sealing(audit_folder(data))
    try:
        await database.create()
        ledger = Ledger(SqlSink(database), sealing)
        await ledger.open()

        async def record(kind: str, who: str, body: Mapping[str, Any]) -> None:
            await ledger.append(cast(Kind, kind), who, "", body)

        directory = Directory(company, settings.host)
        installation = Installation(database, directory, company.roles, data / "access.key", record)
        access = Access(installation, access_settings(company, setup=True).rules)
        await access.open(watch=False)
        try:
            operator = Principal(getuser(), frozenset(), channel="cli")
            by = access.people.principal(user, "cli") if user else operator
            yield Desk(access, by, database, Private(sealing.keys), record)
        finally:
            await access.close()
            await ledger.flush()
    finally:
        sealing.close()
        await database.close()


async def add(settings: Settings, by: str, account: Account, language: Language) -> list[str]:
    """The lines to show: the account, its one-time password, what waits for confirmation."""
    async with desk(settings, by) as d:
        # The first administrators get their role at once: there is nobody yet who could confirm.
        first = d.access.authority.setting_up(d.by) and account.roles <= d.access.authority.vacant(
            d.by.tenant
        )
        plain = Account(
            account.user, account.name, frozenset() if first else account.roles,
            account.department, attributes=account.attributes, kind=account.kind,
        )  # fmt: skip
        made = await d.access.administration.create(d.by, plain)
        out = [account.user]
        if made.password:
            out.append(f"{INITIAL(language)}: {made.password}  ({ONCE(language)})")
        if first and account.roles:
            await d.access.roles.change(d.by, account.user, account.roles, give=True)
        if made.request is not None:
            out.append(waiting_line(made.request, language))
    return out


async def users(settings: Settings, by: str) -> list[Account]:
    async with desk(settings, by) as d:
        return await d.access.administration.users(d.by)


async def show(settings: Settings, by: str, user: str) -> dict[str, Any]:
    async with desk(settings, by) as d:
        account = await d.access.administration.show(d.by, user)
        factor = await d.access.stores.second_factor.enrolled(d.by.tenant, user)
    return {**plain(account), "second_factor": factor}


async def edit(settings: Settings, by: str, user: str, change: Edit) -> None:
    async with desk(settings, by) as d:
        await d.access.administration.edit(d.by, user, change)


async def set_state(settings: Settings, by: str, user: str, act: str) -> None:
    """``act``: ``disable``, ``enable`` or ``delete``."""
    async with desk(settings, by) as d:
        administration = d.access.administration
        if act == "disable":
            await administration.disable(d.by, user)
        elif act == "enable":
            await administration.enable(d.by, user)
        else:
            await administration.delete(d.by, user)


async def reset_password(settings: Settings, by: str, user: str, language: Language) -> str:
    async with desk(settings, by) as d:
        made = await d.access.administration.reset_password(d.by, user)
    return f"{INITIAL(language)}: {made}  ({ONCE(language)})"


async def unlock(settings: Settings, by: str, user: str) -> None:
    async with desk(settings, by) as d:
        await d.access.administration.unlock(d.by, user)


async def reset_second_factor(settings: Settings, by: str, user: str) -> None:
    async with desk(settings, by) as d:
        await d.access.administration.reset_second_factor(d.by, user)


async def sessions(settings: Settings, by: str, user: str, end: bool) -> list[Session]:
    """Those that stand, or that have been ended just now."""
    async with desk(settings, by) as d:
        found = await d.access.administration.sessions(d.by, user)
        if end:
            await d.access.administration.end_sessions(d.by, user)
    return found


async def change_roles(
    settings: Settings, by: str, user: str, roles: Sequence[str], give: bool
) -> RoleRequest | None:
    """What now waits for somebody else; ``None`` where it is done."""
    async with desk(settings, by) as d:
        outcome = await d.access.roles.change(d.by, user, frozenset(roles), give=give)
    return outcome.request


async def pending(settings: Settings, by: str) -> list[RoleRequest]:
    async with desk(settings, by) as d:
        return await d.access.roles.pending(d.by)


async def decide(settings: Settings, by: str, id: str, confirm: bool) -> RoleRequest:
    async with desk(settings, by) as d:
        return await d.access.roles.decide(d.by, id, confirm=confirm)


async def add_key(
    settings: Settings, by: str, draft: Draft, language: Language
) -> tuple[str, str, float]:
    """The key, a line about it, and when it ends. Its owner is ``by`` where none is named; its
    roles are all of the owner's that a key may have where none are named."""
    async with desk(settings, by) as d:
        owner = draft.user or d.by.user
        roles = draft.scope.roles or d.access.keys.possible_roles(d.by, owner)
        scope = Scope(
            roles, draft.scope.tools, draft.scope.models, draft.scope.channels, draft.scope.networks
        )
        made = await d.access.keys.create(
            d.by, Draft(d.by.tenant, owner, draft.name, scope, draft.days)
        )
    return made.text, ONCE(language), made.key.expires


async def keys(settings: Settings, by: str, user: str) -> list[ApiKey]:
    async with desk(settings, by) as d:
        return await d.access.keys.keys(d.by, user or None)


async def revoke_key(settings: Settings, by: str, id: str) -> None:
    """``id``: the key's id, or its prefix as it is listed."""
    async with desk(settings, by) as d:
        await d.access.keys.revoke(d.by, id.removeprefix("dz_").split("_")[0])


def pairs(given: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` each. Raises ``CallerError``."""
    wrong = next((g for g in given if "=" not in g), None)
    if wrong is not None:
        raise CallerError("attribute", f"应写成 键=值:{wrong}", f"write KEY=VALUE: {wrong}")
    return dict(g.split("=", 1) for g in given)


def plain(a: Account) -> dict[str, Any]:
    return {
        "user": a.user,
        "name": {"zh": a.name.zh, "en": a.name.en},
        "roles": sorted(a.roles),
        "department": a.department,
        "tenant": a.tenant,
        "attributes": dict(a.attributes),
        "kind": a.kind,
        "disabled": a.disabled,
        "source": a.source,
        "created": a.created,
    }


def plain_key(k: ApiKey) -> dict[str, Any]:
    """Without the digest: nobody needs it, and it is all that a guesser would."""
    scope = {name: sorted(getattr(k.scope, name)) for name in Scope.__dataclass_fields__}
    names = ("id", "user", "made_by", "name", "created", "expires", "last_used", "revoked_at")
    return {**{n: getattr(k, n) for n in names}, "prefix": k.prefix, "scope": scope}


def as_json(found: object) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1)


def account_line(a: Account, language: Language) -> str:
    parts = [a.user, a.name(language), ", ".join(sorted(a.roles)) or "-", a.department]
    if a.kind == "service" or a.source == FILE:
        parts.append("service" if a.kind == "service" else "dazi.toml")
    parts.append(STATES[a.disabled](language))
    return "  ".join(p for p in parts if p)


def waiting_line(r: RoleRequest, language: Language) -> str:
    sign = "+" if r.change.give else "-"
    roles = ", ".join(f"{sign}{role}" for role in sorted(r.change.roles))
    return f"{r.id}  {r.change.user}  {roles}  ({r.requester}; {WAITS(language)})"


def key_line(k: ApiKey, language: Language) -> str:
    state = Text("已吊销", "revoked")(language) if k.revoked_at else when(k.expires)
    used = Text("最近使用 ", "last used ")(language) + when(k.last_used) if k.last_used else ""
    scope = k.scope
    narrowed = [*scope.tools, *scope.models, *scope.channels, *scope.networks]
    parts = [k.prefix, k.user, k.name, ", ".join(sorted(scope.roles)), ", ".join(narrowed), state]
    return "  ".join(p for p in (*parts, used) if p)


def session_line(s: Session) -> str:
    return f"{s.id}  {when(s.began)}  {s.channel}  {s.address}"


def when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
