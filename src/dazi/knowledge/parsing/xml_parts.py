"""XML inside archives, read from end to end without ever holding all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from defusedxml.ElementTree import iterparse

from dazi.knowledge.parsing.refusals import Refused

DEEPEST = 200
"""Levels of elements; a table in a table in a text box takes a few dozen."""


def local(element: Element) -> str:
    """The name without its namespace: Office writes the same names in two of them."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: Element | None, name: str) -> str | None:
    if element is None:
        return None
    return next((v for k, v in element.attrib.items() if k.rpartition("}")[2] == name), None)


def child(element: Element | None, *path: str) -> Element | None:
    """Down by local names."""
    for name in path:
        if element is None:
            return None
        element = next((e for e in element if local(e) == name), None)
    return element


def walk(archive: ZipFile, name: str) -> Iterator[tuple[Literal["start", "end"], Element]]:
    """Elements as they begin and end. Raises what a broken part raises, and ``Refused`` for one
    that nests too deeply; a part that declares entities raises ``DefusedXmlException``."""
    depth = 0
    with archive.open(name) as part:
        for event, element in iterparse(part, ("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if depth > DEEPEST:
                raise Refused("nested")
            yield event, element
