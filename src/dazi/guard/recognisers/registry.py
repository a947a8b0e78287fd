"""All recognisers, in one place. Built-in and a company's own come through the same door."""

from __future__ import annotations

from collections.abc import Iterable

from dazi.guard.recognisers import (
    addresses,
    cards,
    documents,
    identity,
    network,
    persons,
    phones,
    plates,
    secrets,
)  # fmt: skip
from dazi.guard.recognisers.base import Recogniser

BUILT_IN: tuple[Recogniser, ...] = (
    *identity.RECOGNISERS,
    *cards.RECOGNISERS,
    *phones.RECOGNISERS,
    *documents.RECOGNISERS,
    *plates.RECOGNISERS,
    *network.RECOGNISERS,
    *secrets.RECOGNISERS,
    *addresses.RECOGNISERS,
    *persons.RECOGNISERS,
)
TYPES: tuple[str, ...] = tuple(dict.fromkeys(r.type for r in BUILT_IN))
"""``resident_id``, ``bank_card``, ``mobile`` and so on; a company's own are ``custom:NAME``."""


def registered(own: Iterable[Recogniser] = ()) -> tuple[Recogniser, ...]:
    """Raises ``ValueError`` where two of a company's own recognisers share a type, or one has the
    type of a built-in."""
    known = set(TYPES)
    for recogniser in own:
        if recogniser.type in known:
            raise ValueError(f"a second recogniser for {recogniser.type}")
        known.add(recogniser.type)
    return (*BUILT_IN, *own)
