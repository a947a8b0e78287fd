"""What a contract says twice and differently: periods, rates, wages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from dazi.apps.contracts.amounts import penalty_rates
from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.findings import Finding, Severity, at, place, place_en
from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.payment import payment_terms
from dazi.apps.contracts.said import sentences_of
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
        re.compile(r"(?:质保|保修)(?:期|服务期)|(?:质量)?保证期|warranty period|warrants? (?:for|that)|(?:guarantee|warranty) of|guarantees? for", re.I),
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


def _periods(contract: Contract, subject: _Subject) -> Iterator[_Said]:
    for clause, sentence in sentences_of(contract):
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
    for clause, sentence in sentences_of(contract):
        m = _WAGE.search(sentence)
        if m and not re.search(r"试用期|绩效|奖金|最低|probation|bonus|minimum", sentence):
            after = [s for s in moneys(sentence) if 0 <= s.start - m.end() <= 24]
            if after and after[0].amount >= 500:
                yield _Said(after[0].amount, f"{after[0].amount:,}", clause, sentence)


_PAID_LATE = re.compile(
    r"(?:逾期|迟延|延迟|拖欠|迟)(?:支付|付款|缴纳|付)|付款(?:逾期|迟延)|拖欠|租金逾期|逾期付租|overdue|late (?:payment|in paying)|late pay|paid late", re.I
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
    for clause, sentence in sentences_of(contract):
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
