"""What the company accepts, as typed checks in YAML: each names what it looks at and its limit.

A rule looks at a *field* (``max``, ``min``, ``one_of``, ``not_one_of``, ``required``), at whether a *topic* is
dealt with at all (``present``), or for *wording* in the clauses of a topic (``forbid``, with what excuses it
in ``unless``; ``require``), at *rates*, *periods* and *shares* said near certain words (``near``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.evidence import Field, sentence_at
from dazi.apps.contracts.fields import NAMES as FIELDS
from dazi.apps.contracts.findings import Finding, Severity, at
from dazi.apps.contracts.forum import place_of_arbitration
from dazi.apps.contracts.roles import Roles, Side, roles_of, side_of
from dazi.apps.contracts.topics import KINDS, TOPICS, topics_of
from dazi.apps.contracts.values import Period, percents, periods
from dazi.core.errors import ConfigError
from dazi.core.language import Text

DEFAULT = Path(__file__).with_name("policy.yaml")
CHECKS = ("field", "present", "forbid", "require", "period", "percent")
_KEYS = frozenset(
    {"id", "kinds", "languages", "topics", "severity", "message", "suggestion", "check", "field",
     "max", "min", "one_of", "not_one_of", "required", "pattern", "unless", "near", "unit", "other_side"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """``kinds`` and ``languages`` it is for, all where there are none; ``topics``: the clauses it looks at."""

    id: str
    check: str
    severity: Severity
    message: Text
    suggestion: Text
    kinds: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    topics: tuple[str, ...] = ()
    field: str = ""
    max: Decimal | None = None
    min: Decimal | None = None
    one_of: tuple[str, ...] = ()
    not_one_of: tuple[str, ...] = ()
    required: bool = False
    pattern: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    near: re.Pattern[str] | None = None
    unit: str = ""
    other_side: bool = False

    def concerns(self, kind: str, language: str) -> bool:
        return (not self.kinds or kind in self.kinds) and (
            not self.languages or language in self.languages
        )


def load_policy(path: Path | None = None) -> tuple[Rule, ...]:
    """Raises ``ConfigError`` with the rule that is wrong, and how to mend it."""
    path = path or DEFAULT
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeError) as e:
        raise ConfigError(path, None, f"读不了:{e}", f"cannot be read: {e}") from e
    except yaml.YAMLError as e:
        line = getattr(getattr(e, "problem_mark", None), "line", None)
        raise ConfigError(
            path, line + 1 if line is not None else None, "不是 YAML", "is no YAML"
        ) from e
    rules = data.get("rules") if isinstance(data, dict) else None
    if not isinstance(rules, list) or not rules:
        raise ConfigError(path, None, "要有 rules: 列表", "needs a list `rules:`")
    made = [_rule(path, n, r) for n, r in enumerate(rules, 1)]
    twice = {r.id for r in made if sum(o.id == r.id for o in made) > 1}
    if twice:
        raise ConfigError(
            path, None, f"规则编号重复:{', '.join(twice)}", f"ids twice: {', '.join(twice)}"
        )
    return tuple(made)


def _rule(path: Path, number: int, data: Any) -> Rule:
    def wrong(zh: str, en: str) -> ConfigError:
        name = data.get("id", f"#{number}") if isinstance(data, dict) else f"#{number}"
        return ConfigError(path, None, f"规则 {name}:{zh}", f"rule {name}: {en}")

    if not isinstance(data, dict):
        raise wrong("应是键值", "must be a mapping")
    unknown = sorted(set(data) - _KEYS)
    if unknown:
        raise wrong(f"不认识 {', '.join(unknown)}", f"does not know {', '.join(unknown)}")
    for key in ("id", "check", "message"):
        if not data.get(key):
            raise wrong(f"缺 {key}", f"lacks {key}")
    check = data["check"]
    if check not in CHECKS:
        raise wrong(
            f"check 应是 {', '.join(CHECKS)} 之一", f"check must be one of {', '.join(CHECKS)}"
        )
    severity = data.get("severity", "medium")
    if severity not in get_args(Severity):
        raise wrong("severity 应是 low、medium 或 high", "severity must be low, medium or high")
    if check == "field" and data.get("field") not in (*FIELDS, "place_of_arbitration"):
        raise wrong(
            f"field 应是 {', '.join(FIELDS)} 之一", f"field must be one of {', '.join(FIELDS)}"
        )
    topics = tuple(data.get("topics", ()))
    if any(t not in TOPICS for t in topics):
        raise wrong(f"topics 应来自 {', '.join(TOPICS)}", f"topics must be of {', '.join(TOPICS)}")
    kinds = frozenset(data.get("kinds", ()))
    if not kinds <= {*KINDS, "other"}:
        raise wrong(f"kinds 应来自 {', '.join(KINDS)}", f"kinds must be of {', '.join(KINDS)}")
    if check in ("forbid", "require") and not data.get("pattern"):
        raise wrong("缺 pattern", "lacks pattern")
    patterns: dict[str, re.Pattern[str] | None] = {}
    for key in ("pattern", "unless", "near"):
        try:
            patterns[key] = re.compile(data[key], re.IGNORECASE) if data.get(key) else None
        except re.error as e:
            raise wrong(f"{key} 不是正则表达式:{e}", f"{key} is no regular expression: {e}") from e
    return Rule(
        str(data["id"]),
        check,
        cast("Severity", severity),
        _text(data["message"]),
        _text(data.get("suggestion", "")),
        kinds,
        frozenset(data.get("languages", ())),
        topics,
        data.get("field", ""),
        _limit(data, "max"),
        _limit(data, "min"),
        tuple(map(str, data.get("one_of", ()))),
        tuple(map(str, data.get("not_one_of", ()))),
        bool(data.get("required", False)),
        patterns["pattern"],
        patterns["unless"],
        patterns["near"],
        data.get("unit", ""),
        bool(data.get("other_side", False)),
    )


def _limit(data: Mapping[str, Any], key: str) -> Decimal | None:
    return Decimal(str(data[key])) if data.get(key) is not None else None


def _text(value: Any) -> Text:
    if isinstance(value, dict):
        zh = str(value.get("zh") or value.get("en") or "")
        return Text(zh, str(value.get("en") or zh))
    return Text(str(value), str(value))


def judge(
    rules: Sequence[Rule],
    contract: Contract,
    kind: str,
    fields: Mapping[str, Field],
    ours: Sequence[str] = (),
) -> Iterator[Finding]:
    """``ours``: what the company is called; rules against the other side then spare it."""
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
    assert rule.pattern is not None
    for clause in _looked_at(rule, contract):
        for m in rule.pattern.finditer(clause.words):
            sentence = sentence_at(clause.words, m.end() - 1)
            if rule.unless is not None and rule.unless.search(sentence):
                continue
            yield _on(rule, clause, sentence, m[0])
            break


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
            around = text[max(0, p.start - 60) : p.end + 50]
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
