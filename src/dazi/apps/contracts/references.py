"""What a contract points at and does not have: clauses, annexes, defined terms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rapidfuzz import fuzz

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.likeness import sentences
from dazi.apps.contracts.numbering import number_value, roman_value
from dazi.apps.contracts.numerals import HANZI_NUMBER
from dazi.apps.contracts.topics import TOPICS, topics_of
from dazi.apps.contracts.undefined import undefined_terms
from dazi.core.language import Text

_TO_ARTICLE = re.compile(
    rf"(?<!法)(?<!》)(?:本合同|本协议)?第\s*(?P<n>\d+(?:\.\d+)*|{HANZI_NUMBER}+)\s*条(?:第?\s*(?P<sub>\d+|{HANZI_NUMBER}+)\s*款)?|(?:Article|Clause|Section|Paragraph|clause|section|article|paragraph)s?\s+(?P<en>\d+(?:\.\d+)*|[IVX]+\b)"
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
    yield from _about_something_else(contract)
    yield from _says_nothing_of_it(contract)
    yield from _items(contract)
    yield from _said_to_describe(contract)
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
            if said.endswith("章"):
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
                yield at(
                    clause,
                    "clause_wrong_number",
                    "reference",
                    "medium",
                    Text(
                        f"写的是“{m[0]}”,但那一条说的不是这个",
                        f"it says “{m[0]}”, and that clause is about something else",
                    ),
                    Text("改正条款编号", "mend the number"),
                    sentence_at(clause.words, m.start()),
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
                yield at(
                    clause,
                    "clause_wrong_number",
                    "reference",
                    "medium",
                    Text(
                        f"写的是“{m[0]}”,但第 {number} 条没有说这个",
                        f"it says “{m[0]}”, and number {number} says nothing of it",
                    ),
                    Text("改正条款编号", "mend the number"),
                    sentence_at(clause.words, m.start()),
                )


_DESCRIBED_EN = re.compile(
    r"(?P<sentence>[^.;]*?)\bas (?:described|provided|set out|agreed|stipulated|(?P<what>[a-z]{5,}) under) (?:in |under )?(?:[Aa]rticle|[Cc]lause|[Ss]ection) (?P<n>\d+(?:\.\d+)?)"
)
_LITTLE_EN = frozenset(
    "shall which their there these those other under party parties agreement takes place above below "
    "described provided supplier customer client provider vendor buyer seller where being between "
    "every until after before during described would could about".split()
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
            words = {w[:6] for w in re.findall(r"[a-z]{5,}", said.lower()) if w not in _LITTLE_EN}
            if not text or clause.words.lower() in text or not words:
                continue
            if not any(w in text for w in words):
                yield at(
                    clause,
                    "clause_wrong_number",
                    "reference",
                    "medium",
                    Text(
                        f"写的是“{m[0][-60:].strip()}”,但第 {m['n']} 条没有说这个",
                        f"it says “{m[0][-60:].strip()}”, and number {m['n']} says nothing of it",
                    ),
                    Text("改正条款编号", "mend the number"),
                    sentence_at(clause.words, m.end() - 1),
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
