"""Sums and rates that a contract fixes: its total, the limit of liability, the penalty."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.money import Money, moneys
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import Percent, percents

_TOTAL = re.compile(
    r"(?:合同|采购|订单|服务费?|货款|价款|费用|租金|项目|开发费?)?总(?:金额|价款?|额|计|费用|租金|报酬)|合同(?:价款|金额|价格)(?!的)|(?:服务|开发|项目)报酬|服务费(?:总额|用)?(?:共计|合计|为)|共计|合计|"
    r"[Tt]otal (?:contract |purchase |service |annual |subscription )?(?:[Pp]rice|[Ff]ees?|[Aa]mount|[Vv]alue|[Ss]um|[Cc]onsideration|[Cc]harges|[Rr]ent)|[Cc]ontract (?:[Pp]rice|[Ss]um|[Vv]alue)|(?:[Ff]ees|[Pp]rice|[Rr]ent|[Cc]harges) (?:come to|totals?\b|add up to)|"
    r"aggregate (?:fees?|price|amount)|(?:fees?|price) (?:for|of|payable).{0,60}(?:is|are|shall be|amounts? to|of)|(?:[Aa]nnual |[Pp]urchase )?(?:[Ff]ees?|[Pp]rice|[Rr]ent|[Cc]harges|[Cc]onsideration) (?:is|are|(?:shall |will )?(?:be|amounts?(?: in total)? to|come to))|[Ss]um of all (?:fees|charges)"
)


_NO_PRICE = re.compile(
    r"赔偿|责任|违约金|滞纳金|保险|投保|注册资本|liab|penalt|liquidated|insur|indemni|not exceed|上限|为限",
    re.I,
)
_TOLD_AFTER = re.compile(
    r"\s*in total\b|[^.;。]{0,120}?\bis (?:the )?(?:total|price|contract price|sum of|annual fee)",
    re.I,
)
_SPELLED = re.compile(r"合同|[Cc]ontract|[Tt]otal|总(?:价|金额|额)|sum of all", re.I)


def total_amount(contract: Contract) -> Field | None:
    """The sum that the contract calls its total: in figures where both are given."""
    best: tuple[float, Field] | None = None
    for clause in contract.clauses:
        text = clause.words
        sums = list(moneys(text))
        found: list[tuple[float, Money, int]] = []
        for m in _TOTAL.finditer(text) if sums else ():
            after = [s for s in sums if 0 <= s.start - m.start() <= 70]
            near = after and after[0].start - m.end() <= 14
            if not after or (not near and _NO_PRICE.search(sentence_at(text, m.start()))):
                continue
            if _NO_PRICE.search(text[max(0, m.start() - 30) : m.start()]):
                continue
            one = next((s for s in after if not s.written), after[0])
            score = 3.0 if _SPELLED.search(m[0]) else 1.5
            found.append((score, one, m.start()))
        for s in sums:  # the sum first, then what it is
            if _TOLD_AFTER.match(text[s.end :]) and not _NO_PRICE.search(
                sentence_at(text, s.start)
            ):
                found.append((2.0, s, s.start))
                break
        for score, one, start in found:
            score += (
                2.0 * about(contract, clause, "price") - 0.6 * clause.annex - 0.4 * clause.table
            )
            score -= 0.001 * clause.index
            if best is None or score > best[0]:
                best = score, Field(plain(one.amount), clause, sentence_at(text, start))
    return best[1] if best else None


def currency(contract: Contract, total: Field | None) -> Field | None:
    """Of the total; where there is none, of most of the sums."""
    if total is not None:
        sums = [m for m in moneys(total.quote) if m.amount == Decimal(str(total.value))]
        if sums:
            return Field(sums[0].currency, total.clause, total.quote)
    said = [
        (m.currency, c, sentence_at(c.words, m.start))
        for c in contract.body
        for m in moneys(c.words)
    ]
    if not said:
        return None
    most = Counter(s[0] for s in said).most_common(1)[0][0]
    return next(Field(*s) for s in said if s[0] == most)


_CAP = re.compile(
    r"为(?:上)?限|上限|不(?:得|应)?(?:超过|高于)|最高(?:不超过|为)?|最多|限于|(?:shall |does |will )?not exceed|limited to|capped at|no more than|shall be limited|up to|at most|maximum(?: aggregate)? liabilit|(?:neither|no) part[^.;]{0,60}exceeds?\b|cap on|liable for more than",
    re.I,
)
_LIABLE = re.compile(r"赔偿|责任|liabilit|liable|damages", re.I)
_WHOLE = re.compile(
    r"(?:合同|服务费|费用|价款|租金|年服务费|年租金|年费)?总(?:金额|额|价|价款|费用)|合同(?:金额|价款|价格)|全部(?:服务费|费用|价款)|已(?:支付|收取)的?(?:全部)?(?:服务费|费用|价款)|total (?:fees?|price|amount|contract)|(?:fees?|price|amounts?) (?:paid|payable)|contract price",
    re.I,
)


_PART_OF_YEAR = r"(?:一|两|三|六|\d+)个月(?:的)?(?:服务费|租金|费用)|(?:one|two|three|six|\d+) months?(?:'|’)? (?:fees|rent|charges)"
"""No percentage of the price."""


def liability_cap(contract: Contract) -> Field | None:
    """In percent of the price: 100 where the price itself is the limit."""
    best: tuple[float, Field] | None = None
    for clause in contract.clauses:
        text = clause.words
        for m in _CAP.finditer(text):
            sentence = sentence_at(text, m.start())
            if not _LIABLE.search(sentence) or (
                re.search(r"违约金|liquidated|penalt", sentence, re.I)
                and not re.search(r"赔偿(?:责任)?|liabilit", sentence, re.I)
            ):
                continue
            rates = list(percents(sentence))
            whole = _WHOLE.search(sentence)
            if not rates and (not whole or list(moneys(sentence))):
                continue
            if re.search(_PART_OF_YEAR, sentence, re.I):
                continue
            value = _nearest(sentence, rates) if rates else Decimal(100)
            if not rates and re.search(r"twice|two times|[二两2]倍", sentence, re.I):
                value = Decimal(200)
            score = (
                3.0 * about(contract, clause, "liability", first=2)
                + bool(
                    re.search(
                        r"总额|累计|aggregate|total liab|全部(?:赔偿)?责任|责任总", sentence, re.I
                    )
                )
                - 0.001 * clause.index
            )
            field = Field(plain(value), clause, sentence)
            if best is None or score > best[0]:
                best = score, field
            break
    return best[1] if best else None


def _nearest(sentence: str, rates: list[Percent]) -> Decimal:
    """Of several rates, the one between whose commas liability is spoken of."""
    for rate in rates:
        before = re.split(r"[，,；;]", sentence[: rate.start])[-1]
        if _LIABLE.search(before) and not _PENALTY.search(before):
            return rate.value
    return rates[0].value


_PENALTY = re.compile(r"违约金|罚金|滞纳金|liquidated damages|penalt(?:y|ies)", re.I)
_DAILY = re.compile(
    r"每(?:逾期|延迟|迟延|拖延)?(?:一|1)?(?:个)?[日天周]|[按逐]日|日(?:按|万分|千分)|per (?:day|week)|an? (?:day|week)\\b|each (?:day|week)|(?:each|every) (?:calendar )?(?:day|week)|daily|每迟",
    re.I,
)


def penalty_rates(contract: Contract) -> Iterator[tuple[Decimal, str, Clause, str]]:
    """Every rate of a penalty, whether it is ``daily``, a ``limit`` of what penalties add up to, or ``flat``,
    and where it stands."""
    for clause in contract.clauses:
        text = clause.words
        for p in percents(text):
            sentence = sentence_at(text, p.start)
            before = text[max(0, p.start - 34) : p.start]
            called = _PENALTY.search(sentence) or _PENALTY.search(before)
            if not called and not (_LATE.search(sentence) and _DAILY.search(sentence)):
                continue
            if re.search(_NO_PENALTY, text[max(0, p.start - 26) : p.start], re.I):
                continue
            if re.search(_LIMIT, before, re.I) or re.match(
                r"\s*(?:为(?:上)?限|封顶)|[^。；,，]{0,4}为上限", text[p.end :]
            ):
                kind = "limit"
            elif _DAILY.search(text[max(0, p.start - 40) : p.end + 24]):
                kind = "daily"
            else:
                kind = "flat"
            yield p.value, kind, clause, sentence


_LATE = re.compile(r"逾期|迟延|延迟|迟到|\blate\b|delay|overdue", re.I)
_LIMIT = r"累计|总额不|合计|最高|不超过|不得超过|上限|以[^，。；]{0,14}$|exceed|maximum|up to|capped|at most|not more than|no more than"
_NO_PENALTY = (
    r"赔偿(?:责任|总额)|责任(?:总额|上限)|税率|liabilit|tax\b|VAT|低于|不低于|可用率|availab"
)


def penalty_rate(contract: Contract) -> Field | None:
    """In percent of the price: of a breach as such before those for each day of delay, and these before what
    they may come to; the first that is said."""
    found = list(penalty_rates(contract))
    for kind in ("flat", "daily", "limit"):
        for value, how, clause, quote in found:
            if how == kind:
                return Field(plain(value), clause, quote)
    return None


def plain(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() else float(value)
