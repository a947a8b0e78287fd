"""All checks, in one place. Items of the frameworks refer to them by these names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType

from dazi.ops.compliance.checks import (
    backups,
    content,
    duties,
    files,
    identity,
    labels,
    ledger,
    persons,
    rights,
    transport,
)
from dazi.ops.compliance.results import Result
from dazi.ops.compliance.subject import Subject

Check = Callable[[Subject], Awaitable[Result]]


def registered(checks: Iterable[Check]) -> Mapping[str, Check]:
    """By name. Raises ``ValueError`` for two of one name."""
    out: dict[str, Check] = {}
    for check in checks:
        name = check.__name__
        if name in out:
            raise ValueError(f"a second check {name}")
        out[name] = check
    return MappingProxyType(out)


CHECKS = registered(
    (
        identity.accounts_unique,
        identity.password_strength,
        identity.password_storage,
        identity.login_failure,
        identity.session_timeout,
        identity.second_factor,
        rights.accounts_assigned,
        rights.default_accounts,
        rights.stale_accounts,
        rights.least_privilege,
        rights.decision_granularity,
        rights.policy_authority,
        rights.api_keys,
        duties.separation_of_duties,
        duties.administrators_appointed,
        duties.sensitive_confirmed,
        duties.bound_identity,
        ledger.audit_covers,
        ledger.audit_fields,
        ledger.audit_chain,
        ledger.audit_checkpoints,
        ledger.audit_retention,
        ledger.audit_uninterrupted,
        ledger.audit_sealed,
        ledger.security_events,
        transport.remote_transport,
        transport.egress_rules,
        transport.data_location,
        files.key_files,
        files.data_folder,
        files.storage_encrypted,
        backups.backups,
        files.clock,
        content.output_masked,
        content.input_validated,
        content.injection_signals,
        content.capacity_limits,
        persons.erasure,
        persons.access_export,
        persons.rectification,
        persons.restriction,
        persons.residual_cleared,
        persons.retention_limit,
        persons.processing_listed,
        labels.visible_label,
        labels.implicit_label,
        labels.producer_named,
    )
)
