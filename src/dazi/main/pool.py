"""``models.yaml``: several model servers as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dazi.audit.ledger import Ledger
from dazi.core.engine import Engine, ModelProfile, Purpose
from dazi.core.errors import ConfigError
from dazi.guard.words import SEVERITIES
from dazi.inference.catalog import BUNDLED as BUNDLED_FOLDER
from dazi.inference.embedded import EmbeddedEngine, EmbeddedOptions
from dazi.inference.pool.config import BUNDLED, BackendSpec, Known, PoolConfig, read_pool
from dazi.inference.pool.engine import Note, PoolEngine, PoolParts
from dazi.inference.pool.health import Watch
from dazi.inference.profiles import read_profile
from dazi.inference.remote import RemoteEngine, RemoteOptions
from dazi.main.company import load_company
from dazi.main.guarding import guard_of
from dazi.main.settings import Settings
from dazi.main.weights import vault_of
from dazi.router.yaml_source import YamlSource

FILE = "models.yaml"
NOBODY = "dazi"
"""Whose a request is on record that nobody in particular has made."""


def pool_file(settings: Settings) -> Path | None:
    """The file that declares a pool, where one does. A model that is named outright comes before it.

    Raises ``ConfigError`` where ``DAZI_POOL`` names no file.
    """
    if settings.model:
        return None
    if settings.pool is not None:
        if not settings.pool.is_file():
            raise ConfigError(
                "DAZI_POOL", None, f"没有文件 {settings.pool}", f"no file {settings.pool}"
            )
        return settings.pool
    beside = settings.company_folder() / FILE
    return beside if beside.is_file() else None


def read_models(path: Path, company: Path | None = None) -> PoolConfig:
    """``company``: whose roles, tools and guard conditions name. Raises ``ConfigError`` with file,
    line and mend."""
    return read_pool(YamlSource(path), known=known_in(company) if company is not None else None)


def known_in(folder: Path) -> Known:
    """Raises ``ConfigError``."""
    company = load_company(folder)
    labels = {r.type for r in guard_of(folder).recognisers} | {f"word:{s}" for s in SEVERITIES}
    return Known(frozenset(labels), frozenset(company.roles), frozenset(company.tools))


def load_pool(settings: Settings, data: Path, path: Path) -> PoolEngine:
    """The pool that ``path`` declares; models in this process are loaded now."""
    opened = opener(settings, data, path.parent)
    folder = settings.company_folder()
    return PoolEngine(read_models(path, folder), PoolParts(opened, guard_of(folder)))


def opener(
    settings: Settings, data: Path, folder: Path
) -> Callable[[str, BackendSpec, str], Engine]:
    """What makes the engines of a pool. Relative paths of models are relative to ``folder``."""

    def at(place: str) -> Path:
        return BUNDLED_FOLDER if place == BUNDLED else folder / place

    def opened(name: str, spec: BackendSpec, key: str) -> Engine:
        if spec.embedded:
            options = EmbeddedOptions(
                cache_gb=settings.cache_gb,
                num_threads=settings.threads,
                cache_dir=data / "models",
                adapter=folder / spec.adapter if spec.adapter else None,
                vault=vault_of(settings),
            )
            return EmbeddedEngine(at(spec.embedded), options)
        return RemoteEngine(
            RemoteOptions(
                spec.url,
                spec.model,
                api_key=key,
                context_tokens=spec.context_tokens,
                kind=spec.kind,
                idle_timeout_s=spec.silent_seconds,
            ),
            replace(read_profile(at(spec.profile)), bundled=False)
            if spec.profile
            else profile_of(name, spec),
        )

    return opened


def watched(pool: PoolEngine, path: Path, company: Path) -> Iterator[Coroutine[Any, Any, None]]:
    """What keeps a pool's view of its servers and of its file up to date, until it is cancelled."""
    watch = Watch(pool, path, lambda at: read_models(at, company))
    yield watch.keep_looking()
    yield watch.keep_reloading()


def profile_of(name: str, spec: BackendSpec) -> ModelProfile:
    return ModelProfile(
        spec.model or name,
        spec.context_tokens,
        offered_tools=spec.offered_tools,
        thinks=spec.thinks,
        vision=spec.vision,
    )


def note_in(ledger: Ledger) -> Note:
    """Writes what a pool chose into ``ledger``."""

    def note(purpose: Purpose, body: Mapping[str, Any]) -> asyncio.Future[None]:
        return ledger.put("route", purpose.user or NOBODY, purpose.turn, body)

    return note
