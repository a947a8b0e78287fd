"""Versions of what the assistant is told: the system text of each language and descriptions of tools."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dazi.core.language import Language, Text
from dazi.prompt.system import SHIPPED

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Content:
    """What differs from what ships: an empty text and a tool that is not named are as shipped."""

    zh: str = ""
    en: str = ""
    tools: Mapping[str, Text] = field(default_factory=dict)

    def template(self, language: Language) -> str:
        """The whole text of a language, placeholders and all."""
        return (self.zh if language == "zh" else self.en) or SHIPPED(language)

    @property
    def texts(self) -> dict[Language, str]:
        given: dict[Language, str] = {"zh": self.zh, "en": self.en}
        return {language: text for language, text in given.items() if text}


@dataclass(frozen=True, slots=True)
class Version:
    """``at`` in seconds since the epoch; version 0 has none, and no author."""

    number: int
    content: Content
    note: str = ""
    author: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Activation:
    """That somebody made a version the one in use."""

    number: int
    by: str
    at: float


VERSION_0 = Version(0, Content())

Mark = Literal["same", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Line:
    mark: Mark
    text: str

    @property
    def sign(self) -> str:
        return {"same": " ", "added": "+", "removed": "-"}[self.mark]


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one text: ``part`` is a language, or ``tool:NAME:LANGUAGE``."""

    part: str
    lines: tuple[Line, ...]


def differences(old: Content, new: Content, shipped: Mapping[str, Text]) -> tuple[Difference, ...]:
    """The parts that are not the same. ``shipped``: the tools' own descriptions."""
    out = []
    for part, before, after in _parts(old, new, shipped):
        if before != after:
            out.append(Difference(part, tuple(_lines(before, after))))
    return tuple(out)


def _parts(
    old: Content, new: Content, shipped: Mapping[str, Text]
) -> Iterator[tuple[str, str, str]]:
    for language in LANGUAGES:
        yield language, old.template(language), new.template(language)
    nothing = Text("", "")
    for name in sorted({*old.tools, *new.tools}):
        own = shipped.get(name, nothing)
        before, after = old.tools.get(name, own), new.tools.get(name, own)
        for language in LANGUAGES:
            yield f"tool:{name}:{language}", before(language), after(language)


def _lines(before: str, after: str) -> Iterator[Line]:
    """What is gone stands before what has come in its place."""
    old, new = before.split("\n"), after.split("\n")
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for what, i, j, k, n in matcher.get_opcodes():
        if what == "equal":
            yield from (Line("same", text) for text in old[i:j])
        else:
            yield from (Line("removed", text) for text in old[i:j])
            yield from (Line("added", text) for text in new[k:n])
