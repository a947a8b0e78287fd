"""The numbers that Word computes: they stand nowhere in the text, yet clauses are known by them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from dazi.knowledge.parsing.xml_parts import attribute, child, local, walk

LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_DIGITS = "零一二三四五六七八九"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"))
_ROMAN_SMALL = ((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_STEMS = "甲乙丙丁戊己庚辛壬癸"


@dataclass(frozen=True, slots=True)
class _Level:
    form: str = "decimal"
    text: str = ""
    start: int = 1


@dataclass(slots=True)
class Numbering:
    """Counts a document's lists as it is read. ``lists`` and ``levels`` come from its numbering
    part; lists with the same levels count on together."""

    lists: dict[str, str] = field(default_factory=dict)
    levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    _counts: dict[str, list[int | None]] = field(default_factory=dict)

    def next(self, number: str, level: int) -> tuple[str, bool] | None:
        """The next number of that list, as written, and whether it is a bullet."""
        kind = self.lists.get(number)
        if kind is None:
            return None
        levels = self.levels.get(kind, {})
        counts = self._counts.setdefault(kind, [None] * LEVELS)
        own = levels.get(level, _Level())
        before = counts[level]
        counts[level] = own.start if before is None else before + 1
        counts[level + 1 :] = [None] * (LEVELS - level - 1)
        if own.form == "bullet":
            return "-", True
        if own.form == "none":
            return None

        def written(place: re.Match[str]) -> str:
            n = int(place.group(1)) - 1
            at = levels.get(n, _Level())
            return counted(at.form, at.start if counts[n] is None else counts[n] or 0)

        return _PLACE.sub(written, own.text), False


def read_numbering(archive: ZipFile, name: str) -> Numbering:
    found = Numbering()
    for event, element in walk(archive, name):
        if event != "end":
            continue
        if local(element) == "abstractNum":
            key = attribute(element, "abstractNumId") or ""
            found.levels[key] = dict(_levels(element))
            element.clear()
        elif local(element) == "num":
            kind = attribute(child(element, "abstractNumId"), "val") or ""
            found.lists[attribute(element, "numId") or ""] = kind
            element.clear()
    return found


def _levels(element: Element) -> list[tuple[int, _Level]]:
    found = []
    for each in element:
        level = attribute(each, "ilvl") or ""
        if local(each) != "lvl" or not level.isdigit() or int(level) >= LEVELS:
            continue
        start = attribute(child(each, "start"), "val") or "1"
        form = attribute(child(each, "numFmt"), "val") or "decimal"
        text = attribute(child(each, "lvlText"), "val") or ""
        number = int(start) if start.isdigit() and len(start) < 7 else 1
        found.append((int(level), _Level(form, text[:100], number)))
    return found


def counted(form: str, number: int) -> str:
    """``number`` in one of the forms of ECMA-376 17.18.59; digits for those not known here."""
    match form:
        case "chineseCounting" | "chineseCountingThousand" | "japaneseCounting" | "chineseLegal":
            return chinese(number)
        case "taiwaneseCounting" | "taiwaneseCountingThousand" | "ideographDigital":
            return chinese(number)
        case "ideographTraditional" if 1 <= number <= len(_STEMS):
            return _STEMS[number - 1]
        case "lowerLetter" | "upperLetter" if 1 <= number <= 780:
            letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
            return letter if form == "lowerLetter" else letter.upper()
        case "lowerRoman" | "upperRoman" if 1 <= number < 4000:
            roman = _roman(number)
            return roman if form == "lowerRoman" else roman.upper()
        case "decimalZero":
            return f"{number:02}"
        case "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" if 1 <= number <= 20:
            return chr(ord("①") + number - 1)
    return str(number)


def chinese(number: int) -> str:
    """As clauses are counted: 十, 十一, 二十, 一百零五; digits from 10,000 on."""
    if not 0 < number < 10_000:
        return str(number)
    text, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += ("零" if gap and text else "") + _DIGITS[digit] + name
        gap = digit == 0
    return text.removeprefix("一") if 10 <= number < 20 else text


def _roman(number: int) -> str:
    text = ""
    for value, name in (*_ROMAN, *_ROMAN_SMALL):
        text += name * (number // value)
        number %= value
    return text
