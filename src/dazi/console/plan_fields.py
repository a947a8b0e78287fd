"""Fields of planning's forms, as text: what an address gives, what is wrong, what the command takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dazi.console import plan_texts as texts
from dazi.core.language import Text

Kind = Literal["whole", "number", "text", "choice", "tick"]
LONGEST = 40
"""Characters that a field takes."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """``name`` is that of the command's option; ``options``: those of a ``choice``. A ``tick`` is ``1``
    or empty."""

    name: str
    group: str
    default: str
    kind: Kind = "whole"
    options: tuple[str, ...] = ()


def number(name: str, group: str, default: float) -> Field:
    return Field(name, group, f"{default:g}", "number")


def whole(name: str, group: str, default: int) -> Field:
    return Field(name, group, str(default))


def choice(name: str, group: str, default: str, options: Sequence[str]) -> Field:
    return Field(name, group, default, "choice", tuple(options))


def filled(fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, str]:
    """What an address gives, and defaults for the rest and for what is none of the options."""
    made = {}
    for f in fields:
        value = given.get(f.name, f.default)[:LONGEST]
        options = ("", "1") if f.kind == "tick" else f.options
        made[f.name] = value if not options or value in options else f.default
    return made


def numbers(
    fields: Sequence[Field], given: Mapping[str, str]
) -> tuple[dict[str, int | float], dict[str, Text]]:
    """The numbers among ``fields``, and what is wrong with those that are none."""
    found: dict[str, int | float] = {}
    wrong: dict[str, Text] = {}
    for f in fields:
        text = plain(given[f.name])
        if f.kind == "whole" and (not _NUMBER.fullmatch(text) or "." in text):
            wrong[f.name] = texts.NOT_WHOLE
        elif f.kind == "number" and not _NUMBER.fullmatch(text):
            wrong[f.name] = texts.NOT_NUMBER
        elif f.kind in ("whole", "number"):
            found[f.name] = int(text) if f.kind == "whole" else float(text)
    return found, wrong


def plain(text: str) -> str:
    """As people type numbers: ``１０,000`` is 10000."""
    return unicodedata.normalize("NFKC", text).replace(",", "").strip()


def changed(fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, str]:
    """What is not as it is by default: for the address and the command."""
    kept = {
        f.name: given[f.name].strip() if f.kind == "text" else plain(given[f.name]) for f in fields
    }
    return {f.name: kept[f.name] for f in fields if kept[f.name] != f.default}


def options(fields: Sequence[Field], given: Mapping[str, str]) -> Iterator[str]:
    """The command's, for what is changed."""
    ticks = {f.name for f in fields if f.kind == "tick"}
    for name, value in changed(fields, given).items():
        yield f"--{name.replace('_', '-')}"
        if name not in ticks:
            yield value
