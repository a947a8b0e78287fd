"""Canned replies: texts of the company's with variables that a ticket fills, or that are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.apps.desk.intents.kinds import INTENTS
from dazi.apps.desk.model import Ticket
from dazi.apps.desk.records import Card
from dazi.core.errors import CallerError, ConfigError, NotFound
from dazi.core.language import Language, Text
from dazi.packs.layers import layers_of
from dazi.router.yaml_source import YamlSource

FILE = Path("desk", "replies.yaml")
VARIABLES: Mapping[str, Text] = {
    "customer": Text("客户的称呼", "the customer's name"),
    "agent": Text("回复的人", "who replies"),
    "ticket": Text("工单号", "the ticket's number"),
    "title": Text("标题", "its title"),
    "category": Text("类别", "its category"),
    "order": Text("附上的唯一一个订单", "the one order that is attached"),
    "orders": Text("附上的全部订单", "all orders that are attached"),
}
_VARIABLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Canned:
    """``categories``: of tickets that it suits; all where there are none."""

    name: str
    title: Text
    text: Text
    categories: frozenset[str] = frozenset()

    def suits(self, category: str) -> bool:
        return not self.categories or category in self.categories


def load_replies(folder: Path) -> tuple[Canned, ...]:
    """Those of the company's folder; none where it has no such file. Raises ``ConfigError``."""
    path = layers_of(folder).find(FILE)
    if not path.is_file():
        return ()
    source = YamlSource(path)
    entries = source.data if isinstance(source.data, list) else None
    if entries is None:
        raise ConfigError(path, 1, "应为一个列表", "must be a list")
    out: dict[str, Canned] = {}
    for i, entry in enumerate(entries):
        canned = _canned(source, i, entry)
        if canned.name in out:
            line = source.line([i])
            zh, en = f"{canned.name} 有两个", f"there are two of {canned.name}"
            raise ConfigError(path, line, zh, en)
        out[canned.name] = canned
    return tuple(out.values())


def by_name(replies: Sequence[Canned], name: str) -> Canned:
    """Raises ``NotFound``, which names those that there are."""
    for canned in replies:
        if canned.name == name:
            return canned
    known = ", ".join(c.name for c in replies) or "-"
    zh, en = f"没有快捷回复 {name};有:{known}", f"no canned reply {name}; there are: {known}"
    raise NotFound("reply", zh, en)


def values_of(
    card: Card, ticket: Ticket, names: Mapping[str, str], language: Language
) -> dict[str, str]:
    """Of the variables that this ticket fills. ``names``: of ``customer`` and ``agent``."""
    out = {
        **names,
        "ticket": card.id,
        "title": card.title,
        "category": INTENTS[ticket.category](language),
        "orders": "、".join(ticket.orders) if language == "zh" else ", ".join(ticket.orders),
    }
    if len(ticket.orders) == 1:
        out["order"] = ticket.orders[0]
    return {k: v for k, v in out.items() if v}


def filled(canned: Canned, values: Mapping[str, str], language: Language) -> str:
    """Raises ``CallerError`` that names the variables which this ticket does not fill."""
    text = canned.text(language)
    missing = [n for n in dict.fromkeys(_VARIABLE.findall(text)) if n not in values]
    if missing:
        zh = "、".join(f"{n}({VARIABLES[n].zh})" for n in missing)
        en = ", ".join(f"{n} ({VARIABLES[n].en})" for n in missing)
        raise CallerError("missing", f"这张工单没有:{zh}", f"this ticket lacks: {en}")
    return _VARIABLE.sub(lambda m: values[m[1]], text)


def _canned(source: YamlSource, i: int, entry: Any) -> Canned:
    path, line = source.path, source.line([i])
    if not isinstance(entry, Mapping) or not {"name", "text"} <= set(entry):
        zh, en = "每条要有 name 和 text", "each needs name and text"
        raise ConfigError(path, line, zh, en)
    text = Text.of(entry["text"])
    for variable in _VARIABLE.findall(text.zh + text.en):
        if variable not in VARIABLES:
            known = ", ".join(VARIABLES)
            zh, en = (
                f"没有变量 {variable};有:{known}",
                f"no variable {variable}; there are: {known}",
            )
            raise ConfigError(path, source.line([i, "text"]) or line, zh, en)
    categories = entry.get("categories", [])
    for category in categories:
        if category not in INTENTS:
            known = ", ".join(INTENTS)
            zh, en = (
                f"没有类别 {category};有:{known}",
                f"no category {category}; there are: {known}",
            )
            raise ConfigError(path, source.line([i, "categories"]) or line, zh, en)
    name = str(entry["name"])
    return Canned(name, Text.of(entry.get("title", name)), text, frozenset(categories))
