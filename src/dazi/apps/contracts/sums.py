"""Where sums of a contract do not agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.findings import Finding, at, place, place_en
from dazi.apps.contracts.likeness import sentences
from dazi.apps.contracts.money import Money, moneys
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import percents
from dazi.core.language import Text

CENT = Decimal("0.01")
_STEPS = re.compile(
    r"首付|预付|定金|尾款|余款|验收款|到货款|进度|第[一二三四]期|分期|验收后|剩余|advance|down ?payment|balance|milestone|instal",
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
            between = text[one.end : other.start]
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
        columns: tuple[int | None, int | None, int | None] = (
            _column(header, r"数量|quantity|qty"),
            _column(header, r"单价|unit price|price per|rate"),
            _column(header, r"金额|小计|合计|合价|总价|价款|amount|line total|subtotal|total"),
        )
        body = rows[1:]
        if columns[2] is None:
            columns, body = _by_product(rows), rows
        quantity, price, amount = columns
        if amount is None:
            continue
        total, counted, multiplied = Decimal(0), 0, False
        for row in body:
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
                multiplied = q is not None and p is not None and abs(q * p - value) <= CENT
                total += value
                counted += 1
            enough = counted >= 2 or (counted == 1 and multiplied)
            if sums and enough and abs(values[-1] - total) > CENT * counted:
                yield _wrong_sum(clause, "|".join(row), values[-1], total)
        yield from _shares_of_sum(clause, header, body, fields.get("total_amount"))
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


def _shares_of_sum(
    clause: Clause, header: list[str], body: list[list[str]], total: Field | None
) -> Iterator[Finding]:
    """Instalments whose sums are not their shares of the total."""
    share = _column(header, r"比例|占比|share|percent|%")
    amount = _column(header, r"金额|价款|amount|sum")
    if share is None or amount is None or total is None:
        return
    whole = Decimal(str(total.value))
    for row in body:
        if len(row) <= max(share, amount) or re.search(r"合计|总计|total", " ".join(row), re.I):
            continue
        rate, value = next(percents(row[share]), None), _number(row[amount])
        if rate is None or value is None:
            continue
        if abs(whole * rate.value / 100 - value) > max(Decimal(1), whole / 2000):
            yield at(
                clause,
                "share_of_sum",
                "contradiction",
                "medium",
                Text(
                    f"{rate.value.normalize():f}% 应是 {whole * rate.value / 100:,.2f},这一行写的是 {value:,}",
                    f"{rate.value.normalize():f} % would be {whole * rate.value / 100:,.2f}, this row says {value:,}",
                ),
                Text("核对这一行", "check this row"),
                " ".join(row),
            )


def _by_product(rows: list[list[str]]) -> tuple[int | None, int | None, int | None]:
    """Quantity, price and amount of a table without a header, known by two columns whose product is a third
    in most rows."""
    numbers = [[_number(c) for c in row] for row in rows]
    width = min(len(row) for row in rows)
    best: tuple[int, tuple[int | None, int | None, int | None]] = 0, (None, None, None)
    for k in range(2, width):
        for j in range(1, k):
            for i in range(j):
                right = sum(
                    q is not None
                    and p is not None
                    and v is not None
                    and v > 0
                    and abs(q * p - v) <= CENT
                    for q, p, v in ((n[i], n[j], n[k]) for n in numbers)
                )
                if right >= 2 and right * 2 >= len(rows) and right > best[0]:
                    best = right, (i, j, k)
    return best[1]


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


_NO_SHARE = re.compile(
    r"违约|滞纳|税|利率|上浮|penalt|tax|interest|late|liquidated|VAT|exceed|不超过", re.I
)
_REST = re.compile(
    r"(?:其余|余款|剩余|尾款|余下|balance|remaining|remainder|the rest)(?![^。；;.，,]{0,10}\d)",
    re.I,
)


_RETAINED = re.compile(r"质(?:量)?保(?:证)?金|质量保证|保留金|retention|retained|holdback", re.I)
"""A share that is kept back; its clause may speak of the warranty more than of payment."""


def _shares(contract: Contract) -> Iterator[Finding]:
    """Instalments, or weights of a table, whose shares do not come to 100 %."""
    by_article: dict[int, list[Clause]] = {}
    retained = [
        (p.value, c)
        for c in contract.body
        for p in percents(c.words)
        if _RETAINED.search(c.words[max(0, p.start - 30) : p.end + 30])
    ]
    for clause in contract.body:
        if about(contract, clause, "payment") and not clause.table:
            by_article.setdefault(clause.article, []).append(clause)
    for clauses in by_article.values():
        text = " ".join(c.words for c in clauses)
        if len(_STEPS.findall(text)) < 2 or _REST.search(text):
            continue
        found = [
            (p.value, c)
            for c in clauses
            for p in percents(c.words)
            if p.value >= 5 and not _NO_SHARE.search(c.words[max(0, p.start - 16) : p.end + 10])
        ]
        total = sum((v for v, _ in found), Decimal(0))
        counted = {c.index for _, c in found}
        if any(total + v == 100 and c.index not in counted for v, c in retained):
            continue
        if len(found) >= 2 and total != 100 and 60 <= total <= 150:
            yield _wrong_shares(found[0][1], total, " ".join(c.words for _, c in found))
    yield from _parts_of_a_whole(contract)
    for clause in contract.clauses:
        if not clause.table:
            continue
        rows = [_cells(r) for r in clause.words.split("\n") if not re.fullmatch(r"[|\s:\-]+", r)]
        column = _column([c.lower() for c in rows[0]], r"权重|比例|占比|weight|share|percentage")
        if column is None:
            continue
        shares = [
            p[0].value
            for row in rows[1:]
            if len(row) > column
            and not re.search(r"合计|总计|total", " ".join(row), re.I)
            and (p := list(percents(row[column])))
        ]
        total = sum(shares, Decimal(0))
        if len(shares) >= 3 and total != 100 and 60 <= total <= 150:
            yield _wrong_shares(clause, total, " ".join(" ".join(r) for r in rows))


_SHARE = re.compile(
    r"(?:占|分摊|承担|比例为?|各?为)\s*(?P<zh>\d{1,2}(?:\.\d+)?)\s*%|(?P<en>\d{1,2}(?:\.\d+)?)\s*%\s+(?:for|on|upon|at|to|by)\b"
)


def _parts_of_a_whole(contract: Contract) -> Iterator[Finding]:
    """Three or more shares in one sentence: 「裙楼占45%,A座占30%,B座占30%」."""
    for clause in contract.clauses:
        if clause.table:
            continue
        for sentence in sentences(clause.words) or [clause.words]:
            shares = [Decimal(m["zh"] or m["en"]) for m in _SHARE.finditer(sentence)]
            total = sum(shares, Decimal(0))
            if len(shares) < 3 or total == 100 or not 85 <= total <= 130:
                continue
            if len(shares) == len(list(percents(sentence))) and not _REST.search(sentence):
                yield _wrong_shares(clause, total, sentence)


def _wrong_shares(clause: Clause, total: Decimal, quote: str) -> Finding:
    return at(
        clause,
        "instalments",
        "contradiction",
        "medium",
        Text(
            f"各项比例相加是 {total.normalize():f}%,不是 100%",
            f"the shares add up to {total.normalize():f} %, not 100 %",
        ),
        Text("核对各项比例", "check the shares"),
        quote,
    )


def _sum(m: Money) -> str:
    return f"{m.amount:,} {m.currency}"
