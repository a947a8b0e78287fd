"""The guard over JSON-like data: each text in it by itself and behind its name, and numbers that are
long enough to be somebody's."""

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

    def text_of(value: str | int, name: str) -> str | int:
        text = str(value)
        verdict = guard.verdict(text, scope, principal)
        label = f"{name}: " if name else ""
        if label and verdict.text == text:  # a name, as some are, may be known by its label only
            verdict = guard.verdict(label + text, scope, principal)
        if verdict.action == "block":
            return STOPPED(language)
        shown = verdict.text.removeprefix(label)
        return value if shown == text else shown

    return _mapped(data, text_of, "")


def _mapped(data: Any, text_of: Callable[[str | int, str], str | int], name: str) -> Any:
    """``name`` is the key that ``data`` stands behind, also in a list."""
    if isinstance(data, Mapping):
        return {k: _mapped(v, text_of, str(k)) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_mapped(v, text_of, name) for v in data]
    if isinstance(data, str):
        return text_of(data, name)
    if isinstance(data, int) and not isinstance(data, bool) and abs(data) >= LONG_NUMBER:
        return text_of(data, name)
    return data
