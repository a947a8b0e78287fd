"""What a contract points at and does not have: clauses, annexes, defined terms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz import fuzz

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.numbering import number_value, roman_value
from dazi.apps.contracts.numerals import HANZI_NUMBER
from dazi.core.language import Text

_TO_ARTICLE = re.compile(
    rf"(?<!法)(?<!》)(?:本合同|本协议)?第\s*(?P<n>\d+(?:\.\d+)*|{HANZI_NUMBER}+)\s*条(?:第?\s*(?P<sub>\d+|{HANZI_NUMBER}+)\s*款)?|(?:Article|Clause|Section|clause|section|article)s?\s+(?P<en>\d+(?:\.\d+)*)"
)
_TO_POINT = re.compile(r"(?<![\d.])(?P<n>\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)\s*(?:条|款|项)")
_TO_ANNEX = re.compile(
    rf"附件\s*(?P<n>\d+|{HANZI_NUMBER}{{1,3}}|[A-Z])(?![a-z])|(?:Annex|Schedule|Exhibit|Appendix)\s+(?P<en>\d+|[A-Z]\b|[IVX]+\b)"
)
_ELSEWHERE = re.compile(
    r"《[^》]{2,30}》\s*$|法\s*$|条例\s*$|规定\s*$|[A-Z][a-z]+ (?:Act|Law|Code|Regulation)s?,?\s*$|(?:of|under) the [A-Z]\w+ (?:Act|Law|Code)"
)


def references(contract: Contract) -> Iterator[Finding]:
    yield from _articles(contract)
    yield from _named(contract)
    yield from _annexes(contract)
    yield from _terms(contract)


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
        elif c.level <= 2 and value is not None:
            tops.add(value)
    if not tops:
        return
    for clause in contract.clauses:
        text = clause.words
        told: set[str] = set()
        for pattern in (_TO_ARTICLE, _TO_POINT):
            for m in pattern.finditer(text):
                before, after = text[: m.start()], text[m.end() : m.end() + 30]
                if _ELSEWHERE.search(before[-34:]) or re.match(
                    r"\s*(?:of|under) the [A-Z]\w* ?(?:Act|Law|Code|Civil)", after
                ):
                    continue
                raw = (
                    (m["n"] or m.groupdict().get("en") or "") if pattern is _TO_ARTICLE else m["n"]
                )
                if re.fullmatch(r"\d+(?:\.\d+)+", raw):
                    missing = int(raw.split(".")[0]) not in tops or (
                        bool(points)
                        and raw not in points
                        and any(p.split(".")[0] == raw.split(".")[0] for p in points)
                    )
                else:
                    value = number_value(raw)
                    missing = value is not None and value not in tops
                if missing and m[0] not in told:
                    told.add(m[0])
                    yield at(
                        clause,
                        "clause_not_there",
                        "reference",
                        "medium",
                        Text(
                            f"指向“{m[0]}”,合同里没有这一条",
                            f"it points at “{m[0]}”, which the contract does not have",
                        ),
                        Text("改成要指的那一条", "name the clause that is meant"),
                        sentence_at(text, m.start()),
                    )


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
    have: set[str] = set()
    for c in contract.clauses:
        if c.level == 0 and c.number:
            have.add(_annex_key(c.number))
    listed: set[str] = set()
    told: set[str] = set()
    for clause in contract.clauses:
        if clause.level == 0:
            continue
        text = clause.words
        for m in _TO_ANNEX.finditer(text):
            key = _annex_key(m[0])
            listed.add(key)
            if key in have or key in told:
                continue
            told.add(key)
            yield at(
                clause,
                "annex_not_there",
                "reference",
                "medium" if have else "low",
                Text(f"提到的“{m[0]}”不在文件里", f"“{m[0]}” is mentioned and not there"),
                Text("补上附件,或改正附件编号", "add the annex, or mend its number"),
                sentence_at(text, m.start()),
            )


def _annex_key(text: str) -> str:
    value = number_value(text)
    if value is not None:
        return str(value)
    roman = re.search(r"\b([IVX]+)\b", text)
    if roman:
        return str(roman_value(roman[1]))
    letter = re.search(r"([A-Z])$", text.strip())
    return letter[1] if letter else text.strip()


_DEFINED_EN = re.compile(r"[“\"](?:the )?([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+){0,3})[”\"]")
_USED_EN = re.compile(r"(?<![.!?:;“\"]\s)(?<!^)\b((?:[A-Z][a-z]+ ){1,3}[A-Z][a-z]+)\b")
_DEFINED_ZH = re.compile(
    r"[“\"]([\u3400-\u9fff]{2,12})[”\"]\s*(?:系?指|是指|,是指|:|：)|(?:简称|称为?|下称|以下称)\s*[：:]?\s*[“\"]?([\u3400-\u9fff]{2,10})[”\"]?"
)
_USED_ZH = re.compile(r"[“\"]([\u3400-\u9fff]{2,12})[”\"]")


def _terms(contract: Contract) -> Iterator[Finding]:
    """Names in quotation marks or capitals that are used as if they were defined."""
    if contract.language == "zh":
        yield from _terms_zh(contract)
    else:
        yield from _terms_en(contract)


def _terms_zh(contract: Contract) -> Iterator[Finding]:
    defined: set[str] = set()
    for c in contract.clauses:
        for m in _DEFINED_ZH.finditer(c.words):
            defined.add(m[1] or m[2])
        for m in re.finditer(
            r"(?:以下|下)(?:简|合)?称(?:为)?[“\"]?([\u3400-\u9fff]{2,12})[”\"]?", c.words
        ):
            defined.add(m[1])
    told: set[str] = set()
    for clause in contract.body:
        text = clause.words
        for m in _USED_ZH.finditer(text):
            term = m[1]
            if term in defined or term in told or any(term in d or d in term for d in defined):
                continue
            if not re.search(r"定义|所称|约定的|所指", text[max(0, m.start() - 12) : m.end() + 14]):
                continue
            told.add(term)
            yield _undefined(clause, term, m.start())


def _terms_en(contract: Contract) -> Iterator[Finding]:
    """A term in quotation marks that nothing says the meaning of; one in capitals that looks like a
    term, where the contract defines some."""
    defined: set[str] = set()
    quoted: list[tuple[Clause, re.Match[str]]] = []
    for c in contract.clauses:
        for m in _DEFINED_EN.finditer(c.words):
            before, after = (
                c.words[max(0, m.start() - 24) : m.start()],
                c.words[m.end() : m.end() + 30],
            )
            if (
                re.search(
                    r"(?:hereinafter|hereafter|referred to as|called)\s*(?:the\s*)?$|\(\s*(?:the|each|together|collectively|hereinafter|referred|an?|as)?[^()]{0,20}$",
                    before,
                )
                or re.match(
                    r"\s*(?:means?|is\b|are\b|shall mean|refers?|has the meaning|includes?)", after
                )
                or re.search(r"(?:the|called|as|are|is)\s*$", before)
            ):
                defined.add(m[1])
            else:
                quoted.append((c, m))
    told: set[str] = set()
    for clause, m in quoted:
        before = clause.words[max(0, m.start() - 30) : m.start()]
        if (
            m[1] in defined
            or m[1] in told
            or re.search(
                r"(?:Article|Section|Clause|Annex|Schedule|Exhibit)\s+\w+[,(]?\s*$", before
            )
        ):
            continue
        if m[1].rstrip("s") in defined or " " not in m[1]:
            continue
        told.add(m[1])
        yield _undefined(clause, m[1], m.start())
    if len(defined) < 3:
        return
    singles = {d.rstrip("s") for d in defined} | defined
    names = (
        " ".join(c.words for c in contract.clauses[:6])
        + " "
        + " ".join(c.title for c in contract.clauses)
    )
    used: dict[str, list[Clause]] = {}
    for clause in contract.body:
        if clause.index < 4:
            continue
        for m in _USED_EN.finditer(clause.text):
            used.setdefault(m[1], []).append(clause)
    for term, clauses in used.items():
        last = term.split()[-1]
        known = (
            term in singles
            or term.rstrip("s") in singles
            or any(d in term or term in d for d in defined)
        )
        if known or term in told or term in names or not re.search(_TERM_NOUNS, last):
            continue
        yield _undefined(clauses[0], term, clauses[0].words.find(term))


_TERM_NOUNS = r"^(?:Data|Information|Services?|Fees?|Date|Period|Materials?|Deliverables?|Products?|Software|Documentation|Event|Purpose|Territory|Users?|Affiliates?|Rights|Losses|Standards?|Levels?|Plan|Credits?|Amount|Price|Term|Persons?|Property|Works?|Notice|Policy|Policies|Platform|System|Content|Records|Equipment|Environment|Representatives?|Specifications?|Criteria|Charges|Claims?)$"


def _undefined(clause: Clause, term: str, start: int) -> Finding:
    return at(
        clause,
        "undefined_term",
        "reference",
        "medium",
        Text(
            f"“{term}”当作定义过的词用,合同里没有定义",
            f"“{term}” is used as a defined term and not defined",
        ),
        Text("补上定义,或改用定义过的词", "define it, or use the term that is defined"),
        sentence_at(clause.words, max(start, 0)),
    )
