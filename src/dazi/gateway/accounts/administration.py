"""Accounts, roles, sessions and keys over HTTP: what ``dazi user`` and ``dazi key`` do.

Whether the caller may is decided in ``dazi.access``; here is what they sent and what they get.
"""

from __future__ import annotations

from types import MappingProxyType

from msgspec import UNSET

from dazi.access.accounts import Account, Edit
from dazi.access.keys import Draft, Scope
from dazi.core.language import Text
from dazi.gateway.accounts import bodies
from dazi.gateway.accounts.views import (
    access_of,
    account_view,
    instant,
    key_view,
    request_view,
    session_view,
)
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode

SECRET = (b"cache-control", b"no-store")


async def accounts(x: Exchange) -> None:
    found = await access_of(x).administration.users(x.principal)
    await x.reply(encode(bodies.Accounts([account_view(a) for a in found])))


async def account(x: Exchange) -> None:
    found = await access_of(x).administration.show(x.principal, x.path["user"])
    await x.reply(encode(account_view(found)))


async def create_account(x: Exchange) -> None:
    given = bodies.NEW_ACCOUNT.read(x.body)
    wanted = Account(
        given.user,
        Text(given.name, given.name_en or given.name),
        frozenset(given.roles),
        given.department,
        attributes=MappingProxyType(given.attributes),
        kind="service" if given.service else "person",
    )
    made = await access_of(x).administration.create(x.principal, wanted)
    request = request_view(made.request) if made.request else None
    view = bodies.NewAccountView(account_view(made.account), made.password, request)
    await x.reply(encode(view), SECRET)


async def edit_account(x: Exchange) -> None:
    given, user = bodies.ACCOUNT_EDIT.read(x.body), x.path["user"]
    administration = access_of(x).administration
    edit = Edit(
        department=None if given.department is UNSET else given.department,
        attributes=None if given.attributes is UNSET else MappingProxyType(given.attributes),
    )
    if given.name is not UNSET or given.name_en is not UNSET:
        old = (await administration.show(x.principal, user)).name
        zh = old.zh if given.name is UNSET else given.name
        edit = Edit(
            Text(zh, old.en if given.name_en is UNSET else given.name_en),
            edit.department,
            edit.attributes,
        )
    if edit != Edit():
        await administration.edit(x.principal, user, edit)
    if given.disabled is not UNSET:
        act = administration.disable if given.disabled else administration.enable
        await act(x.principal, user)
    await account(x)


async def delete_account(x: Exchange) -> None:
    await access_of(x).administration.delete(x.principal, x.path["user"])
    await x.reply(encode(bodies.Done()))


async def reset_password(x: Exchange) -> None:
    made = await access_of(x).administration.reset_password(x.principal, x.path["user"])
    await x.reply(encode(bodies.OneTimePassword(made)), SECRET)


async def lock(x: Exchange) -> None:
    found = await access_of(x).administration.locked(x.principal, x.path["user"])
    password = instant(found.password) if found.password else None
    code = instant(found.code) if found.code else None
    await x.reply(encode(bodies.LockView(password, code)))


async def unlock(x: Exchange) -> None:
    """Of the password or of the code, by the caller's duty."""
    await access_of(x).administration.unlock(x.principal, x.path["user"])
    await x.reply(encode(bodies.Done()))


async def reset_second_factor(x: Exchange) -> None:
    await access_of(x).administration.reset_second_factor(x.principal, x.path["user"])
    await x.reply(encode(bodies.Done()))


async def sessions(x: Exchange) -> None:
    found = await access_of(x).administration.sessions(x.principal, x.path["user"])
    await x.reply(encode(bodies.OpenSessions([session_view(s) for s in found])))


async def end_sessions(x: Exchange) -> None:
    ended = await access_of(x).administration.end_sessions(x.principal, x.path["user"])
    await x.reply(encode(bodies.Ended(ended)))


async def end_session(x: Exchange) -> None:
    ended = await access_of(x).administration.end_sessions(
        x.principal, x.path["user"], x.path["session"]
    )
    await x.reply(encode(bodies.Ended(ended)))


async def change_roles(x: Exchange) -> None:
    given = bodies.ROLES_CHANGE.read(x.body)
    outcome = await access_of(x).roles.change(
        x.principal, x.path["user"], frozenset(given.roles), give=given.give
    )
    request = request_view(outcome.request) if outcome.request else None
    await x.reply(encode(bodies.RoleOutcome(request)))


async def role_requests(x: Exchange) -> None:
    found = await access_of(x).roles.pending(x.principal)
    await x.reply(encode(bodies.RoleRequests([request_view(r) for r in found])))


async def decide_role_request(x: Exchange) -> None:
    given = bodies.CONFIRMATION.read(x.body)
    done = await access_of(x).roles.decide(x.principal, x.path["request"], confirm=given.confirm)
    await x.reply(encode(request_view(done)))


async def own_keys(x: Exchange) -> None:
    found = await access_of(x).keys.keys(x.principal, x.principal.user)
    await x.reply(encode(bodies.Keys([key_view(k) for k in found])))


async def keys_of(x: Exchange) -> None:
    found = await access_of(x).keys.keys(x.principal, x.path["user"])
    await x.reply(encode(bodies.Keys([key_view(k) for k in found])))


async def create_key(x: Exchange) -> None:
    given, keys = bodies.NEW_KEY.read(x.body), access_of(x).keys
    owner = given.user or x.principal.user
    scope = Scope(
        frozenset(given.roles) or keys.possible_roles(x.principal, owner),
        frozenset(given.tools),
        frozenset(given.models),
        frozenset(given.channels),
        tuple(given.networks),
    )
    draft = Draft(x.principal.tenant, owner, given.name, scope, given.days)
    made = await keys.create(x.principal, draft)
    await x.reply(encode(key_view(made.key, made.text)), SECRET)


async def revoke_key(x: Exchange) -> None:
    await access_of(x).keys.revoke(x.principal, x.path["key"])
    await x.reply(encode(bodies.Done()))
