"""What a report says: its templates, filled."""

from __future__ import annotations

from collections.abc import Iterator

from dazi.apps.reports.definition import Part, SectionSpec
from dazi.apps.reports.expressions import Scope, evaluate
from dazi.apps.reports.result import Paragraph, Section
from dazi.apps.reports.templates import filled
from dazi.core.language import Language

MOST = 200
"""Paragraphs that one part may become."""


def section(spec: SectionSpec, scope: Scope, language: Language) -> Section:
    """Raises ``ExpressionError``."""
    made = tuple(p for part in spec.parts for p in _paragraphs(part, scope, language))
    return Section(spec.id, spec.title(language), made, spec.tables, spec.charts)


def _paragraphs(part: Part, scope: Scope, language: Language) -> Iterator[Paragraph]:
    if part.each is None:
        scopes, bullet = [scope], False
    else:
        values = evaluate(part.each, scope) or []
        scopes, bullet = [scope.within({part.name: v}) for v in values[:MOST]], True
    for inner in scopes:
        if part.when is not None and not evaluate(part.when, inner):
            continue
        text, bound = filled(part.text[language], inner, language)
        yield Paragraph(text, bound, bullet, "document" if part.quote else "template")
