"""A contract as a tree of clauses: what is numbered, what stands under it, and where."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dazi.apps.contracts.values import HANZI_NUMBER, hanzi_number
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
    return _BESIDE.sub("", text).strip()


def blank(text: str) -> bool:
    """Whether there is a place to fill in."""
    return bool(_PLACEHOLDER.search(text))


def filled_out(text: str, by: str = "〇") -> str:
    """With one mark for each place to fill in."""
    return _PLACEHOLDER.sub(by, text)


def read_contract(blocks: Iterable[Block]) -> Contract:
    """From what a parser found. What is not numbered belongs to what came before it."""
    clauses: list[Clause] = []
    title, pages = "", 0
    article, annex = -1, False
    for block in blocks:
        pages = max(pages, block.page)
        for text in _paragraphs(block):
            number, level, rest = _numbered(text)
            heading = block.kind == "heading"
            if not title and not number and (heading or len(text) <= LONGEST_TITLE):
                title = text
                continue
            if number or heading:
                short = _title_of(rest, level, heading=heading)
                if level == 0 and number and not _opens_annex(text, heading=heading):
                    number, level, short = "", 3, ""
                    rest = text
                elif level == 0 and number:
                    annex = True
                top = (bool(number) and level <= 2) or (heading and not number)
                if top:
                    article = len(clauses)
                body = rest if not short or short != rest else ""
                if short and short != rest:
                    body = rest[len(short) :].lstrip(" :：.。")
                clauses.append(
                    Clause(
                        len(clauses), number, short, body, level if number else 2, block.page,
                        block.box, article, annex, block.kind == "table",
                    )
                )  # fmt: skip
            else:
                clauses.append(
                    Clause(
                        len(clauses), "", "", text, 7, block.page, block.box, article, annex,
                        block.kind == "table",
                    )
                )  # fmt: skip
    language = language_of_contract(title + "".join(c.words for c in clauses[:200]))
    return Contract(title, tuple(_joined(clauses)), language, pages)


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
