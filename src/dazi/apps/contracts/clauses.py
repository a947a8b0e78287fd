"""A contract as a tree of clauses: what is numbered, what stands under it, and where."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dazi.apps.contracts.numerals import HANZI_NUMBER, hanzi_number
from dazi.knowledge.blocks import Block, Box

_NUMBERS: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (level, re.compile(pattern))
    for level, pattern in (
        (0, rf"(?P<n>(?:附件|附录|附表)\s*(?:[0-9]+|{HANZI_NUMBER}+|[A-Z])?)(?=\s|[:：《、.\-—]|$)"),
        (0, r"(?P<n>(?:Annex|Schedule|Exhibit|Appendix|ANNEX|SCHEDULE|EXHIBIT|APPENDIX)\s+(?:[0-9]+|[A-Z]|[IVX]+))(?=\s|[:.\-—]|$)"),
        (1, rf"(?P<n>第\s*(?:[0-9]+|{HANZI_NUMBER}+)\s*[章编部])"),
        (2, rf"(?P<n>第\s*(?:[0-9]+|{HANZI_NUMBER}+)\s*条)"),
        (2, r"(?P<n>(?:Article|Clause|Section|ARTICLE|CLAUSE|SECTION)\s+(?:[0-9]+|[IVX]+)(?!\.?\d))[.:]?"),
        (2, rf"(?P<n>{HANZI_NUMBER}{{1,3}})、"),
        (4, r"(?P<n>\d{1,2}\.\d{1,2}\.\d{1,2}(?:\.\d{1,2})?)(?=\s|[^\d.%])"),
        (3, r"(?P<n>(?:Section |Clause )?\d{1,2}\.\d{1,2})(?=\s|[^\d.%元日天年个]|个[人别案体])"),
        (2, r"(?P<n>\d{1,2})[.．、](?!\d)\s*"),
        (5, rf"(?P<n>[（(](?:\d{{1,2}}|{HANZI_NUMBER}{{1,3}}|[a-z]|[ivx]{{1,4}})[)）])"),
        (6, r"(?P<n>[①-⑳])"),
    )
)  # fmt: skip
_PLACEHOLDER = re.compile(
    r"_{2,}|＿{2,}|\[\s*[●•\s_]*\s*\]|【\s*[●•\s_]*\s*】|\{\{.*?\}\}|…{2,}|＊{2,}|×{2,}|\bX{3,}\b"
)
_HANZI = r"\u3400-\u9fff\u3000-\u303f\uff00-\uffef“”‘’"
_BETWEEN = re.compile(rf"(?<=[{_HANZI}])[ \t]+(?=[{_HANZI}])")
_BESIDE = re.compile(
    r"(?<=[\u3400-\u9fff])[ \t]+(?=[0-9A-Za-z¥￥])|(?<=[0-9A-Za-z%])[ \t]+(?=[\u3400-\u9fff])"
)
_SPLIT_NUMBER = re.compile(r"(?<=\b\d) (?=\d\s*(?:days?|months?|years?|日|天|个|年|月|%))")
_WIDE = {ord(c): unicodedata.normalize("NFKC", c) for c in map(chr, range(0xFF10, 0xFF5B)) if c.isalnum()}  # fmt: skip
_WIDE |= {0xFF05: "%", 0xFF0E: ".", 0x3000: " ", 0xA0: " "}
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
            self._by_article.update({c.index: c.title or c.text[:30] for c in self.clauses})
        return self._by_article.get(clause.article, "")

    @property
    def body(self) -> tuple[Clause, ...]:
        """Without annexes."""
        return tuple(c for c in self.clauses if not c.annex)

    @property
    def text(self) -> str:
        return "\n".join(f"{c.number} {c.words}".strip() for c in self.clauses)


def tidy(text: str) -> str:
    """The same words without what typesetting and scanning put between them: spaces between hanzi,
    full-width letters and digits, runs of blanks."""
    text = text.translate(_WIDE).replace("\u200b", "").replace("\ufeff", "")
    text = re.sub(r"[ \t\r\f\v]+", " ", text)
    text = _BETWEEN.sub("", text)
    text = _SPLIT_NUMBER.sub("", text)
    return _BESIDE.sub("", text).strip()


def blank(text: str) -> bool:
    """Whether there is a place to fill in."""
    return bool(_PLACEHOLDER.search(text))


def filled_out(text: str, by: str = "〇") -> str:
    """With one mark for each place to fill in."""
    return _PLACEHOLDER.sub(by, text)


def read_contract(blocks: Iterable[Block]) -> Contract:
    """From what a parser found. What is not numbered belongs to what came before it; a table of
    contents is left out."""
    lines = [_Line(block, text) for block in blocks for text in _paragraphs(block)]
    reading = _Reading()
    for line in _without_contents(lines):
        reading.take(line)
    title, clauses = reading.title, reading.clauses
    pages = max((line.block.page for line in lines), default=0)
    language = language_of_contract(title + "".join(c.words for c in clauses[:200]))
    return Contract(title, tuple(_joined(clauses)), language, pages)


@dataclass(frozen=True, slots=True)
class _Line:
    block: Block
    text: str


_CONTENTS = re.compile(r"目\s*录|(?:table of )?contents", re.IGNORECASE)
_LEADERS = re.compile(r"[.…·\s]{2,}\d+\s*$|\s+\d+\s*$")


def _without_contents(lines: list[_Line]) -> list[_Line]:
    """From 目录 to where its first entry comes again, now with a text under it."""
    start = next(
        (n for n, line in enumerate(lines[:60]) if _CONTENTS.fullmatch(line.text.strip())), None
    )
    if start is None:
        return lines
    first = _LEADERS.sub("", lines[start + 1].text).strip() if start + 1 < len(lines) else ""
    for n in range(start + 2, min(len(lines), start + 120)):
        if first and _LEADERS.sub("", lines[n].text).strip() == first:
            return [*lines[:start], *_before_body(lines[start + 1 : n], lines[n:]), *lines[n:]]
    return lines


def _before_body(contents: list[_Line], body: list[_Line]) -> list[_Line]:
    """What stands between the table of contents and the first clause, such as the parties."""
    said = {_LEADERS.sub("", line.text).strip() for line in body}
    return [line for line in contents if _LEADERS.sub("", line.text).strip() not in said]


class _Reading:
    """Clauses as they come."""

    def __init__(self) -> None:
        self.title = ""
        self.clauses: list[Clause] = []
        self._article, self._annex = -1, False

    def take(self, line: _Line) -> None:
        text, heading = line.text, line.block.kind == "heading"
        number, level, rest = _numbered(text)
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
        if (number and level <= 2) or (heading and not number):
            self._article = len(self.clauses)
        body = rest[len(short) :].lstrip(" :：.。") if short else rest
        self._add(line, number, short, body, level if number else 2)

    def _add(self, line: _Line, number: str, title: str, text: str, level: int) -> None:
        block = line.block
        self.clauses.append(
            Clause(
                len(self.clauses), number, title, text, level, block.page, block.box,
                self._article, self._annex, block.kind == "table",
            )
        )  # fmt: skip


def language_of_contract(text: str) -> str:
    hanzi = len(re.findall(r"[\u3400-\u9fff]", text))
    letters = len(re.findall(r"[A-Za-z]", text))
    return "zh" if hanzi * 3 > letters else "en"


def number_value(number: str) -> int | None:
    """Of ``第十二条``, ``Article 12``, ``附件三`` the number alone."""
    digits = re.search(r"\d+", number)
    if digits:
        return int(digits[0])
    hanzi = re.search(f"{HANZI_NUMBER}+", number)
    return hanzi_number(hanzi[0]) if hanzi else None


def _paragraphs(block: Block) -> Iterator[str]:
    if block.kind == "table":
        text = tidy(block.text)
        if text:
            yield text
        return
    for line in block.text.split("\n"):
        text = tidy(line)
        if text:
            yield from _split(text)


_INLINE = re.compile(rf"(?<=[。；;.])\s*(?=(?:第(?:[0-9]+|{HANZI_NUMBER}+)条)(?:\s|[^的规之所第、款约和及或])|\d{{1,2}}\.\d{{1,2}}(?:\s|[\u3400-\u9fff]))")  # fmt: skip


def _split(text: str) -> list[str]:
    """Clauses that ran together on one line."""
    return [t for t in (s.strip() for s in _INLINE.split(text)) if t]


def _numbered(text: str) -> tuple[str, int, str]:
    """Its number, how deep such numbers stand, and the rest."""
    for level, pattern in _NUMBERS:
        match = pattern.match(text)
        if match:
            rest = text[match.end() :].lstrip(" :：、.．\t")
            if level == 2 and match["n"].isdigit() and re.match(r"\d", rest):
                continue
            return re.sub(r"\s+", "", match["n"]) if match["n"][0] in "第附" else match["n"].strip(), level, rest  # fmt: skip
    return "", 7, text


def _opens_annex(text: str, *, heading: bool) -> bool:
    return heading or (len(text) <= 60 and not re.search(r"[。；;]|\b(?:shall|is|are)\b", text))


def _title_of(rest: str, level: int, *, heading: bool) -> str:
    """The name of an article, where its line begins with one."""
    if heading or (
        level <= 2 and len(rest) <= LONGEST_TITLE and not re.search(r"[。；;,，]", rest)
    ):
        return rest.rstrip(".。:：")
    if level <= 3:
        named = re.match(
            r"([A-Z][A-Za-z ,&'/\-]{2,50})\.\s+(?=[A-Z(“\"])|【(.{2,20}?)】|([\u3400-\u9fff]{2,10})[:：](?=.)",
            rest,
        )
        if named:
            return named[1] or named[2] or named[3]
    return ""


_LABELLED = re.compile(
    r"(?:编号|住所|地址|法定代表人|联系人|电话|邮箱|\bno\.?|\bNo\.?|Address|representative|Tel|Contact|E-?mail)\s*[:：][^。；;]{0,90}$"
)
"""A line of particulars ends where it ends."""


def _joined(clauses: list[Clause]) -> Iterator[Clause]:
    """Lines that break in the middle of a sentence are one paragraph."""
    from dataclasses import replace

    out: list[Clause] = []
    for c in clauses:
        last = out[-1] if out else None
        if (
            last is not None
            and not c.number
            and not c.title
            and not c.table
            and not last.table
            and not _LABELLED.search(last.text)
            and c.level == 7
            and last.text
            and not re.search(r"[。！？；;.!?:：]\s*[”\"’)）]?$", last.text)
            and not re.match(
                r"(?:(?:甲方|乙方|丙方|Party [AB])\s*[（(:：]|签字|盖章|日期|法定代表|By:|Name:|Title:|Date:)",
                c.text,
            )
            and (len(last.text) > 25 or re.match(r"[a-z(（]|Co\.|Ltd|Inc|LLC", c.text))
        ):
            glue = "" if re.search(r"[\u3400-\u9fff，、（]$", last.text) else " "
            out[-1] = replace(last, text=tidy(f"{last.text}{glue}{c.text}"))
        else:
            out.append(c)
    yield from (replace(c, index=n, article=_moved(out, c, n)) for n, c in enumerate(out))


def _moved(out: list[Clause], c: Clause, n: int) -> int:
    """The article's index after joining."""
    if c.article < 0:
        return -1
    for k in range(n, -1, -1):
        if out[k].index == c.article:
            return k
    return -1
