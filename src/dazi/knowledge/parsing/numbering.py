"""Numbers that begin headings and clauses, in Chinese and Western documents."""

from __future__ import annotations

import re

_HANZI = "〇零一二三四五六七八九十百千两0-9０-９"
_UNITS = {"编": 1, "篇": 1, "部": 1, "章": 2, "节": 3, "条": 4}
_UNIT = re.compile(rf"第\s?[{_HANZI}]{{1,9}}\s?(?:部分|[编篇章节条])")
_DOTTED = re.compile(r"(\d{1,3}(?:\.\d{1,3}){0,5})[.、．]?(?=\s|[^\W\d_]|$)")
_COUNTED = re.compile(rf"[{_HANZI}]{{1,4}}、")
_ITEM = re.compile(
    rf"[（(][{_HANZI}a-zA-Z]{{1,4}}[）)]|[①-⑳]|[a-zA-Z0-9]{{1,3}}[)）]|[•●○■□◆▪➢·*\-–—]\s"
)
_WORDS = re.compile(
    r"(?:Chapter|Section|Article|Part|Appendix)\s+[\dIVXLC]{1,7}\b|附[录件则]", re.I
)
_ENDS = tuple("。.；;，,！!？?：:、")
_WITHIN = re.compile(r"[，。；\n]")
"""Only sentences go on after these."""
_LONGEST = 60
"""Characters of a heading; what is longer is a sentence with a number before it."""


def begins_clause(text: str) -> bool:
    """Whether a paragraph begins here: with a clause's number, an item's, or a bullet."""
    if found := _DOTTED.match(text):
        return "." in found.group(1) or _spaced(text, found)
    return any(p.match(text) for p in (_UNIT, _COUNTED, _ITEM, _WORDS))


def is_item(text: str) -> bool:
    return _ITEM.match(text) is not None


def heading_level(text: str) -> int:
    """1 to 6 if ``text`` is a numbered heading, else 0: it is short and no sentence."""
    if len(text) > _LONGEST or text.endswith(_ENDS) or _WITHIN.search(text):
        return 0
    if found := _UNIT.match(text):
        return _UNITS[found.group().rstrip("分")[-1]]
    if found := _DOTTED.match(text):
        dots = found.group(1).count(".")
        titled = len(text) > found.end() and not text[found.end() :].strip()[:1].isdigit()
        return min(6, dots + 1) if titled and (dots or _spaced(text, found)) else 0
    if _COUNTED.match(text):
        return 3
    return 2 if _WORDS.match(text) else 0


def _spaced(text: str, found: re.Match[str]) -> bool:
    """``1 总则`` or ``1. Scope``, but not ``3个月``, and no year."""
    return text[found.end() - 1] in ".、．" or text[found.end() : found.end() + 1].isspace()
