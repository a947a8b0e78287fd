"""How contracts number what they say: 第三条, 三、, 3.2, II.4, Part B, (a), 附件一."""

from __future__ import annotations

import re

from dazi.apps.contracts.numerals import HANZI_NUMBER, hanzi_number

_CAPITAL = "(?:[壹贰叁肆伍陆柒捌玖]|拾[壹贰叁肆伍陆柒捌玖]?)"
_NUMBERS: tuple[tuple[int, str, re.Pattern[str]], ...] = tuple(
    (level, style, re.compile(pattern))
    for level, style, pattern in (
        (0, "annex", rf"(?P<n>(?:附件|附录|附表)\s*(?:[0-9]+|{HANZI_NUMBER}+|[A-Z])?)(?=\s|[:：《、.\-—–]|$|[\u3400-\u9fff]{{2,16}}$)"),
        (0, "annex", r"(?P<n>(?:Annex(?:ure)?|Schedule|Exhibit|Appendix|Attachment|ANNEX(?:URE)?|SCHEDULE|EXHIBIT|APPENDIX|ATTACHMENT)\s+(?:[0-9]+|[A-Z]|[IVX]+))(?=\s|[:.\-—–]|$)"),
        (1, "chapter", rf"(?P<n>第\s*(?:[0-9]+|{HANZI_NUMBER}+)\s*[章编部])"),
        (2, "article", rf"(?P<n>第\s*(?:[0-9]+|{HANZI_NUMBER}+)\s*条)"),
        (2, "article", r"(?P<n>(?:Article|Clause|Section|ARTICLE|CLAUSE|SECTION)\s+(?:[0-9]+|[IVX]+)(?!\.?\d))[.:]?"),
        (2, "article", r"(?P<n>§\s*\d{1,2})(?=\s+[A-Z])"),
        (2, "article", r"(?P<n>(?:Part|PART)\s+(?:[A-Z]|[0-9]+|[IVX]+))(?=\s*(?:[:.\-—–]|$))"),
        (2, "hanzi", rf"(?P<n>{HANZI_NUMBER}{{1,3}})、"),
        (2, "hanzi", rf"(?P<n>{_CAPITAL})[、.．：:]?(?=[\u3400-\u9fff])(?![拾佰仟万元份])"),
        (4, "point", r"(?P<n>\d{1,2}\.\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)(?=\s|[^\d.%])"),
        (3, "point", r"(?P<n>(?:Section |Clause )?\d{1,2}\.\d{1,2})(?=\.?\s|[^\d.%元日天年个]|个[人别案体])"),
        (3, "point", r"(?P<n>(?:[IVX]{1,5}|[A-Z])\.\d{1,2})(?=\s)"),
        (3, "point", r"(?P<n>[A-H]\d{1,2})(?=\s+[A-Z“\"(])"),
        (2, "article", rf"【(?P<n>\d{{1,2}}|{HANZI_NUMBER}{{1,3}})】"),
        (3, "point", r"(?P<n>\d{1,2}[-–]\d{1,2})(?=\s?[\u3400-\u9fff])(?!\d*[-–]\d+\s?[日天个年月周小分名万元])"),
        (2, "digit", r"(?P<n>\d{1,2})[.．、](?!\d)\s*"),
        (5, "list", rf"(?P<n>[（(](?:\d{{1,2}}|{HANZI_NUMBER}{{1,3}}|[a-z]|[ivx]{{1,4}})[)）])"),
        (5, "list", r"(?P<n>\d{1,2}[)）])"),
        (6, "list", r"(?P<n>[①-⑳])"),
    )
)  # fmt: skip
_BARE = re.compile(r"(?P<n>\d{1,2})\s*(?=[A-Z\u3400-\u9fff])(?![年月日天个份元])")
"""Of a heading: ``3付款``, ``3 PAYMENT``."""
INSIDE = {"article": 0, "hanzi": 1, "digit": 2}
"""Which of the styles that name articles stands inside which."""


def numbered(text: str, *, heading: bool = False) -> tuple[str, int, str, str]:
    """Its number, how deep such numbers stand, their style, and the rest of the text."""
    for level, style, pattern in _NUMBERS:
        match = pattern.match(text)
        if match:
            rest = text[match.end() :].lstrip(" :：、.．–—\t")
            if level == 2 and match["n"].isdigit() and re.match(r"\d", rest):
                continue
            number = match["n"].strip()
            return re.sub(r"\s+", "", number) if number[0] in "第附" else number, level, style, rest
    bare = _BARE.match(text) if heading and len(text) <= 60 else None
    if bare:
        return bare["n"], 2, "digit", text[bare.end() :].strip()
    return "", 7, "", text


def number_value(number: str) -> int | None:
    """Of ``第十二条``, ``Article 12``, ``Section IV``, ``附件三`` the number alone."""
    digits = re.search(r"\d+", number)
    if digits:
        return int(digits[0])
    hanzi = re.search(f"{HANZI_NUMBER}+", number)
    if hanzi:
        return hanzi_number(hanzi[0])
    roman = re.search(r"\b([IVX]+)\b", number)
    return roman_value(roman[1]) if roman else None


def roman_value(text: str) -> int:
    values = {"I": 1, "V": 5, "X": 10}
    total = 0
    for n, c in enumerate(text):
        value = values[c]
        total += -value if n + 1 < len(text) and values[text[n + 1]] > value else value
    return total
