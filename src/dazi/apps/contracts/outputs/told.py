"""A kept review as JSON for programs: the same as ``dazi review --json`` prints."""

from __future__ import annotations

from typing import Any

from dazi.apps.contracts.fields import NAMES
from dazi.apps.contracts.reviewed import Remark, Reviewed
from dazi.core.language import Language


def as_told(done: Reviewed, language: Language) -> dict[str, Any]:
    """Fields that the contract does not have are ``null``; so is the page where there are none."""
    said = {f.name: f for f in done.fields}
    return {
        "kind": done.kind,
        "language": done.language,
        "pages": done.pages or None,
        "fields": {n: said[n].value if n in said else None for n in NAMES},
        "evidence": {
            n: {"quote": f.quote, "page": f.page or None, "clause": f.clause}
            for n, f in said.items()
        },
        "findings": [finding(r, language) for r in done.remarks],
    }


def finding(r: Remark, language: Language) -> dict[str, Any]:
    return {
        "id": r.id,
        "rule": r.rule,
        "kind": r.kind,
        "severity": r.severity,
        "by": r.by,
        "page": r.page or None,
        "box": r.box,
        "clause": r.clause,
        "quote": r.quote,
        "expected": r.expected,
        "message": r.message(language),
        "suggestion": r.suggestion(language),
    }
