"""Texts with expressions in braces, and what they become: a text and what each piece of it rests on.

``{{`` and ``}}`` stand for braces. The literal text of a template may hold no number: whatever is a
number is bound.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dazi.apps.reports.definition import Template
from dazi.apps.reports.expressions import Expression, ExpressionError, Scope, parse, traced
from dazi.apps.reports.formats import written
from dazi.apps.reports.numerals import scan
from dazi.apps.reports.result import Bound
from dazi.core.language import Language

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def template_of(text: str) -> Template:
    """Raises ``ExpressionError`` for an expression that is none, for a lone brace, and for a number in
    the literal text."""
    pieces: list[str | Expression] = [""]
    place = 0
    for match in _PIECE.finditer(text):
        literal = text[place : match.start()]
        place = match.end()
        if match[0] in ("{{", "}}"):
            literal += match[0][0]
        pieces[-1] = f"{pieces[-1]}{literal}"
        if match[1] is not None:
            pieces += [parse(match[1]), ""]
        elif len(match[0]) == 1:
            raise ExpressionError(f"“{text}”: {match[0]}")
    pieces[-1] = f"{pieces[-1]}{text[place:]}"
    for piece in pieces:
        if isinstance(piece, str) and (found := scan(piece)):
            raise ExpressionError(
                f"“{found[0].text}” 是没有绑定的数字 / is a number that nothing binds: “{piece}”"
            )
    return Template(tuple(pieces))


def filled(template: Template, scope: Scope, language: Language) -> tuple[str, tuple[Bound, ...]]:
    """Raises ``ExpressionError`` for values that do not fit their format."""
    text = ""
    bound: list[Bound] = []
    for piece in template.pieces:
        if isinstance(piece, str):
            text += piece
            continue
        value, sources = traced(piece, scope)
        format = piece.format or _usual(value)
        try:
            said = written(value, format, language)
        except ValueError as e:
            raise ExpressionError(f"“{piece.source}”: {e}") from None
        start = len(text)
        text += said
        bound.append(Bound(start, len(text), piece.source, format, _kept(value), said, sources))
    return text, tuple(bound)


def _usual(value: Any) -> str:
    return "number" if not isinstance(value, str | Sequence) and value is not None else "text"


def _kept(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_kept(v) for v in value]
    return value
