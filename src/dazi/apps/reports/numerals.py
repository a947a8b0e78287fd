"""Every number that a text holds, wherever and however it is written.

Found are digits with separators, signs, decimals and scales (``1,234.5万``, ``-3.2%``), the parts of
dates and periods, codes (``SKU-1001``), hanzi numerals (三成, 百分之十二, 第一, 翻倍) and English number and
month words. Better one too many than one too few: a text may hold no number that nobody bound.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from dazi.router.normalise.text import fold

_SCALE = (
    r"\s?(?:%|‰|个?百分点|万亿|亿|万|千|百|percentage points?|percent|per cent"
    r"|(?:thousand|million|billion|trillion)(?![a-z]))"
)
_HANZI = "零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟半"
_NOT_NUMBERS = (
    "进一步|逐一|统一|唯一|单一|专一|万一|之一|同一|任一|某一|一一对应|一些|一般|一定|一直|一起|一致|一样|一并|一律"
    "|一旦|一向|一贯|一边|一同|一体|一项项|一方面|一下|一经|一时|另一方面|十分(?!之)|千方百计|万分(?!之)|第三方|三方|百货"
    "|两者|二者|两地|半成品"
)
_AS_WORDS = "翻一番|翻番|翻倍|成倍|加倍|过半|减半|对半|腰斩"
_ENGLISH = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    "|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    "|hundreds?|thousands?|millions?|billions?|trillions?|first|second|third|fourth|fifth|sixth"
    "|seventh|eighth|ninth|tenth|half|halves|halved|double[ds]?|doubling|twice|thrice|triple[ds]?"
    "|tripling|quadruple[ds]?|dozens?"
)
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_TOKEN = re.compile(
    rf"(?P<code>(?<![a-z0-9])[a-z][a-z0-9]*-?[0-9][a-z0-9]*(?:-[a-z0-9]+)*)"
    rf"|(?P<percent>(?:百|千|万)分之[{_HANZI}点]+)"
    rf"|(?P<number>(?:(?<![a-z0-9.])[+-])?\d+(?:,\d+)*(?:\.\d+)*(?:{_SCALE})?)"
    rf"|(?P<skip>{_NOT_NUMBERS}|(?<=[:(])[万亿]元)"
    rf"|(?P<word>{_AS_WORDS}|(?<![a-z])(?:{_ENGLISH})(?![a-z]))"
    rf"|(?P<hanzi>[{_HANZI}]+(?:点[{_HANZI}]+)?(?:[成折倍]|个?百分点)?)",
)
_MONTH = re.compile(rf"(?<![A-Za-z])(?:{_MONTHS})(?![A-Za-z])")
_ODD = re.compile(r"[^\x00-\x7f\u3400-\u9fff]")
_ENDS = "。!?!?;;\n"


@dataclass(frozen=True, slots=True)
class Numeral:
    """``key`` is the same for what says the same: ``1234.5`` of ``1,234.5``. Never of another
    number, scale or sign."""

    start: int
    end: int
    text: str
    key: str


def scan(text: str) -> list[Numeral]:
    """In order of their places; none overlaps another."""
    return sorted(_found(text), key=lambda n: n.start)


def _found(text: str) -> Iterator[Numeral]:
    folded = fold(text)
    taken: set[int] = set()
    for match in _TOKEN.finditer(folded):
        taken.update(range(match.start(), match.end()))
        if match.lastgroup == "skip":
            continue
        yield Numeral(match.start(), match.end(), text[match.start() : match.end()], _key(match))
    for match in _MONTH.finditer(text):
        if match[0] != "May" or _is_month(text, match):
            yield Numeral(match.start(), match.end(), match[0], f"month:{match[0]}")
    for match in _ODD.finditer(text):
        # ½, Ⅳ and the like, that folding leaves alone.
        if match.start() not in taken and unicodedata.numeric(match[0], None) is not None:
            yield Numeral(match.start(), match.end(), match[0], f"sign:{match[0]}")


def _key(match: re.Match[str]) -> str:
    said = re.sub(r"\s+", "", match[0])
    if match.lastgroup == "number":
        return "".join(str(int(c)) if c.isdecimal() else c for c in said.replace(",", ""))
    return f"{match.lastgroup}:{said}"


def _is_month(text: str, match: re.Match[str]) -> bool:
    """No sentence that begins with May: before it stands a preposition, or a number beside it."""
    before, after = text[: match.start()], text[match.end() :]
    return bool(
        re.search(r"(?:\d|\b(?:in|of|by|since|until|for|to|from|and|before|after))\s$", before)
        or re.match(r"\s\d", after)
    )


def sentence_at(text: str, place: int) -> str:
    """The sentence around a place in ``text``."""
    start = max((text.rfind(c, 0, place) for c in _ENDS), default=-1) + 1
    ends = [at for c in _ENDS if (at := text.find(c, place)) >= 0]
    return text[start : min(ends) + 1 if ends else len(text)].strip()
