"""Within how many days a contract has its price paid."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.numerals import HANZI_NUMBER, decimal_number
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import Period, periods

_PAYS = re.compile(
    r"支付|付(?=\s*\d)|到期|账期|付清|付款|应付|结清|缴纳|汇入|付至|\b(?:pay(?:s|able|ments?)?|paid)\b|\bdue\b|settle|remit",
    re.I,
)
_NOT_PAYMENT = re.compile(
    r"工资|经济补偿|written notice|书面通知|不可抗力|逾期|违约|退还|返还|退回|解除|\blate\b|overdue|refund|terminat|delay|interest|(?<!un)dispute[sd]?\b.{0,20}invoice|arbitrat|仲裁|\bcourts?\b",
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


_NTH = re.compile(
    rf"后(?:的)?第\s*(?P<n>\d+|{HANZI_NUMBER}+)\s*(?P<unit>个?工作日|[日天])|起第\s*(?P<n2>\d+|{HANZI_NUMBER}+)\s*[日天]"
)


def _nth_days(text: str) -> Iterator[Period]:
    """收到发票后第十五日."""
    for m in _NTH.finditer(text):
        number = decimal_number(m["n"] or m["n2"])
        if number is not None:
            yield Period(
                m.start(), m.end(), number, "workday" if "工作" in (m["unit"] or "") else "day"
            )


_WITHIN = re.compile(
    r"内|第\s*\d|第[一二三四五六七八九十]|within|\bnet\b|之前|days (?:of|after|from)|账期|日起|后第?\s*\d|after|period|on the",
    re.I,
)
_AFTER_WHAT = re.compile(r"发票|验收|签收|invoice|receipt|acceptance|delivery", re.I)
_MAIN = re.compile(
    r"余款|其余|尾款|全部|全款|货款|invoice|服务费|balance|remaining|quarterly|the fees", re.I
)
_PART = re.compile(
    r"预付|首付|定金|订金|质保金|质量保证金|保留金|retention|advance|prepay|down ?payment|deposit|押金|(?<!质量)(?<!质)保证金",
    re.I,
)


def payment_terms(contract: Contract) -> list[tuple[float, int, Clause, str]]:
    """All that the contract says of when an ordinary payment is due, the surest first."""
    out: list[tuple[float, int, Clause, str]] = []
    for clause in contract.clauses:
        text = clause.words
        for p in [*periods(text), *_nth_days(text)]:
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
