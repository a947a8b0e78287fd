"""``[widget.sites.NAME]`` of ``dazi.toml``: the company's own sites with a chat on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dazi.access.sites import Algorithm, Signing, Site
from dazi.access.users import LOOPBACK
from dazi.access.visitor_tokens import key_of
from dazi.connectors.credentials import Credential, NoCredential
from dazi.core.company import Company
from dazi.core.errors import ConfigError, OperatorError
from dazi.core.language import Text
from dazi.main.desk import desk_rules

HOUR_S = 3600.0
WELCOME = Text("您好,有什么可以帮您?", "Hello, how can we help?")
DATA = "{data}"
"""In the name of a secret's file, the data folder."""
LONGEST_KEY = 16_384
_SITE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SiteSection(_Table):
    origins: list[str] = Field(min_length=1)
    title: str | dict[str, str] = ""
    welcome: str | dict[str, str] = ""
    anonymous: bool = False
    anonymous_role: str = ""
    anonymous_attributes: dict[str, str] = {}
    algorithm: Algorithm | None = None
    secret_env: str = ""
    secret_file: str = ""
    public_key_file: str = ""
    role: str = ""
    attributes: list[str] = []
    hand_over: bool = False
    messages_per_minute: int = Field(10, ge=1, le=1_000)
    address_messages_per_minute: int = Field(60, ge=1, le=100_000)
    visitor_hours: float = Field(12, gt=0, le=24 * 30)


class WidgetSection(_Table):
    demo_page: str = ""
    sites: dict[str, dict[str, Any]] = {}


def widget_sites(company: Company, data: Path, *, keys: bool = False) -> dict[str, Site]:
    """By name. ``keys``: the sites' secrets and public keys must be there and good. Raises
    ``ConfigError`` that says where, and what to write instead."""
    where = _Where(company.folder / "dazi.toml")
    try:
        given = WidgetSection.model_validate(company.settings.get("widget", {}))
    except ValidationError as e:
        raise where.misfit("", e) from None
    return {
        name: _site(name, entry, company, data, where, keys) for name, entry in given.sites.items()
    }


def _site(
    name: str, entry: Mapping[str, Any], company: Company, data: Path, where: _Where, keys: bool
) -> Site:
    if not _SITE.fullmatch(name):
        zh, en = "名字只能用小写字母、数字和 -", "a name has small letters, digits and - only"
        raise where.wrong(name, "", zh, en)
    try:
        given = SiteSection.model_validate(dict(entry))
    except ValidationError as e:
        raise where.misfit(name, e) from None
    for origin in given.origins:
        _check_origin(origin, name, where, demo=company.demo)
    _check_roles(given, name, company, where)
    signing = _signing(given, name, company, data, where)
    if signing is None and not given.anonymous:
        zh = "谁都进不来:写 anonymous = true,或写 algorithm 和密钥"
        en = "nobody can come in: write anonymous = true, or algorithm and a key"
        raise where.wrong(name, "anonymous", zh, en)
    if keys and signing is not None:
        try:
            key_of(signing)
        except OperatorError as e:
            key = "secret" if signing.algorithm == "HS256" else "public_key"
            raise where.wrong(name, key, e.message("zh"), e.message("en")) from None
    roles, none = company.roles, frozenset[str]()
    return Site(
        name,
        frozenset(given.origins),
        Text.of(given.title) if given.title else company.name,
        Text.of(given.welcome) if given.welcome else WELCOME,
        roles.get(given.anonymous_role, none) if given.anonymous else None,
        MappingProxyType(dict(given.anonymous_attributes)),
        signing,
        roles.get(given.role, none),
        frozenset(given.attributes),
        given.hand_over,
        given.messages_per_minute,
        given.address_messages_per_minute,
        given.visitor_hours * HOUR_S,
    )


def _check_origin(origin: str, name: str, where: _Where, *, demo: bool) -> None:
    """Exactly what a browser sends: scheme and host, a port that is not the scheme's own, no path."""
    parts = urlsplit(origin)
    try:
        port = parts.port
    except ValueError:
        port = -1
    usual = {"https": 443, "http": 80}.get(parts.scheme, -1)
    if demo and port == 0:  # chosen when the demo starts
        return
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    made = f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")
    spoken = not origin.isascii()  # browsers send the name that the look-up is for: xn--...
    if made != origin or not host or usual < 0 or port in (usual, 0) or "*" in origin or spoken:
        zh = f"{origin} 应写成浏览器发来的样子,如 https://www.example.com,不带路径、* 和默认端口"
        en = f"{origin} must be as a browser sends it, such as https://www.example.com: "
        raise where.wrong(name, "origins", zh, en + "no path, no *, no default port")
    if parts.scheme == "http" and host not in LOOPBACK:
        zh, en = f"{origin} 要用 https", f"{origin} must be https"
        raise where.wrong(name, "origins", zh, en)


def _check_roles(given: SiteSection, name: str, company: Company, where: _Where) -> None:
    desk = desk_rules(company)
    working = desk.roles | desk.supervisors
    for key, role in (("anonymous_role", given.anonymous_role), ("role", given.role)):
        if role and role not in company.roles:
            known = ", ".join(company.roles)
            zh = f"角色 {role} 不在 roles.yaml 里;有:{known}"
            en = f"role {role} is not in roles.yaml; there are: {known}"
            raise where.wrong(name, key, zh, en)
        if role and not company.roles[role].isdisjoint(working):
            zh = f"角色 {role} 是客服自己的,不能给网站的访客"
            en = f"role {role} is the desk's own; visitors of a site cannot have it"
            raise where.wrong(name, key, zh, en)
    if not given.anonymous and (given.anonymous_role or given.anonymous_attributes):
        zh, en = "anonymous = true 才用得上", "is of use with anonymous = true only"
        key = "anonymous_role" if given.anonymous_role else "anonymous_attributes"
        raise where.wrong(name, key, zh, en)


def _signing(
    given: SiteSection, name: str, company: Company, data: Path, where: _Where
) -> Signing | None:
    keys = ("secret_env", "secret_file", "public_key_file")
    named = {key: value for key in keys if (value := getattr(given, key))}
    if given.algorithm is None:
        if named or given.role or given.attributes:
            key = next(iter(named), "role" if given.role else "attributes")
            zh = "还要写 algorithm:HS256(共享密钥)或 RS256、ES256、EdDSA(公钥)"
            en = (
                "needs algorithm too: HS256 (a shared secret) or RS256, ES256, EdDSA (a public key)"
            )
            raise where.wrong(name, key, zh, en)
        return None
    secret = given.algorithm == "HS256"
    if len(named) != 1 or secret == ("public_key_file" in named):
        which = "secret_env, secret_file" if secret else "public_key_file"
        zh = f"{given.algorithm} 要写 {which} 中的一个,别的不写"
        en = f"{given.algorithm} takes one of {which}, and no other"
        raise where.wrong(name, "algorithm", zh, en)
    ((key, place),) = named.items()
    path = place.replace(DATA, str(data))
    credential = Credential.read({key: path}, company.folder, "secret_env", "secret_file")

    def read() -> bytes:
        try:
            if secret:
                return credential.token().encode()
            found: bytes = (company.folder / path).read_bytes()
            return found[:LONGEST_KEY]
        except (NoCredential, OSError):
            zh, en = (
                f"网站 {name}:{place} 里没有可用的密钥",
                f"site {name}: no usable key in {place}",
            )
            raise OperatorError("site_key", zh, en) from None

    return Signing(given.algorithm, read)


class _Where:
    """Says in which line of the file a mistake is."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def wrong(self, site: str, key: str, zh: str, en: str) -> ConfigError:
        place = ".".join(p for p in ("widget.sites", site, key) if p)
        return ConfigError(self._path, self._line(site, key), f"{place}:{zh}", f"{place}: {en}")

    def misfit(self, site: str, error: ValidationError) -> ConfigError:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(SiteSection.model_fields if site else WidgetSection.model_fields)
            zh, en = f"没有这个设置;可用:{known}", f"no such setting; there are: {known}"
            return self.wrong(site, key, zh, en)
        return self.wrong(site, key, first["msg"], first["msg"])

    def _line(self, site: str, key: str) -> int | None:
        """Of ``key`` in the site's section, else of the section."""
        found: int | None = None
        inside = False
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except OSError:
            return None
        first = key.partition(".")[0]
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text.startswith("["):
                inside = text.startswith((f"[widget.sites.{site}]", f"[widget.sites.{site}."))
                inside = inside or (not site and text.startswith("[widget"))
                found = number if inside and found is None else found
            elif inside and first and text.startswith(first):
                return number
        return found
