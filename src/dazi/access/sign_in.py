"""Signing in, step by step: a password or a directory outside, a code, a new password if need be.

Each try goes on record, and no session begins that could not be recorded. A wrong name, a wrong
password, a disabled account and a service's account all get the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dazi.access.accounts import LOCAL, Account, Edit, check
from dazi.access.administration import Stores
from dazi.access.duties import SEPARATED
from dazi.access.identity import Identity
from dazi.access.lockout import Subject
from dazi.access.people import FILE
from dazi.access.recording import Record
from dazi.access.sessions import Begun, Session, Step
from dazi.access.totp import Enrolment
from dazi.access.users import Directory
from dazi.core.errors import AccessError, CallerError, DaziError
from dazi.core.language import Text
from dazi.core.principal import Principal

if TYPE_CHECKING:
    from dazi.access.ldap import Ldap


@dataclass(frozen=True, slots=True)
class Attempt:
    """``address`` is the caller's."""

    user: str
    password: str = field(repr=False)
    channel: str
    address: str
    tenant: str = "default"


@dataclass(frozen=True, slots=True)
class SignInRules:
    """``second_factor_roles``: whoever has one of these needs a second factor. ``issuer``: what an
    authenticator app calls this installation. ``create``: whom a directory outside knows and this
    one does not gets an account."""

    second_factor_roles: frozenset[str] = SEPARATED
    issuer: str = "Dazi"
    create: bool = True


class SignIn:
    def __init__(
        self,
        stores: Stores,
        directory: Directory,
        rules: SignInRules,
        record: Record,
        ldap: Ldap | None = None,
    ) -> None:
        self._stores = stores
        self._directory = directory
        self.rules = rules
        self._record = record
        self._ldap = ldap

    async def with_password(self, attempt: Attempt) -> Begun:
        """A session, maybe with steps remaining. Raises ``AccessError``, ``Locked`` among them,
        and ``OverloadError``."""
        guessed = (
            Subject("account", f"{attempt.tenant}/{attempt.user}"),
            Subject("address", attempt.address),
        )
        lockout = self._stores.lockout
        try:
            await lockout.begin(*guessed)
            account, must_change, factor = await self._password(attempt)
        except AccessError as e:
            if e.code == "sign_in":
                await lockout.failed(*guessed)
            await self._told(attempt.user, attempt, ok=False, why=e.code)
            raise
        except DaziError:
            await lockout.not_looked_at(*guessed)
            raise
        await lockout.succeeded(*guessed)
        steps = await self._steps(account, factor)
        if must_change:
            steps = (*steps, "new_password")
        return await self._begin(account, attempt, steps)

    async def refused(self, attempt: Attempt, why: str) -> None:
        """Put on record a try that was turned away before anything was looked at."""
        await self._told(attempt.user, attempt, ok=False, why=why)

    async def as_demo(self, user: str, channel: str, address: str) -> Begun:
        """A demo company's user, by a click. Raises ``AccessError`` where this is no demo."""
        attempt = Attempt(user, "", channel, address)
        account = self._stores.people.account(attempt.tenant, user)
        if not self._directory.demo or account is None or account.source != FILE:
            await self._told(user, attempt, ok=False, why="sign_in")
            raise _wrong()
        return await self._begin(account, attempt, ())

    async def with_identity(
        self, identity: Identity, channel: str, address: str, tenant: str = "default"
    ) -> Begun:
        """For whom a provider vouches. Raises ``AccessError``."""
        attempt = Attempt(identity.user, "", channel, address, tenant)
        try:
            account = await self._vouched(identity, tenant)
        except AccessError as e:
            await self._told(identity.user, attempt, ok=False, why=e.code)
            raise
        return await self._begin(
            account, attempt, await self._steps(account, identity.second_factor)
        )

    async def as_bound(
        self, user: str, channel: str, address: str, tenant: str = "default"
    ) -> Begun:
        """For whom a messaging channel vouches that is bound to an account here. Raises
        ``AccessError``."""
        attempt = Attempt(user, "", channel, address, tenant)
        account = self._stores.people.account(tenant, user)
        if account is None or account.disabled or account.kind != "person":
            await self._told(user, attempt, ok=False, why="sign_in")
            raise _wrong()
        return await self._begin(account, attempt, await self._steps(account, factor=False))

    async def with_code(self, token: str, code: str) -> Begun:
        """The step ``second_factor``, or ``enrol`` with an enrolment's first code. Raises
        ``AccessError``."""
        session = await self._waiting(token, "second_factor", "enrol")
        step = session.remaining[0]
        await self._check_code(session, code, first=step == "enrol")
        return await self._advance(token, session, step)

    async def confirm_factor(self, token: str, code: str) -> Begun:
        """The first code of an enrolment by whoever is signed in: the session goes on under a new
        token. Raises ``AccessError``."""
        session = await self._stores.sessions.find(token)
        if session is None or not session.complete:
            raise _gone()
        await self._check_code(session, code, first=True)
        await self._told(session.user, session, ok=True, step="enrol")
        if not await self._stores.sessions.end_token(token):
            raise _gone()
        return await self._stores.sessions.begin(
            (session.tenant, session.user), session.channel, session.address
        )

    async def enrol(self, token: str) -> Enrolment:
        """For the step ``enrol``, and for whoever is signed in and wants a second factor. Raises
        ``AccessError`` and ``CallerError``."""
        session = await self._stores.sessions.find(token)
        if session is None or session.remaining[:1] not in ((), ("enrol",)):
            raise _gone()
        await self._told(session.user, session, ok=True, why="enrol")
        return await self._stores.second_factor.enrol(
            session.tenant, session.user, self.rules.issuer
        )

    async def choose_password(self, token: str, password: str) -> Begun:
        """The step ``new_password``. Raises ``AccessError`` and ``CallerError``."""
        session = await self._waiting(token, "new_password")
        await self._told(session.user, session, ok=True, why="new_password")
        await self._stores.passwords.set(session.tenant, session.user, password)
        return await self._advance(token, session, "new_password")

    async def change_password(self, token: str, old: str, password: str) -> Begun:
        """By whoever is signed in, who knows the old one. All their sessions end but this one,
        which has a new token. Raises ``AccessError`` and ``CallerError``."""
        session = await self._stores.sessions.find(token)
        if session is None or not session.complete:
            raise _gone()
        account = self._stores.people.account(session.tenant, session.user)
        if account is None or account.source != LOCAL:
            raise AccessError(
                "no_password",
                "这个账号的密码不在这里改",
                "this account's password is kept elsewhere",
            )
        guessed = Subject("account", f"{session.tenant}/{session.user}")
        await self._stores.lockout.begin(guessed)
        if await self._stores.passwords.verify(session.tenant, session.user, old) == "wrong":
            await self._stores.lockout.failed(guessed)
            raise _wrong()
        await self._stores.lockout.succeeded(guessed)
        await self._told(session.user, session, ok=True, why="new_password")
        await self._stores.passwords.set(session.tenant, session.user, password)
        await self._stores.sessions.end_all(session.tenant, session.user)
        return await self._stores.sessions.begin(
            (session.tenant, session.user), session.channel, session.address
        )

    async def principal(self, token: str | None, channel: str) -> tuple[Principal, Session] | None:
        """Whom a complete session belongs to, with the rights they have now."""
        session = await self._stores.sessions.find(token)
        if session is None or not session.complete:
            return None
        try:
            found = self._stores.people.principal(session.user, channel, session.tenant)
        except AccessError:
            return None
        return found, session

    async def end(self, token: str) -> None:
        session = await self._stores.sessions.find(token)
        if session is not None and await self._stores.sessions.end_token(token):
            await self._told(session.user, session, ok=True, why="out")

    async def _password(self, attempt: Attempt) -> tuple[Account, bool, bool]:
        """Who it is, whether they must change the password, and whether a second factor was given
        elsewhere. Raises ``AccessError("sign_in")``."""
        account = self._stores.people.account(attempt.tenant, attempt.user)
        if account is not None and account.source == FILE:
            self._directory.sign_in(attempt.user, attempt.password, attempt.channel)
            return account, False, True
        outside = account is None or account.source.startswith("ldap:")
        if self._ldap is not None and outside and (account is None or not account.disabled):
            identity = await self._ldap.sign_in(attempt.user, attempt.password)
            return await self._vouched(identity, attempt.tenant), False, identity.second_factor
        verdict = await self._stores.passwords.verify(
            attempt.tenant, attempt.user, attempt.password
        )
        able = account is not None and account.kind == "person" and not account.disabled
        if account is None or not able or account.source != LOCAL or verdict == "wrong":
            raise _wrong()
        return account, verdict == "must_change", False

    async def _vouched(self, identity: Identity, tenant: str) -> Account:
        """The account of whom a directory outside means, brought up to date: its roles are those
        that the directory gives now, and the administrative ones that were given here."""
        accounts = self._stores.accounts
        known = await accounts.by_subject(tenant, identity.source, identity.subject)
        granted = identity.roles - SEPARATED
        if known is None:
            taken = self._stores.people.account(tenant, identity.user) is not None
            if taken or not self.rules.create:
                raise _no_account(identity)
            made = Account(
                identity.user, Text(identity.name, identity.name), granted, identity.department,
                tenant, identity.attributes, source=identity.source, subject=identity.subject,
            )  # fmt: skip
            try:
                check(made)
            except CallerError as e:  # what they are called there is no name for an account here
                raise _no_account(identity) from e
            of = {"of": made.user, "tenant": tenant, "roles": sorted(granted)}
            await self._record("admin", identity.source, {"act": "user.vouched", **of})
            try:
                return await accounts.create(made)
            except CallerError as e:  # the name of somebody who was here once
                raise _no_account(identity) from e
        if known.disabled:
            raise _wrong()
        wanted = granted | (known.roles & SEPARATED)
        name = Text(identity.name, identity.name)
        if (known.name, known.department, known.attributes) != (
            name, identity.department, identity.attributes,
        ):  # fmt: skip
            await accounts.edit(
                tenant, known.user, Edit(name, identity.department, identity.attributes)
            )
        if wanted != known.roles:
            body = {
                "act": "role.vouched",
                "of": known.user,
                "tenant": tenant,
                "roles": sorted(wanted),
            }
            await self._record("admin", identity.source, body)
            await accounts.set_roles(tenant, known.user, wanted)
            await self._stores.sessions.end_all(tenant, known.user)
        return replace(known, roles=wanted)

    async def _steps(self, account: Account, factor: bool) -> tuple[Step, ...]:
        """``factor``: one was asked for elsewhere."""
        if account.source == FILE:
            return ()
        if await self._stores.second_factor.enrolled(account.tenant, account.user):
            return ("second_factor",)
        roles = self._stores.people.expand(account.roles)
        needed = not roles.isdisjoint(self.rules.second_factor_roles)
        return ("enrol",) if needed and not factor else ()

    async def _begin(self, account: Account, attempt: Attempt, steps: tuple[Step, ...]) -> Begun:
        await self._told(account.user, attempt, ok=True, steps=list(steps))
        who = (account.tenant, account.user)
        return await self._stores.sessions.begin(who, attempt.channel, attempt.address, steps)

    async def _waiting(self, token: str, *steps: Step) -> Session:
        session = await self._stores.sessions.find(token)
        if session is None or not session.remaining or session.remaining[0] not in steps:
            raise _gone()
        account = self._stores.people.account(session.tenant, session.user)
        if account is None or account.disabled:
            raise _gone()
        return session

    async def _check_code(self, session: Session, code: str, *, first: bool) -> None:
        """``first``: it ends an enrolment. Raises ``AccessError``."""
        guessed = Subject("code", f"{session.tenant}/{session.user}")
        await self._stores.lockout.begin(guessed)
        factor = self._stores.second_factor
        given = factor.confirm if first else factor.check
        if not await given(session.tenant, session.user, code):
            await self._stores.lockout.failed(guessed)
            await self._told(session.user, session, ok=False, why="code")
            raise AccessError("code", "验证码不对或已用过", "the code is wrong or was used before")
        await self._stores.lockout.succeeded(guessed)

    async def _advance(self, token: str, session: Session, step: Step) -> Begun:
        await self._told(session.user, session, ok=True, step=step)
        begun = await self._stores.sessions.advance(token, step)
        if begun is None:
            raise _gone()
        return begun

    async def _told(self, user: str, at: Attempt | Session, *, ok: bool, **more: object) -> None:
        body: Mapping[str, object] = MappingProxyType(
            {"tenant": at.tenant, "channel": at.channel, "address": at.address, "ok": ok, **more}
        )
        await self._record("sign_in", user[:200], dict(body))


def _wrong() -> AccessError:
    return AccessError("sign_in", "用户名或密码不对", "wrong user name or password")


def _no_account(identity: Identity) -> AccessError:
    return AccessError(
        "no_account",
        f"{identity.user} 在这里没有账号,请联系系统管理员",
        f"{identity.user} has no account here; ask a system administrator",
    )


def _gone() -> AccessError:
    return AccessError("session", "登录已过期,请重新登录", "the sign-in has expired; sign in again")
