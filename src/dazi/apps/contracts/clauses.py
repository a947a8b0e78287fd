"""A contract as a tree of clauses: what is numbered, what stands under it, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from dazi.apps.contracts.lines import LABELS, PARTY_LABEL, Line, lines_of, tidy
from dazi.apps.contracts.numbering import INSIDE, numbered
from dazi.apps.contracts.numerals import HANZI_NUMBER
from dazi.knowledge.blocks import Block, Box

LONGEST_TITLE = 40


@dataclass(frozen=True, slots=True)
class Clause:
    """One numbered paragraph with what belongs to it, or a paragraph without a number.

    ``number`` as written (``第三条``, ``3.2``, ``(a)``); ``title`` of an article's own line; ``text`` without
    the number; ``page`` from 1, 0 where there are none; ``article`` the index of the clause whose
    heading it stands under (its own for a heading); ``annex``: it stands in an annex.
    """

    index: int
    number: str
    title: str
    text: str
    level: int
    page: int = 0
    box: Box | None = None
    article: int = -1
    annex: bool = False
    table: bool = False

    @property
    def words(self) -> str:
        """All that it says, title first."""
        if self.title and self.title != self.text:
            return f"{self.title} {self.text}".strip()
        return self.text or self.title


@dataclass(frozen=True, slots=True)
class Contract:
    """``clauses`` in the order of the text; ``title`` of the whole; ``language`` ``zh`` or ``en``."""

    title: str
    clauses: tuple[Clause, ...]
    language: str
    pages: int = 0
    _by_article: dict[int, str] = field(default_factory=dict, compare=False, repr=False)

    def heading(self, clause: Clause) -> str:
        """The title of the article that it stands in."""
        if not self._by_article:
            chapter = ""
            for c in self.clauses:
                if c.level <= 1:
                    chapter = c.title
                self._by_article[c.index] = c.title or chapter or c.text[:30]
        return self._by_article.get(clause.article, "")

    @property
    def body(self) -> tuple[Clause, ...]:
        """Without annexes."""
        return tuple(c for c in self.clauses if not c.annex)

    @property
    def text(self) -> str:
        return "\n".join(f"{c.number} {c.words}".strip() for c in self.clauses)


def read_contract(blocks: Iterable[Block]) -> Contract:
    """From what a parser found. What is not numbered belongs to what came before it; a table of
    contents is left out."""
    lines = lines_of(blocks)
    reading = _Reading(brackets=_articles_in_brackets(lines))
    for line in lines:
        reading.take(line)
    title, clauses = reading.title, reading.clauses
    pages = max((line.block.page for line in lines), default=0)
    language = language_of_contract(title + "".join(c.words for c in clauses[:200]))
    return Contract(title, tuple(_joined(clauses)), language, pages)


class _Reading:
    """Clauses as they come."""

    def __init__(self, *, brackets: bool = False) -> None:
        """``brackets``: articles are numbered （一）, （二）."""
        self._brackets = brackets
        self.title = ""
        self.clauses: list[Clause] = []
        self._article, self._annex, self._style = -1, False, ""

    def take(self, line: Line) -> None:
        text, heading = line.text, line.block.kind == "heading"
        number, level, style, rest = numbered(text, heading=heading)
        if self.clauses and _counts(self.clauses[-1].text, number, rest):
            number, level, style, rest = "", 7, "", text
        if self._brackets and _IN_BRACKETS.fullmatch(number):
            level, style = 2, "hanzi"
        if not self.title and not number and (heading or len(text) <= LONGEST_TITLE):
            self.title = text
            return
        if not number and not heading:
            self._add(line, "", "", text, 7)
            return
        short = _title_of(rest, level, heading=heading)
        if level == 0 and number:
            if _opens_annex(text, heading=heading):
                self._annex = True
            else:
                number, level, short, rest = "", 3, "", text
        if number and style in INSIDE and not self._annex:
            self._style = self._style or style
            if INSIDE[style] > INSIDE[self._style]:  # 1. under 一、
                level = 3
        if (number and level <= 2) or (heading and not number):
            self._article = len(self.clauses)
        body = rest[len(short) :].lstrip(" :：.。") if short else rest
        self._add(line, number, short, body, level if number else 2)

    def _add(self, line: Line, number: str, title: str, text: str, level: int) -> None:
        block = line.block
        self.clauses.append(
            Clause(
                len(self.clauses), number, title, text, level, block.page, block.box,
                self._article, self._annex, block.kind == "table",
            )
        )  # fmt: skip


_IN_BRACKETS = re.compile(rf"[（(]{HANZI_NUMBER}{{1,3}}[)）]")


def _articles_in_brackets(lines: Iterable[Line]) -> bool:
    """Whether nothing but （一）, （二） numbers what would be articles."""
    found = [numbered(line.text) for line in lines]
    if any(n and level <= 2 and style != "annex" for n, level, style, _ in found):
        return False
    return sum(bool(_IN_BRACKETS.fullmatch(n)) for n, *_ in found) >= 4


_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|"
    r"fifty|sixty|seventy|eighty|ninety|hundred)(?:-\w+)?$",
    re.I,
)


def _counts(before: str, number: str, rest: str) -> bool:
    """``five`` at the end of a line and ``(5) years`` on the next: no clause begins there."""
    return (
        bool(re.fullmatch(r"[（(]\d{1,2}[)）]", number) and re.match(r"[a-z%]", rest))
        and _NUMBER_WORD.search(before) is not None
    )


def language_of_contract(text: str) -> str:
    hanzi = len(re.findall(r"[\u3400-\u9fff]", text))
    letters = len(re.findall(r"[A-Za-z]", text))
    return "zh" if hanzi * 3 > letters else "en"


def _opens_annex(text: str, *, heading: bool) -> bool:
    return heading or (len(text) <= 60 and not re.search(r"[。；;]|\b(?:shall|is|are)\b", text))


def _title_of(rest: str, level: int, *, heading: bool) -> str:
    """The name of an article, where its line begins with one."""
    if level >= 2 and len(rest) > 20 and re.search(r"[，；]|, ", rest):
        heading = False
    if level >= 3 and (_SENTENCE.search(rest) or _NO_TITLE.search(rest)):
        heading = False
    if heading or (
        level <= 2 and len(rest) <= LONGEST_TITLE and not re.search(r"[。；;,，]", rest)
    ):
        return rest.rstrip(".。:：")
    if level <= 3:
        named = re.match(
            r"([A-Z][A-Za-z ,&'/\-]{2,50})\.\s+(?=[A-Z(“\"])|【(.{2,20}?)】|([\u3400-\u9fff]{2,10})[:：](?=.)",
            rest,
        )
        if named and not _SENTENCE.search(named[0]) and len(named[0].split()) <= 7:
            return named[1] or named[2] or named[3]
    return ""


_SENTENCE = re.compile(
    r"\b(?:is|are|shall|may|must|will|can|has|have|starts?|begins?|ends?|expires?|forms?|seek|appl(?:y|ies)|runs?)\b|\d{4}|应当|不得|\b(?:the|of|and|or|for|to|by|in|an?|its|their|with|on)$"
)
"""A verb or a date: it is no title."""
_NO_TITLE = re.compile(r"\d+\s*[日天个年月元%]|任何一方|(?<!对)[甲乙双对]方.{4}|[应须].{4}|[，,]")
"""Of what stands under a number of the third depth, as it may be cut off at a line's end."""


_LABELLED = re.compile(
    r"(?:编号|住所|地址|法定代表人|联系人|电话|邮箱|\bno\.?|\bNo\.?|Address|representative|Tel|Contact|E-?mail)\s*[:：][^。；;]{0,90}$"
)
"""A line of particulars ends where it ends."""


def _joined(clauses: list[Clause]) -> Iterator[Clause]:
    """Lines that break in the middle of a sentence are one paragraph."""
    out: list[Clause] = []
    for c in clauses:
        last = out[-1] if out else None
        if last is not None and _goes_on(last, c):
            glue = "" if re.search(r"[\u3400-\u9fff，、（]$", last.text) else " "
            out[-1] = replace(last, text=tidy(f"{last.text}{glue}{c.text}"))
        else:
            out.append(c)
    yield from (replace(c, index=n, article=_moved(out, c, n)) for n, c in enumerate(out))


_NEW = re.compile(
    rf"(?:(?:甲方|乙方|丙方|Party [AB\d])\s*[（(:：]|{PARTY_LABEL}|委托单位|受托单位|签字|盖章|日期|By:|Name:|Title:|Date:|{LABELS})"
)


def _goes_on(last: Clause, c: Clause) -> bool:
    """Whether ``c`` is the rest of a sentence that ``last`` begins."""
    if c.number or c.title or c.table or c.level != 7 or last.table or not last.text:
        return False
    if _LABELLED.search(last.text) or _NEW.match(c.text):
        return False
    if re.search(r"[。！？；;.!?:：]\s*[”\"’)）]?$", last.text):
        return False
    if len(last.text) > 25 or re.match(r"[a-z(（]|Co\.|Ltd|Inc|LLC", c.text):
        return True
    return bool(last.number) and last.level >= 3 and len(last.text) >= 8


def _moved(out: list[Clause], c: Clause, n: int) -> int:
    """The article's index after joining."""
    if c.article < 0:
        return -1
    for k in range(n, -1, -1):
        if out[k].index == c.article:
            return k
    return -1
