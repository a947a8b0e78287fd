"""Bodies of signing in and of administration: what callers send, and what they get."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from dazi.gateway.wire import Reader


class SignIn(Struct, forbid_unknown_fields=True):
    user: str
    password: str


class Code(Struct, forbid_unknown_fields=True):
    """A code of an authenticator app, or a recovery code."""

    code: str


class NewPassword(Struct, forbid_unknown_fields=True):
    """``old``: for whoever is signed in; not asked for while a one-time password is replaced."""

    password: str
    old: str = ""


class NewAccount(Struct, forbid_unknown_fields=True):
    """``roles`` are asked for: a security administrator gives them."""

    user: str
    name: str
    name_en: str = ""
    roles: list[str] = []
    department: str = ""
    attributes: dict[str, str] = {}
    service: bool = False


class AccountEdit(Struct, forbid_unknown_fields=True):
    """What is not given stays as it is."""

    name: str | UnsetType = UNSET
    name_en: str | UnsetType = UNSET
    department: str | UnsetType = UNSET
    attributes: dict[str, str] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class RolesChange(Struct, forbid_unknown_fields=True):
    """Roles to give, or to take."""

    roles: list[str]
    give: bool = True


class Confirmation(Struct, forbid_unknown_fields=True):
    confirm: bool


class NewKey(Struct, forbid_unknown_fields=True):
    """``user``: a service account; oneself if empty. ``roles``: all that are possible if empty.
    ``days``: how long it lasts. Of ``tools``, ``models``, ``channels`` and ``networks``, all if none
    are named."""

    name: str
    user: str = ""
    roles: list[str] = []
    tools: list[str] = []
    models: list[str] = []
    channels: list[str] = []
    networks: list[str] = []
    days: float = 90.0


class SessionView(Struct, frozen=True):
    """``token`` goes into ``Authorization: Bearer``; ``remaining``: steps until it is good for
    anything else. ``expires``: an ISO 8601 instant."""

    token: str
    user: str
    expires: str
    remaining: tuple[str, ...] = ()


class EnrolmentView(Struct, frozen=True):
    """Shown once. ``uri`` is what an authenticator app reads from a QR code."""

    uri: str
    secret: str
    recovery_codes: tuple[str, ...]


class AccountView(Struct, frozen=True):
    """``source``: ``local``, ``file`` (the company's), ``oidc:NAME`` or ``ldap:NAME``."""

    user: str
    name: str
    name_en: str
    roles: list[str]
    department: str
    attributes: dict[str, str]
    kind: str
    disabled: bool
    source: str


class RoleRequestView(Struct, frozen=True):
    """Roles that wait for another administrator's word."""

    id: str
    user: str
    roles: list[str]
    give: bool
    requester: str
    state: str
    expires: str


class NewAccountView(Struct, frozen=True):
    """``password`` is a one-time one, shown once."""

    account: AccountView
    password: str = ""
    request: RoleRequestView | None = None


class OneTimePassword(Struct, frozen=True):
    password: str


class LockView(Struct, frozen=True):
    """Until when wrong passwords, and wrong codes, have locked somebody out: ISO 8601 instants."""

    password: str | None = None
    code: str | None = None


class OpenSession(Struct, frozen=True):
    id: str
    began: str
    seen: str
    channel: str
    address: str


class KeyView(Struct, frozen=True):
    """``prefix`` is what may be shown of a key; ``key`` is all of it, once, when it is made."""

    id: str
    prefix: str
    user: str
    name: str
    made_by: str
    roles: list[str]
    tools: list[str]
    models: list[str]
    channels: list[str]
    networks: list[str]
    created: str
    expires: str
    last_used: str | None = None
    revoked: str | None = None
    key: str | None = None


class Accounts(Struct, frozen=True):
    data: list[AccountView]
    object: str = "list"


class RoleRequests(Struct, frozen=True):
    data: list[RoleRequestView]
    object: str = "list"


class OpenSessions(Struct, frozen=True):
    data: list[OpenSession]
    object: str = "list"


class Keys(Struct, frozen=True):
    data: list[KeyView]
    object: str = "list"


class Ended(Struct, frozen=True):
    """How many sessions there were."""

    ended: int


class Done(Struct, frozen=True):
    done: bool = True


class RoleOutcome(Struct, frozen=True):
    """``request``: what now waits for another administrator; without one, it is done."""

    request: RoleRequestView | None = None


SIGN_IN = Reader(SignIn)
CODE = Reader(Code)
NEW_PASSWORD = Reader(NewPassword)
NEW_ACCOUNT = Reader(NewAccount)
ACCOUNT_EDIT = Reader(AccountEdit)
ROLES_CHANGE = Reader(RolesChange)
CONFIRMATION = Reader(Confirmation)
NEW_KEY = Reader(NewKey)
