"""A contract beside what the company accepts: every rule of a policy, each of one kind of check.

A rule looks at a *field* (``max``, ``min``, ``one_of``, ``not_one_of``, ``required``), at whether a *topic* is
dealt with at all (``present``), or for *wording* in the clauses of a topic (``forbid``, with what excuses it
in ``unless``; ``require``), at *rates*, *periods* and *shares* said near certain words (``near``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from dazi.apps.contracts.aliases import aliases_of, back
from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.findings import Finding, at
from dazi.apps.contracts.forum import place_of_arbitration
from dazi.apps.contracts.likeness import sentences
from dazi.apps.contracts.lines import cells
from dazi.apps.contracts.risks.recogniser import risk_of
from dazi.apps.contracts.roles import Roles, Side, roles_of, side_of
from dazi.apps.contracts.rules import Rule
from dazi.apps.contracts.shifts import owners
from dazi.apps.contracts.topics import topics_of
from dazi.apps.contracts.values import Period, percents, periods
from dazi.core.language import Text


def judge(
    rules: Sequence[Rule],
    contract: Contract,
    kind: str,
    fields: Mapping[str, Field],
    ours: Sequence[str] = (),
) -> Iterator[Finding]:
    """``ours``: what the company is called; rules against the other side then spare it."""
    found = list(_judged(rules, contract, kind, fields, ours))
    told = {f.rule for f in found}
    more = {r.id for r in rules if not told.isdisjoint(r.unless_found)}
    yield from (f for f in found if f.rule not in more)


def _judged(
    rules: Sequence[Rule],
    contract: Contract,
    kind: str,
    fields: Mapping[str, Field],
    ours: Sequence[str],
) -> Iterator[Finding]:
    side: Side | None = None
    roles: Roles | None = None
    for rule in rules:
        if not rule.concerns(kind, contract.language):
            continue
        for finding in _CHECK[rule.check](rule, contract, fields):
            if rule.other_side and ours:
                if roles is None:
                    roles = roles_of(contract)
                    side = side_of(contract, roles, ours)
                if side is not None and _only(roles.marked(finding.quote), side):
                    continue
            yield finding


def words_of(rules: Sequence[Rule], contract: Contract) -> dict[str, list[str]]:
    """For each rule that forbids words the sentences that have them, whatever excuses them."""
    out: dict[str, list[str]] = {}
    for rule in rules:
        if rule.check == "forbid" and rule.recognised:
            out[rule.id] = [s for _, s in passages_of(contract) if risk_of(s)[0] == rule.recognised]
        if rule.check == "forbid" and rule.pattern is not None:
            for clause in contract.clauses:
                for m in rule.pattern.finditer(clause.words):
                    out.setdefault(rule.id, []).append(sentence_at(clause.words, m.end() - 1))
    return out


def _only(marked: str, side: Side) -> bool:
    """Whether no other side than this is spoken of."""
    mark, other = ("Ⓖ", "Ⓣ") if side == "gives" else ("Ⓣ", "Ⓖ")
    return mark in marked and other not in marked


def _looked_at(rule: Rule, contract: Contract) -> Iterator[Clause]:
    for clause in contract.clauses:
        if clause.table and len(clause.text) > 2_000:
            continue
        if not rule.topics or not set(rule.topics).isdisjoint(topics_of(contract, clause)[:4]):
            yield clause


def _field(rule: Rule, contract: Contract, fields: Mapping[str, Field]) -> Iterator[Finding]:
    found = fields.get(rule.field)
    if found is None:
        if rule.required:
            yield _absent(rule)
        return
    value = found.value
    wrong = False
    if isinstance(value, int | float):
        number = Decimal(str(value))
        wrong = (rule.max is not None and number > rule.max) or (
            rule.min is not None and number < rule.min
        )
    else:
        text = (
            str(value)
            + " "
            + (place_of_arbitration(found.clause.words) if rule.field == "seat" else "")
        )
        folded = text.casefold()
        wrong = bool(rule.one_of) and not any(w.casefold() in folded for w in rule.one_of)
        wrong = wrong or any(w.casefold() in folded for w in rule.not_one_of)
    if wrong:
        yield _on(rule, found.clause, found.quote, value)


def _present(rule: Rule, contract: Contract, fields: Mapping[str, Field]) -> Iterator[Finding]:
    for clause in contract.clauses:
        topics = topics_of(contract, clause)[:2]
        if not set(rule.topics).isdisjoint(topics):
            return
        if rule.pattern is not None and rule.pattern.search(clause.words):
            return
    yield _absent(rule)


def _forbid(rule: Rule, contract: Contract, fields: Mapping[str, Field]) -> Iterator[Finding]:
    if rule.recognised:
        yield from _recognised(rule, contract)
    if rule.pattern is None:
        return
    names = aliases_of(contract)
    for clause in _looked_at(rule, contract):
        text, moves = names.replaced(clause.words)
        for m in rule.pattern.finditer(text):
            sentence = sentence_at(clause.words, back(m.end() - 1, moves))
            if rule.unless is not None and rule.unless.search(sentence):
                continue
            yield _on(rule, clause, sentence, m[0])
            break


def _recognised(rule: Rule, contract: Contract) -> Iterator[Finding]:
    names = aliases_of(contract)
    roles: Roles | None = None
    for clause, sentence in passages_of(contract):
        name, sure = risk_of(names.replaced(sentence)[0])
        if name != rule.recognised or (rule.unless is not None and rule.unless.search(sentence)):
            continue
        if name == "ip_to_other_side":
            roles = roles or roles_of(contract)
            if owners(roles.marked(sentence)) != {"Ⓖ"} or not _WORKS.search(sentence):
                continue  # it goes to whoever pays for it, or was there before
        yield _on(rule, clause, sentence, f"{sure:.0%}")


_WORKS = re.compile(
    r"成果|交付物|开发|定制|改进|源代码|衍生|deliverables?|work product|results?|improvements?|developments?|inventions?|source code|custom", re.I
)  # fmt: skip
"""What is made for whoever pays."""


def passages_of(contract: Contract) -> Iterator[tuple[Clause, str]]:
    """What is looked at one by one; of tables their cells."""
    for clause in contract.clauses:
        if clause.table:
            said = [c for row in clause.words.split("\n") for c in cells(row) if len(c) > 15]
        else:
            said = sentences(clause.words) or [clause.words]
        for sentence in said:
            yield clause, sentence


def _require(rule: Rule, contract: Contract, fields: Mapping[str, Field]) -> Iterator[Finding]:
    assert rule.pattern is not None
    looked = list(_looked_at(rule, contract))
    if rule.near is not None:
        looked = [c for c in looked if rule.near.search(c.words)]
    if looked and not any(rule.pattern.search(c.words) for c in looked):
        yield _on(rule, looked[0], looked[0].words, "")


def _period(rule: Rule, contract: Contract, fields: Mapping[str, Field]) -> Iterator[Finding]:
    """``max`` and ``min`` are in ``unit``s, days if there is none."""
    for clause in _looked_at(rule, contract):
        text = clause.words
        for p in periods(text):
            sentence = sentence_at(text, p.start)
            around = text[max(0, p.start - 40) : p.end + 30]
            if rule.near is not None and not rule.near.search(around):
                continue
            if rule.unless is not None and rule.unless.search(sentence):
                continue
            number = _in_unit(p, rule.unit)
            if (rule.max is not None and number > rule.max) or (
                rule.min is not None and number < rule.min
            ):
                yield _on(rule, clause, sentence, f"{p.number} {p.unit}")
                break


def _near(text: str, sentence: str, start: int, end: int) -> str:
    """The words around a number, of its own sentence."""
    at = text.find(sentence)
    return text[max(0, at, start) : min(end, at + len(sentence))]


def _in_unit(p: Period, unit: str) -> Decimal:
    if unit in ("", "day"):
        return p.number if p.unit in ("day", "workday") else Decimal(str(round(p.days, 1)))
    days = {"month": 30, "year": 365}[unit]
    return p.number if p.unit == unit else Decimal(str(round(p.days / days, 2)))


def _percent(rule: Rule, contract: Contract, fields: Mapping[str, Field]) -> Iterator[Finding]:
    for clause in _looked_at(rule, contract):
        text = clause.words
        for p in percents(text):
            sentence = sentence_at(text, p.start)
            around = _near(text, sentence, p.start - 60, p.end + 50)
            if rule.near is not None and not rule.near.search(around):
                continue
            if rule.unless is not None and rule.unless.search(around):
                continue
            if (rule.max is not None and p.value > rule.max) or (
                rule.min is not None and p.value < rule.min
            ):
                yield _on(rule, clause, sentence, p.value)
                break


_CHECK = {
    "field": _field,
    "present": _present,
    "forbid": _forbid,
    "require": _require,
    "period": _period,
    "percent": _percent,
}


def _on(rule: Rule, clause: Clause, quote: str, value: Any) -> Finding:
    limit = rule.max if rule.max is not None else rule.min
    message = _filled(rule.message, value, limit)
    return at(
        clause,
        rule.id,
        "policy",
        rule.severity,
        message,
        _filled(rule.suggestion, value, limit),
        quote,
    )


def _absent(rule: Rule) -> Finding:
    none = _filled(rule.message, "—", rule.max if rule.max is not None else rule.min)
    return Finding(rule.id, "policy", rule.severity, none, rule.suggestion)


def _filled(text: Text, value: Any, limit: Any) -> Text:
    def fill(said: str) -> str:
        return said.replace("{value}", str(value)).replace("{limit}", str(limit))

    return Text(fill(text.zh), fill(text.en))
