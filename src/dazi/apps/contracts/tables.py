"""Tables whose rows are wrong, do not add up, or come to another total than the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.lines import cells
from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.values import percents
from dazi.core.language import Text

CENT = Decimal("0.01")
_SUM_ROW = re.compile(r"合计|总计|小计|总额|总金额|(?:^|\s)(?:grand )?total|\bsum\b")


def number_in(cell: str) -> Decimal | None:
    """Of a cell that is a sum and nothing else."""
    found = re.fullmatch(
        r"[¥￥$A-Z ]*(\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(?:元|CNY|USD|RMB)?", cell
    )
    return Decimal(re.sub("[,，]", "", found[1])) if found else None


def _numbers_in(cell: str) -> list[Decimal]:
    """A cell's sums; rows that run together have two."""
    one = number_in(cell)
    if one is not None:
        return [one]
    parts = [number_in(p) for p in cell.split()]
    return [p for p in parts if p is not None] if all(p is not None for p in parts) else []


def table_contradictions(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """Rows whose product is another, and sums that do not add up."""
    for clause in contract.clauses:
        if not clause.table:
            continue
        rows = [
            cells(r)
            for r in clause.words.split("\n")
            if "|" in r and not re.fullmatch(r"[|\s:\-]+", r)
        ]
        if len(rows) < 2:
            continue
        header = [c.lower() for c in rows[0]]
        columns: tuple[int | None, int | None, int | None] = (
            column(header, r"数量|quantity|qty"),
            column(header, r"单价|unit price|price per|rate"),
            column(header, r"金额|小计|合计|合价|总价|价款|amount|line total|subtotal|total"),
        )
        body = rows[1:]
        if columns[2] is None:
            columns, body = _by_product(rows), rows
        if columns[2] is None:
            columns = None, None, _last_numbers(rows)
        quantity, price, amount = columns
        if amount is None:
            yield from _other_total(clause, rows, fields.get("total_amount"))
            continue
        total, counted, multiplied, misses = Decimal(0), 0, False, False
        for row in body:
            if len(row) <= amount:
                continue
            sums = _SUM_ROW.search(" ".join(row).lower())
            values = _numbers_in(row[amount]) or next(
                (n for c in reversed(row) if (n := _numbers_in(c))), []
            )
            if not values:
                continue
            if not (sums and len(values) == 1):
                value = values[0]
                q = (
                    number_in(row[quantity])
                    if quantity is not None and quantity < len(row)
                    else None
                )
                p = number_in(row[price]) if price is not None and price < len(row) else None
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
                misses = True
        if not misses:
            yield from _other_total(clause, rows, fields.get("total_amount"))
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


def _last_numbers(rows: list[list[str]]) -> int | None:
    """The last column, where it has a sum in every row and a row of the sum of all."""
    width = len(rows[0])
    numbers = [number_in(r[-1]) for r in rows if len(r) == width]
    summed = any(_SUM_ROW.search(" ".join(r).lower()) for r in rows)
    return width - 1 if summed and sum(n is not None for n in numbers) >= 3 else None


def _other_total(clause: Clause, rows: list[list[str]], total: Field | None) -> Iterator[Finding]:
    """A table whose last row has another total than the contract."""
    if total is None or total.clause is clause:
        return
    wanted = Decimal(str(total.value))
    for row in rows[-2:]:
        said = " ".join(row)
        if not _SUM_ROW.search(said.lower()) or re.search(r"月|小计|monthly|deposit|押金", said):
            continue
        values = [n for c in row for n in _numbers_in(c)]
        near = values and wanted / 2 < values[-1] < wanted * Decimal("1.5")
        said_there = {m.amount for m in moneys(total.clause.words)} | {wanted}
        if near and values[-1] not in said_there:
            yield at(
                clause,
                "total_differs",
                "contradiction",
                "high",
                Text(
                    f"表里的合计是 {values[-1]:,},合同写的总额是 {wanted:,}",
                    f"the table's total is {values[-1]:,}, the contract's is {wanted:,}",
                ),
                Text("核对总额,全文用同一个数", "check the total and use one figure throughout"),
                said,
            )
            return


def _shares_of_sum(
    clause: Clause, header: list[str], body: list[list[str]], total: Field | None
) -> Iterator[Finding]:
    """Instalments whose sums are not their shares of the total."""
    share = column(header, r"比例|占比|share|percent|%")
    amount = column(header, r"金额|价款|amount|sum")
    if share is None or amount is None or total is None:
        return
    whole = Decimal(str(total.value))
    for row in body:
        if len(row) <= max(share, amount) or re.search(r"合计|总计|total", " ".join(row), re.I):
            continue
        rate, value = next(percents(row[share]), None), number_in(row[amount])
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
    numbers = [[number_in(c) for c in row] for row in rows]
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


def column(header: list[str], pattern: str) -> int | None:
    """The place of the first head that the pattern finds."""
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
