"""Words that a contract uses as if it had defined them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Finding, at
from dazi.core.language import Text

_DEFINED_EN = re.compile(r"[“\"](?:the )?([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+){0,3})[”\"]")
_LISTED_EN = re.compile(
    r"(?:^|[.;]\s+)([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+){0,3})\s*(?:[–—:-]|means)\s+(?=[a-z])"
)
"""``Fees – the charges in Annex B.``"""
_SIGNED = re.compile(
    r"\b(?:Name|Title|Date|By|Position|Attention|Attn|E-?mail)\s*:|\b(?:Signed|SIGNED)\b|on behalf of|@"
)
_USED_EN = re.compile(r"(?<![.!?:;“\"]\s)(?<!^)\b((?:[A-Z][a-z]+ ){1,3}[A-Z][a-z]+)\b")
_DEFINED_ZH = re.compile(
    r"[“\"]([\u3400-\u9fff]{2,12})[”\"]\s*[，,]?\s*(?:系?指|是指|即|:|：)|(?:简称|(?<!所)称为?|下称|以下称)\s*[：:]?\s*[“\"]?([\u3400-\u9fff]{2,10})[”\"]?"
)
_USED_ZH = re.compile(r"[“\"]([\u3400-\u9fff]{2,12})[”\"]")


def undefined_terms(contract: Contract) -> Iterator[Finding]:
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
    for clause in contract.clauses:
        text = clause.words
        for m in _USED_ZH.finditer(text):
            term = m[1]
            if term in defined or term in told or any(term in d or d in term for d in defined):
                continue
            if len(term) >= 5 and not _NO_TERM.search(text[m.end() : m.end() + 8]):
                told.add(term)
                yield _undefined(clause, term, m.start())
                continue
            if (
                not re.search(
                    r"定义|所称|约定的|所指|所述", text[max(0, m.start() - 12) : m.end() + 14]
                )
                and not (
                    re.search(r"(?:按照?|依照?|符合|达到|满足|根据)\s*$", text[: m.start()])
                    and re.match(r"(?:之|的|执行|标准|评定|计|要求|所列|中)", text[m.end() :])
                )
                and not (
                    re.search(r"[由经向与]\s*$", text[: m.start()])
                    and re.match(
                        r"(?:书面)?(?:确定|确认|决定|审核|批准|同意|提出|提交|签收)",
                        text[m.end() :],
                    )
                )
            ):
                continue
            told.add(term)
            yield _undefined(clause, term, m.start())


_NO_TERM = re.compile(r"^[”\"]?(?:字样|标识|标志|商标|品牌|原则|牌|项目|平台|系统|栏|二字|三字)")
"""After a name or a mark in quotation marks."""


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
                    r"\s*(?:means?\b|refers?|ha(?:s|ve) the meaning|shall mean|is (?:the|an?|any|all)\b|are (?:the|all|any|those)\b|denotes?|stands? for)",
                    after,
                )
                or (
                    re.search(r"(?:^|[.;:]\s)\W*(?:The|An?)?\s*$", before)
                    and re.match(
                        r"\s*(?:is|are|shall|covers?|includes?|comprises?|consists?|[:–—=-])", after
                    )
                )
                or re.search(r"(?:the|called|as|are|is|under the name|brand|product)\s*$", before)
            ):
                defined.add(m[1])
            else:
                quoted.append((c, m))
        for m in _LISTED_EN.finditer(c.words):
            defined.add(m[1])
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
        if clause.index < 4 or clause.table or _SIGNED.search(clause.words):
            continue
        for m in _USED_EN.finditer(clause.text):
            used.setdefault(m[1], []).append(clause)
    for term, clauses in used.items():
        known = (
            term in singles
            or term.rstrip("s") in singles
            or any(d in term or term in d for d in defined)
        )
        if known or term in told or term in names or not _is_a_term(term, clauses[0].words):
            continue
        yield _undefined(clauses[0], term, clauses[0].words.find(term))


_TERM_NOUNS = r"^(?:Data|Information|Services?|Fees?|Date|Period|Materials?|Deliverables?|Products?|Software|Documentation|Event|Purpose|Territory|Users?|Affiliates?|Rights|Losses|Standards?|Levels?|Plan|Credits?|Amount|Price|Term|Persons?|Property|Works?|Notice|Policy|Policies|Platform|System|Content|Records|Equipment|Environment|Representatives?|Specifications?|Criteria|Charges|Claims?|Subcontractors?|Hours|Card|Site|Premises|Facilit(?:y|ies)|Team|Manager|Milestones?|Improvements|Recipients?|Personnel|Results|Samples?|Threshold|Schedule|Budget|Cap)$"


def _is_a_term(term: str, text: str) -> bool:
    last = term.split()[-1]
    if f"({term}" in text:  # what somebody is
        return False
    if re.search(_TERM_NOUNS, last):
        return True
    if re.search(_AFTER_THE, last):
        return bool(re.search(rf"\b(?:the|any|all|each|its|their) {re.escape(term)}", text))
    return last.endswith("s") and len(last) > 5 and _goes_on(text, term)


def _goes_on(text: str, term: str) -> bool:
    """Whether it stands within a sentence as a word for many things, and not as a part of a name."""
    return bool(
        re.search(rf"\b[a-z]+ {re.escape(term)}(?=\s+[a-z]|[,.;])", text)
        and not re.search(rf"{re.escape(term)},? (?:{_LEGAL_FORM})", text)
    )


_LEGAL_FORM = r"Co\b|Ltd|Limited|Inc|LLC|GmbH|Pte|Corp|plc|B\.V|\("
_AFTER_THE = r"^(?:Systems|Items?|Locations?|Accounts?|Regions?|Tools?|Assets?|Areas?|Parts?|Components?|Modules?|Incidents?|Defects?|Costs?|Expenses?|Obligations?|Restrictions?|Competitors?|Partners?|Group|Staff|Procedures?|Guidelines?|Requirements?|Rules?|Index|Rate|Committee|Contact|Countries|Country|List|Baseline|Matter|Matters|Clients?|Customers?|Entity|Entities|Vendors?|Parties)$"
"""Nouns that end names of other things as well: with an article they are terms."""


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
