"""Where a contract disagrees with itself on who decides disputes, and by whose law."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Finding, at, place, place_en
from dazi.apps.contracts.said import sentences_of
from dazi.core.language import Text


def forum_contradictions(contract: Contract) -> Iterator[Finding]:
    yield from _two_forums(contract)
    yield from _two_bodies(contract)
    yield from _two_laws(contract)


_ARBITRATION = re.compile(r"仲裁(?!法)|arbitrat", re.I)
_COURT = re.compile(
    r"法院[^。；]{0,12}(?:管辖|起诉|诉讼|提起)|(?:起诉|诉讼|管辖)[^。；]{0,20}法院|courts?\b[^.;]{0,60}jurisdiction|jurisdiction[^.;]{0,40}courts?\b|"
    r"(?:submitted|referred|brought|heard)[^.;]{0,30}(?:to|before|in|by)[^.;]{0,40}courts?\b", re.I
)  # fmt: skip
_BESIDE_ARBITRATION = re.compile(
    r"保全|执行|撤销|确认.{0,6}效力|仲裁(?:前|期间)|injunct|interim|enforce|judgment|set aside|order of a court|required by", re.I
)  # fmt: skip


def _two_forums(contract: Contract) -> Iterator[Finding]:
    """One clause has disputes arbitrated, another brings them before a court."""

    def first(pattern: re.Pattern[str], unlike: Callable[[str], bool]) -> tuple[Clause, str] | None:
        for clause, sentence in sentences_of(contract):
            if pattern.search(sentence) and not unlike(sentence):
                return clause, sentence
        return None

    arbitrated = first(
        re.compile(r"(?:提交|申请|由|向)[^。；]{0,40}仲裁|仲裁(?:委员会|中心|院)|(?:submitted|referred|settled|resolved)[^.;]{0,90}arbitrat|arbitrat\w+ (?:commission|cent)", re.I),
        lambda s: (bool(_COURT.search(s)) and "放弃" not in s) or "劳动" in s,
    )  # fmt: skip
    brought = first(
        _COURT,
        lambda s: bool(_ARBITRATION.search(s)) or bool(_BESIDE_ARBITRATION.search(s)),
    )
    if arbitrated is None or brought is None:
        return
    later, other = (brought, arbitrated)
    if later[0].index < other[0].index:
        later, other = other, later
    yield at(
        later[0], "two_forums", "contradiction", "high",
        Text(
            f"这里和{place(other[0])}对争议由谁解决说法不一:一处仲裁,一处诉讼",
            f"this and {place_en(other[0])} disagree on who decides: arbitration in one, a court in the other",
        ),
        Text("只选一种", "choose one"),
        sentence_at(later[0].words, later[0].words.find(later[1][:12])),
    )  # fmt: skip


_A_BODY = re.compile(
    r"(?P<court>(?:北京|上海|天津|重庆)市?[\u3400-\u9fff]{2,5}?[区县]|[\u3400-\u9fff]{2,3}市(?:[\u3400-\u9fff]{2,4}?[区县])?)(?:有管辖权的)?(?:中级|基层)?人民法院|(?P<place>北京|上海|深圳|广州|杭州|苏州|南京|宁波|成都|重庆|武汉|西安|天津|青岛|厦门|大连|合肥|无锡|长沙|佛山|东莞|济南|郑州|福州|珠海|中山|昆明|沈阳|海南|贸仲|中国国际)[\u3400-\u9fff]{0,10}仲裁(?:委员会|院|中心)"
    r"|(?P<en>Beijing|Shanghai|Shenzhen|Guangzhou|Hangzhou|Suzhou|Nanjing|Ningbo|Chengdu|Wuhan|Tianjin|Qingdao|China International)[A-Za-z ]{0,40}(?:Arbitration (?:Commission|Center|Centre)|Court of (?:International )?Arbitration)"
)


_PLACE_OF = re.compile(r"(甲方|乙方|[\u3400-\u9fff]{1,3}[方人])(?:住所地|所在地)[^。；]{0,10}法院")


def _address(contract: Contract, party: str) -> str:
    """Where the party is at home, as far as the contract tells it."""
    beginning = "\n".join(c.words for c in contract.clauses[:20])
    at_home = re.search(
        rf"{party}[^\n]{{0,60}}[\n，,\s]{{0,3}}(?:[^\n]{{0,30}}\n)?(?:住所地?|地址)[:：\s]*([^\s，；。]{{4,40}})",
        beginning,
    )
    return at_home[1] if at_home else ""


def _known(one: str, other: str) -> bool:
    """Whether two may be the same place, as 甲方住所地 may be anywhere."""
    return any("住所地" in s or "所在地" in s for s in (one, other))


def _two_bodies(contract: Contract) -> Iterator[Finding]:
    """Disputes go to one court or arbitration body here and to another there."""
    first: tuple[str, Clause] | None = None
    for clause, sentence in sentences_of(contract):
        found = {m["court"] or m["place"] or m["en"] for m in _A_BODY.finditer(sentence)}
        if not found and (said := _PLACE_OF.search(sentence)):
            found = {_address(contract, said[1]) or said[0]}
        if len(found) != 1:
            continue
        here = found.pop()
        if first is None:
            first = here, clause
        elif here not in first[0] and first[0] not in here and not _known(here, first[0]):
            yield at(
                clause, "two_forums", "contradiction", "high",
                Text(
                    f"这里的仲裁机构或法院和{place(first[1])}的不是同一个",
                    f"this and {place_en(first[1])} name different courts or arbitration bodies",
                ),
                Text("只选一个", "choose one"),
                sentence,
            )  # fmt: skip
            return


_A_LAW = re.compile(
    r"(?:适用|受)(?P<zh>中华人民共和国|中国|香港|澳门|台湾|英国|英格兰|美国|新加坡|日本|德国|法国|荷兰|瑞士)[\u3400-\u9fff（）()]{0,12}法律?"
    r"|\blaws? of (?:the )?(?P<en>People['’]s Republic of China|PRC|China|England|Singapore|Hong Kong|New York|Delaware|California|Germany|Switzerland|the Netherlands|Netherlands|Japan|France)"
    r"|\b(?P<adj>Chinese|English|Dutch|German|Swiss|French|Japanese|Singapore|Hong Kong|Californian?) (?:law|Civil Code|Commercial Code)"
)
_CHINA = re.compile(r"中华人民共和国|中国|People|PRC|China|Chinese")


def _two_laws(contract: Contract) -> Iterator[Finding]:
    """One clause is governed by Chinese law, another by another's."""
    first: tuple[str, Clause] | None = None
    for clause, sentence in sentences_of(contract):
        if not re.search(r"适用|管辖|解释|govern|appl(?:y|ies)|constru", sentence, re.I):
            continue
        found = {m["zh"] or m["en"] or m["adj"] for m in _A_LAW.finditer(sentence)}
        found = {"China" if _CHINA.search(f) else f for f in found}
        if len(found) != 1 or re.search(r"organi[sz]ed|incorporated|注册|成立", sentence):
            continue
        here = found.pop()
        if first is None:
            first = here, clause
        elif here != first[0]:
            yield at(
                clause, "two_laws", "contradiction", "high",
                Text(
                    f"这里适用的法律和{place(first[1])}的不是同一个",
                    f"this and {place_en(first[1])} are under different laws",
                ),
                Text("只约定一种适用法律", "agree on one governing law"),
                sentence,
            )  # fmt: skip
            return
