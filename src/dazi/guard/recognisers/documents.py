"""Numbers of passports and of permits, which nothing but a label tells from a product's."""

from __future__ import annotations

import re

from dazi.guard.findings import Certainty
from dazi.guard.recognisers.base import Hit, Recogniser, bare
from dazi.guard.recognisers.labels import AFTER, GAP, Label, is_other_number

_OTHERS = rf"{GAP}(?:[A-Za-z]{{0,2}}[0-9]{{7,10}}[、，,/和或及与 ]{{1,3}}){{0,2}}"
"""Several in a row share their label."""
_PASSPORT = Label.of(r"护照|[Pp]assport|PASSPORT", _OTHERS)
_DOCUMENT = Label.of(r"证件|旅行证|[Tt]ravel document")
_PERMIT = Label.of(
    r"通行证|永居证|绿卡|回乡证|台胞证|居留证|居留身份证|居住证|入台证|港澳证|来往内地|来往大陆|往来港澳|往来台湾|[Pp]ermit|PERMIT",
    _OTHERS,
)
_CHINESE = re.compile(r"(?:[EGDSPHK][A-HJ-NP-Z]?|M[AB])[0-9]{7,8}|1[45][0-9]{7}")
"""Ordinary, old ordinary, diplomatic, service and public affairs passports; Hong Kong, Macao."""


def _passport(m: re.Match[str]) -> Hit | None:
    text, start, end = m.string, m.start(), m.end()
    if is_other_number(text, start):
        return None
    chinese = _CHINESE.fullmatch(bare(m[0])) is not None
    if _PASSPORT.stands_by(text, start, end) or (chinese and _DOCUMENT.stands_before(text, start)):
        return Hit(start, end, Certainty.LABEL)
    return None


def _permit(m: re.Match[str]) -> Hit | None:
    text, start, end = m.string, m.start(), m.end()
    if is_other_number(text, start) or not _PERMIT.stands_by(text, start, end):
        return None
    return Hit(start, end, Certainty.LABEL)


_NO_CODE = r"(?<![0-9A-Za-z])"
_ENDS = r"(?![0-9A-Za-z])"

RECOGNISERS = (
    Recogniser(
        "passport",
        "number",
        re.compile(
            rf"{_NO_CODE}(?:[A-Za-z]{{1,2}}[ -]?[0-9]{{7,8}}|1[45][0-9]{{7}}|[0-9]{{9}}){_ENDS}"
        ),
        _passport,
        reach=(3, 0),
        after=AFTER,
        digits=(7, 9),
    ),
    Recogniser(
        "permit",
        "number",
        re.compile(
            rf"{_NO_CODE}(?:[CWHMLTcwhmlt][A-Za-z]?[ -]?[0-9]{{7,10}}|[0-9]{{8}}(?:[0-9]{{2}})?"
            rf"|[A-Za-z]{{3}}[ -]?[0-9]{{12}}){_ENDS}"
        ),
        _permit,
        reach=(4, 0),
        after=AFTER,
        digits=(7, 12),
    ),
)
