"""The short names that a contract gives its parties: ``("Lumenpath" or "Party B")``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dazi.apps.contracts.clauses import Contract

LOOKED_AT = 15
_CALLED = re.compile(
    r"[-–,]\s*hereinafter (?:referred to as |called )?(?:the )?[“\"](?P<plain>[A-Z][A-Za-z0-9&'’\-]{1,20})[”\"]|[(（](?:hereinafter\s+|referred to as\s+|以下简称|下称|简称)*(?:the\s+)?[“\"]?(?P<one>[A-Z][A-Za-z0-9&'’\-]{1,20}|[\u3400-\u9fff]{2,6})[”\"]?(?:\s*,?\s*(?:or|and|/|或者?|、)\s*(?:the\s+)?[“\"](?P<other>[A-Z][A-Za-z ]{2,20}|[\u3400-\u9fff]{2,6})[”\"])?\s*[)）]"
)
_ROLES = re.compile(
    r"Party [AB]|甲方|乙方|(?:the )?(?:Supplier|Customer|Client|(?:Service )?Provider|Seller|Buyer|Purchaser|Vendor|Licensor|Licensee|Landlord|Tenant|Lessor|Lessee|Contractor|Consultant|Discloser|Recipient|Disclosing Party|Receiving Party|Company|Employer|Employee|Developer)|[买卖供需]方|出租[方人]|承租[方人]|委托[方人]|受托[方人]"
)
_NO_PARTY = re.compile(
    r"Agreement|Contract|Part(?:y|ies)|Services?|Goods|Purpose|Software|Effective|Term|Data|Information|Fees?|Software|Deliverables?|Products?|Premises|合同|协议|双方|各方|货物|服务|项目|软件|产品|房屋|厂房|本",
)
_AT_ONCE = re.compile(r"(?:公司|集团|中心|厂|医院|学校|商行|事务所)$")
_ENTITY = re.compile(
    r"(?:Ltd|Limited|Inc|LLC|LLP|GmbH|Corp|Corporation|PLC|plc|B\.V|N\.V|S\.A|AG|公司|集团|中心|厂|医院|学校|商行|事务所)\.?[^。；;]{0,260}$"
)


@dataclass(frozen=True, slots=True)
class Aliases:
    """``words``: for each short name the word for a party that it stands for."""

    words: tuple[tuple[str, str], ...]

    @property
    def pattern(self) -> re.Pattern[str] | None:
        if not self.words:
            return None
        return _pattern(tuple(short for short, _ in self.words))

    def replaced(self, text: str) -> tuple[str, list[tuple[int, int]]]:
        """The text with words for parties in place of short names, and for where they stand now by how much
        what follows has moved."""
        pattern = self.pattern
        if pattern is None:
            return text, []
        words = dict(self.words)
        out: list[str] = []
        moves: list[tuple[int, int]] = []
        end = moved = size = 0
        for m in pattern.finditer(text):
            before = text[end : m.start()]
            word = words[m[0]]
            out += [before, word]
            size += len(before) + len(word)
            moved += len(word) - len(m[0])
            moves.append((size, moved))
            end = m.end()
        return "".join(out) + text[end:], moves


def back(place: int, moves: list[tuple[int, int]]) -> int:
    """Where in the text as it was."""
    return place - next((by for at, by in reversed(moves) if at <= place), 0)


@lru_cache(maxsize=64)
def _pattern(shorts: tuple[str, ...]) -> re.Pattern[str]:
    ordered = sorted(shorts, key=len, reverse=True)
    return re.compile(
        "|".join(rf"\b{re.escape(s)}\b" if s.isascii() else re.escape(s) for s in ordered)
    )


@lru_cache(maxsize=64)
def aliases_of(contract: Contract) -> Aliases:
    """Of the beginning; none that is a word for a party itself."""
    found: list[tuple[str, str]] = []
    for clause in contract.clauses[:LOOKED_AT]:
        for m in _CALLED.finditer(clause.words):
            one, other = m["one"] or m["plain"], m["other"] or ""
            if _ROLES.fullmatch(one):
                one, other = other, one
            if not one or _NO_PARTY.search(one) or _ROLES.fullmatch(one):
                continue
            before = clause.words[: m.start()]
            if contract.language == "zh" and not _AT_ONCE.search(before):
                continue
            if not _ENTITY.search(before) or any(one == f for f, _ in found):
                continue
            found.append((one, other if _ROLES.fullmatch(other) else ""))
    sides = ("甲方", "乙方") if contract.language == "zh" else ("Party A", "Party B")
    if len(found) > 2:
        found = found[:2]
    return Aliases(tuple((one, other or sides[n]) for n, (one, other) in enumerate(found[:2])))
