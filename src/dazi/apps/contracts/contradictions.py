"""Where a contract contradicts itself: sums, dates, terms, names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.forums import forum_contradictions
from dazi.apps.contracts.likeness import sentences
from dazi.apps.contracts.lines import blank
from dazi.apps.contracts.parties import AN_ENTITY, named
from dazi.apps.contracts.repeated import repeated
from dazi.apps.contracts.sums import sum_contradictions
from dazi.apps.contracts.values import Period, days, periods
from dazi.core.language import Text


def contradictions(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    yield from sum_contradictions(contract, fields)
    yield from _dates(contract, fields)
    yield from repeated(contract)
    yield from forum_contradictions(contract)
    yield from _names(contract, fields)


def _dates(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    start, end = fields.get("start_date"), fields.get("end_date")
    if start and end and str(end.value) < str(start.value):
        yield at(
            end.clause,
            "dates_out_of_order",
            "contradiction",
            "high",
            Text(
                f"结束日 {end.value} 早于开始日 {start.value}",
                f"it ends on {end.value}, before it begins on {start.value}",
            ),
            Text("核对起止日期", "check both dates"),
            end.quote,
        )
        return
    for clause in contract.body:
        text = clause.words
        found = list(days(text))
        if (
            len(found) == 2
            and re.search(r"自|from|commenc", text[: found[0].start + 2], re.I)
            and found[1].day < found[0].day
            and re.search(r"至|止|到|until|to\b", text[found[0].end : found[1].start])
        ):
            yield at(
                clause,
                "dates_out_of_order",
                "contradiction",
                "high",
                Text(
                    f"{found[1].day} 早于 {found[0].day}",
                    f"{found[1].day} is before {found[0].day}",
                ),
                Text("核对起止日期", "check both dates"),
                sentence_at(text, found[0].start),
            )
    yield from _length(contract, fields)


_OTHER_LENGTH = re.compile(
    r"前|通知|续|保密|届满后|终止后|免租|装修|试用|notice|prior|renew|continu|extend|confiden|surviv|after|further",
    re.I,
)


_THE_TERM = re.compile(
    r"(?:服务期限?|租期|租赁期限?|合同期限?|(?:本合同|协议)(?:的)?有效期限?)(?:共|为|是|[:：])+\s*[\d一二三四五六七八九十两]+\s*(?:个月|年)|[Aa]greement (?:runs|lasts|remains in force|continues) for|[Tt]erm of this [Aa]greement (?:is|shall be)"
)
"""Of a sentence that tells the length of the whole contract."""


def _ends_then(start: str, end: str, p: Period) -> bool:
    """Whether so many months or years lead from one day to the other, by the calendar."""
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    months = int(p.number * (12 if p.unit == "year" else 1))
    year, month = divmod(first.month - 1 + months, 12)
    then = date(first.year + year, month + 1, min(first.day, 28))
    return abs((last - then).days) <= 4


def _length(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """A term that is told by its dates and by its length, which differ."""
    start, end = fields.get("start_date"), fields.get("end_date")
    if start is None or end is None:
        return
    length = (date.fromisoformat(end.value) - date.fromisoformat(start.value)).days + 1
    for clause in dict.fromkeys((end.clause, start.clause, *contract.body)):
        for sentence in sentences(clause.words) or [clause.words]:
            if not any(d.day.isoformat() == end.value for d in days(sentence)) and not (
                _THE_TERM.search(sentence) and not list(days(sentence))
            ):
                continue
            for p in periods(sentence):
                if p.unit in ("month", "year") and _ends_then(start.value, end.value, p):
                    continue
                near = sentence[max(0, p.start - 14) : p.end + 14]
                if p.unit not in ("year", "month") or _OTHER_LENGTH.search(near):
                    continue
                if abs(p.days - length) > 7 and p.number >= 1:
                    yield at(
                        clause,
                        "term_length",
                        "contradiction",
                        "high",
                        Text(
                            f"写的期限是 {p.number} {_UNIT_ZH.get(p.unit, p.unit)},起止日期之间是 {length} 天",
                            f"the term is said to be {p.number} {p.unit}(s), the dates are {length} days apart",
                        ),
                        Text("核对期限和起止日期", "check the term and the dates"),
                        sentence,
                    )
                    return


_UNIT_ZH = {"year": "年", "month": "个月", "day": "天", "workday": "个工作日", "week": "周"}


_COMPANY = re.compile(
    r"[\u3400-\u9fff（）()]{2,30}?(?:有限责任公司|股份有限公司|有限公司|集团公司)"
)
_ENDS = re.compile(
    r"(?:有限责任公司|股份有限公司|有限公司|集团公司|公司)$|\b(?:co|ltd|limited|inc|llc|llp|gmbh|corp|pte|plc)\b\.?",
    re.I,
)


_A_PLACE = re.compile(
    r"China|Beijing|Shanghai|Shenzhen|Guangzhou|Hangzhou|Suzhou|Nanjing|Ningbo|Chengdu|Wuhan|Tianjin|Qingdao|Xiamen|Dalian|New|United|Global|International",
    re.I,
)
"""Many companies' first word."""


def _names(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """A party's name written differently."""
    names = [str(fields[n].value) for n in ("party_a", "party_b") if n in fields]
    counted: dict[str, Clause] = {}
    for clause in contract.clauses:
        for m in (AN_ENTITY if contract.language == "en" else _COMPANY).finditer(clause.words):
            for found in _perhaps(m[0].strip()):
                counted.setdefault(found, clause)
    bare = {n: re.sub(r"[\s.,，。()（）]", "", n).lower() for n in (*names, *counted)}
    for found, clause in counted.items():
        if blank(found) or any(bare[found] in bare[n] or bare[n] in bare[found] for n in names):
            continue
        for name in names:
            if _almost(found, name):
                yield _other_name(clause, found, name)
                break
    for name in names:
        if re.fullmatch(r"[\u3400-\u9fff]{2,4}", name):
            yield from _persons(contract, name)
    yield from _signatures(contract, fields)
    yield from _signed_for(contract, names)
    yield from _sealed(contract, names)


_A_SIDE = {"甲方": "party_a", "乙方": "party_b", "Party A": "party_a", "Party B": "party_b"}


_SIGNED_FOR = re.compile(
    r"(?:[Ss]igned|SIGNED|[Ee]xecuted)\b[^.;]{0,40}?\b(?:for|by)\b(?: and on behalf of)?"
)


def _signed_for(contract: Contract, names: list[str]) -> Iterator[Finding]:
    """``Signed for Some Holdings plc``, which is no party."""
    for n, clause in enumerate(contract.clauses):
        m = _SIGNED_FOR.search(clause.words)
        if m is None or clause.level < 7:
            continue
        more = contract.clauses[n + 1].words if n + 1 < len(contract.clauses) else ""
        whole = f"{clause.words} {more}"
        found = AN_ENTITY.search(whole, m.end())
        if found is None or found.start() > m.end() + 3:
            continue
        bare = _plain(found["name"])
        if names and not any(bare in _plain(p) or _plain(p) in bare for p in names):
            yield _other_name(clause, found["name"], _nearest(names, bare))
            return


_SEAL = re.compile(r"盖章|签章|签字|[（(]章[)）]")


def _sealed(contract: Contract, names: list[str]) -> Iterator[Finding]:
    """A company that seals the contract and is no party of it."""
    if contract.language != "zh" or not any(_COMPANY.search(n) for n in names):
        return
    before = "".join(c.words for c in contract.clauses[:-12])
    for clause in contract.clauses[-12:]:
        if not _SEAL.search(clause.words):
            continue
        for m in _COMPANY.finditer(clause.words):
            found = re.split(r"[:：）)\s]", m[0])[-1].strip("（）()")
            known = any(_plain(found) in _plain(n) or _plain(n) in _plain(found) for n in names)
            if len(found) < 6 or known or found in before or blank(found):
                continue
            if not any(_almost(found, n) for n in names):  # which is told already
                yield _other_name(clause, found, _nearest(names, found))
                return


def _nearest(names: list[str], found: str) -> str:
    return max(names, key=lambda n: fuzz.ratio(n, found))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _signatures(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """Who signs for a party and is called otherwise than the party at the beginning."""
    for clause in contract.clauses:
        for role, name, _ in named(clause):
            side = next((f for word, f in _A_SIDE.items() if word in role), "")
            stated = fields.get(side)
            if stated is None or clause.index <= stated.clause.index or blank(name):
                continue
            first = str(stated.value)
            entity = AN_ENTITY if contract.language == "en" else _COMPANY
            if not entity.search(name) or first in name or name in first:
                continue
            if not _almost(name, first):  # which is told already
                yield _other_name(clause, name, first)
                return


_BEFORE_A_NAME = re.compile(
    r"由|与|和|向|系|为|是|对|给|即|指|方|在|至|称|[Aa]nd (?:of )?|[Oo]f |[Bb]y |[Ww]ith |\b[Ff]or |\bFOR |\bBETWEEN |\bAND |\bBY "
)


def _perhaps(found: str) -> list[str]:
    """What may be the name in words that end with one: without what stands before it."""
    starts = [0, *(m.end() for m in _BEFORE_A_NAME.finditer(found))]
    names = [found[s:].strip("（）() ") for s in starts]
    return [n for n in names if len(n) >= 6] or names[:1]


def _almost(found: str, name: str) -> bool:
    """Whether two names of companies are too near for two companies."""
    one, other = (re.sub(r"[\s.,，。()（）&]", "", _ENDS.sub("", n)).lower() for n in (found, name))
    if min(len(one), len(other)) < 4:
        return False
    first = found.split()[0].strip(",")
    if found.isascii() and first == name.split()[0].strip(",") and not _A_PLACE.fullmatch(first):
        return True
    return (
        Levenshtein.distance(one, other) <= 1 + len(other) // 6
        or fuzz.ratio(one, other) >= 66
        or (one[:2] == other[:2] and (one[2:] in other or other[2:] in one))
    )


def _persons(contract: Contract, name: str) -> Iterator[Finding]:
    """A person's name with one character of it another."""
    forms = "|".join(name[:n] + r"[\u3400-\u9fff]" + name[n + 1 :] for n in range(1, len(name)))
    pattern = re.compile(
        rf"(?:即|为|是|与|和|[:：（(，、])(?P<name>{forms})(?=[）)，。、；\s]|共同|签|$)"
    )
    for clause in contract.clauses:
        for m in pattern.finditer(clause.words):
            if m["name"] != name:
                yield _other_name(clause, m["name"], name)
                return


def _other_name(clause: Clause, found: str, name: str) -> Finding:
    return at(
        clause,
        "party_name",
        "contradiction",
        "high",
        Text(
            f"当事人名称写作“{found}”,前面是“{name}”",
            f"the party is called “{found}” here and “{name}” before",
        ),
        Text("全文用营业执照上的名称", "use the registered name throughout"),
        sentence_at(clause.words, clause.words.find(found)),
    )
