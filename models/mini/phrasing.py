"""The written lines of ``phrasings/``: what their slots and fixed arguments mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SLOT = re.compile(r"\{(\w+)(?::(\w+))?\}|\[\[(\w+):(.+?)\]\]")
"""``{slot}``, ``{parameter:pool}`` or ``[[parameter:exact text]]``."""
CALL = re.compile(r"(\w+)\(([^)]*)\)")
_FIXED = re.compile(r"\s\|\s*(\w+\s*=\s*(?:\[[^\]]*\]|[^,\]]+)(?:\s*,\s*\w+\s*=.*)?)$")
_CLAUSE = re.compile(r"[,。;!?,.;!?:\n]")


@dataclass(frozen=True)
class Said:
    """A message and the values of its slots (numbered slots keep their number)."""

    text: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    name: str
    arguments: Mapping[str, Any]


class BadPhrasing(ValueError):
    """A phrasing that cannot become a training sample."""


def fixed_arguments(line: str) -> tuple[str, dict[str, Any]]:
    """Split ``text | key=value, key=[a,b]``."""
    match = _FIXED.search(line)
    if not match:
        return line, {}
    out: dict[str, Any] = {}
    for key, value in re.findall(r"(\w+)\s*=\s*(\[[^\]]*\]|[^,]+)", match[1]):
        value = value.strip()
        out[key] = [v.strip() for v in value[1:-1].split(",")] if value.startswith("[") else value
        if isinstance(out[key], str) and out[key].isdigit():
            out[key] = int(out[key])
    return line[: match.start()].rstrip(), out


def subject_of(body: str) -> str:
    """The subject of a mail that was told without one: the first clause of what it shall say."""
    return _CLAUSE.split(body, maxsplit=1)[0].strip() or body
