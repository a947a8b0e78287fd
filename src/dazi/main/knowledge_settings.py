"""``[knowledge]`` of dazi.toml: where the company's documents are, and who looks after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.core.company import Company
from dazi.core.errors import CallerError, ConfigError
from dazi.knowledge.comparing import declared_source
from dazi.knowledge.records import Source, SourceKind
from dazi.knowledge.rights import EVERYBODY, readers_of
from dazi.packs.layers import Layer, layers_of

FOLDER = "knowledge"
"""Of a company folder: its documents, where nothing else is declared; and of a pack."""
DATA, COMPANY = "{data}", "{company}"
"""What places of folders may begin with; relative ones are the company folder's."""
_KINDS: tuple[SourceKind, ...] = ("folder", "url", "database")
SEPARATOR = "\n"


@dataclass(frozen=True, slots=True)
class KnowledgeSettings:
    """``managers``: roles that may add and remove documents and set their rights."""

    sources: tuple[Source, ...]
    managers: frozenset[str]


def knowledge_settings(company: Company) -> KnowledgeSettings:
    """Raises ``ConfigError``."""
    given = company.settings.get("knowledge", {})
    _known(company, given, {"sources", "managers"})
    managers = given.get("managers", ["admin"] if "admin" in company.roles else [])
    unknown = [m for m in _texts(company, managers, "managers") if m not in company.roles]
    if unknown:
        raise _wrong(company, f"没有角色 “{unknown[0]}”", f"there is no role “{unknown[0]}”")
    sources = given.get("sources")
    layers = layers_of(company.folder)
    if sources is None:
        there = (company.folder / FOLDER).is_dir()
        sources = [{"folder": FOLDER}] if there else []
    if not isinstance(sources, list) or not all(isinstance(s, dict) for s in sources):
        raise _wrong(
            company, "来源写成 [[knowledge.sources]]", "write sources as [[knowledge.sources]]"
        )
    of_packs = [
        {"folder": f"{root_of(pack)}/{FOLDER}"}
        for pack in layers.packs
        if layers.open_to(pack, FOLDER) and (pack.folder / FOLDER).is_dir()
    ]
    return KnowledgeSettings(
        tuple(_source(company, s) for s in [*sources, *of_packs]), frozenset(managers)
    )


def root_of(pack: Layer) -> str:
    """What places in a pack begin with."""
    return f"{{pack:{pack.name}}}"


def roots_of(company: Path, data: Path) -> dict[str, Path]:
    """Where places of folders are."""
    packs = layers_of(company).packs
    return {DATA: data, COMPANY: company, **{root_of(p): p.folder for p in packs}}


def _source(company: Company, given: Mapping[str, Any]) -> Source:
    _known(company, given, {*_KINDS, "query", "readers"})
    kinds = [k for k in _KINDS if k in given]
    if len(kinds) != 1 or ("query" in given) != (kinds == ["database"]):
        raise _wrong(
            company,
            "每个来源写 folder、url 或 database 之一;database 还要写 query",
            "a source has one of folder, url and database, and with database a query",
        )
    kind = kinds[0]
    place = str(given[kind])
    if kind == "folder":
        named = place.startswith((f"{DATA}/", f"{COMPANY}/", "{pack:")) or Path(place).is_absolute()
        place = place if named else f"{COMPANY}/{place}"
    elif kind == "database":
        if place not in company.settings.get("databases", {}):
            raise _wrong(company, f"[databases] 里没有 {place}", f"[databases] has no {place}")
        place = f"{place}{SEPARATOR}{given['query']}"
    try:
        labels = _texts(company, given.get("readers", ["all"]), "readers")
        readers = readers_of(labels, company.roles.keys()) if labels else EVERYBODY
    except CallerError as e:
        raise _wrong(company, e.message("zh"), e.message("en")) from None
    return declared_source(kind, place, readers)


def _texts(company: Company, given: Any, key: str) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(v, str) for v in given):
        raise _wrong(company, f"{key} 应是文字的列表", f"{key} must be a list of texts")
    return given


def _known(company: Company, given: Mapping[str, Any], keys: set[str]) -> None:
    for key in given:
        if key not in keys:
            known = ", ".join(sorted(keys))
            raise _wrong(
                company, f"不认识 “{key}”,可用:{known}", f"no such key “{key}”; known: {known}"
            )


def _wrong(company: Company, zh: str, en: str) -> ConfigError:
    return ConfigError(company.folder / "dazi.toml", None, f"[knowledge] {zh}", f"[knowledge] {en}")
