"""The guard over JSON-like data: each text in it by itself, and numbers that are long enough to be
somebody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.guard.engine import STOPPED, Guard
from dazi.guard.rules import Scope

LONG_NUMBER = 10**9
"""An integer from here on may be a telephone or a card."""


def guarded_data(
    guard: Guard,
    data: Any,
    scope: Scope,
    principal: Principal | None,
    language: Language,
) -> Any:
    """``data`` with what the rules mask made unreadable, and a sentence in the place of a text that
    they block. Data that nothing is done about is handed back as it is."""
    if not guard.rules.of(scope, principal):
        return data

    def text_of(value: str | int, text: str) -> str | int:
        verdict = guard.verdict(text, scope, principal)
        if verdict.action == "block":
            return STOPPED(language)
        return value if verdict.text == text else verdict.text

    return _mapped(data, text_of)


def _mapped(data: Any, text_of: Callable[[str | int, str], str | int]) -> Any:
    if isinstance(data, Mapping):
        return {k: _mapped(v, text_of) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_mapped(v, text_of) for v in data]
    if isinstance(data, str):
        return text_of(data, data)
    if isinstance(data, int) and not isinstance(data, bool) and abs(data) >= LONG_NUMBER:
        return text_of(data, str(data))
    return data
