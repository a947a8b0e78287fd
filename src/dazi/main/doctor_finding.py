"""What ``dazi doctor`` says of one thing."""

from __future__ import annotations

from dataclasses import dataclass

from dazi.core.language import Text


@dataclass(frozen=True, slots=True)
class Finding:
    ok: bool
    text: Text
