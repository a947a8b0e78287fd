"""``[access]`` of ``dazi.toml``: passwords, lockout, sessions, keys, and directories outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dazi.access.control import AccessRules
from dazi.access.duties import SEPARATED
from dazi.access.identity import check_mapping
from dazi.access.ldap_config import LdapConfig
from dazi.access.lockout import LockoutRules
from dazi.access.password_rules import LONGEST, PasswordRules
from dazi.access.provider import ProviderConfig
from dazi.access.sessions import SessionRules
from dazi.access.sign_in import SignInRules
from dazi.connectors.credentials import Credential, NoCredential
from dazi.core.company import Company
from dazi.core.errors import ConfigError

MINUTE_S, HOUR_S = 60.0, 3600.0


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PasswordSection(_Table):
    min_length: int = Field(10, ge=8, le=LONGEST)
    classes: int = Field(3, ge=1, le=4)
    max_age_days: float = Field(90, ge=0)
    remembered: int = Field(5, ge=0, le=50)
    initial_days: float = Field(7, gt=0, le=90)


class LockoutSection(_Table):
    failures: int = Field(5, ge=1, le=100)
    address_failures: int = Field(50, ge=1)
    lock_minutes: float = Field(15, gt=0)
    longest_lock_minutes: float = Field(1440, gt=0)
    forget_minutes: float = Field(60, gt=0)


class SessionSection(_Table):
    idle_minutes: float = Field(30, gt=0)
    longest_hours: float = Field(12, gt=0)


class OidcSection(_Table):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    issuer: str = Field(pattern=r"^https?://")
    client_id: str = Field(min_length=1)
    client_secret_env: str = ""
    client_secret_file: str = ""
    scopes: list[str] = ["openid", "profile", "email"]
    user_claim: str = "preferred_username"
    role_claim: str = "groups"
    roles: dict[str, list[str]] = {}
    attributes: dict[str, str] = {}
    department_claim: str = "department"
    origins: list[str] = []
    second_factor: list[str] = ["mfa"]


class LdapSection(_Table):
    name: str = Field("ldap", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    url: str
    base: str
    bind_dn: str
    bind_password_env: str = ""
    bind_password_file: str = ""
    ca_file: str = ""
    plain: bool = False
    user_filter: str = "(&(objectClass=person)(uid={user}))"
    user_attribute: str = "uid"
    subject_attribute: str = "entryUUID"
    name_attribute: str = "cn"
    department_attribute: str = "departmentNumber"
    group_base: str = ""
    group_filter: str = "(member={dn})"
    roles: dict[str, list[str]] = {}
    attributes: dict[str, str] = {}


class AccessSection(_Table):
    issuer: str = ""
    create_accounts: bool = True
    second_factor_roles: list[str] = []
    key_days: float = Field(365, gt=0)
    passwords: PasswordSection = PasswordSection()
    lockout: LockoutSection = LockoutSection()
    sessions: SessionSection = SessionSection()
    oidc: list[OidcSection] = []
    ldap: LdapSection | None = None


@dataclass(frozen=True, slots=True)
class AccessSettings:
    rules: AccessRules
    oidc: tuple[ProviderConfig, ...] = ()
    ldap: LdapConfig | None = None


def access_settings(company: Company, *, setup: bool = False) -> AccessSettings:
    """``setup``: see ``access.administration.Authority``. Raises ``ConfigError``."""
    path = company.folder / "dazi.toml"
    try:
        given = AccessSection.model_validate(company.settings.get("access", {}))
    except ValidationError as e:
        raise _misfit(path, e) from None
    for role in given.second_factor_roles:
        if role not in company.roles:
            raise ConfigError(
                path,
                None,
                f"[access] second_factor_roles 里的角色 {role} 不在 roles.yaml 里",
                f"[access] second_factor_roles names role {role}, which roles.yaml lacks",
            )
    providers = tuple(_provider(o, company) for o in given.oidc)
    if len({p.name for p in providers}) < len(providers):
        raise ConfigError(
            path, None, "[[access.oidc]] 的 name 重复", "[[access.oidc]] gives a name twice"
        )
    return AccessSettings(_rules(given, company, setup=setup), providers, _ldap(given, company))


def _rules(given: AccessSection, company: Company, *, setup: bool) -> AccessRules:
    lockout, sessions = given.lockout, given.sessions
    return AccessRules(
        PasswordRules(**given.passwords.model_dump()),
        LockoutRules(
            lockout.failures,
            lockout.address_failures,
            lockout.lock_minutes * MINUTE_S,
            lockout.longest_lock_minutes * MINUTE_S,
            lockout.forget_minutes * MINUTE_S,
        ),
        SessionRules(sessions.idle_minutes * MINUTE_S, sessions.longest_hours * HOUR_S),
        SignInRules(
            SEPARATED | frozenset(given.second_factor_roles),
            given.issuer or company.name.en,
            given.create_accounts,
        ),
        given.key_days,
        setup=setup,
    )


def _provider(given: OidcSection, company: Company) -> ProviderConfig:
    where = f"[[access.oidc]] {given.name}"
    secret = _secret(given.model_dump(), "client_secret", where, company.folder)
    return ProviderConfig(
        given.name,
        given.issuer,
        given.client_id,
        secret,
        tuple(given.scopes),
        given.user_claim,
        given.role_claim,
        _mapping(given.roles, where, company),
        given.attributes,
        given.department_claim,
        tuple(given.origins),
        frozenset(given.second_factor),
    )


def _ldap(access: AccessSection, company: Company) -> LdapConfig | None:
    given = access.ldap
    if given is None:
        return None
    where = "[access.ldap]"
    password = _secret(given.model_dump(), "bind_password", where, company.folder)
    plain = given.model_dump(
        exclude={"bind_password_env", "bind_password_file", "roles", "ca_file"}
    )
    return LdapConfig(
        **plain,
        bind_password=password,
        ca_file=str(company.folder / given.ca_file) if given.ca_file else "",
        roles=_mapping(given.roles, where, company),
    )


def _mapping(
    roles: Mapping[str, list[str]], where: str, company: Company
) -> dict[str, tuple[str, ...]]:
    made = {value: tuple(granted) for value, granted in roles.items()}
    check_mapping(f"{company.folder / 'dazi.toml'} {where}", made, company.roles)
    return made


def _secret(given: Mapping[str, Any], name: str, where: str, folder: Path) -> str:
    """What ``NAME_env`` or ``NAME_file`` leads to; empty where neither is given."""
    named = {k: v for k, v in given.items() if k in (f"{name}_env", f"{name}_file") and v}
    try:
        return Credential.read(named, folder, f"{name}_env", f"{name}_file").token()
    except NoCredential:
        place = next(iter(named.values()))
        raise ConfigError(
            folder / "dazi.toml",
            None,
            f"{where}:{place} 里没有可用的密钥",
            f"{where}: there is no usable secret in {place}",
        ) from None


def _misfit(path: Path, error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(["access", *map(str, first["loc"])])
    return ConfigError(path, None, f"{place} 不对:{first['msg']}", f"{place}: {first['msg']}")
