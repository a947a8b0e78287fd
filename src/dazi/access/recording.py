"""Administrative acts go on record before they happen; what cannot be recorded does not happen."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from dazi.core.errors import AccessError, DaziError
from dazi.core.principal import Principal

Record = Callable[[str, str, Mapping[str, Any]], Awaitable[None]]
"""Kind, user and body into the ledger; returns once it is durable, raises where it cannot be."""

log = logging.getLogger("dazi.access")


@asynccontextmanager
async def recorded(
    record: Record, by: Principal, act: str, **body: Any
) -> AsyncIterator[dict[str, Any]]:
    """The act goes on record first; if it fails afterwards, that does too. No secrets in ``body``."""
    said: dict[str, Any] = {"act": act, "tenant": by.tenant, "channel": by.channel, **body}
    await record("admin", by.user, said)
    try:
        yield said
    except BaseException as e:
        code = e.code if isinstance(e, DaziError) else type(e).__name__
        await _besides(record, by, {**said, "failed": code})
        raise


async def refuse(record: Record, by: Principal, act: str, error: AccessError) -> None:
    """Put on record that somebody tried what they may not, and raise ``error``."""
    body = {"act": act, "tenant": by.tenant, "channel": by.channel, "refused": error.code}
    await _besides(record, by, body)
    raise error


async def _besides(record: Record, by: Principal, body: Mapping[str, Any]) -> None:
    """Nothing has been done that would need this record: an error of its own must not hide why."""
    with suppress(Exception):
        await record("admin", by.user, body)
        return
    log.error("could not record %s", body["act"])
