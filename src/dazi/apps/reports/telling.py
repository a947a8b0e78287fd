"""A report as lists and pages tell it."""

from __future__ import annotations

from typing import Any

from dazi.apps.reports.definition import Report
from dazi.core.language import Language


def as_told(report: Report, language: Language) -> dict[str, Any]:
    return {
        "name": report.name,
        "title": report.title(language),
        "description": report.description(language),
        "roles": sorted(report.roles),
        "tools": sorted(report.tools),
        "needs_file": report.wants_file,
        "parameters": [
            {
                "name": p.name,
                "type": p.type,
                "label": p.label(language),
                "required": p.required,
                "many": p.many,
                "default": p.default,
                "values": {v: p.labels[v](language) for v in p.values},
            }
            for p in report.parameters
        ],
    }
