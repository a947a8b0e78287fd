"""The texts that contracts are made of: ``kinds/*.yaml``, one file a kind of contract and language.

A paragraph has several wordings of one meaning, one a line in ``says``; the first is the company's
template. ``‖`` in a wording begins an item of a list. In braces stand

- ``{A}``, ``{B}`` the parties' roles, ``{us}``, ``{them}`` the company's and the other side's;
- ``{name}`` a value, ``{name#}`` spelled out, ``{name,}`` with thousands, ``{name.1}`` its second
  name where it has several (``"London Court|London"``);
- ``{@clause}``, ``{@clause.paragraph}`` a reference, ``{%annex}`` an annex, ``{%annex+}`` with its
  title.

``values`` are filled in for each contract (a blank in the template), ``fixed`` ones stand in the
template and stay. ``gives`` names the fields of a contract that a paragraph settles. A plant takes
the place of its paragraph: with wordings of its own, with the paragraph's and other values, or with
the paragraph's in which a few words are swapped (``swap``: ``old|new``).
``{use: clause}`` in a kind's clauses takes one from ``common.LANGUAGE.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bench.contracts.figures import Language

FOLDER = Path(__file__).resolve().parent / "kinds"
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plant:
    """A fault: ``kind`` policy, deviation, contradiction, missing or reference; ``severity`` is the
    least that a reviewer should give it; ``also`` are kinds that it is just as much."""

    kind: str
    topic: str
    severity: str
    says: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)
    gives: Values = field(default_factory=dict)
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A ``free`` one may as well stand in the last clause; nothing refers to it."""

    id: str
    says: tuple[str, ...]
    values: Values
    fixed: Values
    gives: Values
    plants: tuple[Plant, ...]
    table: bool
    removable: str | None
    free: bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """``words`` speak of it in a message, in either language; ``movable`` ones may stand anywhere
    among each other; ``removable`` is the severity of its being gone."""

    id: str
    titles: tuple[str, ...]
    paragraphs: tuple[Paragraph, ...]
    movable: bool
    removable: str | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inserted:
    """A sentence put into the clause ``into``, or into the ``%first`` or ``%last`` annex;
    ``contrary`` is the paragraph that it does not fit, and ``other`` names a field that it settles
    otherwise."""

    kind: str
    topic: str
    severity: str
    into: str
    says: tuple[str, ...]
    contrary: str | None
    values: Values
    other: Values


@dataclass(frozen=True, slots=True)
class Annex:
    id: str
    titles: tuple[str, ...]
    fill: str


@dataclass(frozen=True, slots=True)
class Kind:
    """``company`` is the side of the company that reviews, ``counterparty`` what the other side is:
    firms or persons; ``total`` the range of the price."""

    kind: str
    language: Language
    titles: tuple[str, ...]
    prefix: str
    company: str
    counterparty: str
    roles: tuple[tuple[str, str], ...]
    sides: tuple[str, str]
    currency: tuple[str, ...]
    total: tuple[int, int] | None
    price: str
    table: str | None
    annexes: tuple[Annex, ...]
    clauses: tuple[Clause, ...]
    inserted: tuple[Inserted, ...]
    synonyms: tuple[tuple[str, str], ...]
    harmless: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.kind}.{self.language}"


def names() -> list[str]:
    """Of all kinds: ``sales.zh`` and so on."""
    found = (path.name.removesuffix(".yaml") for path in sorted(FOLDER.glob("*.*.yaml")))
    return [name for name in found if name.split(".")[0] not in {"common", "annexes"}]


@cache
def kind(name: str) -> Kind:
    raw = _read(name)
    language: Language = raw["language"]
    common = _read(f"common.{language}")
    shared = {clause["id"]: clause for clause in common["clauses"]}
    left, right = _split(raw["sides"])
    return Kind(
        kind=raw["kind"],
        language=language,
        titles=_split(raw["titles"]),
        prefix=raw["prefix"],
        company=raw["company"],
        counterparty=raw.get("counterparty", "firms"),
        roles=tuple((a, b) for a, b in (role.split("/") for role in raw["roles"])),
        sides=(left, right),
        currency=tuple(raw.get("currency", ())),
        total=(raw["total"][0], raw["total"][1]) if "total" in raw else None,
        price=raw.get("price", "合同总价" if language == "zh" else "the price"),
        table=raw.get("table"),
        annexes=tuple(Annex(a["id"], _split(a["title"]), a["fill"]) for a in raw["annexes"]),
        clauses=tuple(
            _clause(shared[clause["use"]], clause.get("refers", {}))
            if "use" in clause
            else _clause(clause, {})
            for clause in raw["clauses"]
        ),
        inserted=tuple(map(_inserted, [*raw.get("inserted", ()), *common["inserted"]])),
        synonyms=tuple((a, b) for a, b in map(_split, common["synonyms"])),
        harmless=_lines(common["harmless"], {}),
    )


@cache
def annex_texts(language: Language) -> Mapping[str, Any]:
    return _read(f"annexes.{language}")


@cache
def people(language: Language) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((FOLDER / "people.yaml").read_text("utf-8"))[language]
    return found


@cache
def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    return found


def _clause(raw: Mapping[str, Any], refers: Mapping[str, str]) -> Clause:
    """``refers``: what references of a shared clause are called in this kind."""
    words = _split(raw.get("words", ""))
    return Clause(
        id=raw["id"],
        titles=_split(raw["title"]),
        paragraphs=tuple(_paragraph(one, words, refers) for one in raw["paragraphs"]),
        movable=raw.get("movable", False),
        removable=raw.get("removable"),
        words=words,
    )


def _paragraph(
    raw: Mapping[str, Any], words: tuple[str, ...], refers: Mapping[str, str]
) -> Paragraph:
    says = _lines(raw["says"], refers)
    return Paragraph(
        id=raw["id"],
        says=says,
        values=raw.get("values", {}),
        fixed=raw.get("fixed", {}),
        gives=raw.get("gives", {}),
        plants=tuple(
            Plant(
                kind=plant["kind"],
                topic=plant["topic"],
                severity=plant["severity"],
                says=_lines(plant.get("says", ""), refers) or _swapped(says, plant.get("swap", ())),
                values=plant.get("values", {}),
                gives=plant.get("gives", {}),
                also=tuple(plant.get("also", ())),
            )
            for plant in raw.get("plants", ())
        ),
        table=raw.get("table", False),
        removable=raw.get("removable"),
        free=raw.get("free", False),
        words=_split(raw["words"]) if "words" in raw else words,
    )


def _swapped(says: tuple[str, ...], swaps: Sequence[str]) -> tuple[str, ...]:
    """Each wording with each of the swaps (``old|new``) that it has a place for."""
    pairs = [swap.split("|") for swap in swaps]
    return tuple(text.replace(old, new) for text in says for old, new in pairs if old in text)


def _inserted(raw: Mapping[str, Any]) -> Inserted:
    return Inserted(
        kind=raw["kind"],
        topic=raw["topic"],
        severity=raw["severity"],
        into=raw["into"],
        says=_lines(raw["says"], {}),
        contrary=raw.get("contrary"),
        values=raw.get("values", {}),
        other=raw.get("other", {}),
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())


def _lines(text: str, refers: Mapping[str, str]) -> tuple[str, ...]:
    for old, new in refers.items():
        text = text.replace(f"{{@{old}", f"{{@{new}")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


@cache
def labels(language: Language) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _read(f"common.{language}")["labels"]
    return found


@cache
def framing(language: Language, part: str) -> tuple[str, ...]:
    """The wordings of the ``opening`` and the ``closing``."""
    return _lines(_read(f"common.{language}")[part], {})
