"""A policy as YAML: typed rules, and words that stand for many in their patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, cast, get_args

from dazi.apps.contracts.fields import NAMES as FIELDS
from dazi.apps.contracts.findings import Severity
from dazi.apps.contracts.risks.recogniser import RISKS
from dazi.apps.contracts.topics import KINDS, TOPICS
from dazi.core.errors import ConfigError
from dazi.core.language import Text
from dazi.router.yaml_source import YamlSource

DEFAULT = Path(__file__).with_name("policy.yaml")
VOCABULARY = Path(__file__).with_name("vocabulary.yaml")
CHECKS = ("field", "present", "forbid", "require", "period", "percent")
_KEYS = frozenset(
    {"id", "kinds", "languages", "topics", "severity", "message", "suggestion", "check", "field",
     "max", "min", "one_of", "not_one_of", "required", "pattern", "unless", "near", "unit", "other_side", "unless_found",
     "recognised"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """``kinds`` and ``languages`` it is for, all where there are none; ``topics``: the clauses it looks at;
    ``unless_found``: rules whose findings say more than this one's; ``recognised``: what the recogniser of
    burdens may take a sentence for, besides ``pattern``."""

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
    unless_found: tuple[str, ...] = ()
    recognised: str = ""

    def concerns(self, kind: str, language: str) -> bool:
        return (not self.kinds or kind in self.kinds) and (
            not self.languages or language in self.languages
        )


@lru_cache(maxsize=1)
def vocabulary() -> Mapping[str, str]:
    """By its name each group of words, as a pattern."""
    return _groups(VOCABULARY, YamlSource(VOCABULARY).data, {})


def _groups(path: Path, data: object, known: Mapping[str, str]) -> dict[str, str]:
    groups = dict(known)
    if not isinstance(data, dict):
        raise ConfigError(path, None, "words 应是名称和词的列表", "words must be lists by name")
    for name, words in data.items():
        if not isinstance(words, list) or not re.fullmatch(r"[A-Za-z_]+", str(name)):
            raise ConfigError(
                path, None, f"words.{name} 应是词的列表", f"words.{name} must be a list"
            )
        groups[str(name)] = _expanded(path, "|".join(map(str, words)), groups)
    return groups


def _expanded(path: Path, pattern: str, words: Mapping[str, str]) -> str:
    """With ``{name}`` replaced by its words."""

    def put(m: re.Match[str]) -> str:
        if m[1] not in words:
            raise ConfigError(
                path, None, f"没有词组 {{{m[1]}}}", f"there are no words called {{{m[1]}}}"
            )
        return f"(?:{words[m[1]]})"

    return re.sub(r"\{([A-Za-z_]+)\}", put, pattern)


@lru_cache(maxsize=1)
def built_in() -> tuple[Rule, ...]:
    """The policy that comes with the program."""
    return load_policy(DEFAULT)


def load_policy(path: Path | None = None) -> tuple[Rule, ...]:
    """Raises ``ConfigError`` with the rule that is wrong, and how to mend it."""
    if path is None:
        return built_in()
    data = YamlSource(path).data
    rules = data.get("rules") if isinstance(data, dict) else None
    if not isinstance(rules, list) or not rules:
        raise ConfigError(path, None, "要有 rules: 列表", "needs a list `rules:`")
    words = _groups(path, data.get("words", {}), vocabulary())
    made = [_rule(path, n, r, words) for n, r in enumerate(rules, 1)]
    twice = {r.id for r in made if sum(o.id == r.id for o in made) > 1}
    if twice:
        raise ConfigError(
            path, None, f"规则编号重复:{', '.join(twice)}", f"ids twice: {', '.join(twice)}"
        )
    for rule in made:
        unknown = sorted(set(rule.unless_found) - {r.id for r in made})
        if unknown:
            names = ", ".join(unknown)
            raise ConfigError(
                path,
                None,
                f"规则 {rule.id}:unless_found 里没有 {names} 这样的规则",
                f"rule {rule.id}: unless_found names no rule: {names}",
            )
    return tuple(made)


def _rule(path: Path, number: int, data: Any, words: Mapping[str, str]) -> Rule:
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
    recognised = str(data.get("recognised", ""))
    if recognised and (check != "forbid" or recognised not in RISKS):
        raise wrong(
            f"recognised 只用于 forbid,应是 {', '.join(RISKS)} 之一",
            f"recognised is for forbid only and must be one of {', '.join(RISKS)}",
        )
    if check in ("forbid", "require") and not (data.get("pattern") or recognised):
        raise wrong("缺 pattern", "lacks pattern")
    patterns: dict[str, re.Pattern[str] | None] = {}
    for key in ("pattern", "unless", "near"):
        try:
            told = data.get(key)
            said = "|".join(map(str, told)) if isinstance(told, list) else told
            patterns[key] = (
                re.compile(_expanded(path, said, words), re.IGNORECASE) if said else None
            )
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
        tuple(map(str, data.get("unless_found", ()))),
        recognised,
    )


def _limit(data: Mapping[str, Any], key: str) -> Decimal | None:
    return Decimal(str(data[key])) if data.get(key) is not None else None


def _text(value: Any) -> Text:
    if isinstance(value, dict):
        zh = str(value.get("zh") or value.get("en") or "")
        return Text(zh, str(value.get("en") or zh))
    return Text(str(value), str(value))
