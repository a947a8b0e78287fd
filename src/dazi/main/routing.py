"""What the settings say of confirmations and of systems that fail, for whatever makes calls."""

from __future__ import annotations

from dazi.audit.private import Private
from dazi.main.settings import Settings
from dazi.router.care import Care, CareRules
from dazi.router.tickets import TicketStore
from dazi.store.database import Database

BROKEN_OFF_S = 30
"""Carrying out a decision is a turn; one that takes so much longer has broken off."""


def tickets_of(settings: Settings, database: Database, private: Private) -> TicketStore:
    return TicketStore(
        database,
        private,
        settings.confirmation_seconds,
        settings.turn_seconds + BROKEN_OFF_S,
        settings.approval_seconds,
    )


def care_of(settings: Settings) -> Care:
    return Care(
        CareRules(
            settings.read_attempts,
            failures=settings.rest_after_failures,
            rest_s=settings.rest_seconds,
        )
    )
