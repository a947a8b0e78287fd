"""What a contract says twice and differently: periods, rates, wages, who decides disputes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from dazi.apps.contracts.amounts import penalty_rates
from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import sentence_at
from dazi.apps.contracts.findings import Finding, Severity, at, place, place_en
from dazi.apps.contracts.likeness import sentences
from dazi.apps.contracts.lines import cells
from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.payment import payment_terms
from dazi.apps.contracts.values import Unit, periods
from dazi.core.language import Text


@dataclass(frozen=True, slots=True)
class _Said:
    value: Decimal
    shown: str
    clause: Clause
    sentence: str


@dataclass(frozen=True, slots=True)
class _Subject:
    """``says``: of a sentence that fixes it; ``unless``: of one that speaks of something else; ``units`` that
    it is measured in."""

    zh: str
    en: str
    says: re.Pattern[str]
    unless: re.Pattern[str]
    units: tuple[Unit, ...]


_SUBJECTS = (
    _Subject(
        "质保期", "the warranty period",
        re.compile(r"(?:质保|保修)(?:期|服务期)|warranty period|warrants? (?:for|that)|(?:guarantee|warranty) of|guarantees? for", re.I),
        re.compile(r"前|内(?:响应|到达|修复)|更换|重新计算|延长|顺延|退还|支付|before|restart|extend|repaired", re.I),
        ("year", "month"),
    ),
    _Subject(
        "泄露的报告时限", "the time to report an incident",
        re.compile(r"(?:泄露|泄漏|安全事件|事故)[^。；]{0,60}(?:通知|告知|报告|通报)|(?:通知|告知|报告)[^。；]{0,30}(?:泄露|泄漏|安全事件)|"
                   r"period for report\w+[^.;]{0,60}leak|(?:notif|inform|report)[^.;]{0,90}(?:leak|incident|breach|unauthori[sz]ed)|(?:leak|incident|data breach|unauthori[sz]ed)[^.;]{0,90}(?:notif|inform|report)", re.I),
        re.compile(r"material breach|remed(?:y|ied)|违约", re.I),
        ("hour", "day", "workday"),
    ),
    _Subject(
        "保密期", "the term of confidentiality",
        re.compile(r"保密(?:期限?|义务|责任)|保密[^。；]{0,20}(?:期限|终止|解除)|(?:confidential\w*|secrecy|obligations? under this agreement|duties of confidence)[^.;]{0,90}(?:surviv|continu|last|expire|remain|end|go on|maintain|for)|surviv[^.;]{0,60}(?:confidential|obligation)", re.I),
        re.compile(r"个人信息|商业秘密(?:的|,|，)|personal data|trade secret|disclose[^.;]{0,40}within|(?:返还|销毁|通知|return|destroy|notif)|竞业|本(?:合同|协议)有效期", re.I),
        ("year", "month"),
    ),
    _Subject(
        "试用期", "the probation",
        re.compile(r"试用期(?:为|是|共|[^。；]{0,6}\d)|probation", re.I),
        re.compile(r"提前|通知|不超过|前\d", re.I),
        ("month", "year"),
    ),
)  # fmt: skip


def repeated(contract: Contract) -> Iterator[Finding]:
    for subject in _SUBJECTS:
        yield from _differ(
            list(_periods(contract, subject)), "periods_differ", "medium", subject.zh, subject.en
        )
    yield from _differ(list(_wages(contract)), "wages_differ", "high", "工资", "the wage")
    yield from _differ(
        list(_late_charges(contract)), "penalties_differ", "high", "逾期付款的违约金", "the charge for late payment"
    )  # fmt: skip
    yield from _differ(
        list(_late_charges(contract, _DELIVERED_LATE)), "penalties_differ", "high", "逾期交付的违约金", "the charge for late delivery"
    )  # fmt: skip
    yield from _differ(
        list(_per_breach(contract)), "penalties_differ", "high", "每次违约的违约金", "the penalty of a breach"
    )  # fmt: skip
    yield from _differ(
        list(_limits(contract)),
        "penalties_differ",
        "high",
        "违约金的上限",
        "the limit of the penalty",
    )
    yield from _payment(contract)
    yield from _two_forums(contract)
    yield from _two_bodies(contract)
    yield from _two_laws(contract)


def _differ(
    said: list[_Said], rule: str, severity: Severity, zh: str, en: str
) -> Iterator[Finding]:
    """One finding for the last that differs from the first."""
    for one in said[1:]:
        first = said[0]
        if one.sentence == first.sentence or abs(one.value - first.value) <= first.value / 50:
            continue
        yield at(
            one.clause, rule, "contradiction", severity,
            Text(
                f"这里{zh}是 {one.shown},{place(first.clause)}是 {first.shown}",
                f"{en} is {one.shown} here, in {place_en(first.clause)} it is {first.shown}",
            ),
            Text("核对,全文一致", "check, and say the same throughout"),
            one.sentence,
        )  # fmt: skip
        return


def _sentences(contract: Contract) -> Iterator[tuple[Clause, str]]:
    for clause in contract.clauses:
        if not clause.table:
            for sentence in sentences(clause.words) or [clause.words]:
                yield clause, sentence
        else:
            for row in clause.words.split("\n"):
                said = [c for c in cells(row) if c]
                if 2 <= len(said) <= 4:
                    yield clause, " ".join(said)


def _periods(contract: Contract, subject: _Subject) -> Iterator[_Said]:
    for clause, sentence in _sentences(contract):
        under = subject.zh == "质保期" and re.match(r"(?:免费)?(?:保修|质保)", sentence)
        if not (subject.says.search(sentence) or under) or subject.unless.search(sentence):
            continue
        found = [p for p in periods(sentence) if p.unit in subject.units]
        if found:
            p = found[-1] if len(found) > 1 and subject.units[0] == "year" else found[0]
            days = Decimal(str(round(p.days, 2)))
            yield _Said(days, f"{p.number} {p.unit}", clause, sentence)


_WAGE = re.compile(r"(?:月工资|每月[^。；]{0,12}工资|月薪|工资标准|税前工资|salary|wage)", re.I)


def _wages(contract: Contract) -> Iterator[_Said]:
    for clause, sentence in _sentences(contract):
        m = _WAGE.search(sentence)
        if m and not re.search(r"试用期|绩效|奖金|最低|probation|bonus|minimum", sentence):
            after = [s for s in moneys(sentence) if 0 <= s.start - m.end() <= 24]
            if after and after[0].amount >= 500:
                yield _Said(after[0].amount, f"{after[0].amount:,}", clause, sentence)


_PAID_LATE = re.compile(
    r"(?:逾期|迟延|延迟|拖欠|迟)(?:支付|付款|缴纳|付)|付款(?:逾期|迟延)|拖欠|逾期付租|overdue|late (?:payment|in paying)|late pay|paid late", re.I
)  # fmt: skip


_DELIVERED_LATE = re.compile(
    r"(?:逾期|迟延|延迟|延期|迟)(?:交货|交付|供货|送货|到货|完工|竣工|到的)|(?:交货|交付|供货|送货|到货)[^。；]{0,6}(?:逾期|迟延|延迟|迟)|late deliver|delay in deliver|delivered late|deliver[^.;]{0,30}\blate\b", re.I
)  # fmt: skip


def _late_charges(contract: Contract, late: re.Pattern[str] = _PAID_LATE) -> Iterator[_Said]:
    for value, kind, clause, sentence in penalty_rates(contract):
        if kind != "daily" or re.search("预付款", sentence):
            continue
        if late.search(sentence) and not (late is _PAID_LATE and _DELIVERED_LATE.search(sentence)):
            yield _Said(value, f"{value.normalize():f}%", clause, sentence)


_A_BREACH = re.compile(
    r"(?:per|each|every|any(?: single)?) (?:such )?breach|每次违约|每违反一次|每发生一次", re.I
)


def _per_breach(contract: Contract) -> Iterator[_Said]:
    for clause, sentence in _sentences(contract):
        m = _A_BREACH.search(sentence)
        sums = [s for s in moneys(sentence) if m and abs(s.start - m.start()) <= 40]
        if sums:
            yield _Said(sums[0].amount, f"{sums[0].amount:,}", clause, sentence)


def _limits(contract: Contract) -> Iterator[_Said]:
    """Of damages for delay, in English, where the party is not named again."""
    for value, kind, clause, sentence in penalty_rates(contract):
        if (
            kind == "limit"
            and re.search(r"liquidated damages", sentence, re.I)
            and re.search(r"delay|late\b", sentence, re.I)
        ):
            yield _Said(value, f"{value.normalize():f}%", clause, sentence)


_FIRST_PART = (
    r"首付|预付|定金|订金|第一期|advance|down ?payment|deposit|押金|质保金|保证金|retention"
)
_OF_WHAT: tuple[tuple[str, str], ...] = (
    ("invoice", r"发票|invoice"),
    ("acceptance", r"验收|acceptance"),
    ("delivery", r"签收|到货|交货|delivery|receipt of the goods"),
    ("rent", r"租金|\brent\b"),
    ("service", r"服务费|service fee|fees"),
)


def _payment(contract: Contract) -> Iterator[Finding]:
    """The same payment due within different times."""
    seen: dict[str, tuple[int, Clause, str]] = {}
    terms = sorted(payment_terms(contract), key=lambda t: t[2].index)
    for score, number, clause, sentence in terms:
        if score < 0.4 or re.search(_FIRST_PART, sentence, re.I):
            continue
        what = next((name for name, pattern in _OF_WHAT if re.search(pattern, sentence, re.I)), "")
        if not what:
            continue
        before = seen.get(what)
        if before is None:
            seen[what] = number, clause, sentence
        elif before[0] != number and before[2] != sentence:
            yield at(
                clause,
                "payment_terms_differ",
                "contradiction",
                "high",
                Text(
                    f"这里的付款期限是 {number} 天,{place(before[1])}是 {before[0]} 天",
                    f"payment here is due in {number} days, in {place_en(before[1])} in {before[0]}",
                ),
                Text("只留一个付款期限", "keep one payment term"),
                sentence,
            )


_ARBITRATION = re.compile(r"仲裁(?!法)|arbitrat", re.I)
_COURT = re.compile(
    r"法院[^。；]{0,12}(?:管辖|起诉|诉讼|提起)|(?:起诉|诉讼|管辖)[^。；]{0,20}法院|courts?\b[^.;]{0,60}jurisdiction|jurisdiction[^.;]{0,40}courts?\b|"
    r"(?:submitted|referred|brought)[^.;]{0,30}(?:to|before)[^.;]{0,40}courts?\b", re.I
)  # fmt: skip
_BESIDE_ARBITRATION = re.compile(
    r"保全|执行|撤销|确认.{0,6}效力|仲裁(?:前|期间)|injunct|interim|enforce|judgment|set aside|order of a court|required by", re.I
)  # fmt: skip


def _two_forums(contract: Contract) -> Iterator[Finding]:
    """One clause has disputes arbitrated, another brings them before a court."""

    def first(pattern: re.Pattern[str], unlike: Callable[[str], bool]) -> tuple[Clause, str] | None:
        for clause, sentence in _sentences(contract):
            if pattern.search(sentence) and not unlike(sentence):
                return clause, sentence
        return None

    arbitrated = first(
        re.compile(r"(?:提交|申请|由|向)[^。；]{0,40}仲裁|仲裁(?:委员会|中心|院)|(?:submitted|referred|settled|resolved)[^.;]{0,90}arbitrat|arbitrat\w+ (?:commission|cent)", re.I),
        lambda s: bool(_COURT.search(s)) or bool(re.search("劳动", s)),
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
        rf"{party}[^\n]{{0,60}}[\n，,\s]{{0,3}}(?:[^\n]{{0,30}}\n)?(?:住所地?|地址)[:：\s]*([^\s，；。]{{4,40}})", beginning
    )
    return at_home[1] if at_home else ""


def _known(one: str, other: str) -> bool:
    """Whether two may be the same place, as 甲方住所地 may be anywhere."""
    return any("住所地" in s or "所在地" in s for s in (one, other))


def _two_bodies(contract: Contract) -> Iterator[Finding]:
    """Disputes go to one court or arbitration body here and to another there."""
    first: tuple[str, Clause] | None = None
    for clause, sentence in _sentences(contract):
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
    for clause, sentence in _sentences(contract):
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
