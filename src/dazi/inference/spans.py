"""Grammar rules for values that must be copied from given texts.

A text is cut into units: a hanzi, a whole run of letters and digits (with ``- _ . @ '`` inside), a
pseudonym such as ``[手机1]``, or one other character. A value is any run of neighbouring units with
the white space between them, so the number of rules is linear in the length of the texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from dazi.inference.pattern import json_literal

HANZI = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"[^\W{HANZI}]"
_PSEUDONYM = rf"\[[{HANZI}]{{2,4}}[0-9]+\]"
_UNIT = re.compile(rf"{_PSEUDONYM}|[{HANZI}]|{_LETTER}+(?:[-_.@'’]+{_LETTER}+)*|\S")


class Unit(NamedTuple):
    gap: str
    """The white space before the unit."""
    text: str


def units(text: str) -> list[Unit]:
    out: list[Unit] = []
    end = 0
    for m in _UNIT.finditer(text):
        out.append(Unit(text[end : m.start()], m.group()))
        end = m.end()
    return out


def span_body(texts: Iterable[str], add: Callable[[str], str]) -> str | None:
    """EBNF of the non-empty spans of ``texts``, or ``None`` when they hold nothing but white space.

    ``add`` puts a rule's body into the grammar and returns the rule's name.
    """
    starts: dict[str, None] = {}
    for text in dict.fromkeys(texts):
        following = ""
        for unit in reversed(units(text)):
            more = f' ("" | {following})' if following else ""
            name = add(json_literal(unit.text) + more)
            starts[name] = None
            following = f"{json_literal(unit.gap)} {name}" if unit.gap else name
    return " | ".join(starts) or None
