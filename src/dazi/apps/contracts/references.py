"""What a contract points at and does not have: clauses, annexes, defined terms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz import fuzz

from dazi.apps.contracts.clauses import Contract
from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.likeness import sentences
from dazi.apps.contracts.misdirected import misdirected
from dazi.apps.contracts.numbering import number_value, roman_value
from dazi.apps.contracts.numerals import HANZI_NUMBER
from dazi.apps.contracts.undefined import undefined_terms
from dazi.core.language import Text

_TO_ARTICLE = re.compile(
    rf"(?<!法)(?<!》)(?:本合同|本协议)?第\s*(?P<n>\d+(?:\.\d+)*|{HANZI_NUMBER}+)\s*条(?:第?\s*(?P<sub>\d+|{HANZI_NUMBER}+)\s*款)?|(?:Article|Clause|Section|Paragraph|clause|section|article|paragraph)s?\s+(?P<en>\d+(?:\.\d+)*|[A-Z]\.\d{1, 2}|[IVX]+\b)"
)
_TO_POINT = re.compile(r"(?<![\d.])(?P<n>\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)\s*(?:条|款|项)")
_TO_ANNEX = re.compile(
    rf"附件\s*(?P<n>\d+(?![套个件只台条根])|{HANZI_NUMBER}{{1,3}}|[A-Z](?![A-Za-z0-9]))|(?:Annex(?:ure)?|Schedule|Exhibit|Appendix|Attachment)\s+(?P<en>\d+|[A-Z]\b|[IVX]+\b)"
)
_ELSEWHERE = re.compile(
    r"《[^》]{2,30}》\s*$|法\s*$|条例\s*$|规定\s*$|[A-Z][a-z]+ (?:Act|Law|Code|Regulation)s?,?\s*$|(?:of|under) the [A-Z]\w+ (?:Act|Law|Code)"
)


def references(contract: Contract) -> Iterator[Finding]:
    yield from _articles(contract)
    yield from _named(contract)
    yield from misdirected(contract)
    yield from _annexes(contract)
    yield from undefined_terms(contract)


def _articles(contract: Contract) -> Iterator[Finding]:
    tops, points = set[int](), set[str]()
    for c in contract.body:
        if not c.number:
            continue
        value = number_value(c.number)
        if re.fullmatch(r"(?:Section |Clause )?\d+(?:\.\d+)+", c.number):
            point = re.sub(r"[^\d.]", "", c.number)
            points.add(point)
            tops.add(int(point.split(".")[0]))
        elif re.fullmatch(r"[A-HJ-U]\.\d{1,2}", c.number):
            points.add(c.number)
        elif c.level <= 2 and value is not None:
            tops.add(value)
    if not tops:
        return
    chapters = {number_value(c.number) for c in contract.clauses if c.number.endswith("章")}
    for clause in contract.clauses:
        text = clause.words
        told: set[str] = set()
        for said, raw, start, end in _pointed_at(text):
            before, after = text[:start], text[end : end + 30]
            if _ELSEWHERE.search(before[-34:]) or re.match(
                r"\s*(?:of|under) the [A-Z]\w* ?(?:Act|Law|Code|Civil)", after
            ):
                continue
            if re.fullmatch(r"[A-Z]\.\d{1,2}", raw):
                missing = raw not in points and any(
                    p[0] == raw[0] or p[0].isalpha() for p in points
                )
            elif said.endswith("章"):
                missing = bool(chapters) and number_value(raw) not in chapters
            elif re.fullmatch(r"\d+(?:\.\d+)+", raw):
                missing = int(raw.split(".")[0]) not in tops or (
                    bool(points)
                    and raw not in points
                    and any(p.split(".")[0] == raw.split(".")[0] for p in points)
                )
            else:
                value = number_value(raw)
                missing = value is not None and value not in tops
                if _A_PARAGRAPH.match(said):  # of the same clause, where the number is a small one
                    missing = missing and (value or 0) > max(tops)
            if missing and said not in told:
                told.add(said)
                yield at(
                    clause,
                    "clause_not_there",
                    "reference",
                    "medium",
                    Text(
                        f"指向“{said}”,合同里没有这一条",
                        f"it points at “{said}”, which the contract does not have",
                    ),
                    Text("改成要指的那一条", "name the clause that is meant"),
                    sentence_at(text, start),
                )


_A_PARAGRAPH = re.compile(r"[Pp]aragraph")
_TO_CHAPTER = re.compile(rf"第\s*(?P<n>\d+|{HANZI_NUMBER}+)\s*章")
_MORE_ZH = re.compile(
    rf"第\s*(?P<list>(?:\d+|{HANZI_NUMBER}+)(?:\s*[、，和及与]\s*(?:\d+|{HANZI_NUMBER}+))+)\s*条"
)
_MORE_EN = re.compile(
    r"(?:Article|Clause|Section|Paragraph|clause|section|article|paragraph)s\s+(?P<list>\d+(?:\.\d+)*(?:(?:\s*,\s*|\s*,?\s*(?:and|or)\s+)\d+(?:\.\d+)*)+)"
)


def _pointed_at(text: str) -> Iterator[tuple[str, str, int, int]]:
    """What the text points at, in words, the number in it, and where that stands; of a list, as
    ``Sections 5, 7 and 14``, each."""
    for pattern in (_TO_ARTICLE, _TO_POINT, _TO_CHAPTER):
        for m in pattern.finditer(text):
            raw = m["n"] or m.groupdict().get("en") or ""
            yield m[0], raw, m.start(), m.end()
    for pattern in (_MORE_ZH, _MORE_EN):
        for m in pattern.finditer(text):
            numbers = re.findall(rf"\d+(?:\.\d+)*|{HANZI_NUMBER}+", m["list"])
            for n in numbers[:-1] if pattern is _MORE_ZH else numbers[1:]:
                yield f"第{n}条" if pattern is _MORE_ZH else n, n, m.start(), m.end()


_NAMED_ZH = re.compile(
    rf"第\s*(?P<n>\d+|{HANZI_NUMBER}+)\s*条\s*[（(“\"「]\s*(?P<title>[\u3400-\u9fff、与和及]{{2,16}})\s*[）)”\"」]"
)
_NAMED_EN = re.compile(
    r"(?:Article|Clause|Section)\s+(?P<n>\d+)(?:\s*\(\s*[“\"]?|,\s*[“\"]|\s+on\s+|\s*[“\"])(?P<title>[A-Z][A-Za-z ,&'\-]{3,60}?)(?=[”\"]|\)|,|\.| are\b| is\b| shall\b)"
)


def _named(contract: Contract) -> Iterator[Finding]:
    """A clause that is pointed at by its number and by a name which is another's."""
    titles = {
        number_value(c.number): c.title
        for c in contract.body
        if c.level <= 2 and c.number and c.title
    }
    for clause in contract.clauses:
        text = clause.words
        for pattern in (_NAMED_ZH, _NAMED_EN):
            for m in pattern.finditer(text):
                number = number_value(m["n"])
                title = titles.get(number)
                others = [t for n, t in titles.items() if n != number]
                if title is None or not others:
                    continue
                own = fuzz.ratio(m["title"].lower(), title.lower())
                best = max(fuzz.ratio(m["title"].lower(), t.lower()) for t in others)
                if own < 60 and best > own and best > 70:
                    yield at(
                        clause,
                        "clause_wrong_number",
                        "reference",
                        "medium",
                        Text(
                            f"写的是“{m[0]}”,但第 {number} 条是“{title}”",
                            f"it says “{m[0]}”, but number {number} is “{title}”",
                        ),
                        Text("改正条款编号或名称", "mend the number or the name"),
                        sentence_at(text, m.start()),
                    )


def _annexes(contract: Contract) -> Iterator[Finding]:
    have = {_annex_key(c.number) for c in contract.clauses if c.level == 0 and c.number}
    listed = {
        _annex_key(m[0])
        for c in contract.clauses
        for s in (sentences(c.words) or [c.words])
        if len({_annex_key(m[0]) for m in _TO_ANNEX.finditer(s)}) >= 2 and _LISTS.search(s)
        for m in _TO_ANNEX.finditer(s)
    }
    told: set[str] = set()
    for clause in contract.clauses:
        if clause.level == 0 and len(clause.words) < 60:
            continue
        text = clause.words
        for m in _TO_ANNEX.finditer(text):
            key = _annex_key(m[0])
            if key in have or key in listed or key in told:
                continue
            told.add(key)
            yield at(
                clause,
                "annex_not_there",
                "reference",
                "medium" if have or listed else "low",
                Text(f"提到的“{m[0]}”不在文件里", f"“{m[0]}” is mentioned and not there"),
                Text("补上附件,或改正附件编号", "add the annex, or mend its number"),
                sentence_at(text, m.start()),
            )


_LISTS = re.compile(
    r"组成部分|同等效力|同等法律效力|附件\s*[:：]|^附件|合同附件|附件(?:两|三|四|\d)份|为本(?:合同|协议)|form(?:s)? (?:an integral )?part|[Aa]nnexes|[Ss]chedules|attached"
)
"""Of a sentence that lists the annexes, which may be files of their own."""


def _annex_key(text: str) -> str:
    value = number_value(text)
    if value is not None:
        return str(value)
    roman = re.search(r"\b([IVX]+)\b", text)
    if roman:
        return str(roman_value(roman[1]))
    letter = re.search(r"([A-Z])$", text.strip())
    return letter[1] if letter else text.strip()
