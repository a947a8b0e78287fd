"""Regular expressions as EBNF: the subset that parameters of business systems are written in.

Covers ``^`` and ``$`` at the ends, literals, classes, ``.``, the shorthands ``\\d \\w \\s``,
groups, alternatives and the quantifiers ``* + ? {n} {n,} {m,n}``. Everything else (look-around,
references, lazy or possessive quantifiers, inner anchors, flags) has no translation. The result
describes the text *inside* a JSON string, so it never admits an unescaped quote, backslash or
control character.
"""

from __future__ import annotations

import json
import re

NEVER_RAW = r"\"\\\x00-\x1f"
"""What may not stand raw inside a JSON string, as the inside of an EBNF character class."""

ANY = f"[^{NEVER_RAW}]"
WIDEST_REPEAT = 32
"""Counted repetitions beyond this become unbounded: they cost a compiled state per repetition."""

_SHORTHAND = {"d": "0-9", "w": r"0-9A-Za-z_\u00a1-\uffff", "s": " "}
_NEGATED = {"D": "0-9", "W": "0-9A-Za-z_", "S": " "}
"""Python's ``\\w`` takes in letters of all scripts, ECMAScript's does not: be as wide as both."""
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}
_HEX = {"x": re.compile("[0-9a-fA-F]{2}"), "u": re.compile("[0-9a-fA-F]{4}")}
_COUNTS = {"*": (0, None), "+": (1, None), "?": (0, 1)}


class _Untranslatable(Exception):
    pass


def literal(text: str) -> str:
    """``text`` as an EBNF string literal."""
    out = ['"']
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif c < " " or c == "\x7f":
            out.append(f"\\x{ord(c):02x}")
        elif "\ud800" <= c <= "\udfff":
            out.append("\ufffd")
        else:
            out.append(c)
    return "".join([*out, '"'])


def json_literal(text: str) -> str:
    """An EBNF literal of ``text`` as it is written inside a JSON string."""
    return literal(json.dumps(text, ensure_ascii=False)[1:-1])


def pattern_body(pattern: str) -> str | None:
    """EBNF of the text that ``pattern`` describes, or ``None`` where it has no translation.

    As in JSON Schema, an end that is not anchored may be preceded or followed by anything.
    """
    before, after = not pattern.startswith("^"), not _ends_anchored(pattern)
    inner = pattern[0 if before else 1 : None if after else -1]
    try:
        body = _Reader(inner).whole(anchored=not (before and after))
    except _Untranslatable:
        return None
    parts = [f"{ANY}*" if before else "", f"({body})", f"{ANY}*" if after else ""]
    return " ".join(p for p in parts if p)


def _ends_anchored(pattern: str) -> bool:
    head = pattern[:-1]
    slashes = len(head) - len(head.rstrip("\\"))
    return pattern.endswith("$") and slashes % 2 == 0


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self, *, anchored: bool) -> str:
        parts = self._alternatives()
        # ``^a|b$`` anchors each branch on one side only: not worth a translation.
        if self.at < len(self.text) or (anchored and len(parts) > 1):
            raise _Untranslatable
        return " | ".join(parts)

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        c = self._peek()
        if not c:
            raise _Untranslatable
        self.at += 1
        return c

    def _alternatives(self) -> list[str]:
        parts = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence())
        return parts

    def _sequence(self) -> str:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._quantified(self._atom()))
        return " ".join(parts) or '""'

    def _atom(self) -> str:
        c = self._take()
        if c == "(":
            return self._group()
        if c == "[":
            return self._class()
        if c == ".":
            return ANY
        if c == "\\":
            return self._escape()
        if c in "^$*+?{":
            raise _Untranslatable
        return json_literal(c)

    def _group(self) -> str:
        if self._peek() == "?":
            if self.text[self.at : self.at + 2] != "?:":
                raise _Untranslatable
            self.at += 2
        inner = " | ".join(self._alternatives())
        if self._take() != ")":
            raise _Untranslatable
        return f"({inner})"

    def _escape(self) -> str:
        c = self._peek()
        if c in _SHORTHAND or c in _NEGATED:
            self.at += 1
            return f"[{_SHORTHAND[c]}]" if c in _SHORTHAND else f"[^{_NEGATED[c]}{NEVER_RAW}]"
        return json_literal(self._escaped_char())

    def _escaped_char(self) -> str:
        c = self._take()
        if c in ("x", "u"):
            m = _HEX[c].match(self.text, self.at)
            if m is None:
                raise _Untranslatable
            self.at = m.end()
            return chr(int(m.group(), 16))
        if c in _ESCAPED:
            return _ESCAPED[c]
        if c.isalnum():
            raise _Untranslatable
        return c

    def _class(self) -> str:
        negated = self._peek() == "^"
        if negated:
            self.at += 1
        items: list[str] = []
        while not items or self._peek() != "]":
            items.append(self._class_item(negated))
        self.at += 1
        return f"[^{''.join(items)}{NEVER_RAW}]" if negated else f"[{''.join(items)}]"

    def _class_item(self, negated: bool) -> str:
        if self._peek() == "\\" and self.text[self.at + 1 : self.at + 2] in _SHORTHAND:
            self.at += 2
            return _SHORTHAND[self.text[self.at - 1]]
        low = self._class_char()
        high = low
        if self._peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            high = self._class_char()
        # A positive class must not let a quote, backslash or control character stand raw.
        raw = low < " " or any(low <= c <= high for c in '"\\')
        if high < low or (raw and not negated):
            raise _Untranslatable
        return _class_literal(low) + (f"-{_class_literal(high)}" if high > low else "")

    def _class_char(self) -> str:
        c = self._take()
        if c == "[":
            raise _Untranslatable
        c = self._escaped_char() if c == "\\" else c
        if "\ud800" <= c <= "\udfff":
            raise _Untranslatable
        return c

    def _quantified(self, atom: str) -> str:
        c = self._peek()
        if c in _COUNTS:
            self.at += 1
            count = _COUNTS[c]
        elif c == "{":
            count = self._braces()
        else:
            return atom
        if self._peek() in ("?", "+", "*", "{"):
            raise _Untranslatable
        return atom + _suffix(*count)

    def _braces(self) -> tuple[int, int | None]:
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : max(end, self.at)].partition(",")
        self.at = end + 1
        if not low.isdecimal() or (high and not high.isdecimal()):
            raise _Untranslatable
        top = int(high) if high else (None if comma else int(low))
        if top is not None and top < int(low):
            raise _Untranslatable
        return int(low), top


def _suffix(low: int, high: int | None) -> str:
    if low > WIDEST_REPEAT:
        return "+"
    if high is None or high - low > WIDEST_REPEAT:
        return {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    if (low, high) == (0, 1):
        return "?"
    return f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def _class_literal(c: str) -> str:
    return f"\\x{ord(c):02x}" if c < " " or c in ']^-["\\' else c
