"""Who is who: 甲方, 卖方 and ``Supplier`` in one contract, by what they do and not by what they are called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dazi.apps.contracts.aliases import aliases_of
from dazi.apps.contracts.clauses import Contract

Side = Literal["gives", "takes"]
"""Who sells, serves, lets, licenses, discloses, employs; and who pays for it."""

GIVES = (
    "卖方", "供方", "供应商", "供货方", "出卖人", "出租方", "出租人", "服务方", "服务商", "服务提供方", "受托方", "受托人",
    "承包方", "乙方供应商", "许可方", "开发方", "披露方", "用人单位", "销售方", "Supplier", "Service Provider", "Provider",
    "Seller", "Vendor", "Licensor", "Landlord", "Lessor", "Discloser", "Disclosing Party", "Contractor",
    "Consultant", "Employer", "Developer",
)  # fmt: skip
TAKES = (
    "买方", "需方", "采购方", "购买方", "买受人", "承租方", "承租人", "委托方", "委托人", "发包方", "客户", "被许可方",
    "接收方", "劳动者", "员工", "用户", "购货方", "Customer", "Client", "Buyer", "Purchaser", "Licensee", "Tenant",
    "Lessee", "Recipient", "Receiving Party", "Employee",
)  # fmt: skip
_PARTIES = ("甲方", "乙方", "Party A", "Party B")
_ALL = sorted((*GIVES, *TAKES), key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class Roles:
    """``sides``: of every word for a party that the contract may use."""

    sides: Mapping[str, Side]
    pattern: re.Pattern[str]

    def marked(self, text: str) -> str:
        """With one mark for whoever gives and one for whoever takes."""
        return self.pattern.sub(lambda m: "Ⓖ" if self.sides[m[0]] == "gives" else "Ⓣ", text)

    def marks(self, text: str) -> list[Side]:
        """The sides that it speaks of, in their order."""
        return [self.sides[m[0]] for m in self.pattern.finditer(text)]


def roles_of(contract: Contract, like: Roles | None = None) -> Roles:
    """``like``: of the template, for a contract that only says 甲方 and 乙方."""
    sides: dict[str, Side] = {}
    for role in GIVES:
        sides[role] = "gives"
    for role in TAKES:
        sides[role] = "takes"
    opening = "\n".join([contract.title, *(c.words for c in contract.clauses[:14])])[:2_500]
    named: dict[str, Side] = {}
    for party in _PARTIES:
        for role in _ALL:
            near = rf"{party}\s*[（(]?\s*(?:[（(]|即|为|作为)?\s*{role}|{role}\s*[（(：:][^（()）\n]{{0,40}}?(?:[（(]\s*)?(?:以下)?(?:简)?称?(?:为)?[“\"]?{party}|{role}(?:[^。\n（(]|[（(](?![^（()）]{{0,8}}称)){{0,50}}[（(][^（()）]{{0,8}}称[^（()）]{{0,3}}{party}"
            if re.search(near, opening):
                named[party] = sides[role]
                break
    first, second = ("甲方", "乙方") if contract.language == "zh" else ("Party A", "Party B")
    if first in named and second not in named:
        named[second] = _other(named[first])
    elif second in named and first not in named:
        named[first] = _other(named[second])
    elif first not in named:
        given = like.sides.get(first) if like is not None else None
        named[first] = given or _guess(contract, first)
        named[second] = _other(named[first])
    sides.update(named)
    for short, word in aliases_of(contract).words:
        if word in sides:
            sides[short] = sides[word]
    words = sorted(sides, key=len, reverse=True)
    parts = [
        rf"\b(?:the )?{re.escape(w)}(?:'s|’s)?\b" if w.isascii() else re.escape(w) for w in words
    ]
    for w in list(sides):
        if w.isascii():
            for form in (f"the {w}", f"{w}'s", f"the {w}'s", f"{w}’s", f"the {w}’s"):
                sides[form] = sides[w]
    return Roles(sides, re.compile("|".join(parts)))


def side_of(contract: Contract, roles: Roles, names: Sequence[str]) -> Side | None:
    """Which side the party of one of ``names`` is on, by the word for a party that stands nearest."""
    for clause in contract.clauses[:20]:
        for name in names:
            at = clause.words.find(name) if name else -1
            if at < 0:
                continue
            near = [
                (min(abs(m.start() - at - len(name)), abs(at - m.end())), roles.sides[m[0]])
                for m in roles.pattern.finditer(clause.words)
            ]
            if near and min(near)[0] <= 60:
                return min(near)[1]
    return None


def _guess(contract: Contract, party: str) -> Side:
    """By who pays: 「甲方支付」 takes."""
    text = contract.text[:20_000]
    other = {"甲方": "乙方", "Party A": "Party B"}[party]
    pays = r"(?:应|须|应当|向.{0,6}|shall |will )?(?:支付|付款|缴纳|pay)"
    mine, theirs = (len(re.findall(p + pays, text)) for p in (party, other))
    return "takes" if mine > theirs else "gives"


def _other(side: Side) -> Side:
    return "takes" if side == "gives" else "gives"
