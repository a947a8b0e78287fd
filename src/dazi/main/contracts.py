"""Contract review, wired: its kinds of job, and the service that channels use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dazi.apps.contracts.job import review_kind
from dazi.apps.contracts.service import Conditions, ContractService
from dazi.apps.contracts.templates import template_kind
from dazi.apps.contracts.verdicts import VerdictStore
from dazi.audit.private import Private
from dazi.main.contract_settings import contract_conditions
from dazi.store.jobs.work import Kind

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime


def contract_kinds(runtime: Runtime) -> Iterable[Kind]:
    conditions = contract_conditions(runtime.company)
    verdicts = VerdictStore(runtime.database, Private(runtime.sealing.keys))
    return kinds_of(conditions, verdicts)


def kinds_of(conditions: Conditions, verdicts: VerdictStore) -> Iterable[Kind]:
    yield review_kind(conditions.terms, conditions.rights.check, verdicts.shown)
    yield template_kind(conditions.rights.check)


def open_contracts(runtime: Runtime) -> ContractService | None:
    """``None`` where there are no jobs."""
    if runtime.jobs is None:
        return None
    return ContractService(
        runtime.jobs,
        VerdictStore(runtime.database, Private(runtime.sealing.keys)),
        contract_conditions(runtime.company),
        runtime.settings.job_file_bytes,
    )
