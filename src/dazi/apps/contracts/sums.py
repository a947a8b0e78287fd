"""Where sums of a contract do not agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.findings import Finding, at, place, place_en
from dazi.apps.contracts.money import Money, moneys
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import percents
from dazi.core.language import Text

CENT = Decimal("0.01")
_STEPS = re.compile(
    r"首付|预付|定金|尾款|余款|进度|第[一二三四]期|分期|验收后|剩余|advance|down ?payment|balance|milestone|instal",
    re.I,
)


def sum_contradictions(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """Sums in words and figures, totals, tables, instalments."""
    yield from _sums_in_words(contract)
    yield from _totals(contract, fields)
    yield from _tables(contract, fields)
    yield from _shares(contract)


def _sums_in_words(contract: Contract) -> Iterator[Finding]:
    """A sum in words beside figures that say another."""
    for clause in contract.clauses:
        text = clause.words
        sums = list(moneys(text))
        for one, other in pairwise(sums):
            if one.written == other.written or other.start - one.end > 22:
                continue
            between = text[one.end : other.start]
            if re.search(r"[。；;，,]|及|和|至|\band\b", between) and not re.search(
                r"大写|小写|[（(]", between
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


def _cells(row: str) -> list[str]:
    return [c.strip() for c in row.strip().strip("|").split("|")]


def _number(cell: str) -> Decimal | None:
    found = re.fullmatch(
        r"[¥￥$A-Z ]*(\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(?:元|CNY|USD|RMB)?", cell
    )
    return Decimal(re.sub("[,，]", "", found[1])) if found else None


def _numbers_in(cell: str) -> list[Decimal]:
    """A cell's sums; rows that run together have two."""
    one = _number(cell)
    if one is not None:
        return [one]
    parts = [_number(p) for p in cell.split()]
    return [p for p in parts if p is not None] if all(p is not None for p in parts) else []


def _tables(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """Rows whose product is another, and sums that do not add up."""
    for clause in contract.clauses:
        if not clause.table:
            continue
        rows = [
            _cells(r)
            for r in clause.words.split("\n")
            if "|" in r and not re.fullmatch(r"[|\s:\-]+", r)
        ]
        if len(rows) < 2:
            continue
        header = [c.lower() for c in rows[0]]
        quantity = _column(header, r"数量|quantity|qty")
        price = _column(header, r"单价|unit price|price per|rate")
        amount = _column(header, r"金额|小计|合计|amount|line total|subtotal|total")
        if amount is None:
            continue
        total, counted = Decimal(0), 0
        for row in rows[1:]:
            if len(row) <= amount:
                continue
            sums = re.search(
                r"合计|总计|小计|(?:^|\s)(?:grand )?total|\bsum\b", " ".join(row).lower()
            )
            values = _numbers_in(row[amount]) or next(
                (n for c in reversed(row) if (n := _numbers_in(c))), []
            )
            if not values:
                continue
            if not (sums and len(values) == 1):
                value = values[0]
                q = _number(row[quantity]) if quantity is not None and quantity < len(row) else None
                p = _number(row[price]) if price is not None and price < len(row) else None
                if q is not None and p is not None and abs(q * p - value) > CENT:
                    yield at(
                        clause,
                        "line_amount",
                        "contradiction",
                        "medium",
                        Text(
                            f"数量 {q} × 单价 {p} = {q * p},这一行写的是 {value}",
                            f"quantity {q} x price {p} = {q * p}, this row says {value}",
                        ),
                        Text("核对这一行", "check this row"),
                        " ".join(row),
                    )
                total += value
                counted += 1
            if sums and counted >= 2 and abs(values[-1] - total) > CENT * counted:
                yield _wrong_sum(clause, "|".join(row), values[-1], total)
        stated = fields.get("total_amount")
        if stated is not None and counted >= 2 and quantity is not None:
            wanted = Decimal(str(stated.value))
            if abs(total - wanted) > 1 and abs(total - wanted) < wanted * Decimal("0.5"):
                yield at(
                    stated.clause,
                    "total_of_items",
                    "contradiction",
                    "high",
                    Text(
                        f"清单各项相加是 {total:,},合同写的总额是 {wanted:,}",
                        f"the items add up to {total:,}, the contract's total is {wanted:,}",
                    ),
                    Text("核对清单和总额", "check the items and the total"),
                    stated.quote,
                )


def _column(header: list[str], pattern: str) -> int | None:
    return next((n for n, h in enumerate(header) if re.search(pattern, h)), None)


def _wrong_sum(clause: Clause, quote: str, value: Decimal, total: Decimal) -> Finding:
    return at(
        clause,
        "items_total",
        "contradiction",
        "high",
        Text(
            f"各项相加是 {total:,},合计写的是 {value:,}",
            f"the items add up to {total:,}, the total row says {value:,}",
        ),
        Text("核对各项和合计", "check the items and the total"),
        quote.replace("|", " "),
    )


def _shares(contract: Contract) -> Iterator[Finding]:
    """Instalments whose shares do not come to 100 %."""
    for clause in contract.clauses:
        text = clause.words
        if not about(contract, clause, "payment") or len(_STEPS.findall(text)) < 2:
            continue
        shares = [
            p
            for p in percents(text)
            if p.value >= 5
            and not re.search(
                r"违约|滞纳|税|penalt|tax|interest|late",
                text[max(0, p.start - 14) : p.end + 10],
                re.I,
            )
        ]
        total = sum((p.value for p in shares), Decimal(0))
        if len(shares) >= 2 and total != 100 and 60 <= total <= 150:
            yield at(
                clause,
                "instalments",
                "contradiction",
                "medium",
                Text(
                    f"各期付款的比例相加是 {total}%,不是 100%",
                    f"the instalments add up to {total} %, not 100 %",
                ),
                Text("核对各期比例", "check the shares"),
            )


def _sum(m: Money) -> str:
    return f"{m.amount:,} {m.currency}"
