"""Contract review, wired: its kinds of job, and the service that channels use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from dazi.apps.contracts.job import Hooks, review_kind
from dazi.apps.contracts.service import Conditions, ContractService
from dazi.apps.contracts.templates import template_kind
from dazi.apps.contracts.verdicts import VerdictStore
from dazi.apps.contracts.views import Viewer, able
from dazi.audit.private import Private
from dazi.core.principal import Principal
from dazi.guard.hiding_engine import hiding
from dazi.main.contract_settings import contract_conditions
from dazi.store.jobs.work import Kind

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime


def contract_kinds(runtime: Runtime) -> Iterable[Kind]:
    conditions = _conditions(runtime)
    verdicts = VerdictStore(runtime.database, Private(runtime.sealing.keys))
    engine = hiding(runtime.engine, runtime.router.guard, Principal("", frozenset(), channel="job"))
    viewer = Viewer(engine, runtime.company.name) if conditions.terms.model else None
    return kinds_of(conditions, verdicts, viewer)


def kinds_of(
    conditions: Conditions, verdicts: VerdictStore, viewer: Viewer | None = None
) -> Iterable[Kind]:
    rights = conditions.rights.check
    views = viewer.add if viewer is not None else None
    yield review_kind(conditions.terms, Hooks(rights, verdicts.shown, views))
    yield template_kind(rights)


def _conditions(runtime: Runtime) -> Conditions:
    """The company's, with the model where it is wanted and able."""
    conditions, profile = contract_conditions(runtime.company), runtime.engine.profile
    if not (conditions.model and able(profile)):
        return conditions
    model = f"{profile.name} {profile.version}".strip()
    return replace(conditions, terms=replace(conditions.terms, model=model))


def open_contracts(runtime: Runtime) -> ContractService | None:
    """``None`` where there are no jobs."""
    if runtime.jobs is None:
        return None
    return ContractService(
        runtime.jobs,
        VerdictStore(runtime.database, Private(runtime.sealing.keys)),
        _conditions(runtime),
        runtime.settings.job_file_bytes,
    )
