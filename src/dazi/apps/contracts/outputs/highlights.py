"""The PDF that was reviewed, with each finding as a highlight on its words."""

from __future__ import annotations

from pathlib import Path

from dazi.apps.contracts.findings import Severity
from dazi.apps.contracts.outputs.words import PRODUCT, told
from dazi.apps.contracts.reviewed import Reviewed
from dazi.core.language import Language
from dazi.knowledge.parsing.messages import Highlight
from dazi.knowledge.parsing.process import highlighted

COLOURS: dict[Severity, tuple[int, int, int]] = {
    "high": (230, 90, 80),
    "medium": (250, 190, 70),
    "low": (190, 200, 210),
}
LONGEST = 400
"""Characters of a note."""


async def with_highlights(path: Path, done: Reviewed, language: Language) -> bytes:
    """The gravest first, where there are more than can be ordered. Raises as ``highlighted``."""
    wanted = [
        Highlight(
            max(r.page, 1),
            r.quote,
            told(r, language)[:LONGEST],
            PRODUCT(language),
            COLOURS[r.severity],
            r.box,
        )
        for r in done.remarks
    ]
    return await highlighted(path, wanted)
