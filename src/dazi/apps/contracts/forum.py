"""Whose law a contract is under, and who decides disputes."""

from __future__ import annotations

import re

from dazi.apps.contracts.clauses import Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.topics import about

_LAW_ZH = re.compile(
    r"(?:适用|受|依据|按照|以)\s*(?P<law>[\u3400-\u9fff（）()]{2,24}?)(?:的)?(?:现行)?(?:有效)?(?:之)?法律?(?:法规)?(?:管辖|约束|解释|为准|作为|[，。,；]|的|$)"
)
_LAW_EN = re.compile(
    r"(?:governed by|construed (?:in accordance with|under|according to)|subject(?: in all respects)? to|in accordance with|according to|\bThe)\b[^.]{0,60}?\blaws?\s+(?:in force\s+)?(?:of|in)\s+(?:the\s+)?(?P<law>[A-Z][\w'’ ,\-()]*?)(?=\s*(?:,?\s*(?:without|excluding|and the|and shall|and to|appl(?:y|ies)|shall apply|govern|as applied|in force|appl(?:y|ies)|shall apply|govern)|[.;]|$))|\blaw (?:applicable|that applies) (?:to|is)[^.;]{0,40}?\b(?:that|the law) of (?:the )?(?P<that>[A-Z][\w'’ ]*?)(?=[,.;]|$)|(?:governed by|under)\s+(?:the\s+)?(?P<adj>[A-Z][a-z]+)\s+law\b"
)


def governing_law(contract: Contract) -> Field | None:
    for clause in contract.clauses:
        text = clause.words
        for m in _LAW_ZH.finditer(text):
            name = m["law"].removesuffix("现行").strip("的")
            if re.search(
                r"中华人民共和国|中国|香港|澳门|台湾|英国|英格兰|美国|合众国|共和国|纽约|新加坡|日本|德国|法国|瑞士|州|国$",
                name,
            ):
                return Field(name, clause, sentence_at(text, m.start()))
        for m in _LAW_EN.finditer(text):
            name = (m["law"] or m["that"] or m["adj"]).strip(" ,")
            if name and not re.match(r"(?:any|such|this)\b", name, re.I):
                return Field(name, clause, sentence_at(text, m.start()))
    return None


_SEAT_ZH = (
    re.compile(
        r"(?P<seat>[\u3400-\u9fff（）()]{2,30}?(?:仲裁委员会|仲裁中心|仲裁院|仲裁机构|仲裁委|仲裁庭))"
    ),
    re.compile(
        r"(?P<seat>(?:[\u3400-\u9fff]|[（(][\u3400-\u9fff]{2,12}[)）]){0,24}?(?:人民法院|法院)(?!专?属?管辖权))"
    ),
)
_SEAT_EN = (
    re.compile(
        r"(?P<seat>(?:[A-Z][\w'’\-]*(?:\s+and)?\s+)*(?:International\s+)?(?:Economic and Trade\s+)?(?:Arbitration (?:Commission|Cent(?:er|re)|Court|Institute|Institution)|Court of Arbitration|Court of International Arbitration|Chamber of Commerce)(?:\s*\([A-Z]+\))?)"
    ),
    re.compile(
        r"(?:[Tt]he\s+)?(?P<seat>[A-Z][\w'’\-]+(?:\s+[A-Z][\w'’\-]+){0,4}?)\s+(?:(?:District|High|Supreme|County|City|Commercial|Intermediate|Regional|People['’]s)\s+)*Courts?\b"
    ),
    re.compile(
        r"(?:courts?|court of competent jurisdiction) (?:of|in|located in|sitting in|at)\s+(?:the\s+)?(?P<seat>[A-Z][\w'’\- ]*(?:,\s*[A-Z][\w'’\- ]*)?)"
    ),
    re.compile(
        r"(?:arbitrat\w+|seat|place)[^.]{0,60}?(?:in|at|be|is)\s+(?P<seat>[A-Z][\w'’\-]*(?:\s+[A-Z][\w'’\-]*)*)"
    ),
)
_PLACE = re.compile(
    r"(?:仲裁地(?:点)?|仲裁地为)(?:为|在|是|:|：)?\s*(?P<place>[\u3400-\u9fff]{2,12}?)(?=[，。,；;、]|$)|(?:seat|place)(?: of (?:the )?arbitration)?(?: shall be| is|:)?\s+(?:in\s+)?(?P<place_en>[A-Z][\w'’\-]*(?:\s+[A-Z][\w'’\-]*)*)"
)


_A_PARTY = re.compile(r"registered with|incorporated|hereinafter|以下简称|注册于")
"""Of a sentence that says who somebody is."""


def seat(contract: Contract) -> Field | None:
    """The court or arbitration body that is named."""
    for first in (1, 3):
        for clause in contract.body:
            if not about(contract, clause, "disputes", first=first):
                continue
            text = clause.words
            for pattern in (*_SEAT_ZH, *_SEAT_EN):
                m = pattern.search(text)
                if m and _A_PARTY.search(sentence_at(text, m.start())):
                    continue
                if m and len(m["seat"]) > 2:
                    name = re.sub(
                        r"^.*(?:提交|交由|递交|提请|向|[^自]由|^由|应当|可以|均|至|起诉至|或者|任何一方|约定)+(?=[\u3400-\u9fff]{2})|^.*(?<![所地])在(?=[\u3400-\u9fff]{2})",
                        "",
                        m["seat"],
                    )
                    name = re.sub(r"^(?:the|The)\s+", "", name).strip()
                    if len(name) >= 2:
                        return Field(name, clause, sentence_at(text, m.start()))
    return None


def place_of_arbitration(text: str) -> str:
    m = _PLACE.search(text)
    return (m["place"] or m["place_en"] or "").strip() if m else ""
