"""How a directory is reached and read; apart from the client, which takes long to load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class LdapConfig:
    """``url``: ``ldaps://HOST`` or ``ldap://HOST``, the latter with StartTLS unless ``plain``, which
    only this machine may be. ``ca_file``: who signs the server's certificate, the system's
    authorities if empty. ``user_filter`` holds ``{user}``. Groups come from ``group_filter`` (with
    ``{dn}``) under ``group_base``, or without one from the user's ``memberOf``; ``roles``: what each
    group's DN stands for. ``attributes``: identity attributes by the LDAP attribute."""

    name: str
    url: str
    base: str
    bind_dn: str
    bind_password: str = field(repr=False)
    ca_file: str = ""
    plain: bool = False
    user_filter: str = "(&(objectClass=person)(uid={user}))"
    user_attribute: str = "uid"
    subject_attribute: str = "entryUUID"
    name_attribute: str = "cn"
    department_attribute: str = "departmentNumber"
    group_base: str = ""
    group_filter: str = "(member={dn})"
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
