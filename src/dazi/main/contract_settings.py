"""``[contracts]`` of dazi.toml: policy, templates, muted rules, and who may what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dazi.apps.contracts.job import ENDINGS
from dazi.apps.contracts.making import Terms
from dazi.apps.contracts.rules import load_policy
from dazi.apps.contracts.service import Conditions, Rights
from dazi.core.company import Company
from dazi.core.errors import ConfigError
from dazi.packs.layers import layers_of

_KEYS = {"policy", "templates", "muted", "reviewers", "statistics", "model"}


def contract_conditions(company: Company) -> Conditions:
    """Raises ``ConfigError``."""
    given = company.settings.get("contracts", {})
    for key in given:
        if key not in _KEYS:
            known = ", ".join(sorted(_KEYS))
            raise _wrong(
                company, f"不认识 “{key}”,可用:{known}", f"no such key “{key}”; known: {known}"
            )
    policy = _path(company, given, "policy")
    rules = load_policy(policy)
    names = (company.name.zh, company.name.en)
    terms = Terms(
        rules,
        names,
        frozenset(_texts(company, given, "muted")),
        own_policy=policy is not None,
    )
    folder = _path(company, given, "templates")
    return Conditions(
        terms,
        Rights(
            _roles(company, given, "reviewers", []),
            _roles(company, given, "statistics", ["admin"] if "admin" in company.roles else []),
        ),
        _templates(company, given) if folder is not None else {},
        policy.read_text("utf-8") if policy is not None else "",
        _flag(company, given, "model"),
    )


def _templates(company: Company, given: Mapping[str, Any]) -> Mapping[str, Path]:
    """Also those of packs, in folders of that name."""
    name = str(given["templates"])
    layers = layers_of(company.folder)
    found = sorted(Path(name).iterdir()) if Path(name).is_absolute() else layers.glob(f"{name}/*")
    return {p.stem: p for p in found if p.suffix.lower() in ENDINGS and p.is_file()}


def _path(company: Company, given: Mapping[str, Any], key: str) -> Path | None:
    name = given.get(key)
    if name is None:
        return None
    path = layers_of(company.folder).find(str(name))
    if not (path.is_dir() if key == "templates" else path.is_file()):
        raise _wrong(company, f"{key}:没有 {path}", f"{key}: there is no {path}")
    return path


def _roles(
    company: Company, given: Mapping[str, Any], key: str, default: list[str]
) -> frozenset[str]:
    names = _texts(company, given, key) if key in given else default
    for name in names:
        if name not in company.roles:
            raise _wrong(company, f"{key}:没有角色 “{name}”", f"{key}: there is no role “{name}”")
    return frozenset(names)


def _flag(company: Company, given: Mapping[str, Any], key: str) -> bool:
    found = given.get(key, False)
    if not isinstance(found, bool):
        raise _wrong(company, f"{key} 应是 true 或 false", f"{key} must be true or false")
    return found


def _texts(company: Company, given: Mapping[str, Any], key: str) -> list[str]:
    found = given.get(key, [])
    if not isinstance(found, list) or not all(isinstance(v, str) for v in found):
        raise _wrong(company, f"{key} 应是文字的列表", f"{key} must be a list of texts")
    return found


def _wrong(company: Company, zh: str, en: str) -> ConfigError:
    return ConfigError(company.folder / "dazi.toml", None, f"[contracts] {zh}", f"[contracts] {en}")
