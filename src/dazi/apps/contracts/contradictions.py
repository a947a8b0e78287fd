"""Where a contract contradicts itself: sums, dates, terms, names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from rapidfuzz.distance import Levenshtein, Prefix

from dazi.apps.contracts.clauses import Clause, Contract, blank
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.fields import payment_terms
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import Money, days, moneys, percents, periods
from dazi.core.language import Text

CENT = Decimal("0.01")
_STEPS = re.compile(
    r"首付|预付|定金|尾款|余款|进度|第[一二三四]期|分期|验收后|剩余|advance|down ?payment|balance|milestone|instal",
    re.I,
)


def contradictions(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    yield from _sums_in_words(contract)
    yield from _totals(contract, fields)
    yield from _tables(contract, fields)
    yield from _shares(contract)
    yield from _dates(contract, fields)
    yield from _payment(contract)
    yield from _notice_periods(contract)
    yield from _names(contract, fields)


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
                        f"这里的总额是 {_sum(after[0])},{_where(total.clause)}是 {total.value:,}",
                        f"the total here is {_sum(after[0])}, in {_where_en(total.clause)} it is {total.value:,}",
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


def _dates(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    start, end = fields.get("start_date"), fields.get("end_date")
    if start and end and str(end.value) < str(start.value):
        yield at(
            end.clause,
            "dates_out_of_order",
            "contradiction",
            "high",
            Text(
                f"结束日 {end.value} 早于开始日 {start.value}",
                f"it ends on {end.value}, before it begins on {start.value}",
            ),
            Text("核对起止日期", "check both dates"),
            end.quote,
        )
        return
    for clause in contract.body:
        text = clause.words
        found = list(days(text))
        if (
            len(found) == 2
            and re.search(r"自|from|commenc", text[: found[0].start + 2], re.I)
            and found[1].day < found[0].day
            and re.search(r"至|止|到|until|to\b", text[found[0].end : found[1].start])
        ):
            yield at(
                clause,
                "dates_out_of_order",
                "contradiction",
                "high",
                Text(
                    f"{found[1].day} 早于 {found[0].day}",
                    f"{found[1].day} is before {found[0].day}",
                ),
                Text("核对起止日期", "check both dates"),
                sentence_at(text, found[0].start),
            )
        if start and end and clause is start.clause and len(found) >= 2:
            length = (found[1].day - found[0].day).days + 1
            for p in periods(sentence_at(text, found[0].start)):
                if (
                    p.unit in ("year", "month")
                    and not re.search(
                        r"前|通知|续|notice|prior|renew",
                        sentence_at(text, found[0].start)[max(0, p.start - 30) : p.end + 30],
                        re.I,
                    )
                    and abs(p.days - length) > max(16, length * 0.06)
                ):
                    yield at(
                        clause,
                        "term_length",
                        "contradiction",
                        "high",
                        Text(
                            f"写的期限是 {p.number} {_UNIT_ZH.get(p.unit, p.unit)},起止日期之间是 {length} 天",
                            f"the term is said to be {p.number} {p.unit}(s), the dates are {length} days apart",
                        ),
                        Text("核对期限和起止日期", "check the term and the dates"),
                        sentence_at(text, found[0].start),
                    )
                    break


_FIRST_PART = r"首付|预付|定金|订金|第一期|advance|down ?payment|deposit|押金"
_UNIT_ZH = {"year": "年", "month": "个月", "day": "天", "workday": "个工作日", "week": "周"}
_OF_WHAT = (
    ("invoice", r"发票|invoice"),
    ("acceptance", r"验收|acceptance"),
    ("delivery", r"签收|到货|交货|delivery|receipt of the goods"),
    ("rent", r"租金|\brent\b"),
    ("service", r"服务费|service fee|fees"),
)


def _payment(contract: Contract) -> Iterator[Finding]:
    """The same payment due within different times."""
    seen: dict[str, tuple[int, Clause, str]] = {}
    for score, number, clause, sentence in sorted(
        payment_terms(contract), key=lambda t: t[2].index
    ):
        if score < 0.4 or re.search(_FIRST_PART, sentence, re.I):
            continue
        what = next((name for name, pattern in _OF_WHAT if re.search(pattern, sentence, re.I)), "")
        if not what:
            continue
        before = seen.get(what)
        if before is None:
            seen[what] = number, clause, sentence
        elif before[0] != number and before[1] is not clause:
            yield at(
                clause,
                "payment_terms_differ",
                "contradiction",
                "high",
                Text(
                    f"这里的付款期限是 {number} 天,{_where(before[1])}是 {before[0]} 天",
                    f"payment here is due in {number} days, in {_where_en(before[1])} in {before[0]}",
                ),
                Text("只留一个付款期限", "keep one payment term"),
                sentence,
            )


_SAME = (
    ("质保期", r"(?:质保|保修)期(?:限)?(?:为|是)?|warranty period (?:is|of|shall be)", "warranty"),
    (
        "报告时限",
        r"(?:泄露|泄漏|事件|事故)[^。；]{0,40}|(?:leak|incident|breach of confidence)[^.;]{0,60}|(?:shall have|within)(?=[^.;]{0,60}(?:leak|incident))",
        "confidentiality",
    ),
    ("保密期", r"保密(?:期限?|义务)(?:为|是|自)?.{0,22}", "confidentiality"),
    ("试用期", r"试用期(?:为|是)?", "probation"),
)


def _notice_periods(contract: Contract) -> Iterator[Finding]:
    """The same period said twice, differently."""
    for name, pattern, topic in _SAME:
        seen: tuple[float, Clause] | None = None
        for clause in contract.clauses:
            text = clause.words
            m = re.search(pattern, text, re.I)
            if not m or not about(contract, clause, topic):
                continue
            near = [
                p
                for p in periods(text)
                if abs(p.start - m.end()) <= 40
                and p.unit in (("hour", "day") if name == "报告时限" else ("year", "month"))
            ]
            if not near:
                continue
            if (
                seen is not None
                and abs(seen[0] - near[0].days) > 0.02 * max(seen[0], near[0].days)
                and seen[1] is not clause
            ):
                yield at(
                    clause,
                    "periods_differ",
                    "contradiction",
                    "medium",
                    Text(
                        f"这里的{name}与{_where(seen[1])}不一致",
                        f"the {topic} period here differs from that in {_where_en(seen[1])}",
                    ),
                    Text("核对,全文一致", "check, and say the same throughout"),
                    sentence_at(text, m.start()),
                )
            seen = seen or (near[0].days, clause)


_COMPANY = re.compile(
    r"[\u3400-\u9fff（）()]{2,30}?(?:有限责任公司|股份有限公司|有限公司|集团公司)|(?:[A-Z][\w&'’\-]+\s+){1,5}(?:Co\.?,?\s*)?(?:Ltd|Limited|Inc|LLC|GmbH|Corp)\b\.?"
)


def _names(contract: Contract, fields: dict[str, Field]) -> Iterator[Finding]:
    """A party's name written differently."""
    names = [str(fields[n].value) for n in ("party_a", "party_b") if n in fields]
    counted: dict[str, Clause] = {}
    for clause in contract.clauses:
        for m in _COMPANY.finditer(clause.words):
            found = re.sub(
                r"^(?:.*?(?:由|与|和|向|系|为|是|对|给|即|指|方|在|至|称))(?=[\u3400-\u9fff]{4})",
                "",
                m[0].strip(),
            ).strip()
            counted.setdefault(found, clause)
    bare = {n: re.sub(r"[\s.,，。()（）]", "", n).lower() for n in (*names, *counted)}
    for found, clause in counted.items():
        if any(bare[found] in bare[n] or bare[n] in bare[found] for n in names) or blank(found):
            continue
        for name in names:
            distance = Levenshtein.distance(bare[found], bare[name])
            start = Prefix.similarity(bare[found], bare[name])
            near = distance <= max(2, len(bare[name]) // 5) or start >= max(3, len(bare[name]) // 3)
            if near and len(bare[name]) >= 6:
                yield at(
                    clause,
                    "party_name",
                    "contradiction",
                    "high",
                    Text(
                        f"当事人名称写作“{found}”,前面是“{name}”",
                        f"the party is called “{found}” here and “{name}” before",
                    ),
                    Text("全文用营业执照上的名称", "use the registered name throughout"),
                    sentence_at(clause.words, clause.words.find(found)),
                )
                break


def _sum(m: Money) -> str:
    return f"{m.amount:,} {m.currency}"


def _where(clause: Clause) -> str:
    return f"“{clause.number or clause.title or clause.text[:12]}”处"


def _where_en(clause: Clause) -> str:
    return f"“{clause.number or clause.title or clause.text[:24]}”"
