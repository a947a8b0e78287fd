"""A company folder -> ``core.company.Company``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dazi.core.company import Company, DemoUser, PolicySource
from dazi.core.errors import ConfigError
from dazi.core.language import Text
from dazi.packs.layers import (
    SETTINGS,
    Layers,
    layers_of,
    line_of,
    nothing_left_out,
    read_settings,
)
from dazi.router.declare import load_tools
from dazi.router.yaml_source import YamlSource

ROLES = "roles.yaml"
KNOWN_SECTIONS = frozenset(
    {
        "company",
        "extends",
        "without",
        "pack",
        "demo",
        "databases",
        "services",
        "mail",
        "users",
        "self_check",
        "limits",
        "prices",
        "access",
        "knowledge",
        "risk",
        "desk",
        "widget",
        "contracts",
    }
)

_TABLES = frozenset(
    {
        "company",
        "pack",
        "databases",
        "services",
        "mail",
        "prices",
        "access",
        "knowledge",
        "desk",
        "widget",
        "risk",
        "contracts",
    }
)


def load_company(folder: Path) -> Company:
    """Read and validate a whole folder. Raises ``ConfigError`` with file, line and mend."""
    settings = load_settings(folder)
    layers = layers_of(folder)
    layers.check()
    tools, connectors = load_tools(folder)
    included, names = _roles(layers)
    for tool in tools.values():
        for role in (*tool.roles, *filter(None, [tool.approver])):
            if role not in included:
                known = ", ".join(sorted(included))
                where, _, line = tool.source.rpartition(":")
                raise ConfigError(
                    where,
                    int(line) if line.isdigit() else None,
                    f"工具 {tool.name} 用了 roles.yaml 里没有的角色 “{role}”,可用:{known}",
                    f"tool {tool.name} names role “{role}”, which roles.yaml lacks; known: {known}",
                )
    return Company(
        folder=folder,
        name=Text.of(settings.get("company", {}).get("name", folder.name)),
        tools=tools,
        connectors=connectors,
        roles=included,
        role_names=names,
        settings=settings,
        users=_users(folder, settings, included),
        policies=tuple(
            PolicySource(str(path), path.read_text(encoding="utf-8"))
            for path in layers.glob("policies/*.cedar")
        ),
    )


def load_settings(folder: Path) -> dict[str, Any]:
    """``dazi.toml``, with those of the packs that it extends. Raises ``ConfigError``."""
    _check(folder)
    layers = layers_of(folder)
    for pack in layers.packs:
        _check(pack.folder)
    return layers.settings()


def _check(folder: Path) -> None:
    path, data = folder / SETTINGS, read_settings(folder)
    for key in data:
        if key not in KNOWN_SECTIONS:
            known = ", ".join(sorted(KNOWN_SECTIONS))
            raise ConfigError(
                path,
                line_of(path, key),
                f"不认识 “{key}”,可用:{known}",
                f"no such key “{key}”; known: {known}",
            )
        if not _well_formed(key, data[key]):
            form = "[[users]]" if key == "users" else f"[{key}]"
            raise ConfigError(
                path, line_of(path, key), f"“{key}” 要写成 {form} 一节", f"write {key} as {form}"
            )


def _well_formed(key: str, section: Any) -> bool:
    if key == "users":
        return isinstance(section, list) and all(isinstance(entry, dict) for entry in section)
    return key not in _TABLES or isinstance(section, dict)


def _roles(layers: Layers) -> tuple[dict[str, frozenset[str]], dict[str, Text]]:
    """Those of the packs, then the company's own, which take the place of those of the same name."""
    direct: dict[str, list[str]] = {}
    names: dict[str, Text] = {}
    read: list[tuple[YamlSource, list[str]]] = []
    for layer in reversed(layers.layers):
        for role in (w.partition(":")[2] for w in layer.without if w.startswith("role:")):
            if role not in direct:
                raise nothing_left_out(layer, f"role:{role}")
            del direct[role], names[role]
        path = layer.folder / ROLES
        if not path.is_file() and layers.packs:
            continue
        source = YamlSource(path)
        told = _roles_in(source)
        for role, (included, name) in told.items():
            direct.pop(role, None)
            direct[role], names[role] = included, name
        read.append((source, list(told)))
    for source, told_roles in read:
        for role in told_roles:
            for other in direct.get(role, ()):
                if not isinstance(other, str) or other not in direct:
                    raise source.error(
                        (role, "includes"), f"没有角色 “{other}”", f"there is no role “{other}”"
                    )
    if not direct:
        raise ConfigError(layers.own.folder / ROLES, None, "应列出角色", "must list the roles")
    return {role: _closure(role, direct) for role in direct}, names


def _roles_in(source: YamlSource) -> dict[str, tuple[list[str], Text]]:
    """Of one file: the roles that each includes, and its name."""
    data = source.data.get("roles", source.data) if isinstance(source.data, Mapping) else None
    if not isinstance(data, Mapping) or not data:
        raise source.error((), "应列出角色", "must list the roles")
    found: dict[str, tuple[list[str], Text]] = {}
    for role, entry in data.items():
        entry = {} if entry is None else entry
        if not isinstance(role, str) or not isinstance(entry, Mapping):
            raise source.error(
                (role,),
                "写成 角色: {name: 名字, includes: [别的角色]}",
                "write it as ROLE: {name: NAME, includes: [OTHER_ROLE]}",
            )
        unknown = {str(key) for key in entry} - {"name", "includes"}
        if unknown:
            raise source.error(
                (role, sorted(unknown)[0]),
                f"不认识 “{sorted(unknown)[0]}”,可用:name, includes",
                f"no such key “{sorted(unknown)[0]}”; known: name, includes",
            )
        name, included = entry.get("name", role), entry.get("includes") or []
        if not isinstance(name, str | Mapping):
            raise source.error((role, "name"), "应是文字", "must be a text")
        if not isinstance(included, list):
            raise source.error((role, "includes"), "应是角色的列表", "must be a list of roles")
        found[role] = included, Text.of(name)
    return found


def _closure(role: str, direct: Mapping[str, list[str]]) -> frozenset[str]:
    seen: set[str] = set()
    todo = [role]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo += direct[current]
    return frozenset(seen)


def _users(
    folder: Path, settings: Mapping[str, Any], roles: Mapping[str, frozenset[str]]
) -> tuple[DemoUser, ...]:
    path = folder / "dazi.toml"
    out: dict[str, DemoUser] = {}
    for entry in settings.get("users", []):
        name = str(entry.get("user", ""))
        granted = tuple(entry.get("roles", []))
        missing = [r for r in granted if r not in roles]
        if not name or name in out:
            raise ConfigError(
                path,
                line_of(path, "[users"),
                f"用户名 “{name}” 为空或重复",
                f"user name “{name}” is empty or given twice",
            )
        if missing or not granted:
            raise ConfigError(
                path,
                line_of(path, f'user = "{name}"'),
                f"用户 {name} 的角色不对:{', '.join(missing) or '没有角色'}",
                f"user {name} has wrong roles: {', '.join(missing) or 'none'}",
            )
        attributes = entry.get("attributes", {})
        out[name] = DemoUser(
            name,
            str(entry.get("password", name)),
            granted,
            Text.of(entry.get("name", name)),
            {str(k): str(v) for k, v in attributes.items()},
        )
    return tuple(out.values())
