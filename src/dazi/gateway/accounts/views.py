"""What the room of access holds, as the API shows it."""

from __future__ import annotations

import time

from dazi.access.accounts import Account
from dazi.access.control import Access
from dazi.access.keys import ApiKey
from dazi.access.role_requests import RoleRequest
from dazi.access.sessions import Session
from dazi.core.errors import OperatorError
from dazi.gateway.accounts import bodies
from dazi.gateway.exchange import Exchange

CHANNEL = "api"


def access_of(x: Exchange) -> Access:
    access = x.state.access
    if access is None:
        raise OperatorError("accounts", "这里没有账号", "there are no accounts here")
    return access


def instant(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def account_view(a: Account) -> bodies.AccountView:
    return bodies.AccountView(
        a.user, a.name.zh, a.name.en, sorted(a.roles), a.department, dict(a.attributes), a.kind,
        a.disabled, a.source,
    )  # fmt: skip


def request_view(r: RoleRequest) -> bodies.RoleRequestView:
    change = r.change
    return bodies.RoleRequestView(
        r.id, change.user, sorted(change.roles), change.give, r.requester, r.state,
        instant(r.expires),
    )  # fmt: skip


def session_view(s: Session) -> bodies.OpenSession:
    return bodies.OpenSession(s.id, instant(s.began), instant(s.seen), s.channel, s.address)


def key_view(k: ApiKey, text: str | None = None) -> bodies.KeyView:
    """Without the digest: nobody needs it, and it is all that a guesser would."""
    scope = k.scope
    return bodies.KeyView(
        k.id,
        k.prefix,
        k.user,
        k.name,
        k.made_by,
        sorted(scope.roles),
        sorted(scope.tools),
        sorted(scope.models),
        sorted(scope.channels),
        list(scope.networks),
        instant(k.created),
        instant(k.expires),
        instant(k.last_used) if k.last_used else None,
        instant(k.revoked_at) if k.revoked_at else None,
        text,
    )
