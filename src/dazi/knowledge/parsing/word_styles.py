"""What a Word document's styles say about headings and lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from dazi.knowledge.parsing.xml_parts import attribute, child, local, walk

_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])", re.IGNORECASE)
_TITLES = frozenset({"title", "标题"})
MOST_LEVELS = 6
_DEEPEST = 20
"""Styles based on each other; Word itself allows eleven."""


@dataclass(frozen=True, slots=True)
class Style:
    """``numbering``: the list's id and level, where the style brings one."""

    level: int = 0
    numbering: tuple[str, int] | None = None
    based_on: str = ""
    is_list: bool = False
    is_contents: bool = False
    """Of a table of contents, which says again what the headings say."""


def read_styles(archive: ZipFile, name: str) -> dict[str, Style]:
    """Paragraph styles by their ids, with what they inherit."""
    found: dict[str, Style] = {}
    for event, element in walk(archive, name):
        if event == "end" and local(element) == "style":
            found[attribute(element, "styleId") or ""] = _style(element)
            element.clear()
    return {key: _inherited(found, key) for key in found}


def _style(element: Element) -> Style:
    name = attribute(child(element, "name"), "val") or ""
    heading = _HEADING.fullmatch(name.strip())
    level = int(heading.group(1)) if heading else int(name.strip().lower() in _TITLES)
    return Style(
        min(level, MOST_LEVELS) or outline_level(child(element, "pPr")),
        numbering_of(child(element, "pPr")),
        attribute(child(element, "basedOn"), "val") or "",
        name.lower().startswith("list"),
        name.lower().startswith("toc "),
    )


def _inherited(styles: dict[str, Style], key: str) -> Style:
    style = styles[key]
    level, numbering, is_list = style.level, style.numbering, style.is_list
    above, seen = style.based_on, {key}
    while above in styles and above not in seen and len(seen) < _DEEPEST:
        seen.add(above)
        level = level or styles[above].level
        numbering = numbering or styles[above].numbering
        is_list = is_list or styles[above].is_list
        above = styles[above].based_on
    return Style(level, numbering, is_list=is_list, is_contents=style.is_contents)


def outline_level(properties: Element | None) -> int:
    """1 to 6 as headings count, 0 for body text (ECMA-376 17.3.1.20: 0 to 8, and 9 for none)."""
    said = attribute(child(properties, "outlineLvl"), "val") or ""
    return min(int(said) + 1, MOST_LEVELS) if said.isdigit() and int(said) < 9 else 0


def numbering_of(properties: Element | None) -> tuple[str, int] | None:
    number = attribute(child(properties, "numPr", "numId"), "val")
    level = attribute(child(properties, "numPr", "ilvl"), "val") or "0"
    if number is None:
        return None
    return number, int(level) if level.isdigit() and int(level) < 9 else 0
