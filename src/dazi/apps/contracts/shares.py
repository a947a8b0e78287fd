"""Instalments and weights whose shares do not come to 100 %."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.likeness import sentences
from dazi.apps.contracts.lines import cells
from dazi.apps.contracts.tables import column
from dazi.apps.contracts.topics import about
from dazi.apps.contracts.values import percents
from dazi.core.language import Text

_STEPS = re.compile(
    r"首付|预付|定金|尾款|余款|验收款|到货款|进度|第[一二三四]期|分期|验收后|剩余|advance|down ?payment|balance|milestone|instal",
    re.I,
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


def share_contradictions(contract: Contract) -> Iterator[Finding]:
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
        kept = [(v, c) for v, c in retained if c.index not in counted and v < 20]
        if kept and len({v for v, _ in kept}) == 1:
            found.append(kept[0])
            total += kept[0][0]
        if len(found) >= 2 and total != 100 and 60 <= total <= 150:
            yield _wrong_shares(found[0][1], total, " ".join(c.words for _, c in found))
    yield from _parts_of_a_whole(contract)
    for clause in contract.clauses:
        if not clause.table:
            continue
        rows = [cells(r) for r in clause.words.split("\n") if not re.fullmatch(r"[|\s:\-]+", r)]
        at_column = column([c.lower() for c in rows[0]], r"权重|比例|占比|weight|share|percentage")
        if at_column is None:
            continue
        shares = [
            p[0].value
            for row in rows[1:]
            if len(row) > at_column
            and not re.search(r"合计|总计|total", " ".join(row), re.I)
            and (p := list(percents(row[at_column])))
        ]
        total = sum(shares, Decimal(0))
        if len(shares) >= 3 and total != 100 and 60 <= total <= 150:
            yield _wrong_shares(clause, total, " ".join(" ".join(r) for r in rows))


_SHARE = re.compile(
    r"(?:占|分摊|承担|比例为?|各?为)\s*(?P<zh>\d{1,2}(?:\.\d+)?)\s*%|(?P<en>\d{1,2}(?:\.\d+)?)\s*%\s+(?:for|on|upon|at|to|by)\b"
)


_IN_A_ROW = re.compile(
    r"(?:第[一二三四\d](?:季度|期|年|阶段)|[\u3400-\u9fff]{2,6}款)[\u3400-\u9fff]{0,4}?(\d{1,2}(?:\.\d+)?)\s*%(?=[、，；。和及])"
)


def _parts_of_a_whole(contract: Contract) -> Iterator[Finding]:
    """Three or more shares in one sentence: 「裙楼占45%,A座占30%,B座占30%」."""
    for clause in contract.clauses:
        if clause.table:
            continue
        for sentence in sentences(clause.words) or [clause.words]:
            shares = [Decimal(m["zh"] or m["en"]) for m in _SHARE.finditer(sentence)]
            total = sum(shares, Decimal(0))
            if len(shares) < 3:
                shares = [Decimal(v) for v in _IN_A_ROW.findall(sentence)]
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
