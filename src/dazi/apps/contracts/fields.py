"""What a contract says of the things that everybody asks for first, each with where it says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.parties import parties_of
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import Day, days, percents, periods

NAMES = (
    "party_a", "party_b", "total_amount", "currency", "start_date", "end_date", "governing_law",
    "seat", "payment_days", "liability_cap", "penalty_rate", "renewal_notice_days",
)  # fmt: skip


def fields_of(contract: Contract) -> dict[str, Field]:
    """Those of ``NAMES`` that the contract has."""
    out: dict[str, Field] = {}
    parties = parties_of(contract)
    for name, party in zip(("party_a", "party_b"), parties, strict=False):
        out[name] = party
    finders: tuple[tuple[str, Callable[[Contract], Field | None]], ...] = (
        ("total_amount", total_amount),
        ("governing_law", governing_law),
        ("seat", seat),
        ("payment_days", payment_days),
        ("liability_cap", liability_cap),
        ("penalty_rate", penalty_rate),
        ("renewal_notice_days", renewal_notice),
    )
    for name, find in finders:
        found = find(contract)
        if found is not None:
            out[name] = found
    amount = out.get("total_amount")
    if amount is not None:
        sums = [m for m in moneys(amount.quote) if m.amount == Decimal(str(amount.value))]
        if sums:
            out["currency"] = Field(sums[0].currency, amount.clause, amount.quote)
    out.update(term(contract))
    return {n: out[n] for n in NAMES if n in out}


# --- money ---------------------------------------------------------------------------------------

_TOTAL = re.compile(
    r"(?:合同|采购|订单|服务费?|货款|价款|费用|租金|项目)?总(?:金额|价款?|额|计|费用|租金)|合同(?:价款|金额|价格)|服务费(?:总额|用)?(?:共计|合计|为)|共计|合计|"
    r"[Tt]otal (?:contract |purchase |service |annual )?(?:price|fees?|amount|value|sum|consideration)|[Cc]ontract (?:[Pp]rice|[Ss]um|[Vv]alue)|"
    r"aggregate (?:fees?|price|amount)|(?:fees?|price) (?:for|of|payable).{0,60}(?:is|are|shall be|amounts? to|of)|(?:[Aa]nnual |[Pp]urchase )?(?:[Ff]ees|[Pp]rice|[Rr]ent|[Cc]harges) (?:is|are|shall be|amounts? to)|[Ss]um of all (?:fees|charges)"
)


def total_amount(contract: Contract) -> Field | None:
    """The sum that the contract calls its total: in figures where both are given."""
    best: tuple[float, Field] | None = None
    for clause in contract.clauses:
        text = clause.words
        sums = list(moneys(text))
        if not sums or (
            re.search(r"以.{0,10}为限|上限|exceed|not more than", text) and not _TOTAL.search(text)
        ):
            continue
        for m in _TOTAL.finditer(text):
            after = [s for s in sums if 0 <= s.start - m.start() <= 70]
            if not after:
                continue
            one = next((s for s in after if not s.written), after[0])
            words = m[0]
            if re.search(
                r"违约|赔偿|liab|penalt|cap", text[max(0, m.start() - 30) : m.start()], re.I
            ):
                continue
            score = 3.0 if re.search(r"合同|[Cc]ontract|[Tt]otal|总(?:价|金额|额)", words) else 1.5
            score += (
                2.0 * about(contract, clause, "price") - 0.6 * clause.annex - 0.4 * clause.table
            )
            score -= 0.001 * clause.index
            quote = sentence_at(text, m.start())
            value = float(one.amount)
            field = Field(int(value) if value == int(value) else value, clause, quote)
            if best is None or score > best[0]:
                best = score, field
            break
        for s in sums:  # the sum first, then what it is
            if re.match(
                r"\s*in total\b|[^.;。]{0,120}?\bis (?:the )?(?:total|price|contract price|sum of|annual fee)",
                text[s.end :],
                re.I,
            ):
                value = float(s.amount)
                field = Field(
                    int(value) if value == int(value) else value, clause, sentence_at(text, s.start)
                )
                if best is None or best[0] < 3.0:
                    best = 3.0, field
                break
    return best[1] if best else None


# --- dates ---------------------------------------------------------------------------------------

_TERM = re.compile(
    r"期限|有效期|租期|自.{0,30}起|起至|生效|开始|届满|期为|期间|takes? effect|begins?\b|\bruns?\b|in force|[Tt]erm\b|commenc|[Ee]ffective|expire|until|through|remain in (?:full )?force"
)
_LASTS = re.compile(
    r"(?:期限?|租期)(?:为|是|共)?|continues? for|in (?:full )?force for|for (?:a (?:period|term|initial term) of|an initial (?:term|period) of)|term of|有效期"
)


_FROM_THEN = re.compile(r"[Ee]ffective [Dd]ate|signature|signing|签(?:订|署|字)|生效")


def term(contract: Contract) -> dict[str, Field]:
    """``start_date`` and ``end_date``; the latter counted where only a length is given."""
    best: tuple[float, dict[str, Field]] | None = None
    effective = _effective_date(contract)
    for clause in contract.body:
        text = clause.words
        if not _TERM.search(text):
            continue
        found = list(days(text))
        lengths = [
            p
            for p in periods(text)
            if p.unit in ("month", "year")
            and _LASTS.search(text[max(0, p.start - 30) : p.start + 1])
        ]
        score = 3.0 * about(contract, clause, "term", first=2) - 0.002 * clause.index
        here: dict[str, Field] = {}
        if len(found) >= 2 and re.search(
            r"[至到—~-]|止|until|to\b|through|ends?\b|expire",
            text[found[0].end : found[1].start] + text[found[1].end : found[1].end + 6],
        ):
            quote = sentence_at(text, found[0].start)
            here = {
                "start_date": Field(found[0].day.isoformat(), clause, quote),
                "end_date": Field(found[1].day.isoformat(), clause, quote),
            }
            score += 2
        elif found and re.search(r"起|生效|开始|commenc|effective|from|begin|start", text):
            quote = sentence_at(text, found[0].start)
            here = {"start_date": Field(found[0].day.isoformat(), clause, quote)}
            if lengths:
                end = _later(found[0].day, lengths[0].number, lengths[0].unit)
                here["end_date"] = Field(end.isoformat(), clause, quote)
                score += 1
        elif effective is not None and lengths and _FROM_THEN.search(text):
            quote = sentence_at(text, lengths[0].start)
            end = _later(effective.day, lengths[0].number, lengths[0].unit)
            here = {
                "start_date": Field(effective.day.isoformat(), clause, quote),
                "end_date": Field(end.isoformat(), clause, quote),
            }
            score += 2
        if (
            here
            and (score >= 2 or about(contract, clause, "term"))
            and (best is None or score > best[0])
        ):
            best = score, here
    return best[1] if best is not None else {}


def _effective_date(contract: Contract) -> Day | None:
    """The date that the contract is made as of."""
    for clause in contract.clauses[:12]:
        for d in days(clause.words):
            near = clause.words[max(0, d.start - 40) : d.end + 30]
            if re.search(r"as of|dated|[Ee]ffective|made on|签订|签署|生效", near):
                return d
    return None


def _later(day: date, number: Decimal, unit: str) -> date:
    """The last day of a period that begins on ``day``."""
    months = int(number * (12 if unit == "year" else 1))
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last) - timedelta(days=1)
        except ValueError:
            continue
    raise AssertionError(day)


# --- law and seat --------------------------------------------------------------------------------

_LAW_ZH = re.compile(
    r"(?:适用|受|依据|按照|以)\s*(?P<law>[\u3400-\u9fff（）()]{2,24}?)(?:的)?(?:现行)?(?:有效)?(?:之)?法律?(?:法规)?(?:管辖|约束|解释|为准|作为|[，。,；]|的|$)"
)
_LAW_EN = re.compile(
    r"(?:governed by|construed (?:in accordance with|under|according to)|subject(?: in all respects)? to|in accordance with|according to|\bThe)\b[^.]{0,60}?\blaws?\s+(?:in force\s+)?(?:of|in)\s+(?:the\s+)?(?P<law>[A-Z][\w'’ ,\-()]*?)(?=\s*(?:,?\s*(?:without|excluding|and the|and shall|and to|appl(?:y|ies)|shall apply|govern|as applied|in force|appl(?:y|ies)|shall apply|govern)|[.;]|$))|(?:governed by|under)\s+(?:the\s+)?(?P<adj>[A-Z][a-z]+)\s+law\b"
)


def governing_law(contract: Contract) -> Field | None:
    for clause in contract.clauses:
        text = clause.words
        for m in _LAW_ZH.finditer(text):
            name = m["law"].removesuffix("现行").strip("的")
            if re.search(
                r"中华人民共和国|中国|香港|澳门|台湾|英国|英格兰|美国|合众国|共和国|纽约|新加坡|日本|德国|法国|瑞士|州|国$",
                name,
            ):
                return Field(name, clause, sentence_at(text, m.start()))
        for m in _LAW_EN.finditer(text):
            name = (m["law"] or m["adj"]).strip(" ,")
            if name and not re.match(r"(?:any|such|this)\b", name, re.I):
                return Field(name, clause, sentence_at(text, m.start()))
    return None


_SEAT_ZH = (
    re.compile(
        r"(?P<seat>[\u3400-\u9fff（）()]{2,30}?(?:仲裁委员会|仲裁中心|仲裁院|仲裁机构|仲裁委|仲裁庭))"
    ),
    re.compile(
        r"(?P<seat>[\u3400-\u9fff]{0,20}?(?:所在地|住所地|签订地|履行地)?(?:有管辖权的)?(?:人民)?法院)"
    ),
)
_SEAT_EN = (
    re.compile(
        r"(?P<seat>(?:[A-Z][\w'’\-]*\s+)*(?:International\s+)?(?:Economic and Trade\s+)?(?:Arbitration (?:Commission|Cent(?:er|re)|Court|Institute|Institution)|Court of Arbitration|Court of International Arbitration|Chamber of Commerce)(?:\s*\([A-Z]+\))?)"
    ),
    re.compile(
        r"(?:courts?|court of competent jurisdiction) (?:of|in|located in|sitting in|at)\s+(?:the\s+)?(?P<seat>[A-Z][\w'’\- ]*(?:,\s*[A-Z][\w'’\- ]*)?)"
    ),
    re.compile(
        r"(?:arbitrat\w+|seat|place)[^.]{0,60}?(?:in|at|be|is)\s+(?P<seat>[A-Z][\w'’\-]*(?:\s+[A-Z][\w'’\-]*)*)"
    ),
)
_PLACE = re.compile(
    r"(?:仲裁地(?:点)?|仲裁地为)(?:为|在|是|:|：)?\s*(?P<place>[\u3400-\u9fff]{2,12}?)(?=[，。,；;、]|$)|(?:seat|place)(?: of (?:the )?arbitration)?(?: shall be| is|:)?\s+(?:in\s+)?(?P<place_en>[A-Z][\w'’\-]*(?:\s+[A-Z][\w'’\-]*)*)"
)


def seat(contract: Contract) -> Field | None:
    """The court or arbitration body that is named."""
    for first in (1, 3):
        for clause in contract.body:
            if not about(contract, clause, "disputes", first=first):
                continue
            text = clause.words
            for pattern in (*_SEAT_ZH, *_SEAT_EN):
                m = pattern.search(text)
                if m and len(m["seat"]) > 2:
                    name = re.sub(
                        r"^.*?(?:提交|交由|递交|提请|向|由|应当|可以|均|至|在|起诉至|或者|任何一方)+(?=[\u3400-\u9fff]{2})",
                        "",
                        m["seat"],
                    )
                    name = re.sub(r"^(?:the|The)\s+", "", name).strip()
                    if len(name) >= 2:
                        return Field(name, clause, sentence_at(text, m.start()))
    return None


def place_of_arbitration(text: str) -> str:
    m = _PLACE.search(text)
    return (m["place"] or m["place_en"] or "").strip() if m else ""


# --- days, caps, rates ---------------------------------------------------------------------------

_PAYS = re.compile(
    r"支付|账期|付清|付款|应付|结清|缴纳|汇入|付至|\b(?:pay(?:s|able|ments?)?|paid)\b|\bdue\b|settle|remit"
)
_NOT_PAYMENT = re.compile(
    r"工资|经济补偿|written notice|书面通知|不可抗力|逾期|违约|退还|返还|退回|解除|\blate\b|overdue|refund|terminat|delay|interest|dispute[sd]?\b.{0,20}invoice",
    re.I,
)


def payment_days(contract: Contract) -> Field | None:
    """Within how many days an ordinary payment is due; the last or the largest part of it where
    there are several."""
    terms = [t for t in payment_terms(contract) if not _PART.search(t[3]) or _MAIN.search(t[3])]
    if not terms:
        return None
    _, number, clause, quote = terms[0]
    return Field(number, clause, quote)


_WITHIN = re.compile(
    r"内|within|\bnet\b|之前|days (?:of|after|from)|账期|日起|后第?\s*\d|after|period|on the", re.I
)
_AFTER_WHAT = re.compile(r"发票|验收|签收|invoice|receipt|acceptance|delivery", re.I)
_MAIN = re.compile(
    r"余款|其余|尾款|全部|全款|货款|invoice|服务费|balance|remaining|quarterly|the fees", re.I
)
_PART = re.compile(r"预付|首付|定金|订金|advance|prepay|down ?payment|deposit|押金", re.I)


def payment_terms(contract: Contract) -> list[tuple[float, int, Clause, str]]:
    """All that the contract says of when an ordinary payment is due, the surest first."""
    out: list[tuple[float, int, Clause, str]] = []
    for clause in contract.clauses:
        text = clause.words
        for p in periods(text):
            if p.unit not in ("day", "workday", "week", "month") or (
                p.unit == "month" and p.number > 6
            ):
                continue
            sentence = sentence_at(text, p.start)
            near = text[max(0, p.start - 60) : p.end + 100]
            if not _PAYS.search(sentence) or _NOT_PAYMENT.search(sentence):
                continue
            if not _WITHIN.search(text[max(0, p.start - 22) : p.end + 16]):
                continue
            score = 2.0 * about(contract, clause, "payment", first=2)
            score += 1.0 * bool(_AFTER_WHAT.search(near))
            score += 0.5 * bool(_MAIN.search(sentence))
            score -= 2.5 * bool(_PART.search(sentence) and not _MAIN.search(sentence))
            score -= 0.8 * clause.annex
            number = int(p.number) if p.unit in ("day", "workday") else round(p.days)
            out.append((score - 0.001 * clause.index, number, clause, sentence))
    return sorted(out, key=lambda o: -o[0])


_CAP = re.compile(
    r"为(?:上)?限|上限|不(?:得)?超过|最高(?:不超过)?|限于|(?:shall |does |will )?not exceed|limited to|capped at|no more than|maximum(?: aggregate)? liabilit|cap on|liable for more than",
    re.I,
)
_LIABLE = re.compile(r"赔偿|责任|liabilit|liable|damages", re.I)
_WHOLE = re.compile(
    r"(?:合同|服务费|费用|价款|租金)?总(?:金额|额|价|价款|费用)|合同(?:金额|价款|价格)|全部(?:服务费|费用|价款)|已(?:支付|收取)的?(?:全部)?(?:服务费|费用|价款)|total (?:fees?|price|amount|contract)|(?:fees?|price|amounts?) (?:paid|payable)|contract price",
    re.I,
)


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
            value = rates[0].value if rates else Decimal(100)
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
            field = Field(_plain(value), clause, sentence)
            if best is None or score > best[0]:
                best = score, field
            break
    return best[1] if best else None


_PENALTY = re.compile(r"违约金|罚金|滞纳金|liquidated damages|penalt(?:y|ies)", re.I)
_DAILY = re.compile(
    r"每(?:逾期|延迟|迟延)?(?:一)?[日天周]|按日|日(?:按|万分|千分)|per (?:day|week)|each day|for (?:each|every) (?:day|week)|daily|每迟",
    re.I,
)


def penalty_rates(contract: Contract) -> Iterator[tuple[Decimal, bool, Clause, str]]:
    """Every rate of a penalty, whether it is for each day, and where it stands. A limit of what daily
    penalties add up to is none for each day."""
    for clause in contract.clauses:
        text = clause.words
        if not _PENALTY.search(text):
            continue
        for p in percents(text):
            sentence = sentence_at(text, p.start)
            if not _PENALTY.search(sentence):
                continue
            before = text[max(0, p.start - 34) : p.start]
            limit = re.search(
                r"累计|总额|最高|不超过|上限|exceed|maximum|up to|capped", before, re.I
            )
            daily = bool(_DAILY.search(text[max(0, p.start - 40) : p.end + 24])) and not limit
            yield p.value, daily, clause, sentence


def penalty_rate(contract: Contract) -> Field | None:
    """In percent of the price: of a breach as such before those for each day of delay, and of these
    what they may come to before a day's."""
    found = list(penalty_rates(contract))
    for daily in (False, True):
        ones = [f for f in found if f[1] == daily]
        if ones:
            value, _, clause, quote = max(ones, key=lambda f: f[0])
            return Field(_plain(value), clause, quote)
    return None


_RENEWS = re.compile(
    r"自动(?:续|延)|自动顺延|续(?:期|约|租|展|订|签)|automatic(?:ally)?[^.]{0,20}(?:renew|extend)|renew(?:s|ed|al)?\b",
    re.I,
)


def renewal_notice(contract: Contract) -> Field | None:
    """How many days before the end notice must be given that the contract is not to be renewed."""
    best: tuple[float, Field] | None = None
    for clause in contract.clauses:
        text = clause.words
        if not _RENEWS.search(text):
            continue
        for p in periods(text):
            near = text[max(0, p.start - 40) : p.end + 40]
            if (
                not re.search(r"前|提前|通知|异议|prior|before|notice|notif", near, re.I)
                or p.unit == "year"
            ):
                continue
            automatic = bool(re.search(r"自动|automatic", text, re.I))
            score = (
                2.0 * automatic
                + bool(re.search(r"届满|期满|到期|expir|end of", near, re.I))
                - 0.001 * clause.index
            )
            number = int(p.number) if p.unit in ("day", "workday") else round(p.days)
            if best is None or score > best[0]:
                best = score, Field(number, clause, sentence_at(text, p.start))
    return best[1] if best else None


def _plain(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() else float(value)
