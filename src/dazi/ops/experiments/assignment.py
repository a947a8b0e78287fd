"""Which arm a subject is in: by a salted digest, so that nothing has to be kept to find it again.

A subject's place between 0 and 1 never changes. Each treatment has a slice of its own, of which its share
is the beginning: while shares grow, subjects only ever move from the first arm to a treatment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from dazi.core.principal import Principal
from dazi.ops.experiments.plan import Eligible, Plan, Unit

_WHOLE = float(1 << 64)
HOLDOUT = "holdout"
"""The salt of all experiments' holdouts: they are the same people, and larger ones hold the smaller."""


def subject_of(unit: Unit, principal: Principal, thread: str) -> str:
    """Whom an assignment is for; no two have the same."""
    if unit == "tenant":
        return principal.tenant
    who = f"{principal.tenant}\x1f{principal.user}"
    return who if unit == "user" else f"{who}\x1f{thread}"


def digest(salt: str, subject: str) -> str:
    """64 hexadecimal digits."""
    return hashlib.sha256(f"{salt}\x1e{subject}".encode()).hexdigest()


def place(digested: str) -> float:
    """Between 0 and 1, evenly."""
    return int(digested[:16], 16) / _WHOLE


def person_of(unit: Unit, principal: Principal) -> str:
    """Whom a holdout is of: threads are held out with their person."""
    return subject_of("tenant" if unit == "tenant" else "user", principal, "")


def held_out(plan: Plan, person: str) -> bool:
    return plan.holdout > 0 and place(digest(HOLDOUT, person)) < plan.holdout


def arm_at(plan: Plan, shares: Mapping[str, float], at: float) -> str:
    """The arm of the place ``at``."""
    slice_ = 1 / len(plan.treatments)
    number = min(int(at / slice_), len(plan.treatments) - 1)
    arm = plan.treatments[number].name
    return arm if at - number * slice_ < shares.get(arm, 0.0) else plan.control.name


def takes_part(eligible: Eligible, principal: Principal, language: str) -> bool:
    return (
        (not eligible.roles or principal.has_role(*eligible.roles))
        and (not eligible.channels or principal.channel in eligible.channels)
        and (not eligible.languages or language in eligible.languages)
    )
