"""How a contract numbers its clauses, paragraphs, list items and annexes, and refers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.contracts.figures import Language, hanzi

STYLES = 3


@dataclass(frozen=True, slots=True)
class Numbers:
    """``at``: of each clause and of each ``clause.paragraph`` its number, counted from 1."""

    language: Language
    style: int
    at: dict[str, int]
    annexes: dict[str, tuple[int, str]]

    def shown_clause(self, number: int) -> str:
        """As references write it: 第三条, 第3条, "Article 3"."""
        if self.language == "zh":
            return f"第{hanzi(number)}条" if self.style < 2 else f"第{number}条"
        return f"{('Article', 'Clause', 'Section')[self.style]} {number}"

    def shown_annex(self, number: int) -> str:
        """Without the word before it."""
        return hanzi(number) if self.language == "zh" and self.style < 2 else str(number)

    def clause(self, name: str) -> str:
        clause, _, paragraph = name.partition(".")
        if not paragraph:
            return self.shown_clause(self.at[clause])
        number, below = self.at[clause], self.at[name]
        if self.language == "en":
            return f"{('Article', 'Clause', 'Section')[self.style]} {number}.{below}"
        if self.style == 1:
            return f"第{hanzi(number)}条第（{hanzi(below)}）款"
        return f"第{number}.{below}条"

    def heading(self, name: str, title: str) -> str:
        number = self.at[name]
        if self.style == 2:
            return f"{number}. {title}"
        gap = " " if self.language == "zh" else ". "
        return f"{self.shown_clause(number)}{gap}{title}"

    def paragraph(self, clause: str, below: int) -> str:
        if self.language == "zh" and self.style == 1:
            return f"（{hanzi(below)}）"
        return f"{self.at[clause]}.{below} "

    def item(self, number: int) -> str:
        if self.language == "en":
            return f"({'abcdefgh'[number - 1]}) "
        return f"{number}）" if self.style == 1 else f"（{hanzi(number)}）"

    def annex(self, name: str, *, titled: bool = False) -> str:
        number, title = self.annexes[name]
        if self.language == "zh":
            return f"附件{self.shown_annex(number)}" + (f"《{title}》" if titled else "")
        return f"Annex {number}" + (f" ({title})" if titled else "")


def numbers(
    language: Language,
    style: int,
    clauses: Sequence[tuple[str, Sequence[Sequence[str]]]],
    annexes: Sequence[tuple[str, str]],
) -> Numbers:
    """``clauses``: of each clause its paragraphs (``clause.paragraph``), those under one number together."""
    at: dict[str, int] = {}
    for number, (clause, paragraphs) in enumerate(clauses, 1):
        at[clause] = number
        for below, names in enumerate(paragraphs, 1):
            at |= dict.fromkeys(names, below)
    listed = {name: (number, title) for number, (name, title) in enumerate(annexes, 1)}
    return Numbers(language, style % STYLES, at, listed)
