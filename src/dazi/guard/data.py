"""The guard over JSON-like data: each text in it by itself, and numbers that are long enough to be
somebody's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dazi.core.principal import Principal
from dazi.guard.engine import STOPPED, Guard
from dazi.guard.rules import Scope

LONG_NUMBER = 10**9
"""An integer from here on may be a telephone or a card."""


def guarded_data(guard: Guard, data: Any, scope: Scope, principal: Principal | None) -> Any:
    """``data`` with what the rules mask made unreadable, and a sentence in the place of a text that
    they block. Data that nothing is done about is handed back as it is."""
    if not guard.rules.of(scope, principal):
        return data
    return _guarded(guard, data, scope, principal)


def _guarded(guard: Guard, data: Any, scope: Scope, principal: Principal | None) -> Any:
    if isinstance(data, Mapping):
        return {k: _guarded(guard, v, scope, principal) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_guarded(guard, v, scope, principal) for v in data]
    if isinstance(data, str):
        return _text(guard, data, data, scope, principal)
    if isinstance(data, int) and not isinstance(data, bool) and abs(data) >= LONG_NUMBER:
        return _text(guard, data, str(data), scope, principal)
    return data


def _text(
    guard: Guard, value: str | int, text: str, scope: Scope, principal: Principal | None
) -> str | int:
    verdict = guard.verdict(text, scope, principal)
    if verdict.action == "block":
        return STOPPED.zh
    return value if verdict.text == text else verdict.text
