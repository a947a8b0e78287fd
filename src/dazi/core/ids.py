"""Ids as people write them: ``ord 12345`` and ``SKU1001`` for ``ORD12345`` and ``SKU-1001``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_LITERAL = re.compile(r"(?<![\[\\{(?])([A-Za-z]{2,})(\\?-)?(?=[\[\\(])")


_PREFIXED = re.compile(r"([A-Za-z]+-?)(?:\[0-9\]|\\d)\{(\d+)\}")
"""A literal prefix and so many digits: the only shape whose digits alone say which id is meant."""


@lru_cache(maxsize=256)
def loose_pattern(pattern: str) -> re.Pattern[str]:
    """Finds what ``pattern`` describes inside a text, in any case, with or without a separator
    after a literal prefix, and never as a part of a longer word or number."""
    body = pattern.removeprefix("^").removesuffix("$")
    body = _LITERAL.sub(lambda m: m[1] + "[ -]?", body)
    return re.compile(rf"(?<![A-Za-z0-9]){body}(?![A-Za-z0-9])", re.IGNORECASE)


def canonical_id(pattern: str, text: str) -> str | None:
    """The id that ``text`` means by ``pattern``, or ``None`` when it is not one."""
    exact = re.compile(pattern)
    plain = unicodedata.normalize("NFKC", text).strip()
    joined = re.sub(r"[\s-]+", "", plain)
    split = re.sub(r"^([A-Za-z]+)(\d)", r"\1-\2", joined)
    for form in (plain, joined, split):
        for candidate in (form, form.upper(), form.lower()):
            if exact.fullmatch(candidate):
                return candidate
    return None


def find_ids(pattern: str, text: str, names: Sequence[str] = ()) -> list[str]:
    """Canonical ids in ``text``, in order, each once.

    ``names`` are words that announce the id (「订单」, ``order``): after one of them its digits
    alone will do.
    """
    plain = unicodedata.normalize("NFKC", text)
    ids = [canonical_id(pattern, m[0]) for m in loose_pattern(pattern).finditer(plain)]
    shape = _PREFIXED.fullmatch(pattern.removeprefix("^").removesuffix("$"))
    if shape and names:
        announced = "|".join(re.escape(n) for n in names if n)
        digits = (
            rf"(?:{announced})[^A-Za-z0-9]{{0,4}}(?:(?:no|nr|num|number|id|is|was)\b\.?[^A-Za-z0-9]{{0,3}}){{0,3}}"
            rf"#?(\d{{{shape[2]}}})(?!\d)"
        )
        ids += [shape[1] + m[1] for m in re.finditer(digits, plain, re.IGNORECASE)]
    return list(dict.fromkeys(i for i in ids if i))
