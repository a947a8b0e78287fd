"""Clauses that are pointed at for what they do not say: 第18条保密义务, where 18 is on payment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.numbering import number_value
from dazi.apps.contracts.numerals import HANZI_NUMBER
from dazi.apps.contracts.topics import TOPICS, topics_of
from dazi.core.language import Text


def _wrong_number(clause: Clause, place: int, message: Text) -> Finding:
    """On the sentence at ``place``."""
    quote = sentence_at(clause.words, place)
    mend = Text("改正条款编号", "mend the number")
    return at(clause, "clause_wrong_number", "reference", "medium", message, mend, quote)


def misdirected(contract: Contract) -> Iterator[Finding]:
    yield from _about_something_else(contract)
    yield from _says_nothing_of_it(contract)
    yield from _items(contract)
    yield from _said_to_describe(contract)


_CALLED_ZH = re.compile(
    rf"第\s*(?P<n>\d+|{HANZI_NUMBER}+)\s*条(?:约定的?|规定的?|项下的?|所述的?|的)?(?P<what>保密|付款|验收|质保|知识产权|不可抗力|违约金|违约责任|解除|争议解决|押金|保险|赔偿|责任限制)(?:义务|责任|条款|约定|规定)?"
)
_CALLED_EN = re.compile(
    r"(?P<what>limitations?|confidentiality|indemnit(?:y|ies)|warrant(?:y|ies)|payment|arbitration|insurance|termination|penalt(?:y|ies)|liability)(?: (?:obligations?|provisions?|duties|terms?|clause|cap|rights?))?(?: set out| provided| agreed| contained)? (?:in|of|under) (?:clause|section|article|Clause|Section|Article) (?P<n>\d+(?:\.\d+)?)"
)
_ON_EN = re.compile(
    r"(?:clause|section|article|Clause|Section|Article) (?P<n>\d+(?:\.\d+)?) (?:on|about|regarding|concerning|relating to) (?:the )?(?P<what>notices?|limitations?|confidentiality|indemnit(?:y|ies)|warrant(?:y|ies)|payments?|arbitration|insurance|termination|penalt(?:y|ies)|liability|force majeure|assignment|renewal|acceptance|returns?|deliver(?:y|ies))"
)
_TOPIC_OF = {
    "notice": "notices", "force ": "force_majeure", "assign": "assignment", "renewa": "renewal", "accept": "acceptance",
    "return": "return_of", "delive": "delivery",
    "保密": "confidentiality", "付款": "payment", "验收": "acceptance", "质保": "warranty", "知识产权": "ip",
    "不可抗力": "force_majeure", "违约金": "penalty", "违约责任": "penalty", "解除": "termination", "争议解决": "disputes",
    "押金": "deposit", "保险": "insurance", "赔偿": "liability", "责任限制": "liability", "limit": "liability",
    "confid": "confidentiality", "indemn": "liability", "warran": "warranty", "paymen": "payment", "arbitr": "disputes",
    "insura": "insurance", "termin": "termination", "penalt": "penalty", "liabil": "liability",
}  # fmt: skip


def _about_something_else(contract: Contract) -> Iterator[Finding]:
    """A clause that is pointed at for what it does not deal with: 第18条保密义务, where 18 is on payment."""
    by_number: dict[str, list[Clause]] = {}
    for c in contract.body:
        head = contract.clauses[c.article] if c.article >= 0 else c
        for one in {c.number, head.number} - {""}:
            point = re.search(r"\d+(?:\.\d+)+", one)
            key = point[0] if point else str(number_value(one))
            by_number.setdefault(key, []).append(c)
    for clause in contract.clauses:
        for pattern in (_CALLED_ZH, _CALLED_EN, _ON_EN):
            for m in pattern.finditer(clause.words):
                key = m["n"] if "." in m["n"] else str(number_value(m["n"]))
                there = by_number.get(key, [])
                if not there or clause in there:
                    continue
                what = m["what"].lower()
                topic = _TOPIC_OF.get(what) or _TOPIC_OF.get(what[:6]) or _TOPIC_OF[what[:5]]
                if any(topic in topics_of(contract, c) for c in there):
                    continue
                if re.search(TOPICS[topic][1], " ".join(c.words for c in there)):
                    continue
                yield _wrong_number(
                    clause,
                    m.start(),
                    Text(
                        f"写的是“{m[0]}”,但那一条说的不是这个",
                        f"it says “{m[0]}”, and that clause is about something else",
                    ),
                )


_BY_ZH = re.compile(
    rf"(?:按照?|依照?|根据)(?:本合同|本协议)?第\s*(?P<n>\d+|{HANZI_NUMBER}+)\s*条(?!第)(?:的?(?:约定|规定|办法|标准|方式))?(?P<what>[\u3400-\u9fff]{{3,10}})(?=[，。；,;]|$)"
    rf"|第\s*(?P<n2>\d+|{HANZI_NUMBER}+)\s*条(?:约定|规定|所述|所列)的(?P<what2>[\u3400-\u9fff]{{4,10}})(?=[，。；,;]|$)"
)
_SAYS_LITTLE = re.compile(
    r"义务|条件|期限|情形|主张|权利|追究|赔偿|要求|约定|规定|处理|执行|办理|承担|责任|进行|有关|相关|双方|甲方|乙方|一方|对方|合同|[的了和与或及由应可为之其该]"
)


def _says_nothing_of_it(contract: Contract) -> Iterator[Finding]:
    """「按第10条免收租金」, where not a word of it stands in the tenth."""
    there: dict[int, str] = {}
    for c in contract.body:
        head = contract.clauses[c.article] if c.article >= 0 else c
        number = number_value(head.number) if head.number and head.level <= 2 else None
        if number is not None:
            there[number] = there.get(number, "") + c.words
    for clause in contract.clauses:
        for m in _BY_ZH.finditer(clause.words):
            number = number_value(m["n"] or m["n2"])
            text = there.get(number or -1, "")
            what = _SAYS_LITTLE.sub("", m["what"] or m["what2"])
            pairs = [what[i : i + 2] for i in range(len(what) - 1)]
            if not text or clause.words in text or len(pairs) < 2:
                continue
            if not any(p in text for p in pairs):
                yield _wrong_number(
                    clause,
                    m.start(),
                    Text(
                        f"写的是“{m[0]}”,但第 {number} 条没有说这个",
                        f"it says “{m[0]}”, and number {number} says nothing of it",
                    ),
                )


_DESCRIBED_EN = re.compile(
    r"(?P<sentence>[^.;]*?)\bas (?:described|provided|set out|agreed|stipulated|(?P<what>[a-z]{5,}) under) (?:in |under )?(?:[Aa]rticle|[Cc]lause|[Ss]ection) (?P<n>\d+(?:\.\d+)?)"
)
_LITTLE_EN = re.compile(
    r"shall|which|their|there|these|those|other|under|party|parties|agreement|takes|place|above|below|described|provided|supplier|customer|client|provider|vendor|buyer|seller|where|being|between|every|until|after|before|during|would|could|about"
)


def _said_to_describe(contract: Contract) -> Iterator[Finding]:
    """``The escrow takes place as described in article 12``, in which not a word of it stands."""
    there: dict[str, str] = {}
    for c in contract.body:
        head = contract.clauses[c.article] if c.article >= 0 else c
        keys = {str(number_value(head.number))} if head.number else set()
        point = re.fullmatch(r"(?:Section |Clause )?(\d+\.\d+)", c.number)
        for key in keys | ({point[1]} if point else set()):
            there[key] = f"{there.get(key, '')} {c.words}".lower()
    for clause in contract.clauses:
        for m in _DESCRIBED_EN.finditer(clause.words):
            text = there.get(m["n"], "")
            said = m["what"] or m["sentence"]
            words = {
                w[:6] for w in re.findall(r"[a-z]{5,}", said.lower()) if not _LITTLE_EN.fullmatch(w)
            }
            if not text or clause.words.lower() in text or not words:
                continue
            if not any(w in text for w in words):
                yield _wrong_number(
                    clause,
                    m.end() - 1,
                    Text(
                        f"写的是“{m[0][-60:].strip()}”,但第 {m['n']} 条没有说这个",
                        f"it says “{m[0][-60:].strip()}”, and number {m['n']} says nothing of it",
                    ),
                )


_TO_ITEM = re.compile(
    rf"第\s*(?P<n>\d+|{HANZI_NUMBER}+)\s*条第?\s*[（(](?P<item>\d+|{HANZI_NUMBER}+)[)）]\s*[项款]"
)


def _items(contract: Contract) -> Iterator[Finding]:
    """「第七条第（五）项」 of an article that has four."""
    items: dict[int, set[int]] = {}
    for c in contract.body:
        head = contract.clauses[c.article] if c.article >= 0 else c
        number = number_value(head.number) if head.number and head.level <= 2 else None
        if number is None:
            continue
        said = [c.number] if re.match(r"[（(]", c.number) else []
        said += re.findall(rf"[（(](?:\d{{1,2}}|{HANZI_NUMBER}{{1,3}})[)）]", c.words)
        items.setdefault(number, set()).update(v for s in said if (v := number_value(s)))
    for clause in contract.clauses:
        for m in _TO_ITEM.finditer(clause.words):
            there = items.get(number_value(m["n"]) or -1, set())
            item = number_value(m["item"])
            if there and item is not None and item > max(there):
                yield at(
                    clause,
                    "clause_not_there",
                    "reference",
                    "medium",
                    Text(
                        f"指向“{m[0]}”,那一条只到第 {max(there)} 项",
                        f"it points at “{m[0]}”, where there are {max(there)} items",
                    ),
                    Text("改成要指的那一项", "name the item that is meant"),
                    sentence_at(clause.words, m.start()),
                )
