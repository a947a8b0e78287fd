"""Where sums of a contract do not agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from dazi.apps.contracts.clauses import Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.findings import Finding, at, place, place_en
from dazi.apps.contracts.money import Money, moneys
from dazi.apps.contracts.shares import share_contradictions
from dazi.apps.contracts.tables import table_contradictions
from dazi.core.language import Text


def sum_contradictions(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """Sums in words and figures, totals, tables, instalments."""
    yield from _sums_in_words(contract)
    yield from _totals(contract, fields)
    yield from table_contradictions(contract, fields)
    yield from share_contradictions(contract)


def _sums_in_words(contract: Contract) -> Iterator[Finding]:
    """A sum in words beside figures that say another."""
    for clause in contract.clauses:
        text = clause.words
        sums = list(moneys(text))
        for one, other in pairwise(sums):
            between = text[one.end : other.start]
            if re.search(r"[。；;]", between):
                continue
            far = 48 if re.search(r"大写|小写|in words|say\b", between, re.I) else 22
            if one.written == other.written or len(between) > far:
                continue
            if re.search(r"[。；;，,]|及|和|至|\band\b", between) and not re.search(
                r"大写|小写|[（(]|in words|say\b", between, re.I
            ):
                continue
            if abs(one.amount - other.amount) >= 1 and one.amount and other.amount:
                words, figures = (one, other) if one.written else (other, one)
                yield at(
                    clause,
                    "sum_in_words",
                    "contradiction",
                    "high",
                    Text(
                        f"大写金额是 {_sum(words)},小写是 {_sum(figures)},两者不一致",
                        f"the sum in words is {_sum(words)}, in figures {_sum(figures)}: they differ",
                    ),
                    Text("核对金额,让大小写一致", "check the sum and make words and figures agree"),
                    text[one.start : other.end],
                )


def _totals(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """The total stated twice, differently."""
    total = fields.get("total_amount")
    if total is None:
        return
    wanted = Decimal(str(total.value))
    pattern = re.compile(
        r"(?:合同|租金|服务费|费用|货款)?总(?:金额|价款?|额|租金|费用)(?!的|之|为(?:上)?限)|合同(?:价款|金额|价格)(?!的|之)|[Tt]otal (?:contract |purchase )?(?:price|fees?|amount|value)(?! of)|[Cc]ontract [Pp]rice"
    )
    for clause in contract.clauses:
        text = clause.words
        if clause.table or clause is total.clause:
            continue
        for m in pattern.finditer(text):
            after = [s for s in moneys(text) if 0 <= s.start - m.end() <= 12]
            between = text[m.end() : after[0].start] if after else ""
            if not after or re.search(
                r"%|百分|超过|以上|exceed|above|每|per\b",
                between + text[max(0, m.start() - 6) : m.start()],
            ):
                continue
            if (
                after[0].amount != wanted
                and abs(after[0].amount - wanted) >= 1
                and after[0].amount > wanted / 20
            ):
                yield at(
                    clause,
                    "total_differs",
                    "contradiction",
                    "high",
                    Text(
                        f"这里的总额是 {_sum(after[0])},{place(total.clause)}是 {total.value:,}",
                        f"the total here is {_sum(after[0])}, in {place_en(total.clause)} it is {total.value:,}",
                    ),
                    Text(
                        "核对总额,全文用同一个数", "check the total and use one figure throughout"
                    ),
                    sentence_at(text, m.start()),
                )


def _sum(m: Money) -> str:
    return f"{m.amount:,} {m.currency}"
