"""Who makes a contract: the names at its beginning, by the many ways of naming them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field
from dazi.apps.contracts.lines import blank

LOOKED_AT = 80
"""Clauses from the beginning: a cover and a table of contents may come first."""

_ROLE_ZH = r"甲方|乙方|丙方|卖方|买方|供方|需方|出租方|承租方|委托方|受托方|服务方|发包方|承包方|用人单位|劳动者|披露方|接收方|采购方|供应商|出卖人|买受人|出租人|承租人|委托人|受托人|许可方|被许可方|委托单位|受托单位|出租单位|承租单位|购买方|销售方|开发方|服务商|客户"
_ROLE_EN = r"Party A|Party B|Supplier|Customer|Client|Service Provider|Provider|Seller|Buyer|Purchaser|Licensor|Licensee|Lessor|Lessee|Landlord|Tenant|Discloser|Recipient|Disclosing Party|Receiving Party|Company|Contractor|Consultant|Vendor|Employer|Employee|Counterparty|University|Institute|Hospital|First Party|Second Party"
_ENTITY = r"(?:有限责任公司|股份有限公司|有限公司|公司|集团|中心|厂|店|商行|事务所|工作室|研究院|学校|医院|银行|合作社)"
_LEGAL = r"(?:(?:(?:CO|Co)\.?,? ?)?(?:LTD|Ltd)\b\.?|(?:PTE|Pte|Pty)\.? (?:LTD|Ltd)\b\.?|LIMITED|Limited|INC\b\.?|Inc\b\.?|LLC|LLP|L\.P\.|GmbH(?: & Co\. KG)?|CORP\b\.?|Corp\b\.?|Corporation|PLC|plc|B\.V\.|BV|N\.V\.|S\.A\.|S\.A\.S\.|SAS|SARL|S\.r\.l\.|S\.p\.A\.|AG|SE|AS|ASA|AB|A/S|ApS|Oyj?|KK|K\.K\.|Kft\.?|Sp\. z o\.o\.)"
_NESTED = r"(?:[^（）()]|[（(][^（）()]*[）)])"

_NAMED_ZH = re.compile(
    rf"(?P<role>{_ROLE_ZH})\s*(?:[（(](?P<also>[^）)]{{1,16}})[）)])?\s*(?:单位名称|名称|姓名)?\s*[:：]\s*(?P<name>(?:[^\s，,。；;:：（(“\"]|[（(](?!以下|简称|下称|盖章|签字|章|共有)[\u3400-\u9fff]{{2,6}}[)）](?=[\u3400-\u9fff])){{2,40}})"
)
"""「委托方（甲方）:某某公司」"""
_BARE_ZH = re.compile(
    rf"^(?:{_ROLE_ZH})\s*(?P<role>[（(][\u3400-\u9fff]{{1,4}}[)）])?\s*(?P<name>[\u3400-\u9fff（）()A-Za-z0-9·]{{3,30}}?{_ENTITY}(?=[，,；;。\s（(]|$|住所|地址|统一)|[\u3400-\u9fff·]{{2,6}}(?=[，,；;\s]*(?:身份证|护照|男|女|$)))"
)
"""「委托单位（甲方）某某公司」, without a colon"""
_CALLED_ZH = re.compile(
    rf"(?P<name>[\u3400-\u9fffA-Za-z0-9·&. ]{{2,40}}?(?:{_ENTITY})?)\s*[（(](?P<inside>{_NESTED}{{1,60}}?)[）)](?=住所|地址|[，,。；\s与和]|$)"
)
"""「某某公司（卖方（甲方）,以下简称“甲方”）」"""
_NAMED_EN = re.compile(
    rf"(?:^|[\s,;.])(?P<role>{_ROLE_EN})\s*(?:\((?P<also>[^)]{{1,30}})\))?\s*:\s*(?P<name>[A-Z][^:;“\"\n]{{2,90}}?)(?=\s*\((?:hereinafter|hereafter|referred|called|the |[“\"‘'])|,\s*(?:hereinafter|hereafter|referred|called)|\s+(?:Address|Registered|Legal|Tel|Contact|Represented)\b|[;\n]|\.\s+[A-Z]|,\s+(?:a|an|with|having|whose|of|located|registered)\b|\s*$)"
)
"""``Customer (Party A): Some Company Ltd. (hereinafter "the Customer")``"""
_AS_EN = re.compile(
    rf"(?P<name>[A-Z][\w&.,'’()\- ]{{2,80}}?)\s+as\s+(?P<role>{_ROLE_EN})\s*(?:\((?P<also>Party [AB])\))?,?\s*(?:\(?hereinafter|\(?referred|[“\"])"
)
"""``Some Company Ltd. as Seller (Party A), hereinafter "the Seller"``"""
_CALLED_EN = re.compile(
    rf"(?P<name>[A-Z][\w&.'’\- ]+(?:\([A-Z][\w'’]+\)\s*)?(?:[A-Z][\w]+\s+){{0,2}}(?:,?\s*{_LEGAL})?)(?:,[^()]{{0,220}}?|\s*)\s*\(\s*(?:hereinafter\s*)?(?:referred to as\s*|called\s*)?(?:the\s*)?[“\"'‘](?:the\s*)?(?P<role>{_ROLE_EN})[”\"'’][^)]{{0,40}}\)"
)
_BETWEEN = re.compile(
    rf"between\s+(?P<one>[A-Z][^,;:“\"]{{1,60}}?(?:,?\s*{_LEGAL}))[,\s].{{0,400}}?\band\s+(?P<other>[A-Z][^,;:“\"]{{1,60}}?(?:,?\s*{_LEGAL}))[,\s(]",
    re.DOTALL,
)
AN_ENTITY = re.compile(
    rf"(?<![\w&])(?P<name>(?:[A-Z][\w&'’\-]*,?\s+)(?:(?:[A-Z][\w&'’\-]*|&|and|of)\s+){{0,5}}?(?:\([A-Z][\w '’]+\)\s*)?(?:[A-Z][\w]+\s+){{0,2}}?,?\s?{_LEGAL})(?!\w)"
)
"""``Some Company (Shanghai) Co., Ltd.``"""
_NO_NAME = re.compile(rf"(?:{_ROLE_ZH}|{_ROLE_EN}|Party|Parties|each|Agreement|本合同|合同|协议)")
_FIRST, _SECOND = ("甲方", "Party A", "First Party"), ("乙方", "Party B", "Second Party")


def parties_of(contract: Contract) -> tuple[Field, ...]:
    """The first two that are named; 甲方 and Party A before others."""
    found: list[tuple[str, Field]] = []
    for clause in contract.clauses[:LOOKED_AT]:
        for role, name, quote in named(clause):
            known = (str(f.value) for _, f in found)
            if not any(name in k or k in name for k in known):
                found.append((role, Field(name, clause, quote)))
        if len(found) >= 2:
            break
    if len(found) < 2:
        found = _between(contract) or found
    if len(found) < 2 and contract.language == "en":
        found = _entities(contract) or found
    for wanted, place in ((_FIRST, 0), (_SECOND, 1)):
        for n, (role, _) in enumerate(found[:4]):
            if n != place and len(found) > place and any(w in role for w in wanted):
                found.insert(place, found.pop(n))
                break
    return tuple(f for _, f in found[:2])


_SIGNATORY = re.compile(r"[Rr]epresentative\s*:\s*[A-Z][\w'’\-]+\s+[A-Z][\w'’\-]+")
"""The name after it is another's."""


def named(clause: Clause) -> Iterator[tuple[str, str, str]]:
    """Role, name and words of everybody named in a clause, in its order."""
    text = _SIGNATORY.sub(r"\g<0>;", clause.words)
    out: list[tuple[int, str, str, str]] = []
    for pattern in (_NAMED_ZH, _BARE_ZH, _CALLED_ZH, _NAMED_EN, _AS_EN, _CALLED_EN):
        for m in pattern.finditer(text):
            if pattern is _CALLED_ZH:
                inside = re.findall(_ROLE_ZH, m["inside"])
                if not inside:
                    continue
                role = " ".join(inside)
            else:
                also = m.groupdict().get("also") or ""
                role = f"{also} {m['role']} {_renamed(text, m)}"
                if pattern is _BARE_ZH:
                    role = m[0][: m.start("name") - m.start()]
            name = _clean(m["name"])
            if pattern is _CALLED_EN and not re.search(_LEGAL, name):
                whole = [e["name"] for e in AN_ENTITY.finditer(text[: m.end()])]
                name = _clean(whole[-1]) if whole else name
            if re.search(r"(?:THIS|This) (?:AGREEMENT|Agreement|CONTRACT|Contract)", name):
                whole = [e["name"] for e in AN_ENTITY.finditer(text[: m.end()])]
                name = _clean(whole[-1]) if whole else ""
            if len(name) < 2 or blank(name) or _NO_NAME.fullmatch(name) or name.endswith(" Party"):
                continue
            if not re.fullmatch(rf"(?:{_LEGAL}|Co\.?|CO\.?)+", name):
                out.append((m.start("name"), role, name, m[0].strip(" ,;.（(")))
    for _, role, name, quote in sorted(out):
        yield role, name, quote


def _renamed(text: str, m: re.Match[str]) -> str:
    """``卖方:云杉商贸（以下称甲方）``: the other name of the role."""
    near = text[m.end() : m.end() + 24]
    called = re.match(r"[^。；]{0,2}[（(,，][^（）()]{0,10}称?(?:为)?[“\"']?(甲方|乙方)", near)
    return called[1] if called else ""


def _between(contract: Contract) -> list[tuple[str, Field]]:
    """``between A Ltd., ..., and B Inc., ...``, whatever they are called."""
    for clause in contract.clauses[:LOOKED_AT]:
        m = _BETWEEN.search(clause.words)
        if m:
            return [
                ("", Field(_clean(m[g].strip(" ,")), clause, m[0][:200])) for g in ("one", "other")
            ]
    return []


def _entities(contract: Contract) -> list[tuple[str, Field]]:
    """The first two companies, where the beginning names them without any of the usual words."""
    found: dict[str, Field] = {}
    for clause in contract.clauses[:15]:
        for m in AN_ENTITY.finditer(clause.words):
            name = re.sub(
                r"^(?:Between|And|By|The|BETWEEN|AND|Party|Supplier|Customer)\s+",
                "",
                m["name"].strip(),
            )
            name = _clean(name)
            if not any(name in known or known in name for known in found):
                found[name] = Field(name, clause, m[0].strip())
    return [("", f) for f in list(found.values())[:2]] if len(found) >= 2 else []


def _clean(name: str) -> str:
    name = re.sub(
        r"^(?:(?:THIS |This )?.{0,40}BY AND BETWEEN|BETWEEN|AND|BY|FOR|For|THE|SUPPLIER|CUSTOMER|CLIENT|PROVIDER|BUYER|SELLER)\s+(?=[A-Z])",
        "",
        name.strip(),
    )
    name = re.sub(r"^.*?\b(?:no|No|NO)\.?\s*:\s*\S+\s+", "", name.strip())
    name = re.sub(
        r"^(?:between|and|by and between|made between|is made (?:by|between))\s+", "", name
    )
    name = re.split(r"[（(]以下", name)[0].strip()
    name = re.sub(
        r"^.*(?:号|室|楼|层|编号|代表人)(?:[:：]?[A-Z0-9\-]+)?(?=[\u3400-\u9fff]{2})", "", name
    )
    name = re.sub(r"^[A-Z]{2}-[A-Z0-9\-]+\s+", "", name)
    abbreviated = re.search(r"\b(?:ltd|inc|corp|co)\.$", name.strip(" ,;:，。；："), re.I)
    return name.strip(" ,;:，。；：" if abbreviated else " ,.;:，。；：")
