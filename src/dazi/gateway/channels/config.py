"""``channels.yaml`` of a company folder: which channels there are, and whose messages they bring."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dazi.core.errors import ConfigError
from dazi.gateway.channels import hosts
from dazi.gateway.channels.protocol import Limits
from dazi.router.yaml_source import YamlSource

FILE = "channels.yaml"
_URL = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
_NAME = r"^[a-z][a-z0-9-]{0,30}$"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PeopleSection(_Table):
    """``table``: the vendor's name of a person -> ours. ``attribute``: of accounts, that equals what
    the vendor tells of the person under ``vendor_field``. ``binding``: people may bind themselves.
    ``roles``: who may use it; empty: whoever is known."""

    table: dict[str, str] = {}
    attribute: str = ""
    vendor_field: str = "userid"
    binding: bool = True
    roles: list[str] = []


class Section(_Table):
    """What every channel has. ``order_wait_ms``: how long a message waits for one that was written
    before it; ``keep_days``: after that many, what was answered is deleted, and not
    before a vendor could send it again; ``sign_in``: people may
    sign in on the web page with it, where the vendor can."""

    kind: str
    people: PeopleSection = PeopleSection()
    per_minute: int = Field(-1, ge=-1)
    per_hour: int = Field(-1, ge=-1)
    per_day: int = Field(-1, ge=-1)
    order_wait_ms: int = Field(300, ge=0, le=10_000)
    keep_days: float = Field(7.0, ge=0.1, le=3650)
    sign_in: bool = False

    def paced(self, usual: Limits) -> Limits:
        """``usual``, with what is set here."""
        given = (self.per_minute, self.per_hour, self.per_day)
        was = (usual.per_minute, usual.per_hour, usual.per_day)
        return Limits(
            usual.text_bytes, *(w if g < 0 else g for g, w in zip(given, was, strict=True))
        )


class WeComSection(Section):
    kind: Literal["wecom"]
    corp_id: str = Field(min_length=1)
    agent_id: int = Field(ge=0)
    secret_env: str = ""
    secret_file: str = ""
    token_env: str = ""
    token_file: str = ""
    aes_key_env: str = ""
    aes_key_file: str = ""
    api: str = Field(hosts.WECOM_API, pattern=_URL)
    authorize: str = Field(hosts.WECOM_AUTHORIZE, pattern=_URL)


class DingTalkSection(Section):
    kind: Literal["dingtalk"]
    app_key: str = Field(min_length=1)
    app_secret_env: str = ""
    app_secret_file: str = ""
    robot_code: str = ""
    corp_id: str = ""
    api: str = Field(hosts.DINGTALK_API, pattern=_URL)
    old_api: str = Field(hosts.DINGTALK_OLD_API, pattern=_URL)
    media: list[str] = []
    card_template: str = ""
    card_route: str = ""
    card_secret_env: str = ""
    card_secret_file: str = ""
    event_token_env: str = ""
    event_token_file: str = ""
    event_key_env: str = ""
    event_key_file: str = ""


SECTIONS: Mapping[str, type[Section]] = {"wecom": WeComSection, "dingtalk": DingTalkSection}
SECRETS: Mapping[str, tuple[str, ...]] = {
    "wecom": ("secret", "token", "aes_key"),
    "dingtalk": ("app_secret",),
}
"""Which secrets each kind cannot do without."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A channel as the file has it. ``line``: where."""

    name: str
    section: Section
    folder: Path
    line: int | None


def read_channels(folder: Path, roles: Collection[str]) -> tuple[Declared, ...]:
    """Nothing where there is no file. Raises ``ConfigError`` with file, line and mend."""
    path = folder / FILE
    if not path.is_file():
        return ()
    source = YamlSource(path)
    data = source.data
    if not isinstance(data, Mapping) or not data:
        raise source.error((), "写成 渠道名: {kind: wecom, …}", "write NAME: {kind: wecom, ...}")
    return tuple(_declared(source, str(name), data[name], roles) for name in data)


def _declared(source: YamlSource, name: str, entry: Any, roles: Collection[str]) -> Declared:
    if not isinstance(entry, Mapping):
        raise source.error(
            (name,), "写成 渠道名: {kind: wecom, …}", "write NAME: {kind: wecom, ...}"
        )
    _check_name(source, name)
    kind = entry.get("kind", name)
    model = SECTIONS.get(kind) if isinstance(kind, str) else None
    known = ", ".join(SECTIONS)
    if model is None:
        raise source.error(
            (name, "kind"), f"没有 “{kind}” 这种渠道,可用:{known}",
            f"there is no kind “{kind}”; known: {known}",
        )  # fmt: skip
    try:
        section = model.model_validate({**entry, "kind": kind})
    except ValidationError as e:
        raise _misfit(source, name, e) from None
    _check_secrets(source, name, section)
    for role in section.people.roles:
        if role not in roles:
            raise source.error(
                (name, "people", "roles"),
                f"roles.yaml 里没有角色 “{role}”",
                f"roles.yaml has no role “{role}”",
            )
    if isinstance(section, DingTalkSection) and section.card_template:
        missing = [n for n in ("card_route",) if not getattr(section, n)]
        if missing or not (section.card_secret_env or section.card_secret_file):
            raise source.error(
                (name, "card_template"),
                "用互动卡片还要 card_route 和 card_secret_env(或 card_secret_file)",
                "an interactive card needs card_route and card_secret_env (or card_secret_file)",
            )
    return Declared(name, section, source.path.parent, source.line((name,)))


def _check_name(source: YamlSource, name: str) -> None:
    if re.fullmatch(_NAME, name) is None:
        raise source.error(
            (name,),
            f"渠道名 “{name}” 只能用小写字母、数字和 -,以字母开头",
            f"a channel is called by small letters, digits and -; not “{name}”",
        )


def _check_secrets(source: YamlSource, name: str, section: Section) -> None:
    given = section.model_dump()
    for secret in SECRETS[section.kind]:
        both = [k for k in (f"{secret}_env", f"{secret}_file") if given.get(k)]
        if len(both) != 1:
            raise source.error(
                (name, *both[:1]),
                f"写 {secret}_env(环境变量名)或 {secret}_file(文件名),二选一;密钥本身不写在这里",
                f"give {secret}_env (a variable's name) or {secret}_file (a file's name), one of "
                "them; the secret itself does not stand here",
            )


def _misfit(source: YamlSource, name: str, error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False, include_input=False)[0]
    place = (name, *first["loc"])
    shown = ".".join(map(str, place))
    if first["type"] == "extra_forbidden":
        return source.error(place, f"不认识 “{shown}”", f"no such key “{shown}”")
    if first["type"] == "missing":
        return source.error((name,), f"缺少 {shown}", f"{shown} is missing")
    return source.error(place, f"{shown} 不对:{first['msg']}", f"{shown}: {first['msg']}")
